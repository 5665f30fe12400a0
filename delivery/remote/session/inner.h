/* delivery/remote/session/inner.h - what the files of this room share
 *
 * Nobody outside the room includes it.
 */
#pragma once

#include "common/mime/mime.h"
#include "common/sasl/sasl.h"
#include "common/smtp/smtp.h"
#include "delivery/remote/session/session.h"

#define OUTPUT_BYTES_MAX ((size_t)16 << 20)
#define CHUNK_BYTES      ((size_t)128 << 10) /* of a BDAT command, at least */
#define CHUNKS_OWED_MAX  8u                  /* chunks sent and not answered */
#define FLUSH_BYTES      ((size_t)64 << 10)  /* content made at once */
#define KEEP_BYTES       ((size_t)64 << 10)  /* a bigger buffer is given back */

enum state {
	S_GREETING,
	S_EHLO, /* or LHLO */
	S_HELO,
	S_STARTTLS,
	S_TLS, /* handshake */
	S_AUTH,
	S_READY,
	S_WHOLE, /* a transaction needs to see the content first */
	S_TRANSACTION,
	S_OVER,
};

/* What a reply answers, and what is said of it in texts. */
enum place {
	P_GREETING,
	P_HELLO,
	P_STARTTLS,
	P_TLS,
	P_AUTH,
	P_RSET,
	P_MAIL,
	P_RCPT,
	P_DATA,
	P_CHUNK,
	P_FINAL,
	P_CONTENT, /* no reply is awaited: the content is being sent */
	P_NONE,
};

/* How far the commands of a transaction have gone out. */
enum stage {
	STAGE_RSET,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_GATE, /* may the content, or DATA, go out? */
	STAGE_DATA, /* waits for 354 */
	STAGE_CONTENT,
	STAGE_END, /* nothing more goes out */
};

/* What a server offers in EHLO. */
struct offers {
	unsigned set; /* enum session_offer */
	uint64_t size_max;
	uint64_t mails_max, rcpts_max, domains_max; /* [RFC9422]; 0: not said */
	unsigned mechanisms;                        /* bits 1 << enum sasl_mechanism */
};

/* What became of something, its text in session.texts. */
struct verdict {
	enum delivery_outcome outcome;
	uint16_t code;
	uint16_t enhanced[3];
	uint32_t text_at, text_bytes;
};

enum step {
	STEP_OPEN,     /* not asked about yet */
	STEP_ASKED,    /* RCPT is sent */
	STEP_ACCEPTED, /* and answered with 2xx */
	STEP_DECIDED,
};

struct fate {
	enum step step;
	bool asked;    /* a reply to its RCPT comes, or came */
	bool notifies; /* NOTIFY and the like were passed on */
	struct verdict verdict;
};

struct transaction {
	struct session_transaction given;
	enum stage stage;
	bool utf8;                   /* MAIL with SMTPUTF8 */
	bool chunked;                /* BDAT */
	bool burst;                  /* BDAT goes out behind RCPT at once */
	size_t next_ask, next_reply; /* into the recipients */
	size_t n_accepted;
	bool rset_owed, mail_owed, data_owed, final_owed;
	size_t rcpts_owed;
	unsigned chunks_owed;
	bool mail_refused; /* what else is answered counts no more */
	bool all_sent;     /* the end of the content, too */

	struct fold fold; /* line_bytes_max is 0 when no line is broken */
	struct dot_put dot;
	bool cr_held; /* BDAT: a CR was the last byte */
	bool in_line; /* BDAT: the last byte that went out was no line end */
	struct buf chunk;

	bool whole; /* the content is `message`, not fed */
	struct span message;
	struct mime_downgrade *downgrade; /* null: as it is */
};

struct session {
	char *helo, *host, *user, *password, *nonce;
	enum session_tls tls;
	bool lmtp, auth_without_tls;
	unsigned avoid;
	size_t line_bytes_max, burst_bytes_max;

