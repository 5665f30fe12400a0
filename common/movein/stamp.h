/* common/movein/stamp.h - dates as databases write them */
#pragma once

#include "common/base/base.h"

/* "2026-11-22 08:31:07", with "T" for the space, a fraction (left out) and a zone
 * ("+02", "-03:30", "Z") or without: seconds since 1970. Without a zone *has_zone is
 * false and the time is taken for UTC; a date alone is its midnight. False, outputs
 * untouched, for anything else, and for years before 1970. */
MUST_USE bool movein_stamp(struct span text, uint64_t *seconds, bool *has_zone);
