/* common/conf/database.h - does a database stand on this machine?
 *
 * What    authd has a network only where some database is asked over it: the hosts of
 *         a connection string, in both of libpq's forms, tell.
 */
#pragma once

#include "common/base/base.h"

struct settings;

/* False when every host of it is the folder of a Unix socket. Text that cannot be
 * read: true. */
MUST_USE bool conf_database_remote(struct span connection);

/* Does the directory, or a lookup table, ask a database over a network? */
MUST_USE bool conf_needs_network(const struct settings *settings);
