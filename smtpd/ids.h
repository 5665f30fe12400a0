/* smtpd/ids.h - queue ids granted by spoold and not used yet
 *
 * Pure. Grants die with the channel they came on.
 */
#pragma once

#include "common/base/base.h"

#define ID_GRANTS_MAX   64
#define ID_RETURNED_MAX 256

struct id_pool {
	struct id_grant {
		uint64_t first;
		uint32_t count;
	} grants[ID_GRANTS_MAX]; /* oldest first */
	size_t n_grants;
	uint64_t returned[ID_RETURNED_MAX];
	size_t n_returned;
};

/* False when it is no grant, or one too many: the peer breaks the rules. */
MUST_USE bool id_pool_grant(struct id_pool *p, uint64_t first, uint32_t count);

/* False when there is none at the moment. */
MUST_USE bool id_pool_take(struct id_pool *p, uint64_t *id);

/* An id that was taken and that spoold never saw; false when there is no room to
 * keep it: it is to be given up there. */
MUST_USE bool id_pool_return(struct id_pool *p, uint64_t id);

/* The channel is gone. */
void id_pool_clear(struct id_pool *p);
