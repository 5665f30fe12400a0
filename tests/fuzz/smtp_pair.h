/* tests/fuzz/smtp_pair.h - one input through two sessions, cut differently
 *
 * What must hold for any bytes: both say and store the same, unless commands were
 * pipelined where that depends on what came together; replies are as many as
 * commands; output is bounded; a message ends only where one was begun.
 */
#pragma once

#include "tests/unit/smtp_script.h"

/* Small limits, so that a fuzzer reaches them. */
struct session_policy pair_policy(uint8_t choice);

/* `start` is fed first, line by line. */
void pair_run(const struct session_policy *policy, uint64_t seed, struct span start,
	      struct span wire);
