/* imapd/deflate.h - COMPRESS=DEFLATE between a stream and its session
 *
 * What    raw deflate both ways [RFC4978] [RFC1951]. Input is inflated piece by piece
 *         into a buffer with a limit, so that a bomb stops where its reader stops;
 *         output is deflated when it is flushed, each time to a byte's end.
 * Trust   every byte in is a client's.
 * Memory  about 110 KB a connection.
 */
#pragma once

#include "common/base/base.h"

#define DEFLATE_INPUT_MAX 65536u

struct deflate;

MUST_USE struct deflate *deflate_new(size_t output_max);
void deflate_free(struct deflate **d);

/* Takes deflated bytes off *in as long as there is room for what comes out. False: they
 * are broken, or end the stream. */
MUST_USE bool deflate_feed(struct deflate *d, struct span *in);
/* What came out of it and was not taken. */
MUST_USE struct span deflate_input(const struct deflate *d);
void deflate_take(struct deflate *d, size_t n);

/* To append to, then deflate_flush(). */
MUST_USE struct buf *deflate_output(struct deflate *d);
/* Deflates all of it to `out`. */
void deflate_flush(struct deflate *d, struct buf *out);
