/* tests/unit/relay_peer.h - a server for the client's dialogue, and the way between
 *
 * It takes what the session sends, checks that no line ends in a bare CR or LF and
 * that nothing is pipelined that must not be, answers 250 and the like unless a rule
 * says otherwise, and plays the program around the session: content, TLS, faults.
 */
#pragma once

#include "common/mime/mime.h"
#include "common/sasl/sasl.h"
#include "common/smtp/smtp.h"
#include "delivery/remote/session/session.h"

/* What it answers. */
enum at {
	AT_GREETING,
	AT_EHLO, /* or LHLO */
	AT_HELO,
	AT_STARTTLS,
	AT_EHLO_TLS, /* behind STARTTLS */
	AT_AUTH,     /* the last reply of it */
	AT_RSET,
	AT_MAIL,
	AT_RCPT,
	AT_DATA,
	AT_CHUNK, /* BDAT without LAST */
	AT_FINAL,
	AT_QUIT,
	AT_N,
};

enum event {
	EVENT_NONE, /* as usual */
	EVENT_OK,   /* another 2xx than usual */
	EVENT_STRANGE,
	EVENT_4XX,
	EVENT_5XX,
	EVENT_421,
	EVENT_DROP,
	EVENT_TIMEOUT,
	EVENT_GARBAGE,
	EVENT_FLOOD, /* a line of 5 MB */
	EVENT_N,
};

struct peer {
	/* How it is. */
	bool lmtp, pipelining, chunking, tls, eightbit, utf8, dsn;
	const char *auth; /* mechanisms */
	const char *more; /* further lines of EHLO, "250-X\r\n" each */
	bool bytewise;    /* replies arrive byte by byte */
	size_t piece;     /* content is fed in pieces of this size; 0: at once */
	/* What happens where; nth: which of its kind in a transaction, from 0. */
	enum event (*rule)(struct peer *p, enum at at, unsigned nth);
	enum at rule_at;
	unsigned rule_nth;
	enum event rule_event;
	uint64_t seed;

	/* What is going on. */
	struct session *s;
	struct span content;
	size_t fed;
	struct buf in;      /* of the client */
	size_t in_at;       /* parsed up to here */
	struct buf replies; /* not given to it yet */
	struct buf log;     /* commands as they came */
	struct buf unread;  /* the part of a line that the session left */
	bool secured, helloed, in_data, gone;
	enum event fault; /* the client is told when it has read all replies */
	size_t chunk_left;
	bool chunk_last, chunk_bad;
	unsigned seen[AT_N];
	unsigned n_rcpts; /* accepted in this transaction */
	bool mail_ok, body_bad;
	struct sasl sasl;
	bool sasl_on;

	/* What it took. */
	struct buf body;        /* of the message under way */
	struct buf taken;       /* the last message it answered with 2xx */
	unsigned n_taken;       /* replies of 2xx to messages */
	char taken_from[200];   /* its MAIL line */
	struct buf rcpts;       /* of the transaction: accepted, "<a@b> " each */
	struct buf taken_rcpts; /* of the last message */
	unsigned n_writes;      /* how often the client sent something */
};

void peer_init(struct peer *p);
void peer_release(struct peer *p);
struct session_config peer_config(const struct peer *p);
/* Goes on until READY or OVER. */
void peer_run(struct peer *p);
/* From READY on, one transaction. */
void
peer_transact(struct peer *p, const struct session_transaction *t, struct span content);
uint64_t peer_random(struct peer *p);

/* A session as peer_config() has it, up to READY. */
void peer_begin(struct peer *p);
const struct relay_result *peer_result(const struct peer *p, size_t i);
void result_has_text(const struct relay_result *r, const char *want);
void result_has_status(const struct relay_result *r, enum delivery_outcome outcome,
		       unsigned code, unsigned a, unsigned b, unsigned c);
