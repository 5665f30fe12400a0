/* common/store/watch.h - being told what changed in an account
 *
 * One watcher a handle, for all sessions that share it. It is told of every event as
 * it enters the view: the handle's own changes within the call that makes them, those
 * of others within the call that learns of them. Nothing is told before there is a
 * view.
 */
#pragma once

#include "common/store/account.h"
#include "common/store/uids.h"

enum store_change_kind {
	STORE_CHANGE_APPENDED, /* messages became listable; told when the append (or
				* copy, or move to here) is durable, not before */
	STORE_CHANGE_FLAGS,    /* flags or keywords of uids */
	STORE_CHANGE_EXPUNGED, /* uids are gone: expunged, or moved away */
	STORE_CHANGE_MAILBOX,  /* made, renamed, deleted, subscribed; mailbox 0: a
				* keyword got its bit, or a name without a mailbox was
				* (un)subscribed */
	STORE_CHANGE_ALL,      /* the view was read anew: anything may have changed;
				* mailbox is 0 */
};

struct store_change {
	enum store_change_kind kind;
	uint32_t mailbox;
	/* FLAGS, EXPUNGED: ranges that name those messages, and may name uids that
	 * were not there any more; never one that is there and was not changed, but
	 * for messages appended since that FLAGS may name. APPENDED: one range, from
	 * the first to the last that is new. Else empty. Lives as long as the call. */
	struct store_uids uids;
	uint64_t modseq; /* of the event; APPENDED: the highest of them; ALL: 0 */
};

/* It is called from within calls on the account and must not call any: it only notes.
 * What it was told may be taken back, by ALL, when the call then fails. */
typedef void store_watcher(void *context, const struct store_change *change);

/* In place of an earlier one; null: none. */
void store_watch(struct store_account *account, store_watcher *watch, void *context);
