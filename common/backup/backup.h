/* common/backup/backup.h - the door of the room that knows what a backup is
 *
 * What    the list of a generation (manifest.h) as text, and moments as people write
 *         them (when.h). docs/backup.md has the layout of the whole directory.
 * RFC     [RFC3339 5.6] for moments.
 * Trust   pure: no I/O, no clock. A manifest is a file like any other and may hold
 *         anything: names in it become paths only after they were checked here.
 * Memory  allocates what the caller's buf takes, and nothing else.
 */
#pragma once

#include "common/base/base.h"

#include "common/backup/manifest.h"
#include "common/backup/when.h"
