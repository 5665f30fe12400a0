/* authd/upgrade.h - passwords that came in another form are kept in ours
 *
 * What    what an import brought is checked as it is, and has no keys for SCRAM. The
 *         first login that gives such a password in full makes our own form of it, in
 *         a thread, after the login was answered, and that takes the place of the old
 *         one if nobody changed it meanwhile. Nobody's session ends for it: the
 *         password is the same.
 * Memory  at most UPGRADES_MAX at a time, and one an account; what has no place waits
 *         for the account's next login.
 */
#pragma once

#include "authd/errand.h"

#define UPGRADES_MAX 2 /* 60 ms of CPU each, for which checks may have to wait */

struct exchange;

/* Is what was found for the login worth to be made anew? */
MUST_USE bool upgrade_wanted(const struct exchange *x);
/* The password is the account's, whose hash is `old`. */
void upgrade_start(struct authd *a, uint64_t account, const char *address,
		   const char *old, struct span password);
