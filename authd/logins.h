/* authd/logins.h - when who logged in last, written down now and then
 *
 * What    a login is noted at most once in LOGIN_AGAIN_MS for an account and app
 *         password, and notes are written together, a moment later: no login waits for
 *         it, and a thousand clients that poll cost one change of the directory.
 * Memory  tables of fixed size. What does not fit, or cannot be written, is forgotten:
 *         the next login is noted again.
 */
#pragma once

#include "authd/errand.h"
#include "common/net/net.h"

#define LOGIN_AGAIN_MS  300000
#define LOGIN_GATHER_MS 1000
#define LOGINS_MAX      256 /* in one change */

struct logins;

MUST_USE struct logins *logins_new(struct authd *a);
/* A change that is under way is not waited for. */
void logins_free(struct logins **l);

/* `label` is of the app password that was used, or "". */
void logins_note(struct logins *l, uint64_t account, const char *label,
		 const char *service, const struct net_address *client);
/* Writes what was gathered for LOGIN_GATHER_MS. */
void logins_tick(struct logins *l, uint64_t now_ms);
/* Is there anything to be written? */
MUST_USE bool logins_wait(const struct logins *l);
