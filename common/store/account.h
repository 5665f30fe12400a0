/* common/store/account.h - one account, as one process has it open
 *
 * The handle knows mailboxes, UIDNEXT and usage, which costs the last journal file
 * to read, however many messages there are; messages are known to the view (view.h)
 * only. It holds up to STORE_ACCOUNT_FDS descriptors.
 */
#pragma once

#include "common/store/root.h"

#define STORE_ACCOUNT_FDS 8

struct store_account;

enum store_open_mode {
	STORE_MUST_EXIST,
	STORE_MAY_CREATE =
	    1,             /* made with the mailboxes of a new account when missing */
	STORE_NO_WAIT = 2, /* may be added to either: BUSY instead of waiting */
};

/* OK, NONE, BUSY, FAULT. What a crash left torn at the end of the journal is cut off;
 * what no sync had covered is made durable, or dropped where it is not whole. */
MUST_USE enum store_result
store_account_open(struct store *store, uint64_t id, unsigned mode, int64_t now_us,
		   struct store_account **out, struct err *err);
void store_account_close(struct store_account **account);

/* false: no call waits for the lock; those that would have to answer STORE_BUSY
 * instead, having done nothing, to be tried again in some ms. For event loops. The
 * default is true. Opening has STORE_NO_WAIT for this. */
void store_account_wait(struct store_account *account, bool wait);

MUST_USE uint64_t store_account_id(const struct store_account *account);

struct store_usage {
	uint64_t bytes; /* prefixes included */
	uint64_t messages;
};

/* As of the last batch, refresh or open; reads nothing. */
MUST_USE struct store_usage store_usage(const struct store_account *account);

/* Where the journal ends for this handle: what is appended, and not yet durable
 * when store_durable() is less. */
MUST_USE uint64_t store_position(const struct store_account *account);
MUST_USE uint64_t store_durable(const struct store_account *account);

/* Tells all processes that all below `position` is on disk (store_sync_disk() has
 * said so). OK, BUSY: try again in some ms, FAULT: some of it may be void, none of it
 * may be reported. */
MUST_USE enum store_result
store_synced(struct store_account *account, uint64_t position, struct err *err);

/* After a sync that failed: what no sync covered is void, and the account goes on
 * in new files. OK, BUSY, FAULT: then the handle must be closed. */
MUST_USE enum store_result
store_abandon(struct store_account *account, int64_t now_us, struct err *err);

/* Syncs this account alone, whoever appended. Cheap when nothing is new. Waits for the
 * disk: for a worker thread. OK, BUSY, FAULT: what was appended since is void. */
MUST_USE enum store_result
store_sync(struct store_account *account, int64_t now_us, struct err *err);
