/* delivery/bounce/bounce.h - the program that writes Postroad's own mail
 *
 * What    main.c speaks with the other programs; report.c takes a report, reply.c the
 *         answer of an account, notice.c a notice of authd's from the question to the
 *         answer; letter.c makes one message of it for spoold, templates.c reads the
 *         operator's texts before the jail.
 * Crash   nothing is kept here: who asked asks again for what was not answered. At
 *         worst a sender gets a report twice; an answer is noted by authd before it
 *         is made, so that it is rather lost.
 * Loops   all of it has the null sender, for which no report and no answer is made.
 *         When the sender cannot be told, postmaster is; when that fails too, it is
 *         logged and ends.
 */
#pragma once

#include "common/dsn/dsn.h"
#include "common/proc/proc.h"
#include "common/reply/reply.h"
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
#define REPLY_WORDS_MAX    (60u << 10)

enum report_what {
	REPORT_DELIVERY, /* asked for by qmgr, as a report */
	REPORT_REPLY,    /* by qmgr: the answer of an account */
	REPORT_NOTICE,   /* by authd */
};

enum report_state {
	REPORT_ASK_SENDER,     /* authd says where the sender's address leads */
	REPORT_ASK_POSTMASTER, /* the same for postmaster */
	REPORT_ASK_REPLY,      /* authd says what the account answers, if it may */
	REPORT_READY,          /* to be made when spoold takes it */
	REPORT_STORING,        /* spoold has it, and has not answered */
};

struct report {
	TAILQ_ENTRY(report) link;
	enum report_what what;
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
	char *bytes; /* which the request, or the answer's words, point into */
	struct buf targets;
	struct {
		uint64_t account;
		struct span sender, recipient, original;
		struct buf words; /* what authd says, which these point into */
		struct span subject, text, address, name;
	} reply;
	uint64_t notice_tag; /* authd's */
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
		uint64_t replies, replies_not, notices;
	} count;
};

/* --- report.c ------------------------------------------------------------- */

/* qmgr asks for one. False when it is none: the peer breaks the rules. */
MUST_USE bool report_take(struct bounce *b, const struct ipc_report *m);
void report_resolved(struct bounce *b, const struct ipc_resolved *m);
void report_stored(struct bounce *b, const struct ipc_spool_done *m);
/* Of any kind; it is in the list. */
MUST_USE struct report *report_new(struct bounce *b, enum report_what what);
/* Copies the texts to *at and moves it on. */
MUST_USE struct span report_text(char **at, struct span text);
/* The end of one: who asked is told. */
void report_answer(struct bounce *b, struct report *r, enum report_outcome outcome,
		   const char *text);
/* Not now; who asked may ask again. */
void report_later(struct bounce *b, struct report *r, const char *why);
/* Where that address leads is asked of authd. */
void report_ask(struct bounce *b, struct report *r, enum dsn_reader reader,
		struct span address);
/* Hands to spoold what is ready, as much as it takes. */
void reports_send(struct bounce *b);
/* The other side is gone, and with it what was asked. */
void reports_authd_down(struct bounce *b);
void reports_spoold_down(struct bounce *b);
/* Forgets what qmgr asked for: it is gone and will ask anew. */
void reports_forget(struct bounce *b);

/* --- reply.c -------------------------------------------------------------- */

MUST_USE bool reply_take(struct bounce *b, const struct ipc_reply *m);
/* Where the sender's address leads is known; false when nowhere. */
void reply_resolved(struct bounce *b, struct report *r, bool leads);
void reply_answered(struct bounce *b, const struct ipc_reply_answer *m);
void reply_stored(struct bounce *b, struct report *r);

/* --- notice.c ------------------------------------------------------------- */

MUST_USE bool notice_take(struct bounce *b, const struct ipc_notice *m);
void notice_stored(struct bounce *b, struct report *r);

/* --- letter.c ------------------------------------------------------------- */

/* Makes the letter with the queue id r->letter_id and hands it to spoold. On failure
 * *why says what to tell qmgr, and nothing was sent. */
MUST_USE bool letter_send(struct bounce *b, struct report *r, struct ipc_peer *spoold,
			  const char **why);
/* The header of the message, or as much of it as there is: what may not be at hand
 * later is the only failure. Empty when the message cannot be read. */
MUST_USE bool letter_header(struct bounce *b, const struct report *r, struct buf *out,
			    const char **why);
/* "postmaster@" with our name. */
void letter_postmaster(const struct bounce *b, struct buf *out);

/* --- templates.c ---------------------------------------------------------- */

/* What is built in, or the operator's file. A file that cannot be used leaves what is
 * built in and b->templates_fault. */
void templates_load(struct bounce *b);
