/* imapd/session/account.h - one account, shared by all of its sessions
 *
 * They share one store_account and so one view; what anybody commits is noted for each
 * session that has the mailbox selected (view.h), which tells its client when the
 * protocol allows.
 */
#pragma once

#include "common/base/base.h"
#include "common/store/store.h"

#include <sys/queue.h>

struct session;

struct account {
	LIST_ENTRY(account) all; /* the owner's list */
	LIST_HEAD(, session) sessions;
	size_t n_sessions;
	struct store *store;
	struct store_account *mail; /* never waits for its lock */
	uint64_t id;
	uint64_t quota_bytes; /* 0: none */
	bool flags_unsynced;  /* since the last sync; the owner syncs within 1 s */
	uint64_t epoch;       /* grows with every call that may move records */
	struct session
	    *actor; /* runs a command just now: its own changes are known to it */
	struct mime_charsets *charsets; /* for SEARCH; the owner's */
	void *owner;
};

/* Takes `mail`, of which the view was refreshed once. */
MUST_USE struct account *
account_new(struct store *store, struct store_account *mail, uint64_t quota_bytes);
/* Without sessions. */
void account_free(struct account **account);

/* Learns what others did and notes it for the sessions. OK, BUSY, FAULT. */
MUST_USE enum store_result account_refresh(struct account *account, struct err *err);
