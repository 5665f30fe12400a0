/* authd/usage.h - how full each mailbox was when it was last heard of
 *
 * What    account -> bytes, as `local` and `pop3d` tell it. A value that is not
 *         known is asked for; meanwhile it is marked as asked. Pure.
 * Memory  a hash table that grows; at USAGES_MAX it forgets everything, which
 *         only costs asking again.
 */
#pragma once

#include "common/base/base.h"

#define USAGES_MAX     (1U << 21)
#define USAGE_AGAIN_MS 1000 /* an answer that did not come is asked for again */

enum usage_state {
	USAGE_UNKNOWN, /* ask now; it is marked as asked */
	USAGE_ASKED,
	USAGE_KNOWN,
};

struct usages;

MUST_USE struct usages *usages_new(void);
void usages_free(struct usages **u);
void usages_set(struct usages *u, uint64_t account, uint64_t bytes);
void usages_forget_all(struct usages *u);
MUST_USE enum usage_state
usages_get(struct usages *u, uint64_t account, uint64_t now_ms, uint64_t *bytes);
size_t usages_count(const struct usages *u);
