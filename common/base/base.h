/* common/base/base.h - the door of the room every other room stands on
 *
 * What    bytes with a length (span), bytes that grow up to a limit (buf), an
 *         arena, faults with a text (err), checked numbers, base64, CRC-32C,
 *         lines of a protocol (crlf), little-endian fields (wire) and log lines.
 * Trust   pure: does no I/O and reads no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/span.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/arena.h"
#include "common/base/base64.h"
#include "common/base/crc32c.h"
#include "common/base/crlf.h"
#include "common/base/figures.h"
#include "common/base/logline.h"
#include "common/base/number.h"
#include "common/base/utf8.h"
#include "common/base/wire.h"
