/* smtpd/session/session.h - the door of one SMTP or LMTP dialogue, without I/O
 *
 * What    takes the peer's bytes, gives reply bytes and says what it wants
 *         next. Sockets, TLS, clocks and the other programs are the caller's:
 *
 *           session_open(s, now);
 *           for (;;) switch (session_step(s, &in, now)) {
 *           case SESSION_WANT_INPUT: send session_out(), come back with more;
 *           case SESSION_WANT_RCPT:  ask, then session_answer_rcpt();
 *           ...
 *           }
 *
 *         While an answer is owed nothing more is parsed, so the input simply
 *         stays with the caller and pipelining needs no queue.
 * RFC     [RFC5321] [RFC2033] [RFC2920] [RFC1870] [RFC6152] [RFC2034] [RFC3461]
 *         [RFC3030] [RFC6531] [RFC3207] [RFC4954] [RFC9422]
 * Trust   pure. Every byte of `in` is the peer's; nothing here asserts on one.
 *         Answers are the caller's own promises and are asserted on.
 * Memory  about 1 KB an idle session; an arena a transaction, limited by
 *         envelope_bytes_max; message bytes are never kept or copied.
 */
#pragma once

#include "smtpd/session/envelope.h"

enum session_kind {
	SESSION_MX,          /* port 25 */
	SESSION_SUBMISSION,  /* port 587: login required */
	SESSION_SUBMISSIONS, /* port 465: as 587, TLS from the first byte */
	SESSION_LMTP,        /* [RFC2033] one reply for each recipient */
	SESSION_LOCAL,       /* Unix socket; the peer's uid is known */
};

struct session_limits {
	uint64_t message_bytes_max; /* announced as SIZE */
	size_t line_bytes_max;      /* a command line with its CRLF */
	size_t auth_line_bytes_max; /* the same in an AUTH exchange [RFC4954 4] */
	size_t text_line_bytes_max; /* a line of a message without its CRLF */
	uint64_t header_bytes_max;  /* header block */
	uint64_t header_field_bytes_max;
	unsigned header_fields_max;
	unsigned hops_max;          /* Received and Delivered-To fields */
	unsigned rcpts_max;         /* accepted recipients a transaction */
	unsigned transactions_max;  /* MAIL commands a session */
	unsigned chunks_max;        /* BDAT commands a message */
	unsigned errors_delay;      /* from this many on, pauses */
	unsigned errors_max;        /* at this many, 421 and close */
	unsigned idle_commands_max; /* commands since the last message */
	unsigned long_lines_max;    /* too long lines before 421 */
	unsigned logins_max;        /* failed logins before 421 */
	size_t envelope_bytes_max;  /* memory of one transaction */
	uint64_t swallow_bytes_max; /* read beyond message_bytes_max, dropped */
	uint64_t greet_ms;          /* silence owed by the peer before 220 */
	uint64_t login_ms;          /* from greeting to login, submission only */
	uint64_t hello_ms;          /* from the greeting, or TLS, to EHLO */
	uint64_t command_ms;        /* from our reply to the end of a command */
	uint64_t session_ms;        /* until MAIL; and from MAIL to the message's end */
	uint64_t tls_ms;            /* TLS handshake */
	uint64_t answer_ms;         /* an answer that the caller owes */
	uint64_t error_pause_ms;
	uint64_t data_window_ms;    /* a message must bring at least */
	uint64_t data_window_bytes; /* this much in each such window */
};

/* The defaults of common/conf/settings.h. */
extern const struct session_limits session_limits_default;

/* Shared by the sessions of a listener; must outlive them. */
struct session_policy {
	enum session_kind kind;
	struct session_limits limits;
	struct span host_name; /* ours: greeting, EHLO, Received */
	unsigned mechanisms;   /* SMTP_AUTH_ bits; 0: no AUTH */
	bool starttls;         /* offered until TLS is up */
	bool auth_without_tls; /* offer AUTH on a plain connection */
	bool login_required;   /* MAIL only after AUTH (530) */
	bool normalise_bare;   /* bare CR, LF and NUL are mended, not refused */
	bool xclient;          /* XCLIENT LOGIN= is believed of trusted peers */
	bool mend;             /* headers are mended [RFC6409 8], see mend.h */
	bool hide_client;      /* the Received field does not say who connects */
};

