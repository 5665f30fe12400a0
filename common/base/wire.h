/* common/base/wire.h - little-endian fields in ipc messages and on disk
 *
 * Writing appends to a buf, whose full mark is the failure. Reading takes from
 * a cursor whose failure is sticky: after one bad read every further read gives
 * zero or an empty span, so a whole record is read first and checked once.
 */
#pragma once

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

uint8_t wire_get_u8(struct cursor *c);
uint16_t wire_get_u16(struct cursor *c);
uint32_t wire_get_u32(struct cursor *c);
uint64_t wire_get_u64(struct cursor *c);
/* Points into the cursor's own bytes. */
struct span wire_get_bytes(struct cursor *c);
/* Exactly n bytes, without a length before them. */
struct span wire_get_raw(struct cursor *c, size_t n);

/* True when nothing failed and nothing is left over. */
MUST_USE bool cursor_done(const struct cursor *c);
