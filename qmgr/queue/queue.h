/* qmgr/queue/queue.h - the door: the queue as a machine without disk or clock
 *
 * What    which messages there are, when and where each target is tried, and what
 *         must be written down. Events go in by calls; what is to be done is
 *         fetched: queue_next_load() which envelope to read, queue_next_job()
 *         what to hand to a local process, queue_next_relay() to a remote one,
 *         queue_next_report() to bounce,
 *         queue_next_done() which segment is
 *         needed no more, `notes` what to append to the state log.
 * Promise a message leaves the queue only when every target is done or an
 *         operator removed it; a target has at most one job at a time; a job is
 *         answered once; after a crash of anything what was not noted is tried
 *         again, marked as a replay.
 * Trust   pure. Places and envelopes come from files: a bad one puts its message
 *         on hold, nothing asserts on it.
 * Memory  84 bytes a waiting message with one target; docs/spool.md has figures.
 */
#pragma once

#include "common/ipc/ipc.h"
#include "common/spool/spool.h"

#include "qmgr/queue/destination.h"
#include "qmgr/queue/entry.h"
#include "qmgr/queue/heap.h"
#include "qmgr/queue/idmap.h"
#include "qmgr/queue/limits.h"
#include "qmgr/queue/record.h"
#include "qmgr/queue/report.h"
#include "qmgr/queue/segments.h"
#include "qmgr/queue/words.h"
#include "qmgr/queue/work.h"

#define QUEUE_INSTANCES_MAX 64 /* of a kind */
#define QUEUE_AWAY_MAX_S    30 /* longest wait for a process that is away */
#define QUEUE_MOVES_MAX     32 /* copies asked for at once */
#define QUEUE_EMPTY_PERCENT 10 /* a segment less alive than this is emptied */
#define QUEUE_EMPTY_AGE_S   600
#define QUEUE_FULL_PROBES   4     /* messages that try whether a full disk has space */
#define QUEUE_FULL_PROBE_S  2     /* how often they do */
#define QUEUE_PUT_OFF_MAX   10000 /* messages in one call */
#define QUEUE_WAKES_MAX     16
#define QUEUE_PAUSES_MAX    256
#define QUEUE_STEADY_S      14400 /* how long, before the age of a message counts */
#define QUEUE_NOTICES_MAX   16

/* What the settings say of mail to a domain. */
struct queue_route {
	char key[DESTINATION_KEY_SIZE]; /* of its destination: domains with one key
					   share it */
	uint32_t connections_max;       /* transactions at once */
	uint32_t per_minute_max;        /* of them; 0: as many as there are */
	bool alone; /* the route names its servers: it follows no provider */
};

struct queue_config {
	uint64_t active_max; /* jobs */
	uint32_t instances[JOB_KINDS];
	uint32_t retry_min_s, retry_max_s, lifetime_s;
	uint32_t warning_after_s;      /* 0: never */
	uint32_t relay_recipients_max; /* of one transaction */
	uint32_t connections_first, connections_max, per_minute_max;
	uint64_t limits[LIMIT_COUNT]; /* of an account; 0: none */
	uint64_t seed;                /* for the jitter of retries */
	/* Puts the key, and what differs from the above, into *out. Null: the key is
	 * the next hop and the domain, in lower case. */
	void (*route)(const void *context, struct span domain, struct span next_hop,
		      struct queue_route *out);
	const void *route_context;
};

/* Messages wait because the disk of the mailboxes is full. Some of them are tried
 * often; when one gets through, all the others are due. */
struct full {
	uint32_t window_s; /* since when the probes are counted */
	uint32_t n_probes;
	bool over;      /* being made due */
	uint64_t after; /* up to this id they are */
};

/* A reason (a word) that holds no more; messages up to `after` know. */
struct wake {
	uint32_t reason;
	uint64_t after;
};

/* Outgoing mail to a domain (a word; 0: all) that waits for the operator. */
struct pause {
	uint32_t domain, reason; /* words */
};

