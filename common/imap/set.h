/* common/imap/set.h - sets of message numbers, as clients write them
 *
 * RFC  [RFC9051 9] sequence-set, [RFC5182] "$".
 */
#pragma once

#include "common/base/base.h"

/* "*" is 0 here. As the client wrote it: first may be above last [RFC9051 9]. */
struct imap_range {
	uint32_t first, last;
};

struct imap_set {
	const struct imap_range *at;
	size_t n;
	bool saved; /* "$": the result of the last SEARCH that saved; n is 0 then */
};

/* A set without "*": ascending, apart, first <= last. What is appended must not be
 * below what is there. Freed by _release. */
struct imap_ranges {
	struct imap_range *at;
	size_t n, size;
};

void imap_ranges_release(struct imap_ranges *r);
/* Number by number, or a stretch of them; neighbours become one range. */
void imap_ranges_add(struct imap_ranges *r, uint32_t first, uint32_t last);
/* `set` with `max` for "*", sorted and merged; with `cut` only what lies in 1 .. max
 * (of UIDs nothing is cut). With max 0 a "*" stands for nothing. What `out` held is
 * freed. */
void imap_set_resolve(const struct imap_set *set, uint32_t max, bool cut,
		      struct imap_ranges *out);
MUST_USE bool imap_ranges_contain(const struct imap_ranges *r, uint32_t number);
/* "1:3,7"; nothing for none. */
void imap_put_ranges(struct buf *out, const struct imap_range *at, size_t n);
