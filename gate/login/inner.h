/* gate/login/inner.h - what the core and its protocols share; private to this room */
#pragma once

#include "common/imap/imap.h"
#include "gate/login/login.h"

enum login_state {
	L_COMMAND,  /* a command may come */
	L_INITIAL,  /* a mechanism that the client begins, whose first message is due */
	L_RESPONSE, /* the answer to a challenge is due */
	L_TLS,      /* owed by the caller, and so on */
	L_AUTH,
	L_CANCEL,
	L_OPEN,
	L_CLOSED,
};

struct login {
	const struct login_policy *policy;
	enum login_state state;
	struct crlf lines;
	struct imap_frame frame; /* of a command; IMAP */
	char tag[IMAP_TAG_MAX + 1];
	struct buf agent; /* what ID said; IMAP */
	bool tls;
	struct login_ask ask;
	char mechanism[24];
	struct buf name; /* of USER; POP3 */
	struct buf text; /* of the ask, wiped with it */
	unsigned failures, errors, commands, long_lines, steps;
	const char *reason;
};

/* What is to be said; each protocol has its words. */
enum login_reply {
	REPLY_BAD_LINE,
	REPLY_LONG_LINE,
	REPLY_LONG_LITERAL,
	REPLY_TOO_MANY_ERRORS,
	REPLY_TOO_MANY_COMMANDS,
	REPLY_CANCELLED,
	REPLY_BAD_BASE64,
	REPLY_DENIED,
	REPLY_BAD_EXCHANGE,
	REPLY_NO_MECHANISM,
	REPLY_LATER,
	REPLY_TOO_MANY_FAILURES,
	REPLY_UNOPENED,
	REPLY_BEHIND_TLS, /* plaintext behind the command that begins TLS */
	REPLY_TIMEOUT,
	REPLY_TOO_MANY,
	REPLY_TOO_FAST,
	REPLY_BUSY,
	REPLY_STOPPING,
	REPLIES,
};

struct login_protocol {
	const char *name;
	void (*greet)(struct login *l, struct buf *out);
	/* A command off the front of *in, literals and all; null: it is a line. May
	 * close, with CRLF_MORE. */
	enum crlf_result (*take)(struct login *l, struct span *in, struct span *command,
				 struct buf *out);
	/* One whole command. `rest` is what stands behind it in the input. */
	void (*command)(struct login *l, struct span line, struct span rest,
			struct buf *out);
	/* Before the base64 of a challenge. */
	const char *challenge;
	/* The tag of the command goes before those that begin with a blank. */
	const char *replies[REPLIES];
};

/* Literals in one command before the login: a name and a password. */
#define LOGIN_LITERALS 2

/* The only place that changes the state. */
void login_enter(struct login *l, enum login_state to);
void login_say(struct login *l, enum login_reply reply, struct buf *out);
/* Says it and closes. */
void login_close(struct login *l, enum login_reply reply, const char *reason,
		 struct buf *out);
/* A command that was wrong, after its reply. */
void login_error(struct login *l, struct buf *out);
/* Begins a SASL exchange with the argument of AUTH: a mechanism, and perhaps an
 * initial response in base64 or "=" [RFC5034 4]. */
void login_exchange(struct login *l, struct span mechanism, bool has_initial,
		    struct span initial, struct buf *out);
/* The same as one PLAIN message; name and password hold no NUL. */
void login_password(struct login *l, struct span name, struct span password);
/* STARTTLS by its name in the protocol, after a good answer was put. */
void login_begin_tls(struct login *l, struct span rest, struct buf *out);
/* Forgets what a command said, which may be a password. */
void login_wipe_frame(struct login *l);
/* What may be offered now. */
MUST_USE struct span login_mechanisms(const struct login *l);
MUST_USE bool login_may_bare(const struct login *l);
