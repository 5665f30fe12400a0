/* delivery/local/local.h - what the files of the program share
 *
 * The way of a job: taken from qmgr into `queue`; at the end of a turn read from its
 * segment, with its neighbours, and appended to its account, with all others for that
 * account (turn.c); then in the account's slot until one sync has covered it and all
 * that came with it (sync.c); then reported. An account whose lock somebody else holds
 * keeps its jobs for some milliseconds. Accounts that IMAP sessions look at (watch.c)
 * are synced at once, and imapd is told.
 */
#pragma once

#include "common/base/base.h"
#include "common/proc/proc.h"
#include "common/segments/segments.h"
#include "common/spool/spool.h"
#include "common/store/store.h"

#define TURN_JOBS_MAX     256        /* taken in one turn */
#define TURN_BYTES_MAX    (8u << 20) /* of content; or one message */
#define UNSYNCED_JOBS_MAX 4096       /* a sync is begun without waiting */
#define BUSY_RETRY_MS     5
#define SYNC_PAUSE_MS     1000 /* after a sync that failed */

struct event;
struct slot;

struct job {
	struct job *next;
	uint64_t number; /* qmgr's */
	uint64_t epoch;  /* of the channel it came by; to another it means nothing */
	uint64_t id, account, offset, content_bytes, arrived_us;
	uint32_t ordinal, segment;
	bool replay;
	struct span sender, recipient, original; /* in `text` */
	struct span content;                     /* during a turn */
	struct store_appended stored;
	char text[];
};

struct jobs {
	struct job *first, **last;
	size_t n;
};

void jobs_init(struct jobs *list);
void jobs_add(struct jobs *list, struct job *job);
MUST_USE struct job *jobs_take(struct jobs *list);
/* All of `from` behind what is in `to`. */
void jobs_move(struct jobs *to, struct jobs *from);
void jobs_free(struct jobs *list);

MUST_USE struct job *job_new(const struct ipc_deliver *m, uint64_t epoch);

/* --- accounts ------------------------------------------------------------- */

/* An account that is open, or has jobs. */
struct slot {
	uint64_t id;
	struct store_account *account; /* null: not open */
	struct slot *chain;            /* next of the same hash */
	struct slot *newer, *older;    /* by last use */
	struct jobs waiting;           /* to be appended */
	struct jobs written;           /* appended since the last sync began */
	struct jobs syncing;           /* the sync under way covers these, or did */
	uint64_t covered;              /* position, by that sync */
	bool is_ready, is_dirty, is_syncing; /* in which lists */
	bool is_covered; /* the sync was good; its lock is waited for */
	struct slot *next_ready, *next_dirty, *next_syncing;
};

struct slots {
	struct slot **hash;
	size_t hash_size; /* a power of two */
	size_t n, max;
	struct slot *newest, *oldest;
};

void slots_init(struct slots *all, size_t max);
void slots_release(struct slots *all);
/* Made when it is not there; those not used for long are closed. */
MUST_USE struct slot *slots_get(struct slots *all, uint64_t id);
MUST_USE struct slot *slots_find(const struct slots *all, uint64_t id);
/* The account's files are not held any longer; what is under way goes on, and looks
 * anew at its next lock. */
void slots_close(struct slots *all, uint64_t id);

/* --- who is looked at ----------------------------------------------------- */

struct watches {
	struct watch **hash;
	size_t n, size; /* a power of two, or 0 */
};

void watches_set(struct watches *all, uint64_t id, bool on);
MUST_USE bool watches_have(const struct watches *all, uint64_t id);
/* Those of one imapd, which is gone: accounts are hashed to them. */
void watches_forget(struct watches *all, uint32_t instance, uint32_t instances);

/* --- the program ---------------------------------------------------------- */

struct local {
	struct proc *proc;
	struct store *store;
	struct slots slots;
	struct segments segments;
	struct watches watches;
	uint64_t epoch;
	struct jobs queue;
	struct slot *ready; /* have waiting jobs */
	struct slot *dirty; /* have written ones */
	struct slot *syncing;
	size_t n_written; /* jobs in the dirty slots */
	uint64_t oldest_written_ms;
	bool urgent;       /* one of the dirty slots is looked at */
	bool sync_running; /* in its thread */
	struct proc_job sync_job;
	int sync_result;
	struct err sync_error;
	struct event *wake;  /* another turn */
	struct event *timer; /* of the next sync, or of a busy account */
	uint64_t busy_until_ms, paused_until_ms;
	bool draining;
	char *bytes; /* contents of one turn */
	size_t bytes_size;
	struct buf prefix; /* of one message */
	struct {
		uint64_t delivered, known, deferred, failed, syncs, sync_faults, turns;
	} count;
};

/* turn.c: appends what is queued. */
void turn_run(struct local *l);
/* Another turn soon, or in some milliseconds. */
void turn_again(struct local *l);
void turn_timer(struct local *l, uint64_t in_ms);

/* sync.c: begins a sync when one is due. */
void sync_maybe(struct local *l);
/* Appended jobs have a slot that is to be synced. */
void sync_add(struct local *l, struct slot *slot);
/* One at once, for a process that must end. */
void sync_now(struct local *l);
MUST_USE bool sync_idle(const struct local *l);

/* report.c: tells qmgr and the log; frees the job. */
void report_done(struct local *l, struct job *job);
void report_deferred(struct local *l, struct job *job, const char *reason);
void report_failed(struct local *l, struct job *job, const char *reason);
void report_usage(struct local *l, const struct slot *s);
/* To imapd, when it looks at the account: what was appended is durable. */
void report_changed(struct local *l, uint64_t account, uint64_t modseq);

/* prefix.c: the lines of this recipient, appended to out. */
void prefix_put(const struct job *job, struct buf *out);
