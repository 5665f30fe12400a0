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

/* Where the account is. */
struct account_domain {
	uint64_t id;
	uint64_t quota_bytes; /* of all its accounts together; 0: none */
	char *name;
};

struct account {
	LIST_ENTRY(account) all; /* the owner's list */
	LIST_HEAD(, session) sessions;
	size_t n_sessions;
	struct store *store;
	struct store_account *mail; /* never waits for its lock */
	uint64_t id;
	uint64_t quota_bytes;                /* 0: none */
	const struct account_domain *domain; /* the owner's; null: not told of it */
	bool flags_unsynced; /* since the last sync; the owner syncs within 1 s */
	/* Grows when records may have moved. Who makes a call on `mail` that is not a
	 * pure reader, outside of account_refresh(), adds to it. */
	uint64_t epoch;
	uint64_t position;      /* of the journal, when last refreshed */
	bool mailboxes_changed; /* one may be gone */
	struct session *actor;  /* runs a command just now */
	/* \Recent: messages of the mailbox below that uid were announced to a session
	 * that could have changed it, or were there before the account was opened.
	 * Ascending by mailbox; one that is missing is new, so all is recent. */
	struct account_shown {
		uint32_t mailbox, uidnext;
	} * shown;
	size_t n_shown;
	/* The uids of the mailbox that was left last, for the next who selects it: what
	 * the store lists of it when it is at that modseq, with so many messages. */
	struct account_left {
		uint32_t mailbox; /* 0: none */
		uint32_t uidvalidity;
		uint64_t modseq;
		uint32_t *uids;
		size_t n, size;
	} left;
	const struct mime_charsets *charsets; /* for SEARCH; the owner's */
	void *owner;
};

/* Takes `mail`, of which the view was refreshed once, and watches it. */
MUST_USE struct account *
account_new(struct store *store, struct store_account *mail, uint64_t quota_bytes);
/* Without sessions. */
void account_free(struct account **account);

/* Learns what others did and notes it for the sessions. OK, BUSY, FAULT. */
MUST_USE enum store_result account_refresh(struct account *account, struct err *err);

/* Between the two another thread works on `mail`: nothing is noted for sessions, of
 * which some may leave. What they missed is found by comparing. */
void account_pause(struct account *account);
void account_resume(struct account *account);

/* \Recent, see `shown`. */
MUST_USE uint32_t account_shown(const struct account *account, uint32_t mailbox);
void account_show(struct account *account, uint32_t mailbox, uint32_t uidnext);
