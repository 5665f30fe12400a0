/* admin/as.h - asking as an administrator of domains: postroad --as USER@DOMAIN ...
 *
 * What    any user of the machine may ask the running authd over its public socket,
 *         with the password of an account that administers domains. One connection,
 *         and one login, for all that a command asks.
 */
#pragma once

#include "admin/control.h"

/* Was --as given? */
MUST_USE bool as_wanted(const struct admin *admin);

/* Can the command of this noun be asked so? If not, that is told. */
MUST_USE bool as_fits(const char *noun);

/* Asks for the password and logs in, before the command asks for anything else. */
MUST_USE enum exit_status as_enter(struct admin *admin);

/* As control_ask(), after as_enter(). */
MUST_USE enum exit_status
as_ask(const struct ipc_message *question, control_take *take, void *context);
/* At the end of the command. */
void as_leave(void);
