/* delivery/remote/hop/health.h - addresses that could not be reached lately
 *
 * They are tried last. Each failure in a row keeps an address for longer, from
 * HOP_HEALTH_FIRST_S, doubling up to HOP_HEALTH_LONGEST_S. When there are too many,
 * the one that would be forgotten first makes room.
 */
#pragma once

#include "common/net/net.h"

#define HOP_HEALTH_MAX       1024u
#define HOP_HEALTH_FIRST_S   60u
#define HOP_HEALTH_LONGEST_S 960u

struct hop_health;

MUST_USE struct hop_health *hop_health_new(void);
void hop_health_free(struct hop_health **h);

void
hop_health_failed(struct hop_health *h, const struct net_address *a, uint64_t now_s);
void hop_health_good(struct hop_health *h, const struct net_address *a);
MUST_USE bool
hop_health_bad(const struct hop_health *h, const struct net_address *a, uint64_t now_s);
/* How many are remembered as bad now. */
MUST_USE size_t hop_health_count(const struct hop_health *h, uint64_t now_s);
