#include "common/base/base.h"

#include <endian.h>

void
wire_put_u8(struct buf *b, uint8_t value)
{
	buf_put(b, span_make(&value, 1));
}

void
wire_put_u16(struct buf *b, uint16_t value)
{
	value = htole16(value);
	buf_put(b, span_make(&value, 2));
}

void
wire_put_u32(struct buf *b, uint32_t value)
{
	value = htole32(value);
	buf_put(b, span_make(&value, 4));
}

void
wire_put_u64(struct buf *b, uint64_t value)
{
	value = htole64(value);
	buf_put(b, span_make(&value, 8));
}

void
wire_put_bytes(struct buf *b, struct span s)
{
	if (s.n > UINT32_MAX || !buf_room(b, s.n + 4)) {
		b->full = true;
		return;
	}
	wire_put_u32(b, (uint32_t)s.n);
	buf_put(b, s);
}

struct span
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

uint8_t
wire_get_u8(struct cursor *c)
{
	struct span s = wire_get_raw(c, 1);

	return s.n ? (uint8_t)s.at[0] : 0;
}

uint16_t
wire_get_u16(struct cursor *c)
{
	struct span s = wire_get_raw(c, 2);
	uint16_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 2);
	return le16toh(value);
}

uint32_t
wire_get_u32(struct cursor *c)
{
	struct span s = wire_get_raw(c, 4);
	uint32_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 4);
	return le32toh(value);
}

uint64_t
wire_get_u64(struct cursor *c)
{
	struct span s = wire_get_raw(c, 8);
	uint64_t value = 0;

	if (s.n)
		memcpy(&value, s.at, 8);
	return le64toh(value);
}

struct span
wire_get_bytes(struct cursor *c)
{
	uint32_t n = wire_get_u32(c);

	return wire_get_raw(c, n);
}

bool
cursor_done(const struct cursor *c)
{
	return !c->failed && c->rest.n == 0;
}