/* An account sends more than it may. */
struct queue_notice {
	uint64_t id;            /* of the message that was held */
	uint32_t login, reason; /* words */
};

/* What happened, for the log. Texts live until queue_events_clear(). */
enum queue_event_kind {
	QUEUE_EVENT_DONE,
	QUEUE_EVENT_DEFERRED,
	QUEUE_EVENT_HELD,
	QUEUE_EVENT_REMOVED,
	QUEUE_EVENT_GIVEN_UP, /* a recipient, for its age */
	QUEUE_EVENT_BOUNCED,  /* a recipient, by the operator */
	QUEUE_EVENT_DROPPED,  /* one that failed, and nobody is to be told */
	QUEUE_EVENT_DEAD,     /* a destination (the recipient), until due_s */
	QUEUE_EVENT_ALIVE,
	QUEUE_EVENT_LIMITED, /* the recipient is the login of who sends too much */
};

struct queue_event {
	enum queue_event_kind kind;
	uint64_t id;
	uint32_t due_s;
	uint32_t tries;
	uint32_t text_at, reason_bytes, recipient_bytes; /* in event_texts */
};

struct queue {
	struct queue_config config;
	struct entries entries;
	struct idmap ids;
	struct idmap dead; /* finished messages of which a segment may still tell */
	struct heap heap;
	struct words words;
	struct destinations destinations;
	struct segments segments;
	struct work *works;
	uint32_t n_works, size_works, free_work;
	struct job *jobs;
	uint32_t n_jobs_size, free_job;
	uint64_t n_jobs; /* not free */
	struct instance instances[JOB_KINDS][QUEUE_INSTANCES_MAX];
	struct buf relay_list;     /* of queue_next_relay() */
	struct buf report_request; /* of queue_next_report() */
	struct buf notes;
	struct queue_event *events;
	size_t n_events, size_events;
	struct buf event_texts;
	struct full full;
	struct wake wakes[QUEUE_WAKES_MAX]; /* the first is under way */
	uint32_t n_wakes;
	struct pause pauses[QUEUE_PAUSES_MAX];
	uint32_t n_pauses;
	struct limits limits;
	uint32_t limits_noted_s;
	struct queue_notice notices[QUEUE_NOTICES_MAX];
	uint32_t n_notices;
	uint64_t n_of[JOB_KINDS]; /* jobs */
	bool more_due;            /* queue_next_load() stopped before the end */
	bool parked_turn;
	uint32_t steady_s;    /* the clock has gone on evenly since */
	bool clock_walk;      /* see queue_clock_turn() */
	uint64_t clock_after; /* up to this id it was done */
	uint64_t n_put_off;   /* messages that were due and had to wait */
	uint64_t n_held;
	uint32_t n_moving;
	uint64_t random;
	bool doubt;              /* see queue_restore_doubt(), up to queue_restored() */
	bool snapshot;           /* being written */
	uint64_t snapshot_after; /* up to this id it is */
	uint64_t empty_after;    /* where the search for messages to move stands */
	bool emptying;
	uint64_t n_done, n_deferred;  /* for status */
	uint64_t n_relays, n_replays; /* transactions handed out; of these, again */
	uint64_t n_reports;           /* that bounce made */
	uint64_t n_replies;           /* answers of accounts */
};

MUST_USE struct queue *queue_new(const struct queue_config *config);
void queue_free(struct queue **q);
/* Other settings; the numbers of instances stay as they were. */
void
queue_configure(struct queue *q, const struct queue_config *config, uint32_t now_s);

/* --- messages come -------------------------------------------------------- */

enum queue_origin {
	QUEUE_FOUND = 1 << 0, /* by a search: it may have been tried before a crash */
	QUEUE_MOVED = 1 << 1, /* the copy of a record elsewhere */
};

/* A record in a segment, told by spoold or found there; bits of enum queue_origin.
 * False when it is nothing new: known, finished already, or impossible. While a
 * segment is searched, what spoold tells must wait: it counts as known all that
 * stands before it. */
