/* resolver/kept.h - the bytes of the file that MTA-STS policies outlive a restart in
 *
 * What    the file has two halves. A half begins with its number in the series, which
 *         is odd in the second one; behind it is a record for each policy, of which
 *         the last of a domain counts. The half of the higher number is added to;
 *         when it is full, all that is good goes to the other one, as the next of the
 *         series. So one half is whole at any moment, and nothing is ever moved.
 *
 *           half    magic u64, number u64, CRC-32C of both u32; records; end
 *           record  payload's length u32, CRC-32C of number and payload u32, payload
 *           end     a record without a payload
 *
 * Trust   every byte of the file is doubted: damage ends the half that it is in, and
 *         what stands before it counts. Pure.
 */
#pragma once

#include "common/dns/dns.h"
#include "common/sts/sts.h"

#define KEPT_HALF_BYTES (4u << 20)
#define KEPT_HEAD_BYTES 20u
#define KEPT_END_BYTES  8u

struct kept_policy {
	struct span domain; /* lower case */
	struct span id;     /* 1 to STS_ID_MAX bytes */
	struct span hosts;  /* as sts_hosts_put() makes them */
	enum sts_mode mode;
	uint64_t until_s; /* since 1970 */
};

void kept_head_put(struct buf *out, uint64_t number);
/* For the half of that number. Behind the last one is the end. */
void kept_record_put(struct buf *out, uint64_t number, const struct kept_policy *p);
MUST_USE size_t kept_record_bytes(const struct kept_policy *p);
void kept_end_put(struct buf *out, uint64_t number);

enum kept_result {
	KEPT_POLICY,
	KEPT_END,
	KEPT_DAMAGED,
};

struct kept_half {
	struct cursor rest;
	uint64_t number;
};

/* Which of the halves `bytes` are: 0 or 1. KEPT_END: it was never written to. Spans of
 * what is read point into the bytes. */
MUST_USE enum kept_result
kept_open(struct span bytes, unsigned which, struct kept_half *out);
MUST_USE enum kept_result kept_next(struct kept_half *half, struct kept_policy *out);
