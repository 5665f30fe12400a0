#include "resolver/kept.h"

#define MAGIC              UINT64_C(0x31305354534d5250) /* "PRMSTS01" */
#define RECORD_FRAME_BYTES 8u
#define PAYLOAD_FIXED      21u /* mode, until, three lengths */

static uint32_t
number_crc(uint64_t number)
{
	uint64_t wire = htole64(number);

	return crc32c(0, span_make(&wire, sizeof(wire)));
}

static uint32_t
head_crc(uint64_t number)
{
	uint64_t magic = htole64(MAGIC);

	return crc32c(number_crc(number), span_make(&magic, sizeof(magic)));
}

void
kept_head_put(struct buf *out, uint64_t number)
{
	wire_put_u64(out, MAGIC);
	wire_put_u64(out, number);
	wire_put_u32(out, head_crc(number));
}

size_t
kept_record_bytes(const struct kept_policy *p)
{
	return RECORD_FRAME_BYTES + PAYLOAD_FIXED + p->id.n + p->domain.n + p->hosts.n;
}

void
kept_record_put(struct buf *out, uint64_t number, const struct kept_policy *p)
{
	size_t bytes = kept_record_bytes(p) - RECORD_FRAME_BYTES;
	struct buf payload = buf_make(bytes);

	wire_put_u8(&payload, (uint8_t)p->mode);
	wire_put_u64(&payload, p->until_s);
	wire_put_bytes(&payload, p->id);
	wire_put_bytes(&payload, p->domain);
	wire_put_bytes(&payload, p->hosts);
	ASSERT(!payload.full && payload.n == bytes);
	wire_put_u32(out, (uint32_t)bytes);
	wire_put_u32(out, crc32c(number_crc(number), buf_span(&payload)));
	buf_put(out, buf_span(&payload));
	buf_release(&payload);
}

void
kept_end_put(struct buf *out, uint64_t number)
{
	wire_put_u32(out, 0);
	wire_put_u32(out, number_crc(number));
}

/* --- reading -------------------------------------------------------------- */

enum kept_result
kept_open(struct span bytes, unsigned which, struct kept_half *out)
{
	struct cursor c = cursor_make(bytes);
	uint64_t magic = wire_get_u64(&c), number = wire_get_u64(&c);
	uint32_t crc = wire_get_u32(&c);

	if (bytes.n == 0 || (!c.failed && magic == 0 && number == 0 && crc == 0))
		return KEPT_END;
	if (c.failed || magic != MAGIC || crc != head_crc(number) ||
	    number % 2 != which)
		return KEPT_DAMAGED;
	*out = (struct kept_half){c, number};
	return KEPT_POLICY;
}

static bool
payload_read(struct span payload, struct kept_policy *out)
{
	struct cursor c = cursor_make(payload);
	uint8_t mode = wire_get_u8(&c);

	out->until_s = wire_get_u64(&c);
	out->id = wire_get_bytes(&c);
	out->domain = wire_get_bytes(&c);
	out->hosts = wire_get_bytes(&c);
	out->mode = (enum sts_mode)mode;
	return cursor_done(&c) && mode < STS_LATER && out->id.n > 0 &&
	       out->id.n <= STS_ID_MAX && span_find(out->id, '\0') == out->id.n &&
	       dns_name_valid(out->domain) && out->hosts.n <= STS_POLICY_BYTES_MAX;
}

enum kept_result
kept_next(struct kept_half *half, struct kept_policy *out)
{
	uint32_t bytes = wire_get_u32(&half->rest), crc = wire_get_u32(&half->rest);
	struct span payload = wire_get_raw(&half->rest, bytes);
	struct kept_policy found;

	if (half->rest.failed || crc != crc32c(number_crc(half->number), payload))
		return KEPT_DAMAGED;
	if (payload.n == 0)
		return KEPT_END;
	if (!payload_read(payload, &found))
		return KEPT_DAMAGED;
	*out = found;
	return KEPT_POLICY;
}
