/* common/front/limits.h - one process's part of what its kind allows
 *
 * docs/decisions/limits-over-processes.md has the reason.
 */
#pragma once

#include "common/net/net.h"
#include "common/proc/proc.h"

/* The part of each of the processes of this kind, rounded up. */
MUST_USE uint32_t limits_share(const struct proc *p, enum ipc_kind kind, uint64_t all);
/* What one client may do, from the settings; without a seed. */
MUST_USE struct net_limits_config
limits_of_clients(const struct proc *p, enum ipc_kind kind);
