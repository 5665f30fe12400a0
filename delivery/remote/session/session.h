/* delivery/remote/session/session.h - the door: a dialogue with the next server
 *
 * What    the client's side of one SMTP or LMTP connection, without sockets, TLS,
 *         clock or files: greeting, EHLO, STARTTLS, AUTH, then one transaction after
 *         another. Bytes of the server go in, bytes for it come out, and after every
 *         call session_wish() says what is wanted next:
 *
 *           s = session_new(&config);
 *           for (;;) switch (session_wish(s)) {
 *           case SESSION_READ:    send the output, read, session_input()
 *           case SESSION_TLS:     send the output, handshake, session_secured()
 *           case SESSION_READY:   take the results; session_start() or session_quit()
 *           case SESSION_CONTENT: read from the message, session_content()
 *           case SESSION_WHOLE:   session_whole() with all of the message
 *           case SESSION_FLUSH:   send the output, session_flushed()
 *           case SESSION_OVER:    take the results, session_reason(); send, close
 *           }
 *
 *         Output is sent whatever the wish is; to send little in few writes, first
 *         follow a wish for CONTENT (or FLUSH) until the output is big. Input is
 *         given whenever there is some: replies may come in the middle of the content.
 * RFC     [RFC5321] [RFC2033] [RFC2920] [RFC3030] [RFC1870] [RFC6152] [RFC6531]
 *         [RFC3207] [RFC4954] [RFC3461] [RFC2034] [RFC8689] [RFC9422]
 * Trust   pure. Every byte of the input is the server's; addresses and content were
 *         other programs', and nothing of them can end a command or a line: what is
 *         no address is a failed recipient, a bare CR or LF leaves as CRLF.
 * Memory  about 1 KB idle. A transaction allocates only where it is bigger than all
 *         before it; what is big is given back.
 */
#pragma once

#include "common/base/base.h"
#include "common/ipc/ipc.h"
#include "common/spool/spool.h"

#define SESSION_CONTENT_BYTES_MAX ((size_t)1 << 20)

enum session_tls {
	SESSION_TLS_NEVER,
	SESSION_TLS_MAY,  /* when the server offers it, else without */
	SESSION_TLS_MUST, /* else the session ends: SESSION_END_TLS */
};

/* What EHLO may offer. */
enum session_offer {
	SESSION_PIPELINING = 1 << 0,
	SESSION_CHUNKING = 1 << 1,
	SESSION_8BITMIME = 1 << 2,
	SESSION_BINARYMIME = 1 << 3,
	SESSION_SMTPUTF8 = 1 << 4,
	SESSION_SIZE = 1 << 5,
	SESSION_DSN = 1 << 6,
	SESSION_STARTTLS = 1 << 7,
	SESSION_REQUIRETLS = 1 << 8,
	SESSION_AUTH = 1 << 9,
	SESSION_LIMITS = 1 << 10,
};

/* All copied. */
struct session_config {
	struct span helo;           /* our name */
	struct span host;           /* theirs, for results: "mx.example[192.0.2.1]" */
	struct span user, password; /* for AUTH; without a user there is no AUTH */
	struct span
	    nonce; /* printable, no comma, 18 to 64 random bytes; only for AUTH */
	enum session_tls tls;
	bool lmtp;
	bool secured;           /* TLS is up from the first byte */
	bool verified;          /* and the server's name was proved */
	bool auth_without_tls;  /* passwords may go over a plain connection */
	unsigned avoid;         /* enum session_offer that are not to be used */
	size_t line_bytes_max;  /* longer lines of the content are broken, 998 or more;
				 * 0: never */
	size_t burst_bytes_max; /* content up to this is sent (BDAT) behind RCPT without
				 * waiting for the replies */
};

enum session_wish {
	SESSION_READ,
	SESSION_TLS,     /* handshake */
	SESSION_READY,   /* no transaction is under way */
	SESSION_CONTENT, /* the next bytes of the content */
	SESSION_WHOLE,   /* all of it at once: the server cannot take it as it is */
	SESSION_FLUSH,   /* there is more to send when the output is sent */
	SESSION_OVER,    /* nothing more will be said */
};

/* Which limit of time there is: for a reply, or, while content is sent, for the
 * server to take some of it. */
