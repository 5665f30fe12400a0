/* common/srs/srs.h - the door of the room that rewrites senders of forwarded mail
 *
 * What    An alias that leads to another server sends mail on in the name of
 *         somebody else, which SPF takes for a forgery. So the sender becomes an
 *         address of ours that says who it was, and whose bounces come back here
 *         to be sent on:
 *
 *           you@a.example    -> SRS0=HHHHHHHH=TT=a.example=you@ours.example
 *           SRS0=x@b.example -> SRS1=HHHHHHHH=b.example==x@ours.example
 *
 *         H is a keyed tag, so that nobody else can make one; TT is the day, and
 *         after SRS_DAYS the address is worth nothing. Letters may lose their case
 *         on the way. No standard: the form is that of "The Sender Rewriting
 *         Scheme" (Shevek, 2004), which libsrs2 and postsrsd share.
 * Trust   pure: the day is passed in. An address is the peer's.
 * Memory  allocates what the caller's buf takes, and nothing else.
 */
#pragma once

#include "common/base/base.h"

#define SRS_DAYS      21
#define SRS_KEYS_MAX  10
#define SRS_KEY_MIN   16  /* bytes */
#define SRS_KEY_MAX   200 /* bytes */
#define SRS_TAG_BYTES 8   /* letters of base32: 40 bits */
/* Of an address that is made; a longer one cannot be rewritten. */
#define SRS_LOCAL_MAX   256
#define SRS_ADDRESS_MAX 512

/* The first signs, each verifies. */
struct srs_keys {
	struct span at[SRS_KEYS_MAX];
	size_t n;
};

/* Seconds since 1970 as what `day` is below. */
static inline uint64_t
srs_day(uint64_t unix_s)
{
	return unix_s / 86400;
}

/* The sender, canonical and not empty, as an address of `domain`, appended. False, and
 * nothing appended, when it has no domain, would be too long, or there is no key. */
MUST_USE bool srs_forward(const struct srs_keys *keys, struct span sender,
			  struct span domain, uint64_t day, struct buf *out);

enum srs_result {
	SRS_NONE,    /* not of that form: an address as any other */
	SRS_OK,      /* *out has who it was, or who wrote it before us */
	SRS_FORGED,  /* the tag was not made here, or with a key that is gone */
	SRS_EXPIRED, /* older than SRS_DAYS */
};

/* Whom `address`, at a domain of ours, stands for. */
MUST_USE enum srs_result srs_reverse(const struct srs_keys *keys, struct span address,
				     uint64_t day, struct buf *out);

/* The keys in a file: one a line, newest first; lines that are empty or begin with #
 * do not count. They point into the text. -1 for a line that can be no key, or none
 * at all. */
MUST_USE int srs_keys_parse(struct span text, struct srs_keys *out, struct err *err);
