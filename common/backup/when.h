/* common/backup/when.h - moments as people write them */
#pragma once

#include "common/base/base.h"

#define BACKUP_WHEN_TEXT 48 /* room for what backup_when_put() makes */

/* [RFC3339 5.6] "2026-11-22T12:48:33Z", with a fraction and an offset if wanted, a
 * space or nothing in place of the T; without an offset it is UTC, without a time
 * midnight. Or how long before `now_us`: "90m ago", "2h ago", "3d ago"; or "now".
 * *out_us: microseconds since 1970, untouched when it is none of these. */
MUST_USE bool backup_when_parse(struct span text, int64_t now_us, int64_t *out_us);

/* In UTC, to the second. */
void backup_when_put(int64_t us, char out[BACKUP_WHEN_TEXT]);
