/* authd/penalty.h - how long a site that guesses has to wait
 *
 * What    counts failed logins by /24 and /48; the count wears off with time.
 *         Pure: time is passed in.
 * Memory  a table of fixed size; a full corner of it forgets its quietest site.
 */
#pragma once

#include "common/base/base.h"
#include "common/net/net.h"

#define PENALTY_SETS      2048
#define PENALTY_WAYS      4
#define PENALTY_FORGET_MS 60000 /* one failure is forgotten in this time */
#define PENALTY_MAX       10    /* further failures do not count */

struct penalties;

/* The seed is random, so that nobody can aim at one corner of the table. */
MUST_USE struct penalties *penalties_new(uint64_t seed);
void penalties_free(struct penalties **p);

/* Failures that still count. */
MUST_USE unsigned
penalties_count(const struct penalties *p, struct net_key site, uint64_t now_ms);
void penalties_add(struct penalties *p, struct net_key site, uint64_t now_ms);

/* Nothing for no failure, `first` for one, doubled for each further one. */
MUST_USE uint64_t penalty_delay_ms(unsigned failures, uint64_t first_ms,
				   uint64_t max_ms);
