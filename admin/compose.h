/* admin/compose.h - what sendmail makes of the text on its standard input
 *
 * RFC     [RFC5322 3.6] adds From, Date and Message-ID when they are missing;
 *         lines end in CRLF afterwards, whatever they ended in before; NULs are
 *         left out.
 * Trust   pure; the text may be anything.
 */
#pragma once

#include "common/base/base.h"

#define COMPOSE_RECIPIENTS_MAX 1000

struct compose {
	struct span text;      /* as read; a lone-dot end is the caller's affair */
	struct span from;      /* address for a From field; also the reverse-path */
	struct span full_name; /* for that From field; may be empty */
	struct span origin;    /* domain for addresses that have none, and for ids */
	int64_t unix_s;        /* for Date, given in UTC */
	uint64_t random;       /* for Message-ID */
	bool take_recipients;  /* -t: To, Cc and Bcc are recipients; Bcc is left out */
};

struct recipients {
	char *at[COMPOSE_RECIPIENTS_MAX]; /* freed with recipients_release() */
	size_t n;
	bool full; /* one did not fit */
};

/* Adds "@origin" to an address without a domain; none twice. */
void recipients_add(struct recipients *r, struct span address, struct span origin);
void recipients_release(struct recipients *r);

/* The message ready to be sent into `out`, whose full mark is the only failure. */
void compose_message(const struct compose *c, struct recipients *r, struct buf *out);
