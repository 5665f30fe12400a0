/* common/store/store.h - the mail of all accounts: one directory, one log each
 *
 * What    an account is a directory <root>/3f/000000000000123f of journal.N (what
 *         happened), data.N (message bytes), summary.N (what was parsed once),
 *         index (a snapshot) and lock. docs/store.md has every byte. Split by noun:
 *         root.h all accounts, account.h one of them, batch.h appending, view.h
 *         listing, content.h reading, change.h flags, expunging, copies, mailboxes,
 *         import.h, uids.h, watch.h being told, summary.h, maintain.h verify, rebuild,
 * compact. RFC     [RFC9051] mailboxes, UIDs, flags; [RFC7162] a MODSEQ is a position
 * in the journal; [RFC8474] ids; [RFC8514] SAVEDATE; [RFC6154] special use. Promise
 * what was synced survives any crash; what was not is whole or gone, and its UID was
 * never listed. Damage is confined to one message and named. A delivery that is tried
 * again is stored once. index and summary may be deleted at any time. Trust   every
 * byte of a file is doubted. Names of mailboxes never become paths. Threads one account
 * handle, one thread at a time. Distinct accounts of one store may be opened, synced,
 * refreshed, saved and closed in different threads; contents, summaries and texts are
 * read, and messages appended, by one thread a store, whose working memory they share.
 * store_sync_disk(): any thread. Waiting for the lock and reading block.
 *
 *   struct store *store = store_new("/var/lib/postroad/mail", &settings, &err);
 *   store_account_open(store, id, STORE_MAY_CREATE, now_us, &account, &err);
 *   store_batch_begin(account, false, &err);          STORE_BUSY: try again soon
 *   store_append(account, &message, &appended, &err); as often as wanted
 *   store_batch_end(account, &err);                   readable, not yet durable
 *   uint64_t covered = store_position(account);
 *   store_sync_disk(store, &err);                     one for all accounts, any thread
 *   store_synced(account, covered, &err);             now listed; may be reported
 *
 *   store_sync(account, &err);      what was just delivered becomes durable, listed
 *   store_view_refresh(account, &err);
 *   for (r = store_first(account, STORE_INBOX); r; r = store_next(account, r)) ...
 *   store_content_open(account, STORE_INBOX, uid, &content, &err);
 *   store_content_read(content, offset, n, &span, &err);
 */
#pragma once

#include "common/base/base.h"

#include "common/store/root.h"
#include "common/store/account.h"
#include "common/store/uids.h"
#include "common/store/watch.h"
#include "common/store/batch.h"
#include "common/store/view.h"
#include "common/store/content.h"
#include "common/store/change.h"
#include "common/store/import.h"
#include "common/store/summary.h"
#include "common/store/text.h"
#include "common/store/maintain.h"
#include "common/store/cut.h"
#include "common/store/erase.h"
#include "common/store/restore.h"
