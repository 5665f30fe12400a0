/* resolver/shelf.h - the file in which MTA-STS policies outlive a restart
 *
 * What    read once, when it comes; from then on each policy that is fetched is added.
 *         kept.h has its bytes.
 * RFC     [RFC8461 5.1] [RFC8461 10.2] a policy counts for its max_age: who blocks DNS
 *         and HTTPS until a restart must not be rid of it.
 * Trust   as kept.h has it. Damage is logged; what stands before it counts.
 * Limits  what is good and was asked for last, up to SHELF_FULL_BYTES; what is beyond
 *         is known until the end of the program only. A restart loses nothing, a loss
 * of power what the kernel had not yet written, half a minute at most.
 */
#pragma once

#include "resolver/policies.h"

#define SHELF_FULL_BYTES (KEPT_HALF_BYTES / 4 * 3) /* of a half, when it is begun */
#define SHELF_PAUSE_MS   60000u                    /* after a write that failed */

struct shelf {
	int fd;          /* -1: policies are kept in memory only */
	uint64_t number; /* of the half that is added to */
	size_t at;       /* in it: where its end stands */
	bool torn;       /* a write failed, so the other half is next */
	uint64_t pause_until_ms;
};

void shelf_init(struct shelf *s);

/* The file that master handed over, which it takes; a second one is closed. What is
 * good of it is put into *all; how many. */
MUST_USE size_t shelf_open(struct shelf *s, int fd, struct policies *all,
			   const struct policy_moment *now);

/* One of *all that is new. */
void shelf_add(struct shelf *s, struct policies *all, const struct policy *p,
	       const struct policy_moment *now);
