/* common/log/frame.h - the bytes of a log file; pure
 *
 * A file is two copies of its header, in sectors of their own, and from
 * LOG_HEADER_BYTES on records, each starting at a multiple of 8:
 *
 *   u32 payload length | u16 kind, not 0 | u16 zero | u32 synced / 8 | u32 head CRC
 *   payload | zeros up to 4 short of a multiple of 8 | u32 CRC of payload and head
 *
 * Little-endian, CRC-32C. The head's CRC starts from one half of the file's
 * random salt and the record's offset, the other from the other half and the
 * offset: bytes of a recycled segment's earlier life, a record at the wrong
 * place, or record-like bytes in a mail pass with a chance of 2^-64. `synced`
 * is what the writer knew to be durable when it wrote the record: recovery uses
 * it to tell damage from a torn tail.
 */
#pragma once

#include "common/base/base.h"

#define LOG_HEADER_BYTES 1024u /* the first record starts here */
#define LOG_HEAD_BYTES   16u
#define LOG_RECORD_MAX   (256u << 20)               /* payload bytes of one record */
#define LOG_FILE_MAX     (UINT64_C(8) * UINT32_MAX) /* bytes of one file */

/* A record of this kind is recovery's own: it only carries a claim of what was
 * synced. Writers must not use it, readers pass over it. */
#define LOG_KIND_MARK 0xffffu

/* Who a file is. The salt is secret from whoever can choose record payloads. */
struct log_id {
	uint32_t kind; /* what its records are about; the caller's number */
	uint64_t number;
	uint64_t salt;
};

struct log_record {
	uint64_t offset;     /* of the record in its file */
	uint64_t payload_at; /* of its payload in its file */
	uint64_t next;       /* where the record after it starts */
	uint64_t synced;     /* the writer's word: all below was durable by then */
	uint32_t n;          /* payload bytes */
	uint16_t kind;
	struct span payload; /* .at is null when it was too large to be held */
};

/* Bytes on disk of a record with n bytes of payload. */
static inline uint64_t
log_frame_bytes(uint64_t n)
{
	return (LOG_HEAD_BYTES + n + 4 + 7) & ~UINT64_C(7);
}

/* The CRC over a payload that comes in pieces: start, add each, then put the
 * tail. `n` of the record is set by then. */
MUST_USE uint32_t log_frame_crc(const struct log_id *id, uint64_t offset);

/* The 16 bytes before the payload. Uses offset, synced, n and kind. */
void log_frame_put_head(const struct log_id *id, const struct log_record *record,
			char head[LOG_HEAD_BYTES]);

/* The padding and CRC after it; `crc` is that of the payload alone. Returns how
 * many of the 11 bytes are used. */
MUST_USE size_t log_frame_put_tail(uint32_t crc, const struct log_record *record,
				   const char head[LOG_HEAD_BYTES], char tail[11]);

enum log_frame {
	LOG_FRAME_OK,
	LOG_FRAME_SHORT, /* a head, but `bytes` ends before the record does */
	LOG_FRAME_BAD,
};

/* Is there a record at `offset` of the file, whose bytes from there on are
 * `bytes`? OK fills all of *out, SHORT all but the payload (out->next says how
 * much is needed). Never reads beyond `bytes`; fewer than LOG_HEAD_BYTES are
 * BAD. */
MUST_USE enum log_frame log_frame_check(const struct log_id *id, uint64_t offset,
					struct span bytes, struct log_record *out);

/* For a record too large to hold: after a head that was not BAD, `crc` over the
 * payload and the bytes from the payload's end to out->next. */
MUST_USE bool
log_frame_check_tail(uint32_t crc, const char head[LOG_HEAD_BYTES], struct span tail);

/* The first LOG_HEADER_BYTES of a file. */
void log_header_put(const struct log_id *id, char header[LOG_HEADER_BYTES]);

enum log_header {
	LOG_HEADER_OK,
	LOG_HEADER_UNREADY, /* creation or recycling never ended: holds no record */
	LOG_HEADER_DAMAGED, /* or another version, or no log at all */
};

/* Looks for the header of file id->number of kind id->kind and sets id->salt. */
MUST_USE enum log_header log_header_check(struct span header, struct log_id *id);
