/* common/text/find.h - a needle in memory
 *
 * Looks at 32 (or 16) places at once for two bytes of the needle that are rare in
 * text. Never reads outside of what it is given; the time is at most linear in
 * both, whatever they hold.
 */
#pragma once

#include "common/base/base.h"

/* Where the needle first stands; haystack.n when nowhere. An empty one stands at 0. */
MUST_USE size_t text_find(struct span haystack, struct span needle);
