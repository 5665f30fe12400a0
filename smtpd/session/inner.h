/* smtpd/session/inner.h - what the files of this room share
 *
 * Nobody outside the room includes it.
 */
#pragma once

#include "smtpd/session/replies.h"
#include "smtpd/session/session.h"

/* Bits, so that a command can name the states it is allowed in. */
enum state {
	S_CONNECT = 1,  /* not greeted yet */
	S_START = 2,    /* greeted; or TLS is new */
	S_READY = 4,    /* helloed, no transaction */
	S_MAIL = 8,     /* sender accepted */
	S_RCPT = 16,    /* at least one recipient accepted */
	S_BDAT = 32,    /* chunks taken, the last one not yet */
	S_DATA = 64,    /* in the text behind DATA */
	S_CHUNK = 128,  /* in the bytes behind BDAT */
	S_AUTH = 256,   /* 334 sent */
	S_CLOSED = 512, /* said the last word */
};

#define S_HELLOED (S_READY | S_MAIL | S_RCPT | S_BDAT)
#define S_ANY     (S_START | S_HELLOED)

/* The message being taken. */
struct intake {
	struct dot dot;
	struct header_scan header;
	bool begun;       /* the caller holds it: END or ABORT is owed */
	bool chunked;     /* BDAT */
	bool whole;       /* BDAT LAST is over, END is next */
	enum reply fault; /* why the rest is dropped, or REPLY_NONE */
	uint64_t bytes;   /* of the body so far, as they came */
	uint64_t taken;   /* of the input, kept or not */
	uint64_t chunk_bytes, chunk_left;
	bool chunk_last;
	enum state chunk_back; /* the state behind a chunk that is dropped */
};

/* The header being mended; only where the policy has it. */
struct mending {
	struct mend mend;
	struct buf lines; /* Date and Message-ID, to be added */
	struct buf piece; /* what a piece of input became */
};

struct session {
	const struct session_policy *policy;
	enum state state;
	enum session_want want;
	struct session_ask ask;
	struct buf out;
	unsigned last_code;

	char *address, *name, *login, *tls_text, *hello; /* null: none */
	bool tls;
	bool trusted;
	bool extended; /* said EHLO or LHLO */

	struct arena arena; /* of the transaction, as is what follows */
	struct session_envelope envelope;
	size_t rcpts_size;
	unsigned rcpts_refused;
	struct intake intake;
	struct mending *mending; /* null: bytes stay as they are */
	struct buf trace;        /* the Received field, while it is handed on */
	char queue_id[64];
	int64_t begun_s;

	struct session_rcpt rcpt;      /* asked about */
	enum smtp_mechanism mechanism; /* of the exchange under way */
	/* Its first message is due, which the client begins with: who starts the
	 * exchange must see what channel binding it names. */
	bool auth_due;

	unsigned errors, idle, long_lines, transactions, chunks, logins_failed;
	struct crlf lines;

	bool answered;   /* since_ms starts anew at the next step */
	uint64_t now_ms; /* of this step */
	uint64_t open_ms;
	uint64_t mail_ms;  /* when the last transaction began */
	uint64_t since_ms; /* what is awaited has been awaited since */
	uint64_t pause_until_ms;
	uint64_t window_ms, window_bytes; /* data rate */
};

/* --- session.c ------------------------------------------------------------ */

/* The only place that changes state: a state cannot keep what it must forget. */
void enter(struct session *s, enum state to);
/* Says the last word. */
void say_and_close(struct session *s, enum reply reply);
/* One reply line. Counts what is the peer's error, which may close. */
void say(struct session *s, enum reply reply);
void say_more(struct session *s, enum reply reply, struct span added);
/* The same n times, one of which counts: it is one fault, of which n hear. */
void say_each(struct session *s, enum reply reply, struct span added, size_t n);
/* A reply of somebody else's, from its code to its text. */
void say_line(struct session *s, unsigned code, struct span line);
/* The same, and closes. */
void say_last(struct session *s, unsigned code, struct span line);
void greet(struct session *s);
/* A heap string that replaces *at; an empty span leaves null. */
void text_set(char **at, struct span text);

/* --- deadline.c ----------------------------------------------------------- */

/* When the session ends, or, with a message under way, that message must have come. */
MUST_USE uint64_t session_over_ms(const struct session *s);

/* --- commands.c ----------------------------------------------------------- */

/* Runs one command line. `behind`: more input was there already. */
void command_run(struct session *s, struct span line, bool behind);

/* --- cmd_*.c: one command each; args without spaces at the ends ----------- */

void cmd_hello(struct session *s, struct span args);
void cmd_helo(struct session *s, struct span args);
void cmd_mail(struct session *s, struct span args);
void cmd_rcpt(struct session *s, struct span args);
void cmd_data(struct session *s, struct span args);
void cmd_bdat(struct session *s, struct span args);
void cmd_auth(struct session *s, struct span args);
void cmd_starttls(struct session *s, struct span args);
void cmd_xclient(struct session *s, struct span args);

/* A line of an AUTH exchange. */
void auth_line(struct session *s, struct span line);
MUST_USE bool auth_offered(const struct session *s);

/* --- params.c ------------------------------------------------------------- */

/* Of MAIL and of RCPT: what is wrong, or REPLY_NONE. */
MUST_USE enum reply params_mail(struct session *s, struct span rest);
MUST_USE enum reply params_rcpt(struct session *s, struct span rest);

/* --- intake.c ------------------------------------------------------------- */

/* A step in S_DATA or S_CHUNK; false: more input is needed. */
MUST_USE bool intake_step(struct session *s, struct span *in);
/* The bytes behind BDAT come now. */
void chunk_begin(struct session *s);
/* They come, are dropped, and `why` is said; the state is then `back`. */
void chunk_refuse(struct session *s, enum reply why, enum state back);
/* Drops the rest of the message and answers `why` at its end. */
void intake_fail(struct session *s, enum reply why);

/* --- trace.c -------------------------------------------------------------- */

/* The Received field of the message begun [RFC5321 4.4]. */
void trace_put(const struct session *s, struct buf *out);

/* --- mending.c ------------------------------------------------------------ */

/* Null when the policy does not have it. */
MUST_USE struct mending *mending_new(const struct session_policy *policy);
void mending_free(struct mending **mending);
/* For the message begun. */
void mending_begin(struct session *s);
/* It is over: gives memory back. */
void mending_forget(struct session *s);
/* So much input may be mended at once. */
MUST_USE size_t mending_room(const struct session *s, size_t n);
/* What the next piece of the message becomes; the last one, which may be empty, too.
 * Valid until the next call. */
MUST_USE struct span mending_pass(struct session *s, struct span piece);
MUST_USE struct span mending_finish(struct session *s, struct span piece);

/* [RFC5322 3.3], in UTC. */
void date_put(struct buf *out, int64_t unix_s);
