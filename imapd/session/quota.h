/* imapd/session/quota.h - may more be stored?
 *
 * What    the account's quota is held against the store, which knows; what all accounts
 *         of its domain hold is authd's to say, so a command that needs it asks, and
 *         waits for the answer. Where the domain has no quota nobody is asked.
 */
#pragma once

#include "imapd/session/inner.h"

enum room {
	ROOM_ENOUGH,
	ROOM_NONE,
	ROOM_UNKNOWN, /* authd cannot be asked, or does not know in time */
};

MUST_USE bool quota_of_domain(const struct session *s);
/* RUN_ASK: the same again when it was answered; RUN_DONE: it was, or need not be. */
MUST_USE enum run quota_ask(struct session *s);
/* It may be another by now: the next quota_ask() asks anew. */
void quota_ask_again(struct session *s);

/* For `bytes` more when `freed` go; after quota_ask(). */
MUST_USE enum room quota_room(const struct session *s, uint64_t freed, uint64_t bytes);
/* The tagged answer where there is none, and its code. */
const char *quota_refusal(enum room room, const char **code);