bool queue_add(struct queue *q, uint64_t id, const struct place *p, unsigned origin,
	       uint32_t now_s);

/* The answer to a move that could not be done. */
void queue_move_failed(struct queue *q, uint64_t id);
/* spoold is new: what it was asked to move is not under way. */
void queue_moves_forget(struct queue *q);

/* --- messages are tried --------------------------------------------------- */

struct queue_load {
	uint32_t ref;
	uint64_t id;
	struct place place;
};

/* The next message that is due and for which there is room. */
MUST_USE bool queue_next_load(struct queue *q, uint32_t now_s, struct queue_load *out);

/* Its record was read: `bytes` is the envelope, allocated, and the queue's now. */
void queue_loaded(struct queue *q, uint32_t ref, uint64_t arrived_us, char *bytes,
		  uint32_t now_s);
/* It cannot be read, or is no envelope: held with the reason. */
void queue_load_failed(struct queue *q, uint32_t ref, struct span reason);

struct queue_job {
	uint64_t job;
	uint64_t id;
	struct place place;
	uint64_t arrived_us;
	uint64_t account;
	uint32_t ordinal;
	bool replay;
	struct span sender, recipient, original; /* until the job is answered */
};

/* The next job for an instance of local; it counts as sent. */
MUST_USE bool queue_next_job(struct queue *q, uint32_t instance, struct queue_job *out);

/* A job sent to that instance is answered. False when there is no such job. */
bool queue_delivered(struct queue *q, uint32_t instance, uint64_t job,
		     enum delivery_outcome outcome, struct span text, uint32_t now_s);

/* One transaction. */
struct queue_relay {
	uint64_t job;
	uint64_t id;
	struct place place;
	uint64_t arrived_us;
	bool replay;
	uint32_t n; /* recipients */
	/* Until the job is answered. */
	const struct envelope *envelope;
	struct span domain, next_hop, sender;
	struct span recipients; /* relay list of common/spool; until the next call */
};

/* The next one for an instance of remote; it counts as sent. */
MUST_USE bool queue_next_relay(struct queue *q, uint32_t instance, uint32_t now_s,
			       struct queue_relay *out);

/* An answer of remote: results for some recipients, or the end of the job. False
 * when there is no such job. The reason kept of a message is
 * "[HOST: ][CODE ][ENHANCED ]TEXT" of a result that was not DONE. */
bool queue_relayed(struct queue *q, uint32_t instance, const struct ipc_relayed *r,
		   uint32_t now_s);

/* Where the message of a job stands that was sent to that instance; false when there
 * is no such job. */
MUST_USE bool queue_sent_place(const struct queue *q, enum job_kind kind,
			       uint32_t instance, uint64_t job, struct place *out);
/* Jobs sent to the instance and not answered. */
MUST_USE uint32_t queue_sent(const struct queue *q, enum job_kind kind,
			     uint32_t instance);

/* Space came back: makes up to n of the messages that waited for it due. False when
 * none are left. */
bool queue_full_turn(struct queue *q, size_t n, uint32_t now_s);

/* The same for what waited until its destination was alive, or for the operator. */
bool queue_wake_turn(struct queue *q, size_t n, uint32_t now_s);
/* The same for what is due later than any try is put off, or came later than now: the
 * clock was set back. */
bool queue_clock_turn(struct queue *q, size_t n, uint32_t now_s);
/* To be called each second, at least. */
void queue_tick(struct queue *q, uint32_t now_s);

void queue_instance_up(struct queue *q, enum job_kind kind, uint32_t instance);
/* Its jobs end without an answer; the next try of each is a replay. */
void queue_instance_down(struct queue *q, enum job_kind kind, uint32_t instance,
			 uint32_t now_s);

/* The next thing to tell postmaster, who is told once an hour for an account: texts are
 * appended. */
MUST_USE bool
queue_next_notice(struct queue *q, uint64_t *id, struct buf *login, struct buf *reason);

/* --- the operator --------------------------------------------------------- */

