/* imapd/imapd.h - IMAP sessions of logged-in clients
 *
 * What    takes logged-in connections (common/arrival), keeps the accounts they are of
 *         open, and runs their sessions (imapd/session). All sessions of an account are
 *         in one process and share what it has open. What waits for a disk is done in
 *         worker threads, and one sync serves everybody.
 * Trust   clients are the internet; local and pop3d only say when to look.
 * Memory  a struct connection for each client, a struct home for each account; both
 *         buffers of a stream are given back while it is idle.
 *
 * The way of a connection: taken; its home opened, if it is not (accounts.c); a
 * session, which is stepped when there is input, room, a lock, or a sync has passed
 * (connection.c, sync.c); told what others did (notify.c); closed. Between all this the
 * texts of new messages are made (texts.c).
 */
#pragma once

#include "common/arrival/arrival.h"
#include "common/base/base.h"
#include "common/net/net.h"
#include "common/proc/proc.h"
#include "common/store/store.h"
#include "imapd/deflate.h"
#include "imapd/session/session.h"

#include <sys/queue.h>

#define BUSY_RETRY_MS 5      /* somebody holds an account's lock */
#define HOME_SWEEP_MS 10000  /* how often homes are looked over */
#define HOME_KEPT_MS  60000  /* how long one is kept open without a session */
#define HOME_SAVE_MS  300000 /* how often the index of one in use is written */

struct event;

enum home_state {
	HOME_OPENING, /* a worker opens it */
	HOME_OPEN,
	HOME_SAVING, /* a worker writes its index: nobody else may touch it */
};

/* An account that is open, or being opened. */
struct home {
	TAILQ_ENTRY(home) used; /* the one used last is the last */
	struct home *chain;     /* next of the same hash */
	struct imapd *imapd;
	uint64_t id;
	uint64_t quota_bytes; /* 0: none */
	struct account_domain domain;
	enum home_state state;
	struct store_account *mail; /* until `account` has it */
	struct account *account;
	LIST_HEAD(, connection) connections;
	uint64_t left_ms;  /* when the last connection left */
	uint64_t saved_ms; /* when its index was last looked after */
	uint64_t saved_at; /* and the position then */
	bool closing;      /* once it is saved */
	bool broken;       /* it cannot be read any more */

	/* Its sessions are to be told what is new, at the end of the turn; before that
	 * what others did is to be learned. */
	TAILQ_ENTRY(home) told;
	bool telling, refresh_due;

	TAILQ_ENTRY(home) synced; /* when either of: */
	bool sync_due;            /* something is to be made durable */
	bool syncing;             /* a sync covers all up to `covered` */
	uint64_t covered;

	TAILQ_ENTRY(home) texted; /* when texts may be missing */
	bool text_due;

	struct proc_job job;
	enum store_result result;
	struct err err;
};

TAILQ_HEAD(homes, home);

enum connection_wait {
	WAIT_HOME,  /* the account is being opened */
	WAIT_INPUT, /* or its turn */
	WAIT_ROOM,
	WAIT_LOCK,
	WAIT_SYNC,
	WAIT_DOMAIN_USE,
};

struct connection {
	LIST_ENTRY(connection) of_home;
	TAILQ_ENTRY(connection) locked; /* WAIT_LOCK */
	struct imapd *imapd;
	struct home *home;
	enum connection_wait wait;
	struct net_stream *stream;
	struct session *session; /* null in WAIT_HOME */
	uint64_t asked;          /* WAIT_DOMAIN_USE: the question's tag */
	struct deflate *deflate; /* null: not compressed */
	struct net_address client;
	char *address, *tag; /* the tag until the session is there */
	bool tls;
	bool client_ended;
};

struct imapd {
	struct proc *proc;
	struct arrivals *arrivals;
	struct store *store;
	struct session_policy policy;
	char *host_name, *temporary;   /* of the policy */
	struct mime_charsets charsets; /* for SEARCH */

	struct home **hash;
	size_t hash_size; /* a power of two */
	struct homes homes, telling;
	size_t n_homes, n_empty; /* those without a connection */
	struct event *sweep;

	TAILQ_HEAD(connections, connection) locked;
	struct event *retry; /* of what found a lock held */
	size_t n_connections;

