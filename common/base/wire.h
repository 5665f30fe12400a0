/* common/base/wire.h - little-endian fields in ipc messages and on disk
 *
 * Writing appends to a buf, whose full mark is the failure. Reading takes from
 * a cursor whose failure is sticky: after one bad read every further read gives
 * zero or an empty span, so a whole record is read first and checked once.
 */
#pragma once

#include <endian.h>

#include "common/base/buf.h"

void wire_put_u8(struct buf *b, uint8_t value);
void wire_put_u16(struct buf *b, uint16_t value);
void wire_put_u32(struct buf *b, uint32_t value);
void wire_put_u64(struct buf *b, uint64_t value);
/* A length of four bytes, then the bytes. */
void wire_put_bytes(struct buf *b, struct span s);

struct cursor {
	struct span rest;
	bool failed;
};

static inline struct cursor
cursor_make(struct span s)
{
	return (struct cursor){s, false};
}

/* Exactly n bytes, without a length before them. */
static inline struct span
wire_get_raw(struct cursor *c, size_t n)
{
	struct span s;

	if (c->failed || c->rest.n < n) {
		c->failed = true;
		return span_make("", 0);
	}
	s = span_first(c->rest, n);
	c->rest = span_after(c->rest, n);
	return s;
}

static inline uint8_t
wire_get_u8(struct cursor *c)
{
	struct span s = wire_get_raw(c, 1);

	return s.n ? (uint8_t)s.at[0] : 0;
}

static inline uint16_t
wire_get_u16(struct cursor *c)
{
	struct span s = wire_get_raw(c, 2);
	uint16_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 2);
	return le16toh(value);
}

static inline uint32_t
wire_get_u32(struct cursor *c)
{
	struct span s = wire_get_raw(c, 4);
	uint32_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 4);
	return le32toh(value);
}

static inline uint64_t
wire_get_u64(struct cursor *c)
{
	struct span s = wire_get_raw(c, 8);
	uint64_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 8);
	return le64toh(value);
}

/* Points into the cursor's own bytes. */
static inline struct span
wire_get_bytes(struct cursor *c)
{
	uint32_t n = wire_get_u32(c);

	return wire_get_raw(c, n);
}

/* True when nothing failed and nothing is left over. */
MUST_USE static inline bool
cursor_done(const struct cursor *c)
{
	return !c->failed && c->rest.n == 0;
}
