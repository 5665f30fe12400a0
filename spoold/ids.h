/* spoold/ids.h - which queue ids an smtpd may use
 *
 * Ids are granted in blocks of QUEUE_ID_BLOCK. Each may begin one message, on the
 * channel it was granted to; any other id is the peer's fault. Pure.
 */
#pragma once

#include "common/spool/spool.h"

#define ID_BLOCKS_MAX 64 /* the oldest block of a peer is forgotten beyond */

struct id_block {
	uint64_t first; /* 0: none */
	uint64_t used[QUEUE_ID_BLOCK / 64];
	uint32_t n_used;
};

struct id_grants {
	struct id_block blocks[ID_BLOCKS_MAX];
	uint32_t newest;
};

/* The first id of this run, from what the spool has seen (`last_start`, seconds,
 * 0 when nothing) and the clock; *start is to be remembered durably before any
 * id is granted. */
MUST_USE uint64_t ids_first(uint64_t last_start, uint64_t now_s, uint64_t *start);

void id_grants_add(struct id_grants *g, uint64_t first);

/* False when the id was never granted here, or was used before. */
MUST_USE bool id_grants_use(struct id_grants *g, uint64_t id);

/* True when it is time for the next block. */
MUST_USE bool id_grants_low(const struct id_grants *g);
