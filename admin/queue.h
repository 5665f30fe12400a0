/* admin/queue.h - what the commands of `postroad queue` share
 *
 * queue_read.c asks qmgr and puts the rows of a message together; one file for each
 * family of commands shows or changes: queue_list.c, queue_show.c, queue_stats.c,
 * queue_change.c, queue_pause.c. mailq.c is mailq(1).
 */
#pragma once

#include <jansson.h>

#include "admin/control.h"
#include "common/detail/detail.h"
#include "common/spool/spool.h"

#define QUEUE_PAGE 500 /* messages in one answer */

struct queue_recipient {
	char *address;  /* where its mail goes */
	char *given;    /* as RCPT had it */
	char *next_hop; /* as a route's `to`; empty: the route's own, or the MX */
	bool answer;    /* not mail to it, but what it answers the sender by itself */
	char state;     /* enum detail_state */
};

/* All texts allocated, none null. */
struct queue_message {
	char id[QUEUE_ID_TEXT_SIZE];
	uint64_t number; /* the id */
	uint8_t status;
	uint64_t arrived_us, next_try_us; /* 0: none */
	uint32_t tries;
	uint64_t bytes;
	bool readable; /* its envelope is */
	char *sender;  /* empty: the null sender */
	char *login, *helo, *protocol, *message_id, *envid;
	char client[48]; /* address, or empty */
	char *reason, *headers;
	struct queue_recipient *recipients;
	size_t n_recipients;
	size_t n_answers; /* of these */
};

/* Only what goes to somebody; answers where there is nothing else. */
MUST_USE static inline bool
queue_recipient_listed(const struct queue_message *m, size_t i)
{
	return !m->recipients[i].answer || m->n_recipients == m->n_answers;
}

/* What qmgr said besides the messages. */
struct queue_answer {
	uint64_t count;
	bool failed;
	bool partial;  /* more will be there when the spool is looked through */
	char **paused; /* domains; "" is all mail */
	size_t n_paused;
};

typedef void queue_take(void *context, const struct queue_message *m);

/* Asks and gives every message to `take`, asking again for further pages of a list
 * until `limit` (0: none) have come. Faults are told; then release the answer. */
MUST_USE enum exit_status
queue_read(struct admin *admin, const struct ipc_queue_ask *ask, uint64_t limit,
	   queue_take *take, void *context, struct queue_answer *answer);
void queue_answer_release(struct queue_answer *a);
/* The exit status of a command that showed what was answered. */
MUST_USE enum exit_status queue_answer_status(const struct queue_answer *a);
/* Tells people which mail is paused, on `out`. */
void queue_answer_tell_paused(const struct queue_answer *a, FILE *out);
MUST_USE json_t *queue_answer_paused_json(const struct queue_answer *a);
/* Notes a row that is no message; true when it was one. */
MUST_USE bool
queue_answer_take_pause(struct queue_answer *a, const struct ipc_queue_row *row);
/* The end of an answer; what it says is told. */
void queue_answer_take_done(struct queue_answer *a, const struct ipc_message *m);

/* --to, --from and --status into the question; false after telling what is wrong. */
MUST_USE bool queue_pick(const struct admin *admin, struct ipc_queue_ask *ask);
/* Is one of them given? */
MUST_USE bool queue_picks(const struct admin *admin);
MUST_USE bool queue_id_argument(const char *text, uint64_t *id);

MUST_USE const char *queue_status_name(uint8_t status);
/* "waiting", "done", "failed", "in work" */
MUST_USE const char *queue_state_name(char state);
/* "45s", "12m", "3h05m", "2d04h" */
void queue_age_format(uint64_t seconds, char *out, size_t size);
/* A text of a peer for a terminal: control characters as \xNN. */
void queue_print_text(FILE *out, const char *text);
/* A text as JSON; what is no UTF-8 becomes \xNN. */
MUST_USE json_t *queue_json_text(const char *text);
/* RFC 3339, or null for 0. */
MUST_USE json_t *queue_json_time(uint64_t unix_us);
/* What list and show have in common. */
MUST_USE json_t *queue_message_json(const struct queue_message *m);
MUST_USE uint64_t queue_now_us(void);

command_run queue_list_run, queue_show_run, queue_stats_run;
command_run queue_hold_run, queue_release_run, queue_flush_run, queue_requeue_run,
    queue_remove_run, queue_bounce_run;
command_run queue_pause_run, queue_resume_run;
