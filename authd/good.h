/* authd/good.h - passwords that were right a moment ago
 *
 * What    a client that polls each minute need not cost 30 ms of CPU each time:
 *         a mark over account, site, stored hash and password is remembered for
 *         GOOD_MS. A new password or a removed account has another hash, so its
 *         old marks match nothing.
 * Trust   a mark is HMAC-SHA-256 under a key that lives as long as the process;
 *         the table holds nothing to guess against without it.
 */
#pragma once

#include "common/base/base.h"
#include "common/net/net.h"

#define GOOD_MS         300000
#define GOOD_SETS       4096
#define GOOD_WAYS       4
#define GOOD_MARK_BYTES 16

struct good_mark {
	uint8_t bytes[GOOD_MARK_BYTES];
};

struct good;

MUST_USE struct good *good_new(const uint8_t key[32]);
void good_free(struct good **g);

void good_mark_make(const struct good *g, uint64_t account, struct net_key site,
		    const char *crypt, struct span password, struct good_mark *out);
MUST_USE bool
good_has(const struct good *g, const struct good_mark *m, uint64_t now_ms);
void good_add(struct good *g, const struct good_mark *m, uint64_t now_ms);
