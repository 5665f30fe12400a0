/* common/transfer/transfer.h - the door: mail kept in files into an account, and out
 *
 * What    import reads a Maildir++ tree (Dovecot's or Courier's), mbox files or
 *         folders of .eml files through common/maildir and appends to the store, with
 *         UIDs, UIDVALIDITY, flags, keywords, dates and POP3 unique-ids kept; export
 *         writes them. Both may be cut off anywhere and run again: what is there is
 *         known by who it is, not by where the last run stopped, and comes once.
 * RFC     [RFC9051 2.3.1.1] UIDs, [RFC1939 7] unique-ids, [RFC8514] SAVEDATE,
 *         [RFC4155] mbox.
 * Trust   every byte of a source is doubted: it came from elsewhere. Names of
 *         mailboxes never become paths of the store.
 * Threads a call works on the caller's account handle, and waits: for the admin
 *         command or a worker thread. Others deliver to and read the account
 *         meanwhile; the lock is held for a batch at a time.
 *
 *   struct transfer_options options = {.now_us = now_us};
 *   store_account_open(store, id, STORE_MAY_CREATE, now_us, &account, &err);
 *   transfer_import(account, "/home/a/Maildir", &options, show, context, &counts,
 *                   &err);
 */
#pragma once

#include "common/base/base.h"
#include "common/maildir/maildir.h"
#include "common/store/store.h"

#include "common/transfer/export.h"
#include "common/transfer/import.h"
