/* common/spool/envelope.h - what SMTP said about a message, as bytes
 *
 * Written by smtpd, kept in the spool, read by qmgr. Nothing is allocated: the
 * recipients are a span of encoded recipients, made one by one while RCPT
 * commands come in and walked one by one later.
 *
 *   struct buf list = buf_make(ENVELOPE_BYTES_MAX);
 *   recipient_put(&list, &recipient); n++;
 *   envelope.recipients = buf_span(&list); envelope.n_recipients = n;
 *   envelope_put(&out, &envelope);
 *
 *   if (envelope_parse(bytes, &envelope))
 *       for (struct cursor c = cursor_make(envelope.recipients);
 *            recipient_next(&c, &recipient);)
 *           for (struct cursor t = cursor_make(recipient.targets);
 *                target_next(&t, &target);)
 *
 * The ordinal of a target counts the targets of the whole envelope in that order,
 * from 0. Byte by byte in docs/spool.md.
 */
#pragma once

#include "common/spool/target.h"

#define ENVELOPE_VERSION     1
#define ENVELOPE_BYTES_MAX   (4u << 20)
#define ENVELOPE_TARGETS_MAX 32768u /* targets of one message */

enum envelope_flag {
	ENVELOPE_8BITMIME = 1 << 0,   /* BODY=8BITMIME [RFC6152 2] */
	ENVELOPE_SMTPUTF8 = 1 << 1,   /* [RFC6531 3.4] */
	ENVELOPE_REQUIRETLS = 1 << 2, /* [RFC8689 2] */
	ENVELOPE_BINARYMIME = 1 << 3, /* [RFC3030 3] */
	ENVELOPE_HOLD = 1 << 4,       /* an operator has to release it first */
};

enum envelope_ret { /* [RFC3461 4.3] */
	ENVELOPE_RET_NONE,
	ENVELOPE_RET_FULL,
	ENVELOPE_RET_HEADERS,
};

enum envelope_notify { /* [RFC3461 4.1]; 0 when NOTIFY was not given */
	ENVELOPE_NOTIFY_NEVER = 1 << 0,
	ENVELOPE_NOTIFY_SUCCESS = 1 << 1,
	ENVELOPE_NOTIFY_FAILURE = 1 << 2,
	ENVELOPE_NOTIFY_DELAY = 1 << 3,
};

struct envelope {
	uint32_t flags; /* enum envelope_flag */
	enum envelope_ret ret;
	uint64_t account;     /* that logged in; 0 for none */
	struct span sender;   /* reverse-path without <>; empty for the null sender */
	struct span envid;    /* as given, still xtext; empty when not given */
	struct span login;    /* its login name */
	struct span client;   /* 16 bytes, IPv4 mapped; empty for a local socket */
	struct span helo;     /* what the client called itself */
	struct span protocol; /* "ESMTPSA" and the like [RFC3848] */
	struct span
	    message_id; /* the header's, without <>; for tracing, may be empty */
	struct span recipients; /* encoded, see recipient_put() */
	uint32_t n_recipients;
};

struct envelope_recipient {
	struct span address; /* as given in RCPT, without <> */
	struct span orcpt;   /* "rfc822;..." as given, still xtext; may be empty */
	uint8_t notify;      /* enum envelope_notify */
	struct span targets; /* target list; at least one target */
};

/* Appends; `out` being full is the only failure. */
void recipient_put(struct buf *list, const struct envelope_recipient *r);
void envelope_put(struct buf *out, const struct envelope *e);

/* The whole span is one envelope, every recipient and target of it in order,
 * counts and limits kept; then walking it cannot fail. *out points into bytes. */
MUST_USE bool envelope_parse(struct span bytes, struct envelope *out);

/* False at the end, or (the cursor has failed) on damage. */
MUST_USE bool recipient_next(struct cursor *list, struct envelope_recipient *out);
