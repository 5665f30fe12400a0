#include "common/log/frame.h"

#include <endian.h>

#define MAGIC        "PRLOG\r\n\1" /* ends in the version */
#define COPY_BYTES   36u
#define COPY_TO_COPY 512u

static void
put_u16(char *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof(value));
}

static void
put_u32(char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void
put_u64(char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static uint16_t
get_u16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

static uint32_t
get_u32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t
get_u64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

/* Two lives whose salts differ in either half differ in one of the two CRCs. */
static uint32_t
salted(uint64_t salt_half, uint64_t offset)
{
	char bytes[8];

	put_u64(bytes, offset);
	return crc32c((uint32_t)salt_half, span_make(bytes, sizeof(bytes)));
}

static uint32_t
head_crc(const struct log_id *id, uint64_t offset, const char *head)
{
	return crc32c(salted(id->salt, offset), span_make(head, LOG_HEAD_BYTES - 4));
}

uint32_t
log_frame_crc(const struct log_id *id, uint64_t offset)
{
	return salted(id->salt >> 32, offset);
}

void
log_frame_put_head(const struct log_id *id, const struct log_record *record,
		   char head[LOG_HEAD_BYTES])
{
	ASSERT(record->kind != 0 && record->n <= LOG_RECORD_MAX);
	ASSERT(record->offset % 8 == 0 && record->synced <= record->offset);
	put_u32(head, record->n);
	put_u16(head + 4, record->kind);
	put_u16(head + 6, 0);
	put_u32(head + 8, (uint32_t)(record->synced / 8));
	put_u32(head + 12, head_crc(id, record->offset, head));
}

size_t
log_frame_put_tail(uint32_t crc, const struct log_record *record,
		   const char head[LOG_HEAD_BYTES], char tail[11])
{
	size_t n = (size_t)(log_frame_bytes(record->n) - LOG_HEAD_BYTES - record->n);

	memset(tail, 0, n);
	put_u32(tail + n - 4, crc32c(crc, span_make(head, LOG_HEAD_BYTES)));
	return n;
}

static bool
head_parse(const struct log_id *id, uint64_t offset, const char *head,
	   struct log_record *out)
{
	struct log_record r = {
	    .offset = offset,
	    .payload_at = offset + LOG_HEAD_BYTES,
	    .synced = UINT64_C(8) * get_u32(head + 8),
	    .n = get_u32(head),
	    .kind = get_u16(head + 4),
	};

	if (r.kind == 0 || get_u16(head + 6) != 0 || r.n > LOG_RECORD_MAX)
		return false;
	if (r.synced > offset || offset % 8 != 0 || offset > LOG_FILE_MAX)
		return false;
	if (get_u32(head + 12) != head_crc(id, offset, head))
		return false;
	r.next = offset + log_frame_bytes(r.n);
	*out = r;
	return true;
}

enum log_frame
log_frame_check(const struct log_id *id, uint64_t offset, struct span bytes,
		struct log_record *out)
{
	struct log_record r;
	struct span payload, tail;

	if (bytes.n < LOG_HEAD_BYTES || !head_parse(id, offset, bytes.at, &r))
		return LOG_FRAME_BAD;
	if (bytes.n < r.next - offset) {
		*out = r;
		return LOG_FRAME_SHORT;
	}
	bytes = span_first(bytes, (size_t)(r.next - offset));
	payload = span_make(bytes.at + LOG_HEAD_BYTES, r.n);
	tail = span_after(bytes, LOG_HEAD_BYTES + r.n);
	if (!log_frame_check_tail(crc32c(log_frame_crc(id, offset), payload), bytes.at,
				  tail))
		return LOG_FRAME_BAD;
	r.payload = payload;
	*out = r;
	return LOG_FRAME_OK;
}

bool
log_frame_check_tail(uint32_t crc, const char head[LOG_HEAD_BYTES], struct span tail)
{
	if (tail.n < 4)
		return false;
	return get_u32(tail.at + tail.n - 4) ==
	       crc32c(crc, span_make(head, LOG_HEAD_BYTES));
}

void
log_header_put(const struct log_id *id, char header[LOG_HEADER_BYTES])
{
	memset(header, 0, LOG_HEADER_BYTES);
	memcpy(header, MAGIC, 8);
	put_u32(header + 8, id->kind);
	put_u64(header + 16, id->number);
	put_u64(header + 24, id->salt);
	put_u32(header + 32, crc32c(0, span_make(header, COPY_BYTES - 4)));
	memcpy(header + COPY_TO_COPY, header, COPY_BYTES);
}

enum copy {
	COPY_OK,
	COPY_NONE, /* never written, or of the file's life under another number */
	COPY_BAD,
};

static enum copy
copy_check(struct span copy, struct log_id *id)
{
	static const char zeros[COPY_BYTES];

	if (copy.n < COPY_BYTES || memcmp(copy.at, zeros, COPY_BYTES) == 0)
		return COPY_NONE;
	if (memcmp(copy.at, MAGIC, 8) != 0 || get_u32(copy.at + 8) != id->kind ||
	    get_u32(copy.at + 32) != crc32c(0, span_first(copy, COPY_BYTES - 4)))
		return COPY_BAD;
	if (get_u64(copy.at + 16) != id->number)
		return COPY_NONE;
	id->salt = get_u64(copy.at + 24);
	return COPY_OK;
}

enum log_header
log_header_check(struct span header, struct log_id *id)
{
	enum copy first = copy_check(header, id), second;

	if (first == COPY_OK)
		return LOG_HEADER_OK;
	second = copy_check(span_after(header, COPY_TO_COPY), id);
	if (second == COPY_OK)
		return LOG_HEADER_OK;
	return first == COPY_BAD || second == COPY_BAD ? LOG_HEADER_DAMAGED
						       : LOG_HEADER_UNREADY;
}
