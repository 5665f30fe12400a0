/* authd/ticket.h - what proves to a session program that a login happened
 *
 * What    128 random bits, good for one use within TICKET_MS. The bits come from
 *         the caller, and so does the time.
 * Trust   a session program believes these, not gate.
 */
#pragma once

#include "common/base/base.h"

#define TICKET_BYTES 16
#define TICKET_MS    10000
#define TICKETS_MAX  4096 /* not redeemed yet; then logins have to wait */

struct ticket {
	uint8_t bits[TICKET_BYTES];
	uint64_t account;
	uint64_t expires_ms;
	unsigned service; /* enum auth_service */
};

struct tickets {
	struct ticket *at;
	size_t n, size;
};

void tickets_init(struct tickets *t);
void tickets_release(struct tickets *t);

/* False when there are TICKETS_MAX that were neither used nor expired. */
MUST_USE bool tickets_add(struct tickets *t, const uint8_t bits[TICKET_BYTES],
			  uint64_t account, unsigned service, uint64_t now_ms);

/* None of the account's is good any more. */
void tickets_forget(struct tickets *t, uint64_t account);

/* True, with the account, for a ticket of that service; it is gone then, and
 * also when the service is the wrong one. */
MUST_USE bool tickets_redeem(struct tickets *t, struct span bits, unsigned service,
			     uint64_t now_ms, uint64_t *account);
