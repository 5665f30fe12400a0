/* common/spool/segment.h - the files in spool/seg and the record of a message
 *
 * spool/seg/N are log files (common/log) of kind SPOOL_SEGMENT_KIND, N a decimal
 * number that is never used again. A segment holds records of kind SPOOL_MESSAGE:
 *
 *   u64 id | u64 arrived, us | u32 envelope bytes | u32 flags | envelope | content
 *
 * The shared segments are SPOOL_SEGMENT_BYTES long, written with zeros beforehand;
 * a message above SPOOL_SHARED_MAX has a segment to itself, which grows.
 */
#pragma once

#include "common/spool/envelope.h"

#define SPOOL_SEGMENT_KIND  0x50530001u
#define SPOOL_STATE_KIND    0x50530002u /* spool/state, written by qmgr */
#define SPOOL_MESSAGE       1           /* kind of a record in a segment */
#define SPOOL_HEAD_BYTES    24u
#define SPOOL_SEGMENT_BYTES (64u << 20)
#define SPOOL_SHARED_MAX    (256u << 10) /* larger ones get their own segment */
#define SPOOL_PUT_MAX       (60u << 10)  /* envelope and content of one spool_put */

enum spool_flag {
	SPOOL_MOVED = 1 << 0, /* a copy of an earlier record with the same id */
};

struct spool_head {
	uint64_t id;
	uint64_t arrived_us; /* since 1970 */
	uint32_t envelope_bytes;
	uint32_t flags; /* enum spool_flag */
};

void spool_head_put(const struct spool_head *h, char out[SPOOL_HEAD_BYTES]);

/* From the first SPOOL_HEAD_BYTES of a payload of payload_bytes; false when that
 * cannot be one of a message. */
MUST_USE bool
spool_head_parse(struct span bytes, uint64_t payload_bytes, struct spool_head *out);
