/* qmgr/qmgr.h - the program around the queue: disk, clock, ipc
 *
 * What    search.c looks for messages in segments, state.c keeps the state log,
 *         load.c reads envelopes, deliver.c and relay.c hand out jobs, segment_fd.c
 *         keeps the open segments, admin.c answers the operator.
 */
#pragma once

#include "common/log/log.h"
#include "common/proc/proc.h"

#include "qmgr/queue/queue.h"

struct event;

/* --- open segments (segment_fd.c) ----------------------------------------- */

#define JOBS_BYTES_MAX (2u << 20) /* queued for one process */

#define SEGMENT_FDS_MAX 512 /* open ones that no job needs are closed beyond */

struct segment_fd {
	uint32_t number;
	uint32_t n_jobs;          /* sent and not answered */
	uint64_t told[JOB_KINDS]; /* a bit for each instance that has it */
	struct log_file file;
};

struct segment_fds {
	struct segment_fd *at; /* by number */
	size_t n, size;
	size_t hand; /* where the search for an idle one goes on */
};

/* --- the state log (state.c) ---------------------------------------------- */

#define STATE_FILE_BYTES   (16u << 20) /* at least */
#define STATE_ENTRY_BYTES  256u        /* of file for each message in the queue */
#define STATE_RECORD_BYTES (256u << 10)
#define STATE_HELD_MAX     (64u << 20) /* of notes while there is no file for them */
#define STATE_SYNC_MS      300
#define STATE_STEP         500 /* messages of a snapshot in one turn */

/* A segment that may be freed once the notes up to `position` are durable. */
struct free_wait {
	uint32_t segment;
	uint64_t position;
};

struct state {
	int dir_fd;
	struct log_dir dir;
	uint64_t next_number;
	uint64_t spare;         /* an old file to recycle; 0: none */
	struct log_numbers old; /* to be removed once the snapshot is durable */
	bool damaged;           /* what the files say is not all that was noted */
	bool open;
	struct log_file file;
	struct log_writer writer;
	uint64_t file_bytes; /* of the next one, at least */
	bool creating, syncing;
	bool want_file;    /* none, full or failed: a new one is needed */
	bool retry_wait;   /* the last try failed: not before the next second */
	uint64_t position; /* bytes of notes appended so far, over all files */
	uint64_t durable;  /* so many of them are synced, snapshot included */
	uint64_t
	    snapshot_end; /* position behind the snapshot's end; 0: not there yet */
	uint64_t covered, covered_position; /* of the sync under way */
	struct event *sync_timer;
	struct free_wait *waits;
	size_t n_waits, size_waits;
};

/* --- the search (search.c) ------------------------------------------------ */

/* Told by spoold while the search goes on; taken in order afterwards. */
struct held_add {
	bool is_state; /* queue_state: only `place.segment` */
	bool moved;
	uint64_t id;
	struct place place;
};

struct search {
	bool running;
	bool again;  /* spoold is new: once more */
	bool failed; /* what there is could not be told: once more, a second later */
	bool first;  /* none has ended since this program started */
	/* As spoold said at first; of the open ones, and from `next` on, nothing is
	 * synced. */
	uint32_t current, next;
	uint64_t current_end;
	uint32_t *open;
	size_t n_open;
	struct log_numbers numbers;
	size_t i;
	struct held_add *held;
	size_t n_held, size_held;
	uint64_t n_found;
};

struct qmgr {
	struct proc *proc;
	struct queue *queue;
	int seg_fd;
	struct log_dir seg;
	bool spoold_fresh; /* its next queue_state starts a search */
	struct state state;
	struct search search;
	struct segment_fds fds;
	struct asking *asking; /* what operators wait for */
	uint32_t n_loads;      /* envelopes being read by threads */
	struct event *second, *again;
	uint32_t start_s;
	uint32_t move_s; /* when segments were last looked through */
};

MUST_USE uint32_t qmgr_now_s(void);
/* Another turn of the loop, soon. */
void qmgr_again(struct qmgr *m);

/* Null (and *err) when it cannot be opened. */
MUST_USE struct segment_fd *
segment_fd_get(struct qmgr *m, uint32_t number, struct err *err);
/* Makes sure that the instance has it. */
void segment_fd_tell(struct segment_fd *s, struct ipc_peer *peer);
/* One job of it is answered. */
void segment_fd_done(struct qmgr *m, uint32_t number);
void segment_fd_drop(struct qmgr *m, uint32_t number);
/* It went away, and with it the jobs it had; before the queue is told. */
void segment_fds_instance_down(struct qmgr *m, enum job_kind kind, uint32_t instance);
/* False when no jobs are done by such a program. */
MUST_USE bool job_kind_of(enum ipc_kind program, enum job_kind *out);

void load_turn(struct qmgr *m);
/* The envelope of a message, allocated; null when it cannot be read. For an
 * operator's question. */
MUST_USE char *load_envelope(struct qmgr *m, const struct entry *e);

void deliver_turn(struct qmgr *m);
void deliver_answer(struct qmgr *m, uint32_t instance, const struct ipc_delivered *d);

/* For queue_config.route; context: struct proc. */
void route_get(const void *context, struct span domain, struct span next_hop,
	       struct queue_route *out);

void relay_turn(struct qmgr *m);
void relay_answer(struct qmgr *m, uint32_t instance, const struct ipc_relayed *r);

void notice_turn(struct qmgr *m);
void report_turn(struct qmgr *m);
void report_answer(struct qmgr *m, uint32_t instance, const struct ipc_reported *r);

MUST_USE int state_start(struct qmgr *m, int spool_fd, struct err *err);
/* The search is over: from now on the state is written. */
void state_begin(struct qmgr *m);
void state_turn(struct qmgr *m);
void state_second(struct qmgr *m);
/* All that was noted, on disk when this returns. */
void state_finish(struct qmgr *m);

void search_state(struct qmgr *m, const struct ipc_queue_state *state);
void search_add(struct qmgr *m, const struct ipc_queue_add *a);
void search_second(struct qmgr *m);

void admin_ask(struct qmgr *m, struct ipc_peer *peer, const struct ipc_queue_ask *ask);
void admin_turn(struct qmgr *m);
void admin_peer_down(struct qmgr *m, const struct ipc_peer *peer);