	enum state state;
	enum session_end end;
	struct verdict reason;
	struct relay_result reason_result;
	bool secured, verified;
	bool uncertain;
	bool reset_needed; /* the server may think that a transaction is under way */
	unsigned turn;
	uint64_t n_mails;
	struct offers offers;

	enum sasl_mechanism mechanism;
	unsigned mechanisms_failed;
	unsigned auth_step;
	struct scram_client *scram;

	struct smtp_reply reply;
	struct buf out;
	struct buf texts;

	struct transaction t;
	struct fate *fates;
	struct relay_result *results;
	size_t n_results, size_results;
};

/* --- session.c ------------------------------------------------------------ */

/* The only place that changes state: a state cannot keep what it must forget. */
void enter(struct session *s, enum state to);
/* Ends the session; recipients that are not decided share the verdict, as far as it
 * is one about them. */
void over(struct session *s, enum session_end end, struct verdict why);
/* With a verdict of ours, DEFERRED 4.5.0; the text ends in what was awaited. */
void broken(struct session *s, const char *what);
/* Ends the session when the output was full. */
void output_check(struct session *s);
/* Which reply comes next. */
MUST_USE enum place place_now(const struct session *s);

/* --- hello.c -------------------------------------------------------------- */

void hello_greeting(struct session *s);
void hello_send(struct session *s);
void hello_answer(struct session *s);
void hello_helo_answer(struct session *s);
void hello_starttls_answer(struct session *s);

/* --- offers.c ------------------------------------------------------------- */

void offers_parse(struct offers *o, const struct smtp_reply *reply, unsigned avoid);

/* --- login.c -------------------------------------------------------------- */

/* With the best mechanism that is left, or ends the session. */
void login_start(struct session *s);
void login_answer(struct session *s);
void login_forget(struct session *s);

/* --- mail.c: MAIL and RCPT ------------------------------------------------ */

/* What could not stand between < and > of a command is no address. */
MUST_USE bool address_sound(struct span address);
MUST_USE bool bytes_are_ascii(struct span bytes);
/* In a form without other letters; false, and nothing appended, when there is none. */
MUST_USE bool address_put_ascii(struct span address, struct buf *out);
MUST_USE bool address_has_ascii(struct span address);
void mail_put(struct session *s);
void rcpt_put(struct session *s, size_t i);

/* --- transaction.c -------------------------------------------------------- */

/* Sends what can be sent. */
void transaction_go(struct session *s);
void transaction_begin(struct session *s);
void transaction_answer(struct session *s);
MUST_USE enum place transaction_place(const struct session *s);
MUST_USE bool transaction_feeds(const struct session *s);

/* --- content.c ------------------------------------------------------------ */

void content_put(struct session *s, struct span bytes, bool last);
void content_release(struct session *s);

/* --- verdict.c ------------------------------------------------------------ */

/* Of the reply just read. */
MUST_USE struct verdict verdict_reply(struct session *s, enum place place);
/* Of our own; 4.x.x defers and 5.x.x fails. */
#define STATUS(class, subject, detail) ((class) << 20 | (subject) << 10 | (detail))
MUST_USE struct verdict
verdict_own(struct session *s, unsigned status, const char *text);
/* "text PLACE: more", without what is P_NONE or empty. */
MUST_USE struct verdict verdict_at(struct session *s, unsigned status, const char *text,
				   enum place place, struct span more);
MUST_USE struct verdict
verdict_more(struct session *s, unsigned status, const char *text, struct span more);
void decide(struct session *s, size_t i, struct verdict v);
void decide_accepted(struct session *s, struct verdict v);
void decide_open(struct session *s, struct verdict v);
void results_reserve(struct session *s, size_t n);
void results_fill(struct session *s);
/* A verdict was added: the texts may be elsewhere. */
void results_move(struct session *s);
struct relay_result result_make(const struct session *s, const struct verdict *v);
