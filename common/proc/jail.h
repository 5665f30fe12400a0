/* common/proc/jail.h - how a program gives up what it must not have
 *
 * What    from the row of services.h: rlimits; as root also: namespaces of its
 *         own for network and System V ipc, an empty root directory, another
 *         user; for all: no new privileges, no capabilities, not to be traced
 *         or dumped. seccomp and Landlock join in jail_filter().
 *         An ordinary user (development) keeps uid, root and namespaces; all
 *         else is the same.
 * Trust   runs before the first byte from outside. A step that fails ends the
 *         start; only a namespace that the machine does not grant (containers)
 *         is survived, and logged.
 *
 * Logs of a program with RLIMIT_FSIZE 0: it could not write to a log file
 * itself, and has none: the stderr of every program is a socket of its own to
 * postroad-logger.
 */
#pragma once

#include "common/proc/services.h"

#include <sys/types.h>

struct jail {
	const struct service *service;
	bool root; /* started as root: the steps above are taken */
	bool no_network;
	uid_t uid;
	gid_t gid;
	char empty[128]; /* the directory that becomes the root */
};

/* Looks up user and paths, while files can still be opened. */
MUST_USE int jail_prepare(struct jail *jail, const struct service *service,
			  const struct settings *settings, struct err *err);
MUST_USE int jail_enter(const struct jail *jail, struct err *err);

/* Is this a directory of root's, not writable to others, with nothing in it? */
MUST_USE int jail_empty_check(const char *path, uid_t owner, struct err *err);
