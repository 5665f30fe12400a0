/* resolver/lookup.h - one question to libunbound, with a deadline and an answer
 *
 * What    for questions over ipc and for those that MTA-STS needs itself. The
 *         answer is a struct dns_answer; bogus is DNS_LATER with a text that says
 *         what is wrong.
 * Trust   what libunbound gives is parsed by message.c.
 * Memory  a lookup is freed after its callback, or, when its deadline came first,
 *         when libunbound is done with it. LOOKUPS_MAX counts both.
 */
#pragma once

#include "common/dns/dns.h"

#include <sys/queue.h>

#define LOOKUPS_MAX        20000u
#define LOOKUP_DEADLINE_MS 10000u
#define LOOKUP_LATER_S     5u /* how long a failure is good */

struct ub_ctx;
struct lookup;

TAILQ_HEAD(lookup_list, lookup);

typedef void lookup_done(void *context, const struct dns_answer *answer);

struct lookups {
	struct ub_ctx *ctx;
	uint64_t (*clock_ms)(void);
	struct lookup_list asked; /* by deadline */
	struct lookup_list ready; /* their callbacks are due */
	size_t n;                 /* all that libunbound or a callback still needs */
	bool blind; /* not even the root's signatures are right; it was logged */
	struct {
		uint64_t started, secure, insecure, bogus, failed, late;
	} count;
};

/* Takes the context. */
void lookups_init(struct lookups *all, struct ub_ctx *ctx, uint64_t (*clock_ms)(void));

/* Never null. `name` must be dns_name_valid(). */
MUST_USE struct lookup *
lookup_start(struct lookups *all, enum dns_type type, struct span name,
	     lookup_done *done, void *context);
/* No callback; null is allowed. */
void lookup_cancel(struct lookup **lookup);

/* Callbacks that are due. At the end of each turn. */
void lookups_turn(struct lookups *all);
/* Deadlines that are over. A few times a second while any question is open. */
void lookups_tick(struct lookups *all);
MUST_USE bool lookups_open(const struct lookups *all);
