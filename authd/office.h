/* authd/office.h - where administrators of domains come with their password
 *
 * What    the public socket `administrators`: any user of this machine may connect,
 *         log in as an account that administers domains, and then ask what the admin
 *         command asks, within those domains and their limits.
 * Trust   nobody: before the login nothing but a login is taken; afterwards each
 *         request is held against the domains it is for, in the same look at the
 *         directory that carries it out. Wrong passwords count by user id, and delay
 *         as those of logins do.
 * Memory  at most OFFICE_DESKS_MAX connections, OFFICE_USER_MAX of one user.
 */
#pragma once

#include "authd/operation.h"

#define OFFICE_DESKS_MAX 64
#define OFFICE_USER_MAX  8
#define OFFICE_LOGIN_MS  60000  /* from the connection to the login */
#define OFFICE_IDLE_MS   300000 /* between two requests */

struct office;

MUST_USE struct office *office_new(struct authd *a);
void office_free(struct office **o);
/* Takes fd, a listening socket. */
void office_listen(struct office *o, int fd);
void office_unlisten(struct office *o);
/* Closes those that say nothing. */
void office_tick(struct office *o, uint64_t now_ms);
/* Is anybody there? */
MUST_USE bool office_open(const struct office *o);
/* Who is logged in as this account must not stay. */
void office_close_account(struct office *o, uint64_t account);

/* permit.c: may the administrator have that done? DONE, or what is answered instead. */
MUST_USE enum directory_result
permit(struct directory *d, uint64_t administrator, const struct directory_request *r,
       struct err *err);
