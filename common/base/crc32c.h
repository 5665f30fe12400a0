/* common/base/crc32c.h - the Castagnoli CRC [RFC3720 12.1], in hardware where the CPU
 * has it */
#pragma once

#include "common/base/span.h"

/* Start with 0; feed the result back to go on over further bytes. */
MUST_USE uint32_t crc32c(uint32_t crc, struct span bytes);
