/* tests/unit/queue_world.h - a model of the world around the queue
 *
 * What really is: which messages stand on the spool, what every target got, what is
 * durable of the notes.
 */
#pragma once

#include "qmgr/queue/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MESSAGES    400 /* in one run of the model */
#define TARGETS     4   /* at most, of a message */
#define INSTANCES   3
#define ROUNDS      60
#define STEPS       4000
#define SEGMENT_OF  16   /* messages a segment */
#define REMOTE_FROM 1000 /* "accounts" that are on other servers */
#define DOMAINS     4

enum got {
	GOT_NOTHING,
	GOT_MAYBE, /* handed out, then its process died or qmgr did */
	GOT_MAIL,
	GOT_REPORT, /* it failed, and its sender knows */
};

struct told {
	uint64_t job;
	bool out; /* handed to an instance and not answered */
	bool remote;
	uint32_t instance;
	bool failed; /* once at least */
	enum got got;
};

struct letter {
	uint64_t id;
	struct place place;
	bool moved;
	bool on_disk; /* its segment still exists */
	bool removed; /* by the operator */
	unsigned n_targets;
	struct told targets[TARGETS];
	uint64_t accounts[TARGETS];
};

struct world {
	struct queue *q;
	uint64_t random;
	uint32_t now_s;
	struct letter letters[MESSAGES];
	struct letter copies[MESSAGES]; /* made by moves; targets unused */
	size_t n_letters, n_copies;
	uint32_t segment; /* being written */
	unsigned in_segment;
	uint64_t offset;
	bool up[INSTANCES], remote_up[INSTANCES];
	bool bounce_up, report_out;
	struct queue_report report; /* its request is a copy */
	struct buf notes;           /* of the file, in order */
	size_t durable;             /* so many bytes of them */
	size_t snapshot_at;         /* where the last complete snapshot begins */
	size_t snapshot_begun;
	uint32_t wants_free[MESSAGES];
	size_t free_from[MESSAGES]; /* the notes that must be durable before */
	size_t n_free;
	bool freed[2 * MESSAGES + 10];
};

/* Below n. */
uint64_t world_roll(struct world *w, uint64_t n);
struct queue *world_queue(uint64_t seed);
void letter_envelope(const struct letter *l, struct buf *out);
void world_segment_next(struct world *w);
/* The next one in the segment that is written. */
struct place world_place(struct world *w, uint32_t envelope_bytes);
/* The next one stands on the spool, and the queue is told. */
void letter_arrives(struct world *w);
/* Nothing is owed to any target. */
bool letter_finished(const struct letter *l);
