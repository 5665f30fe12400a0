#include "common/spool/segment.h"

#include <endian.h>

void
spool_head_put(const struct spool_head *h, char out[SPOOL_HEAD_BYTES])
{
	uint64_t id = htole64(h->id), arrived_us = htole64(h->arrived_us);
	uint32_t envelope_bytes = htole32(h->envelope_bytes), flags = htole32(h->flags);

	memcpy(out, &id, 8);
	memcpy(out + 8, &arrived_us, 8);
	memcpy(out + 16, &envelope_bytes, 4);
	memcpy(out + 20, &flags, 4);
}

bool
spool_head_parse(struct span bytes, uint64_t payload_bytes, struct spool_head *out)
{
	struct cursor c = cursor_make(bytes);
	struct spool_head h;

	h.id = wire_get_u64(&c);
	h.arrived_us = wire_get_u64(&c);
	h.envelope_bytes = wire_get_u32(&c);
	h.flags = wire_get_u32(&c);
	if (c.failed || h.id == 0 || payload_bytes < SPOOL_HEAD_BYTES)
		return false;
	if (h.envelope_bytes > payload_bytes - SPOOL_HEAD_BYTES ||
	    h.envelope_bytes > ENVELOPE_BYTES_MAX)
		return false;
	*out = h;
	return true;
}
