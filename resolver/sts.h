/* resolver/sts.h - the MTA-STS policy of a domain: known, or found out now
 *
 * What    asks for the TXT record, fetches the policy when it is new or another one
 *         than is known, keeps it as its max_age says. Those who ask for the same
 *         domain at once wait together.
 * RFC     [RFC8461 3] discovery; [RFC8461 5.1] a kept policy is used as long as it
 *         is good, whatever DNS and HTTPS say; without one, mail goes out as if the
 *         domain had none. [RFC8461 3.3] failures are kept for five minutes.
 * Memory  policies.h has the limits, shelf.h how policies outlive a restart.
 *
 * Callbacks come from the loop, never from within sts_wait_start().
 */
#pragma once

#include "common/dns/dns.h"

struct fetcher;
struct lookups;
struct sts;
struct sts_wait;

#define STS_WORKS_MAX 1024 /* domains being found out at once */

struct sts_count {
	uint64_t asked;   /* domains */
	uint64_t known;   /* answered with a policy from memory */
	uint64_t fetched; /* policies */
	uint64_t failed;  /* policies that could not be had */
	uint64_t policies;
	uint64_t kept; /* by the file, when the program started */
};

/* Keeps both, which must live as long. clock_ms never jumps. */
MUST_USE struct sts *
sts_new(struct lookups *lookups, struct fetcher *fetcher, uint64_t (*clock_ms)(void));

/* The file that policies are kept in, which it takes; before the first is asked for.
 * clock_us: since 1970. Without it they are known until the end of the program. */
void sts_keep(struct sts *s, int fd, uint64_t (*clock_us)(void));

/* Can it have one? Names that are too long or would not be safe in a URL cannot. */
MUST_USE bool sts_domain_valid(struct span domain);

/* `domain` must be sts_domain_valid(). port: where policies are fetched from. Null when
 * too many are under way. */
MUST_USE struct sts_wait *sts_wait_start(struct sts *s, struct span domain,
					 uint16_t port, sts_done *done, void *context);
/* No callback; null is allowed. */
void sts_wait_cancel(struct sts_wait **wait);

MUST_USE struct sts_count sts_count(const struct sts *s);
