/* qmgr/queue/work.h - a message in work: its envelope, its targets, their jobs
 *
 * A job is one target at one local process, one transaction (some targets of one
 * destination and one sender) at a remote process, or one report at bounce.
 * What the last try said of each target is kept while the message is in work.
 */
#pragma once

#include "common/ipc/ipc.h"
#include "common/spool/spool.h"

#include "qmgr/queue/entry.h"

/* Which program does it; each has instances of its own. */
enum job_kind {
	JOB_LOCAL,
	JOB_REMOTE,
	JOB_BOUNCE,
	JOB_KINDS,
};

/* Why a target that was DEFERRED is FAILED now. */
enum given_up {
	GIVEN_UP_NOT,
	GIVEN_UP_LATE,     /* the message is older than queue_lifetime */
	GIVEN_UP_OPERATOR, /* by command */
};

/* What the last try said of a target; nothing when it was not tried in this work. */
struct target_result {
	bool known;
	uint8_t outcome;      /* enum delivery_outcome */
	uint8_t flags;        /* enum relay_flag */
	uint8_t given_up;     /* enum given_up; the rest is of the last try */
	bool told;            /* the sender had a report of its success */
	uint16_t code;        /* of the reply; 0 when there was none */
	uint16_t enhanced[3]; /* [RFC3463]; all 0: none */
	struct span text;     /* without the codes */
	struct span host;     /* who said it; may be empty */
	uint32_t tried_s;
	char *bytes; /* of text and host, allocated; null when both are empty */
};

struct work_target {
	struct target target;
	struct span recipient; /* as RCPT had it */
	struct span orcpt;
	uint8_t notify;       /* enum envelope_notify */
	bool told_late;       /* who hears of it knows that it is late */
	bool expanded;        /* for this one, its recipient's success is told of: it
				 leads to several, which have no such wish
				 themselves [RFC3461 5.2.7.2] */
	uint32_t destination; /* of a target on another server */
	uint32_t next;        /* ordinal of the next one in its job; ENTRY_NONE ends */
	struct target_result result;
};

/* What a sender is to hear of before its message may leave the work. */
enum work_report {
	WORK_FAILURE = 1 << 0, /* a target is FAILED */
	WORK_DELAY = 1 << 1,   /* one is OPEN, and it is time for a warning */
	WORK_SUCCESS = 1 << 2, /* one is DONE, and the sender wants to know */
};

struct work {
	uint32_t ref;
	uint32_t next; /* free list */
	uint32_t jobs; /* the first of its jobs; ENTRY_NONE: none left */
	char *bytes;   /* the envelope, allocated */
	struct envelope envelope;
	struct work_target *targets; /* by ordinal; as many as the entry has */
	uint64_t arrived_us;
	uint8_t report;        /* enum work_report: the one that bounce makes */
	uint8_t reports_later; /* those that bounce cannot make now */
	struct span report_to; /* who gets it */
	uint32_t report_end;   /* it tells of targets before this one ... */
	uint32_t report_now_s; /* ... as they were then */
	uint8_t away;          /* a bit for each kind of program that was missed */
	bool deferred;         /* a target was tried and is to be tried later */
	bool full;             /* for want of space */
	/* Targets whose destination could not take them. */
	bool put_off;
	bool parks;     /* for want of room there */
	bool paused;    /* by the operator */
	uint32_t due_s; /* else: when to look again, at the earliest */
};

enum job_state {
	JOB_FREE,
	JOB_WAITING, /* in a line */
	JOB_SENT,
};

struct job {
	uint64_t tag; /* in the line of its destination */
	uint32_t work;
	uint32_t generation; /* so that an old answer fits no new job */
	uint32_t first;      /* ordinal of its first target; ENTRY_NONE: of none */
	uint32_t n;          /* targets */
	uint32_t line_before, line_next;     /* in line; the latter also when free */
	uint32_t destination, flow, line_at; /* of JOB_REMOTE */
	uint32_t before, next;               /* jobs of the same work */
	uint16_t instance;
	uint8_t kind;  /* enum job_kind */
	uint8_t state; /* enum job_state */
	bool deferred; /* a result said so */
};

/* A process that takes jobs. */
struct instance {
	bool up;
	uint32_t away_since_s;
	uint32_t first, last; /* waiting jobs; of remote: destinations that are ready */
	uint32_t n_sent;
};
