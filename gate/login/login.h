/* gate/login/login.h - the door of a client's dialogue before its login, without I/O
 *
 * What    takes the client's bytes, gives reply bytes and says what it wants
 *         next. Sockets, TLS, clocks and the other programs are the caller's:
 *
 *           login_open(l, out);
 *           for (;;) switch (login_step(l, &in, out)) {
 *           case LOGIN_WANT_INPUT: send `out`, come back with more;
 *           case LOGIN_WANT_AUTH:  ask authd, then login_answer_challenge()
 *                                  or login_answer_done();
 *           ...
 *           }
 *
 *         Lines, limits and the order of things are the same for every protocol;
 *         its commands and its words come from a struct login_protocol. While an
 *         answer is owed nothing more is parsed.
 * RFC     [RFC1939 4] AUTHORIZATION, [RFC5034] AUTH, [RFC2595 4] STLS,
 *         [RFC3206] AUTH-RESP-CODE, [RFC4422 3] the exchange. [RFC3501 3.1]
 *         [RFC9051 3.1] the not authenticated state of IMAP, [RFC4959] SASL-IR,
 *         [RFC2971] ID, [RFC7888] LITERAL-.
 * Trust   pure. Every byte of `in` is the peer's; nothing here asserts on one.
 *         Answers are the caller's own promises and are asserted on.
 * Memory  under 500 bytes a session; names and passwords only until they are asked
 *         about, and wiped.
 */
#pragma once

#include "common/base/base.h"

#define LOGIN_NAME_MAX    320  /* of USER */
#define LOGIN_MESSAGE_MAX 4096 /* of a SASL exchange, decoded */
#define LOGIN_LITERAL_MAX 4096 /* of IMAP */
#define LOGIN_AGENT_MAX   400  /* of ID that is kept */

struct login_limits {
	size_t line_bytes_max;   /* a line with its CRLF */
	unsigned failures_max;   /* failed logins before it is closed */
	unsigned errors_max;     /* unknown or malformed commands before it is */
	unsigned commands_max;   /* commands of any kind before the login */
	unsigned long_lines_max; /* lines over the limit before it is closed */
	unsigned steps_max;      /* challenges in one exchange */
};

/* The defaults of common/conf/settings.h. */
extern const struct login_limits login_limits_default;

struct login;
struct login_protocol;
extern const struct login_protocol login_pop3;
extern const struct login_protocol login_imap;

/* Shared by the sessions of a listener; must outlive them. */
struct login_policy {
	const struct login_protocol *protocol;
	struct login_limits limits;
	struct span host_name;
	/* SASL, separated by blanks: with TLS, and without it. */
	struct span mechanisms_tls;
	struct span mechanisms_plain;
	bool starttls;         /* offered until TLS is up */
	bool auth_without_tls; /* USER and PASS may come in the clear */
};

enum login_want {
	LOGIN_WANT_INPUT,  /* send output, then more bytes */
	LOGIN_WANT_TLS,    /* send output, handshake, login_answer_tls() */
	LOGIN_WANT_AUTH,   /* login_ask(): login_answer_challenge() or _done() */
	LOGIN_WANT_CANCEL, /* the exchange is given up; just step again */
	LOGIN_WANT_OPEN,   /* send output; then the connection and the rest of the
			    * input go to the session program, or
			    * login_answer_unopened() */
	LOGIN_WANT_CLOSE,  /* send output and close; login_reason() says why */
};

/* Valid until the answer. */
struct login_ask {
	struct span mechanism; /* as the client wrote it */
	bool first;            /* starts an exchange */
	bool has_text;         /* false: no initial response came, LOGIN only */
	struct span text;      /* decoded */
};

enum login_outcome {
	LOGIN_OK,
	LOGIN_DENIED,
	LOGIN_BAD_EXCHANGE,
	LOGIN_NO_MECHANISM,
	LOGIN_LATER,
};

/* Why the caller ends it. */
enum login_ending {
	LOGIN_TIMEOUT,  /* took too long to log in */
	LOGIN_TOO_MANY, /* connections of this client */
	LOGIN_TOO_FAST, /* connection rate of this client */
	LOGIN_BUSY,     /* too many that have not logged in */
	LOGIN_STOPPING,
};

MUST_USE struct login *login_new(const struct login_policy *policy, bool tls);
void login_free(struct login **l);

void login_open(struct login *l, struct buf *out);
void login_end(struct login *l, enum login_ending why, struct buf *out);

/* Goes on as far as it can. Bytes taken are gone from the front of *in; the others
 * must come again with more behind them. At most LOGIN_COMMANDS_PER_STEP commands;
 * LOGIN_WANT_INPUT with a whole line left means step again, after other work. */
MUST_USE enum login_want login_step(struct login *l, struct span *in, struct buf *out);

#define LOGIN_COMMANDS_PER_STEP 20

MUST_USE const struct login_ask *login_ask(const struct login *l);
/* Each only when that want is pending; then step. */
void login_answer_challenge(struct login *l, struct span challenge, struct buf *out);
void login_answer_done(struct login *l, enum login_outcome outcome, struct buf *out);
void login_answer_tls(struct login *l);
void login_answer_unopened(struct login *l, struct buf *out);

/* For decisions and log lines. */
MUST_USE bool login_waits(const struct login *l); /* LOGIN_WANT_AUTH is pending */
MUST_USE bool login_tls(const struct login *l);
MUST_USE unsigned login_failures(const struct login *l);
MUST_USE const char *login_reason(const struct login *l);
/* Of the command that logged in, which its session program answers; empty in POP3. */
MUST_USE struct span login_tag(const struct login *l);
/* What the client said of itself by ID, as it wrote it; often empty. */
MUST_USE struct span login_agent(const struct login *l);
