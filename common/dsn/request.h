/* common/dsn/request.h - what a report is to say, as bytes inside ipc report
 *
 *   struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
 *   dsn_row_put(&rows, &row); n++;
 *   request.rows = buf_span(&rows); request.n_rows = n;
 *   dsn_request_put(&out, &request);
 *
 *   if (dsn_request_parse(bytes, &request))
 *       for (struct cursor c = cursor_make(request.rows); dsn_row_next(&c, &row);)
 *
 * Little-endian:
 *
 *   request  u8 version | u8 kind | u8 ret | u32 flags | u64 arrived | u64 until
 *            | bytes sender | bytes envid | bytes helo | bytes client
 *            | bytes subject | bytes text | u32 rows | bytes rows
 *   row      u8 action | u8 flags | u16 code | 3 * u16 enhanced | u64 tried
 *            | bytes final | bytes original | bytes orcpt | bytes text | bytes host
 */
#pragma once

#include "common/base/base.h"

#define DSN_REQUEST_VERSION   1
#define DSN_REQUEST_BYTES_MAX (60u << 10) /* fits into one ipc message */
#define DSN_ROWS_BYTES_MAX    (48u << 10) /* the rows of one request */
#define DSN_ADDRESS_MAX       1024u       /* bytes of an address, ENVID or ORCPT */
#define DSN_TEXT_MAX          1000u       /* of what a server said */
#define DSN_NOTICE_MAX        (32u << 10) /* of a notice's text */

enum dsn_kind {
	DSN_FAILURE, /* given up */
	DSN_DELAY,   /* not yet delivered, still being tried */
	DSN_SUCCESS, /* rows DELIVERED, RELAYED, EXPANDED */
	DSN_NOTICE,  /* no rows: subject and text, to postmaster */
	/* Not in requests of qmgr; no rows: `quota`, to `sender`. */
	DSN_QUOTA,        /* a mailbox is nearly full */
	DSN_DOMAIN_QUOTA, /* all of a domain together */
};

struct dsn_quota {
	struct span name; /* the account's address, or the domain */
	uint8_t percent;
	uint64_t used_bytes, limit_bytes;
};

enum dsn_action { /* [RFC3464 2.3.3] */
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED,
};

enum dsn_flag {
	DSN_EXPIRED = 1 << 0,  /* failed: it was tried for as long as is allowed */
	DSN_OPERATOR = 1 << 1, /* failed: an operator gave it up */
};

struct dsn_row {
	enum dsn_action action;
	uint8_t flags;        /* enum dsn_flag */
	uint16_t code;        /* of the last reply; 0 when there was none */
	uint16_t enhanced[3]; /* [RFC3463]; all 0: none */
	uint64_t tried_us;    /* last attempt; 0 when not known */
	struct span final;    /* where it went */
	struct span original; /* as RCPT had it */
	struct span orcpt;    /* "rfc822;..." as given, still xtext; may be empty */
	struct span text;     /* the reply without its codes, or a sentence of ours */
	struct span host; /* who said it: "mx.example.org[192.0.2.1]"; may be empty */
};

struct dsn_request {
	enum dsn_kind kind;
	uint8_t ret;         /* enum envelope_ret of common/spool */
	uint32_t flags;      /* enum envelope_flag of common/spool */
	uint64_t arrived_us; /* since 1970 */
	uint64_t until_us;   /* DSN_DELAY: how long it is tried; else 0 */
	struct span sender;  /* reverse-path; who gets the report */
	struct span envid;   /* as given, still xtext; may be empty */
	struct span helo;    /* what the client called itself; empty: not to be told */
	struct span client;  /* 16 bytes, IPv4 mapped; may be empty */
	struct span subject; /* of a notice */
	struct span text;    /* of a notice: lines that end in LF */
	uint32_t n_rows;
	struct span rows; /* see dsn_row_put() */
	struct dsn_quota quota;
};

/* Appends; a text that is too long is cut. `rows` being full is the only failure. */
void dsn_row_put(struct buf *rows, const struct dsn_row *r);
void dsn_request_put(struct buf *out, const struct dsn_request *r);

/* The whole span is one request, its rows in order, as many as it says, none of its
 * texts above its limit; rows as the kind has them. Then walking them cannot fail.
 * *out points into bytes. */
MUST_USE bool dsn_request_parse(struct span bytes, struct dsn_request *out);

/* False at the end, or (the cursor has failed) on damage. */
MUST_USE bool dsn_row_next(struct cursor *rows, struct dsn_row *out);
