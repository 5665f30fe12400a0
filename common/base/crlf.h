/* common/base/crlf.h - lines off the front of a stream of commands
 *
 * Only CRLF ends a line. A line over the limit is dropped up to its CRLF, however
 * many bytes that takes, in no memory at all.
 */
#pragma once

#include "common/base/span.h"

struct crlf {
	bool dropping; /* inside a line that was too long */
};

enum crlf_result {
	CRLF_MORE, /* no whole line yet; what is there stays in *in */
	CRLF_LINE,
	CRLF_BAD,  /* a whole line with a bare CR, a bare LF or a NUL in it */
	CRLF_LONG, /* it was over the limit; it is gone */
};

/* The next line, without its CRLF, off the front of *in; with its CRLF it has at
 * most `max` bytes. *line points into the bytes of *in. */
MUST_USE enum crlf_result
crlf_take(struct crlf *c, size_t max, struct span *in, struct span *line);