	struct homes unsynced;
	size_t n_syncing;
	uint64_t sync_next_ms; /* the first that is due; UINT64_MAX: none */
	struct event *sync_timer;
	struct proc_job sync_job;
	bool sync_running; /* in its thread */
	int sync_result;
	struct err sync_error;
	uint64_t sync_paused_until_ms;

	uint64_t last_asked;

	struct homes untexted;
	struct event *text_timer;

	uint64_t logins, refused, commands, syncs, sync_faults, pushes, text_steps;
	bool draining;
};

/* A timer of the loop, set to fire this soon unless it fires sooner. */
void timer_within(struct imapd *d, struct event *timer, uint64_t ms);

/* --- connection.c --------------------------------------------------------- */

/* What comes from gate and authd is arrivals' first. */
extern const struct arrival_callbacks connection_callbacks;

/* Its home is open: a session begins. */
void connection_begin(struct connection *c);
/* Its home cannot be opened. */
void connection_refuse(struct connection *c, const char *code, const char *reason);
/* The only place that changes what it waits for. */
void connection_wait(struct connection *c, enum connection_wait what);
/* Goes on with the session: there is input, room, or what it waits for. */
void connection_drive(struct connection *c);
/* Tells what is new, when the client idles and there is room. */
void connection_push(struct connection *c);
void connection_end(struct connection *c, enum session_ending why);

/* --- accounts.c ----------------------------------------------------------- */

int homes_init(struct imapd *d, struct err *err);
/* The connection joins the home of the account, which opens if it is not open, and
 * calls connection_begin(), now or later. */
void home_join(struct imapd *d, const struct arrival *a, struct connection *c);
void home_leave(struct connection *c);
/* Null when there is none; it may be only opening. */
MUST_USE struct home *home_find(const struct imapd *d, uint64_t account);
/* Its mail cannot be read any more: at the end of the turn its sessions end, and it is
 * closed. */
void home_fault(struct home *h, const char *what, const struct err *err);
void home_bury(struct home *h);
/* Those that nobody uses are closed, or saved first, when their time has come. */
void homes_look_after(struct imapd *d);
void homes_end_all(struct imapd *d);
/* Nobody may stay logged in to the account. */
void home_end_sessions(struct imapd *d, uint64_t account);
/* Its sessions go by that quota from now on. */
void home_set_quota(struct imapd *d, uint64_t account, uint64_t quota_bytes);

/* --- domains.c ------------------------------------------------------------ */

/* Asks what all accounts of the domain hold; when nobody can be asked, the session
 * knows on return, and the connection does not wait. */
void domain_use_ask(struct connection *c);
void domain_use_told(struct imapd *d, const struct ipc_domain_use *m);
/* authd is gone: nobody will tell. */
void domain_use_lost(struct imapd *d);
void domain_set_quota(struct imapd *d, uint64_t domain, uint64_t quota_bytes);

/* --- sync.c --------------------------------------------------------------- */

void sync_init(struct imapd *d);
/* What was written there is to be synced this soon. */
void sync_within(struct home *h, uint64_t ms);
/* Begins a sync when one is due; at the end of a turn. */
void sync_turn(struct imapd *d);
void sync_forget(struct home *h);
MUST_USE bool sync_idle(const struct imapd *d);
/* What is not durable yet, at once, for a process that must end. */
void sync_now(struct imapd *d);

/* --- texts.c -------------------------------------------------------------- */

void texts_init(struct imapd *d);
/* There may be messages without their text. */
void texts_want(struct home *h);
void texts_forget(struct home *h);

/* --- notify.c ------------------------------------------------------------- */

void notify_init(struct imapd *d);
/* Somebody has changed the account. */
void notify_changed(struct imapd *d, uint64_t account);
/* The account's records have moved: its sessions are told at the end of the turn. */
void notify_tell(struct home *h);
/* The same, when what others did is to be learned first. */
void notify_refresh(struct home *h);
void notify_turn(struct imapd *d);
void notify_forget(struct home *h);
/* Asks local to say when it delivers, or no more. */
void notify_watch(const struct home *h, bool on);
/* A local that came up anew knows nothing. */
void notify_watch_all(struct imapd *d, uint32_t local);
/* Tries again what found a lock held. */
void retry_within(struct imapd *d, uint64_t ms);