/* Who is at the other end; copied. */
struct session_peer {
	struct span address;  /* "192.0.2.1", "2001:db8::1", empty on a Unix socket */
	struct span name;     /* of the address, checked forward; empty: unknown */
	struct span login;    /* known from the start (local socket), else empty */
	bool tls;             /* implicit TLS is up */
	struct span tls_text; /* "TLSv1.3 with cipher X", or empty */
	bool trusted; /* greeted without greet_ms; XCLIENT when the policy has it */
};

enum session_want {
	SESSION_WANT_INPUT,  /* bytes; or session_timeout() at session_deadline_ms() */
	SESSION_WANT_PAUSE,  /* no step before session_deadline_ms(), then timeout */
	SESSION_WANT_FLUSH,  /* too much unsent output; step again when it is sent */
	SESSION_WANT_SENDER, /* ask->address: session_answer_sender() */
	SESSION_WANT_RCPT,   /* ask->address: session_answer_rcpt() */
	SESSION_WANT_AUTH,   /* ask->mechanism, text: session_answer_auth() */
	SESSION_WANT_BEGIN,  /* session_envelope(): session_answer_begin() */
	SESSION_WANT_PIECE,  /* ask->piece belongs to the message; just step again */
	SESSION_WANT_END,    /* the message is whole: session_answer_end() */
	SESSION_WANT_ABORT,  /* forget the message begun; just step again */
	SESSION_WANT_TLS,    /* send output, drop input, handshake: answer_tls() */
	SESSION_WANT_CLOSE,  /* send output, forget a message begun, close */
};

/* What the want is about; valid until the next call on the session. A piece and
 * an AUTH text point into the input: only until its bytes are given up. */
struct session_ask {
	struct span address;           /* RCPT, SENDER: canonical; empty for <> */
	uint64_t size_declared;        /* SENDER, RCPT: SIZE=, or 0 */
	bool utf8;                     /* SENDER, RCPT: SMTPUTF8 was given */
	enum smtp_mechanism mechanism; /* AUTH */
	struct span text;              /* AUTH: base64 as sent; empty for "=" */
	bool first;                    /* AUTH: starts an exchange */
	bool has_text;     /* AUTH: false: no initial response came, LOGIN only */
	struct span piece; /* PIECE */
};

enum session_sender_answer {
	SESSION_SENDER_OK,
	SESSION_SENDER_NOT_OWNED, /* 553 5.7.1 the login may not use this address */
	SESSION_SENDER_REFUSED,   /* 550 5.7.1 */
	SESSION_SENDER_RATE,      /* 450 4.7.1 too many messages */
	SESSION_SENDER_FULL,      /* 452 4.3.1 no space */
	SESSION_SENDER_LATER,     /* 451 4.3.0 */
};

enum session_rcpt_answer {
	SESSION_RCPT_OK,
	SESSION_RCPT_UNKNOWN,     /* 550 5.1.1 */
	SESSION_RCPT_RELAY,       /* 550 5.7.1 not ours, and no right to relay */
	SESSION_RCPT_DISABLED,    /* 550 5.2.1 */
	SESSION_RCPT_OVER_QUOTA,  /* 552 5.2.2 */
	SESSION_RCPT_SYNTAX,      /* 501 5.1.3 */
	SESSION_RCPT_REFUSED,     /* 550 5.7.1 by policy */
	SESSION_RCPT_RATE,        /* 450 4.7.1 too many recipients */
	SESSION_RCPT_LOOP,        /* 550 5.4.6 its aliases lead in a circle */
	SESSION_RCPT_FORGED,      /* 550 5.7.1 a return address that is not ours */
	SESSION_RCPT_EXPIRED,     /* 550 5.1.1 one that was */
	SESSION_RCPT_NOT_ALLOWED, /* 550 5.7.2 not a poster of that list */
	SESSION_RCPT_TOO_BIG,     /* 552 5.3.4 more than the mailbox takes at once */
	SESSION_RCPT_LATER,       /* 451 4.3.0 */
};

enum session_auth_answer {
	SESSION_AUTH_CHALLENGE, /* text: base64 for 334 */
	SESSION_AUTH_OK,        /* text: the login */
	SESSION_AUTH_DENIED,    /* 535 5.7.8 */
	SESSION_AUTH_SYNTAX,    /* 501 5.5.2 */
	SESSION_AUTH_LATER,     /* 454 4.7.0 */
};

enum session_message_answer {
	SESSION_MESSAGE_OK,      /* BEGIN: go on. END: durable, 250 */
	SESSION_MESSAGE_LATER,   /* 451 4.3.0 */
	SESSION_MESSAGE_FULL,    /* 452 4.3.1 */
	SESSION_MESSAGE_REFUSED, /* 554 5.7.1 */
};

