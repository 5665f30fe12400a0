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
