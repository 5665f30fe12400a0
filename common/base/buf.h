/* common/base/buf.h - bytes that grow, up to a limit they cannot exist without
 *
 * Appending past the limit appends nothing and marks the buf as full; the mark
 * stays until buf_reset(), so a series of puts is checked once, at its end.
 * Memory  buf_init() allocates nothing; buf_release() gives everything back.
 */
#pragma once

#include "common/base/span.h"

struct buf {
	char *at;
	size_t n;
	size_t size;
	size_t max;
	bool full; /* a put did not fit since the last reset */
};

static inline struct buf
buf_make(size_t max)
{
	return (struct buf){.max = max};
}

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);

/* Empties it and clears the full mark; the memory stays. */
void buf_reset(struct buf *b);

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){b->at, b->n};
}

/* True when n more bytes fit under the limit. */
MUST_USE bool buf_room(const struct buf *b, size_t n);

void buf_put(struct buf *b, struct span s);
void buf_put_char(struct buf *b, char c);
void buf_put_str(struct buf *b, const char *text);
void buf_putf(struct buf *b, const char *format, ...) PRINTF(2, 3);

/* n bytes of uninitialised room at the end, to be filled by the caller; null
 * (and the full mark) when they do not fit. */
MUST_USE char *buf_extend(struct buf *b, size_t n);

/* Takes n bytes off the front. */
void buf_drop_front(struct buf *b, size_t n);
