/* delivery/bounce/bounce.h - the program that writes reports to senders
 *
 * What    main.c speaks with the other programs, report.c takes a report from qmgr's
 *         question to its answer, letter.c makes one message of it for spoold,
 *         templates.c reads the operator's texts before the jail.
 * Crash   nothing is kept here: qmgr asks again for what was not answered. At worst
 *         a sender gets a report twice.
 * Loops   a report has the null sender, for which none is ever made. When the sender
 *         cannot be told, postmaster is; when that fails too, it is logged and ends.
 */
#pragma once

#include "common/dsn/dsn.h"
#include "common/proc/proc.h"
#include "common/segments/segments.h"
#include "common/spool/spool.h"

#include <sys/queue.h>

#define REPORTS_MAX        256          /* in work; more are answered "later" */
#define SPOOLD_QUEUE_MAX   (4u << 20)   /* bytes for spoold beyond which reports wait */
#define HEADER_BYTES_MAX   (128u << 10) /* of a message, as it is returned */
#define LETTER_BYTES_MAX   (6u << 20)
#define TARGETS_BYTES_MAX  (60u << 10)
#define BOUNCE_GRANTS_MAX  4
#define BOUNCE_ADDRESS_MAX 512

enum report_state {
	REPORT_ASK_SENDER,     /* authd says where the sender's address leads */
	REPORT_ASK_POSTMASTER, /* the same for postmaster */
	REPORT_READY,          /* to be made when spoold takes it */
	REPORT_STORING,        /* spoold has it, and has not answered */
};

struct report {
	TAILQ_ENTRY(report) link;
	enum report_state state;
	enum dsn_reader reader; /* of the letter under way */
	uint64_t job, id;       /* qmgr's, and of the message it is about */
	uint32_t segment;
	uint64_t offset, content_bytes;
	uint64_t tag;       /* of the question to authd */
	uint64_t letter_id; /* queue id of the letter being stored */
	uint64_t told_id;   /* of the one that the sender, or postmaster, gets; or 0 */
	bool double_bounce; /* it was postmaster in place of the sender */
	struct dsn_request request;
	char *bytes; /* which the request points into */
	struct buf targets;
};

/* Queue ids that spoold granted. */
struct grants {
	struct grant {
		uint64_t first;
		uint32_t n;
	} at[BOUNCE_GRANTS_MAX]; /* oldest first */
	size_t n;
};

struct bounce {
	struct proc *proc;
	struct dsn_templates templates;
	struct err templates_fault; /* text is empty: none */
	struct segments segments;
	struct grants grants;
	TAILQ_HEAD(, report) reports;
	size_t n_reports;
	uint64_t next_tag;
	bool draining;
	struct {
		uint64_t made, doubles, copies, nobody, later, dropped;
	} count;
};

/* --- report.c ------------------------------------------------------------- */

/* qmgr asks for one. False when it is none: the peer breaks the rules. */
MUST_USE bool report_take(struct bounce *b, const struct ipc_report *m);
void report_resolved(struct bounce *b, const struct ipc_resolved *m);
void report_stored(struct bounce *b, const struct ipc_spool_done *m);
/* Hands to spoold what is ready, as much as it takes. */
void reports_send(struct bounce *b);
/* The other side is gone, and with it what was asked. */
void reports_authd_down(struct bounce *b);
void reports_spoold_down(struct bounce *b);
/* Forgets all: qmgr is gone and will ask anew. */
void reports_forget(struct bounce *b);

/* --- letter.c ------------------------------------------------------------- */

/* Makes the letter with the queue id r->letter_id and hands it to spoold. On failure
 * *why says what to tell qmgr, and nothing was sent. */
MUST_USE bool letter_send(struct bounce *b, struct report *r, struct ipc_peer *spoold,
			  const char **why);
/* "postmaster@" with our name. */
void letter_postmaster(const struct bounce *b, struct buf *out);

/* --- templates.c ---------------------------------------------------------- */

/* What is built in, or the operator's file. A file that cannot be used leaves what is
 * built in and b->templates_fault. */
void templates_load(struct bounce *b);