/* Why a connection is turned away before its greeting, or ended. */
enum session_ending {
	SESSION_TOO_MANY, /* 421 4.7.0 connections of this client */
	SESSION_TOO_FAST, /* 421 4.7.0 connection rate */
	SESSION_BUSY,     /* 421 4.3.2 all sessions in use */
	SESSION_STOPPING, /* 421 4.3.2 */
	SESSION_BARRED,   /* 421 4.7.0 the login is no longer good */
};

struct session;

MUST_USE struct session *
session_new(const struct session_policy *policy, const struct session_peer *peer);
void session_free(struct session **s);

/* The connection is up (TLS too when implicit). Greets, or waits greet_ms. */
void session_open(struct session *s, uint64_t now_ms);

/* Instead of session_open(): the peer spoke before it was greeted. */
void session_early(struct session *s);

/* Turns away or ends the dialogue; the want becomes CLOSE. */
void session_end(struct session *s, enum session_ending why);

/* Goes on as far as it can. Bytes taken are gone from the front of *in; the
 * others must come again with more behind them. May be called with any input
 * at any time; while an answer is owed it takes nothing and repeats the want. */
MUST_USE enum session_want
session_step(struct session *s, struct span *in, uint64_t now_ms);

/* When session_timeout() is due; UINT64_MAX for never. Ask after each step. */
MUST_USE uint64_t session_deadline_ms(const struct session *s);

/* The deadline passed. An answer still owed is thereby given up. Step next. */
void session_timeout(struct session *s, uint64_t now_ms);

/* Reply bytes; the caller takes them off the front with buf_drop_front(). */
MUST_USE struct buf *session_out(struct session *s);

/* The want of the last step, or that an answer has brought. */
MUST_USE enum session_want session_wanted(const struct session *s);
MUST_USE const struct session_ask *session_ask(const struct session *s);
MUST_USE const struct session_envelope *session_envelope(const struct session *s);

/* Answers; each only when that want is pending. Call session_step() next. */
void session_answer_sender(struct session *s, enum session_sender_answer answer);
/* target: kept for the envelope when SESSION_RCPT_OK, else ignored; copied. */
void session_answer_rcpt(struct session *s, enum session_rcpt_answer answer,
			 struct span target);
/* Refused with a reply of the caller's, "550 5.7.1 Go away", without CRLF; one that
 * cannot be a refusal, or has bytes that no reply may have, becomes a 451. 421 and 521
 * close. */
void session_answer_rcpt_refused(struct session *s, struct span reply);
void session_answer_auth(struct session *s, enum session_auth_answer answer,
			 struct span text);
/* id: the queue id the message will have; unix_s: for its Received field. */
void session_answer_begin(struct session *s, enum session_message_answer answer,
			  struct span id, int64_t unix_s);
void session_answer_end(struct session *s, enum session_message_answer answer);
/* The message begun cannot be finished (spool gone): allowed at any time between
 * BEGIN and END. The rest of it is read and dropped, no ABORT is wanted. */
void session_answer_lost(struct session *s, enum session_message_answer answer);
/* After the handshake; a failed one is no answer: free the session. */
void session_answer_tls(struct session *s, struct span tls_text, uint64_t now_ms);

/* What session_peer.name is, as soon as it is known. */
void session_set_name(struct session *s, struct span name);

/* For decisions and log lines. */
MUST_USE struct span session_login(const struct session *s); /* empty: none */
MUST_USE struct span session_hello(const struct session *s); /* EHLO's argument */
MUST_USE bool session_tls(const struct session *s);
MUST_USE unsigned session_errors(const struct session *s); /* 5xx so far */
/* Of the message under way, as far as it has come; empty when unknown. */
MUST_USE struct span session_message_id(const struct session *s);
/* Why the message under way is refused, as the reply will say; else empty. */
MUST_USE struct span session_refusal(const struct session *s);
/* "ESMTPSA" and the like [RFC3848]. */
void session_protocol_put(const struct session *s, struct buf *out);
/* Code of the last reply, 0 before the first. */
MUST_USE unsigned session_last_code(const struct session *s);

/* The code of the reply that an answer leads to. */
MUST_USE unsigned session_sender_code(enum session_sender_answer answer);
MUST_USE unsigned session_rcpt_code(enum session_rcpt_answer answer);
/* The code of such a reply: 400 to 599; 0 when it is none. */
MUST_USE unsigned session_refusal_code(struct span reply);