/* False when there is no such message, or the verb does not apply to it. Verbs:
 * HOLD, RELEASE (a held one), FLUSH (a deferred one), REQUEUE (either, as if
 * never tried), REMOVE, BOUNCE
 * (given up now). */
bool queue_command(struct queue *q, uint64_t id, enum queue_verb verb, uint32_t now_s);

/* Mail to other servers, to one domain or (empty) all, waits until it is resumed.
 * False when it is so already, or there are QUEUE_PAUSES_MAX. */
bool queue_pause(struct queue *q, struct span domain, uint32_t now_s);
bool queue_resume(struct queue *q, struct span domain);
/* How many pauses there are; the domain of the i-th. */
MUST_USE uint32_t queue_paused(const struct queue *q, uint32_t i, struct span *domain);

/* The message with the lowest id above `after`; null at the end. */
MUST_USE const struct entry *queue_walk(const struct queue *q, uint64_t after);
MUST_USE const struct entry *queue_find(const struct queue *q, uint64_t id);
MUST_USE enum queue_status queue_entry_status(const struct entry *e);
/* The domain in the word that an entry has: where mail with a next hop of its own goes
 * stands before it, with a space. */
MUST_USE struct span queue_place_domain(struct span place);

/* --- segments ------------------------------------------------------------- */

/* spoold writes to this segment now; the others are complete. */
void queue_set_current(struct queue *q, uint32_t segment);
/* A segment that nothing needs, once the notes up to now are durable. */
MUST_USE bool queue_next_done(struct queue *q, uint32_t *segment);
/* Does nothing need it still, since queue_next_done() told of it? */
MUST_USE bool queue_segment_released(const struct queue *q, uint32_t segment);
/* All records of the segment that start before `end` have been seen. */
void
queue_segment_known(struct queue *q, uint32_t segment, uint64_t end, uint32_t now_s);
/* Not all of it could be read: it is never freed. */
void queue_segment_pin(struct queue *q, uint32_t segment, uint32_t now_s);
/* Where a search for unknown records must begin; 0: at its start. */
MUST_USE uint64_t queue_segment_end(const struct queue *q, uint32_t segment);

/* The file of a segment that spoold was told to free is still there: told again. */
void queue_segment_remains(struct queue *q, uint32_t segment);
/* The numbers (ascending) of all segments whose files are there, durably so:
 * released ones that are gone can be forgotten. */
void queue_segments_listed(struct queue *q, const uint64_t *numbers, size_t n);

/* Looks for segments that few messages pin; then queue_next_move() gives the
 * messages to copy onward, looking at no more than `n` in one call. */
void queue_empty_start(struct queue *q, uint32_t now_s);
MUST_USE bool queue_next_move(struct queue *q, uint32_t now_s, size_t n, uint64_t *id,
			      struct place *p);

/* Notes what accounts have sent since it was noted last; by itself that happens each
 * LIMITS_NOTE_S. */
void queue_note_limits(struct queue *q, uint32_t now_s);

/* --- the state log -------------------------------------------------------- */

/* From here on the notes begin a new file. */
void queue_snapshot_start(struct queue *q);
/* The next n messages; true once all are noted. */
MUST_USE bool queue_snapshot_step(struct queue *q, size_t n);

/* One note of an old file, in order of files and notes. NOTE_SNAPSHOT starts over:
 * leave it out, and the NOTE_SEGMENTs behind it, where no end of the snapshot
 * follows. */
void queue_restore(struct queue *q, const struct note *n, uint32_t now_s);
/* Notes are lost, and with them messages: all that stands in the segments is to be
 * found again by the search that follows, but for what other notes call done. */
void queue_restore_doubt(struct queue *q);
/* All segments were searched; what is known of finished messages is let go. */
void queue_restored(struct queue *q);

/* --- for the log ---------------------------------------------------------- */

MUST_USE struct span
queue_event_reason(const struct queue *q, const struct queue_event *e);
MUST_USE struct span
queue_event_recipient(const struct queue *q, const struct queue_event *e);
void queue_events_clear(struct queue *q);
