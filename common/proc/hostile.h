/* common/proc/hostile.h - a stolen program, for tests (CMake option POSTROAD_HOSTILE)
 *
 * With POSTROAD_HOSTILE=1 in master's environment, every program tries, right
 * after its jail is shut, what it must not have, and logs one line each:
 * hostile.try what=open.mail refused=yes error=EACCES. The last is hostile.done.
 * tests/e2e/test_jail.py knows for each program what must be refused.
 */
#pragma once

#include "common/proc/proc.h"

void hostile_try(const struct settings *settings);