enum session_wait {
	SESSION_WAIT_NONE, /* READY, OVER */
	SESSION_WAIT_GREETING,
	SESSION_WAIT_COMMAND,
	SESSION_WAIT_TLS,
	SESSION_WAIT_CONTENT,
	SESSION_WAIT_FINAL, /* all is sent: the reply to the message */
};

enum session_end {
	SESSION_END_NONE,
	SESSION_END_QUIT,    /* ours */
	SESSION_END_REFUSED, /* greeting, EHLO or AUTH answered with 4xx or 5xx */
	SESSION_END_BUSY,    /* 421 */
	SESSION_END_TLS,     /* TLS must be and cannot */
	SESSION_END_LOST,
	SESSION_END_TIMEOUT,
	SESSION_END_BROKEN, /* what came is no SMTP */
};

struct session_transaction {
	struct span sender; /* empty: the null sender */
	struct span envid;  /* xtext, or empty */
	uint32_t flags;     /* enum envelope_flag */
	uint8_t ret;        /* enum envelope_ret */
	bool seven_bit;     /* the content is known to hold no byte over 127 */
	uint64_t content_bytes;
	const struct relay_recipient *recipients;
	size_t n_recipients; /* at least 1, at most session_fits() */
};

struct session;

MUST_USE struct session *session_new(const struct session_config *config);
void session_free(struct session **s);

MUST_USE enum session_wish session_wish(const struct session *s);

/* Bytes for the server; whoever sends them takes them off with buf_drop_front(). */
MUST_USE struct buf *session_output(struct session *s);

/* Takes whole lines off the front of *in; what is left, fewer than 2,048 bytes, must
 * come again with more behind it. When OVER nothing is taken; when TLS is wished there
 * must be none: what came behind the reply to STARTTLS ends the session. */
void session_input(struct session *s, struct span *in);

/* The limit of time. It starts anew whenever *turn has another value than before. */
MUST_USE enum session_wait session_wait(const struct session *s, unsigned *turn);
/* It has passed. */
void session_timeout(struct session *s);
/* The connection has ended, or the handshake failed; `why`: for humans, or empty. */
void session_lost(struct session *s, struct span why);

/* The handshake is done; verified: the server proved its name (DANE, MTA-STS, CA). */
void session_secured(struct session *s, bool verified);

/* How many of these recipients, from the first, one transaction may have here; 0:
 * the server takes no further transaction [RFC9422]. */
MUST_USE size_t session_fits(const struct session *s,
			     const struct relay_recipient *recipients, size_t n);

/* Only when READY. The spans and the array stay where they are until the next READY
 * or OVER, which may come at once when this server cannot take the message. */
void session_start(struct session *s, const struct session_transaction *transaction);

/* Only when CONTENT is wished: the next bytes, cut anywhere, at most
 * SESSION_CONTENT_BYTES_MAX. last: the message ends with them. */
void session_content(struct session *s, struct span bytes, bool last);
/* Only when WHOLE is wished. The bytes stay where they are until the transaction is
 * over, and no CONTENT is wished. */
void session_whole(struct session *s, struct span message);
/* Only when FLUSH is wished; may be called before the output is sent. */
void session_flushed(struct session *s);

/* One for each recipient, in their order, from READY or OVER until session_start() or
 * session_free(). Any other call may move the texts: ask again after it.
 *
 * DEFERRED with code 0: the server said nothing about this recipient that counts.
 * FAILED with code 0: it can take no such message (5.3.4, 5.6.x, 5.7.30), or the
 * address is none (5.1.x); another server might do better.
 * DEFERRED with code 452 beside others that are DONE: too many at once, may be sent
 * again at once [RFC5321 4.5.3.1.10]. */
MUST_USE const struct relay_result *session_results(const struct session *s, size_t *n);

/* The server had all of the message when the connection broke, and may have it still:
 * what is DEFERRED with code 0 may arrive twice. */
MUST_USE bool session_uncertain(const struct session *s);

/* QUIT; the wish becomes OVER. Its reply need not be waited for. */
void session_quit(struct session *s);

MUST_USE enum session_end session_end(const struct session *s);
/* Why it ended, as the result of a recipient that has no transaction; ordinal 0. */
MUST_USE const struct relay_result *session_reason(const struct session *s);

MUST_USE unsigned session_offers(const struct session *s); /* enum session_offer */
MUST_USE bool session_is_secured(const struct session *s);
