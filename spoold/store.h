/* spoold/store.h - the segments of the spool: the one writer of spool/seg
 *
 * What    takes whole messages into the current segment, keeps the next one ready
 *         ahead of time, starts syncs, and says what became of each message.
 *         Slow calls (syncs, making and removing files) run as jobs in threads;
 *         the loop never waits for them. A message for which no segment is
 *         ready waits in memory; when none can be made it is refused.
 * Faults  a failed write or sync ends its segment: what it had not synced is
 *         refused, the file is cut back to what was synced. The next segment is
 *         tried at the next second, so that a broken disk is asked once a second
 *         and a full one is noticed empty as soon.
 * Trust   its callers have checked ids and envelopes' lengths.
 *
 * Results are fetched by store_next(); no function here calls back.
 */
#pragma once

#include "spoold/segment.h"

#define STORE_SPARES_MAX    4           /* finished segments kept for recycling */
#define STORE_WAITING_MAX   (32u << 20) /* bytes in memory beyond which intake pauses */
#define STORE_HELD_MAX      (32u << 20) /* bytes of unfinished messages in memory */
#define STORE_OWN_MAX       1000        /* messages being streamed to own segments */
#define STORE_MOVES_MAX     64          /* copies under way */
#define STORE_RESERVE_FILES 8           /* inodes that new files leave alone */
#define STORE_NUMBERS_AHEAD 4096 /* numbers of segments that are reserved at once */

struct store_setup {
	const struct log_io *io;
	int dir_fd;             /* spool/seg */
	uint64_t segment_bytes; /* of a shared segment */
	uint64_t reserve_bytes; /* new files are made only while so much stays free */
	/* In a thread: notes durably that numbers of segments below `end` may be given.
	 */
	int (*reserve)(void *context, uint32_t end, struct err *err);
	/* Runs the job as proc_work() does. */
	bool (*work)(void *context, struct proc_job *job);
	/* Any clock that only goes forward. */
	uint64_t (*now_us)(void);
	void *context;
};

enum store_result_kind {
	STORE_ANSWER, /* to the origin: what became of its message */
	STORE_ADDED,  /* for qmgr: a message is synced */
};

struct store_result {
	enum store_result_kind kind;
	enum spool_outcome outcome;
	struct origin origin;
	uint64_t id;
	uint64_t offset;
	uint64_t content_bytes;
	uint32_t segment;
	uint32_t envelope_bytes;
	bool moved;
};

struct waiting {
	struct waiting *next;
	struct letter letter; /* its bytes stand behind this struct */
};

struct store {
	struct store_setup setup;
	struct log_dir dir;
	uint32_t next_number, numbers_end; /* below the end they may be given */
	bool reserving;
	uint32_t *making; /* numbers whose files are being made */
	size_t n_making, size_making;
	struct segment *current;  /* null: none ready */
	struct segment *prepared; /* the one after it */
	struct segment *open;     /* list of all but `prepared` */
	size_t n_own;
	bool preparing;
	bool hold_off; /* a fault: nothing is prepared before the next second */
	bool refusing; /* the last try to prepare failed */
	enum spool_outcome trouble;
	bool state_due; /* a shared segment was closed since the last state */
	struct waiting *waiting, **waiting_end;
	size_t waiting_bytes; /* and of streams whose segment is being made */
	size_t held_bytes;    /* of streams that may still fit a shared segment */
	uint64_t spares[STORE_SPARES_MAX];
	size_t n_spares;
	struct let_go *letting; /* segments on their way out */
	size_t n_moves;
	size_t n_jobs;
	bool recovered; /* all older segments are as they will stay */
	struct store_result *results;
	size_t first_result, n_results, size_results;
	/* counted for status */
	uint64_t n_stored, n_refused, n_syncs, n_faults;
};

/* `next_number`: above all that were ever given; below `numbers_end` they may be. */
void store_init(struct store *s, const struct store_setup *setup, uint32_t next_number,
		uint32_t numbers_end);
/* No job may be under way. */
void store_release(struct store *s);

/* One whole message; its bytes are copied where they must wait. */
void store_put(struct store *s, const struct letter *m);

/* Once a turn of the loop: starts syncs, closes what is finished. True when it
 * should be called again within SEGMENT_GATHER_US, come what may. */
bool store_turn(struct store *s);

/* Once a second. */
void store_second(struct store *s);

/* False when there is no result left. */
MUST_USE bool store_next(struct store *s, struct store_result *out);

/* True while peers should not be read from. */
MUST_USE bool store_full(const struct store *s);
/* Nothing waits, is being written or synced. */
MUST_USE bool store_idle(const struct store *s);

/* For queue_state: the segment being written (0: none) and what of it is synced.
 * store_state_due() is true once after an older segment became complete. */
void store_state(const struct store *s, uint32_t *segment, uint64_t *offset);
MUST_USE bool store_state_due(struct store *s);
/* Is every shared segment but the one being written complete? */
MUST_USE bool store_complete(const struct store *s);
/* The numbers of all other segments that are not, u32 each: of none is anything synced,
 * while store_complete() says so. */
void store_open_put(const struct store *s, struct buf *list);

/* qmgr needs the segment no more: kept for recycling, or removed; not before all
 * older segments are recovered, for a recycled one must not be written to by that. */
void store_let_go(struct store *s, uint32_t segment);

/* Copies a message onward; answered by STORE_ADDED with `moved`, with segment 0
 * when it could not be copied. */
void store_move(struct store *s, uint64_t id, uint32_t segment, uint64_t offset);

/* Looks through the files a former run left; s->recovered is set at the end. */
void store_recover(struct store *s, struct log_numbers *numbers);

/* --- between the files of the store --------------------------------------- */

/* Lets go what had to wait for the recovery. */
void store_let_go_waiting(struct store *s);
/* A number that no segment ever had; false when none may be given now. Its file is
 * being made until store_number_made(). */
MUST_USE bool store_number(struct store *s, uint32_t *number);
/* The segment is among the others now, or there will be none. */
void store_number_made(struct store *s, uint32_t number);
/* Runs the job; false when that is impossible now. */
MUST_USE bool store_work(struct store *s, struct proc_job *job);
/* For a copy, which has no origin, only a failure is told: as a failed move. */
void store_answer(struct store *s, struct origin origin, uint64_t id,
		  enum spool_outcome outcome);
void store_added(struct store *s, const struct store_result *added);
void store_fail(struct store *s, struct segment *segment, const struct err *err);
void store_forget(struct store *s, struct segment *segment);
MUST_USE struct segment *store_find(const struct store *s, uint32_t number);
/* No space, or something worse? */
MUST_USE enum spool_outcome store_outcome(const struct err *err);
/* Whether a new file of so many bytes leaves the reserve. For a thread. */
MUST_USE int store_space(const struct store *s, uint64_t bytes, struct err *err);
void store_prepare(struct store *s);
void store_discard(struct store *s, struct segment *segment);
void store_use_prepared(struct store *s);
