/* pop3d/pop3d.h - POP3 sessions of logged-in clients
 *
 * What    takes logged-in connections (common/arrival), opens the store and runs the
 *         session (pop3d/session). Opening, deleting and closing go to a worker
 *         thread, because they wait for locks and disks.
 * Trust   clients are the internet.
 * Memory  a struct visit for each connection, 48 bytes for each message in it, and the
 *         unique-ids of those that were imported with one.
 */
#pragma once

#include "common/arrival/arrival.h"
#include "common/base/base.h"
#include "common/net/net.h"
#include "common/proc/proc.h"
#include "common/store/store.h"
#include "pop3d/session/session.h"

#include <sys/queue.h>

#define BUSY_LOGIN_MS 10000 /* so long a login waits for the account's lock ... */
#define BUSY_QUIT_MS  60000 /* ... and what was deleted */

struct event;

struct pop3d {
	struct proc *proc;
	LIST_HEAD(, visit) visits;
	TAILQ_HEAD(waiting, visit) waiting; /* for a lock */
	struct event *retry;
	struct arrivals *arrivals;
	size_t n_visits;
	uint64_t logins, refused, retrieved, deleted, bytes;
	bool draining;
};

/* --- mailbox.c: the store, in a worker thread but for reading ------------- */

struct mailbox {
	uint64_t id;         /* of the account */
	struct store *store; /* one each: stores are not for several threads */
	struct store_account *account;
	struct store_content *content; /* the message being read */
	struct pop3_message *messages; /* after opening, until the session has them */
	size_t n;
	struct arena uidls;         /* of those that have one of their own */
	struct store_range *ranges; /* to be removed */
	size_t n_ranges, n_expunged;
	struct store_usage usage; /* after an update */
	uint64_t modseq;          /* the same */
	int64_t now_us;
	bool expunged; /* what was to be removed; perhaps not durable yet */
	bool ok;
	bool in_use; /* somebody has the account's lock */
	struct err err;
};

/* Each sets `ok`, and `err` when it is false and not `in_use`. Nothing waits for the
 * account's lock: with `in_use` the same call goes on with what is left. */
void mailbox_open(struct mailbox *m, const char *root, uint64_t account);
void mailbox_update(struct mailbox *m);
/* Gives everything back. */
void mailbox_close(struct mailbox *m);

/* For POP3_WANT_MESSAGE, _BYTES and _DONE; from the loop, between the others. */
MUST_USE enum pop3_message_answer mailbox_message(struct mailbox *m, uint32_t uid);
MUST_USE struct span mailbox_bytes(struct mailbox *m, uint64_t offset, size_t n);
void mailbox_done(struct mailbox *m);

/* --- visit.c: a connection ------------------------------------------------ */

enum visit_state {
	VISIT_OPENING, /* a worker opens the mailbox */
	VISIT_SERVING,
	VISIT_UPDATING, /* a worker deletes */
	VISIT_CLOSING,  /* a worker closes the mailbox; the connection is gone */
};

struct visit {
	LIST_ENTRY(visit) all;
	struct pop3d *pop3d;
	enum visit_state state;
	struct net_stream *stream; /* null once the connection is gone */
	struct pop3 *session;      /* from SERVING on */
	struct mailbox mailbox;
	struct proc_job job;
	char *root; /* for the worker */
	struct net_address client;
	uint64_t account;
	char address[ARRIVAL_ADDRESS_MAX + 1];
	bool tls;
	bool client_ended;
	bool barred;              /* nobody may be logged in to the account any more */
	bool working;             /* a worker has the mailbox, or will */
	TAILQ_ENTRY(visit) waits; /* for the lock: wait.c */
	uint64_t busy_since_ms;   /* 0: it does not */
	char reason[80];          /* of its end */
};

/* What comes from gate and authd is arrivals' first. */
extern const struct arrival_callbacks visit_callbacks;
/* Tells those that can be told; an update under way is finished. */
void visits_stop(struct pop3d *d);
/* Nobody may stay logged in to the account. */
void visits_bar(struct pop3d *d, uint64_t account);

/* --- serve.c: the session ------------------------------------------------- */

/* Goes on with the session: there is input, room for output, or an answer. */
void visit_serve(struct visit *v);

/* --- wait.c: for an account's lock ---------------------------------------- */

void waiting_init(struct pop3d *d);
/* The job of the visit found the lock held: it begins again soon, unless it has done so
 * for that long. */
MUST_USE bool visit_wait(struct visit *v, uint64_t limit_ms);

/* --- visit.c again, for serve.c ------------------------------------------- */

void visit_update(struct visit *v);
/* In order, or at once when `abort`. */
void visit_close(struct visit *v, const char *reason, bool abort);
