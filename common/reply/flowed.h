/* common/reply/flowed.h - [RFC3676 4] text that a reader breaks to fit
 *
 * Inside this room only.
 */
#pragma once

#include "common/base/base.h"

#define FLOWED_COLUMNS 72

/* Each line of the text, broken behind spaces where it is longer; controls become
 * spaces, and what is not UTF-8 becomes '?'. */
void flowed_put(struct buf *out, struct span text);
