/* admin/import_own.h - what `postroad export` wrote, back in */
#pragma once

#include "admin/import_adopt.h"

/* Every object of SOURCE/directory.jsonl, with its number where that is free, and its
 * password; accounts also go into im->m, for their mail. */
MUST_USE enum exit_status
import_own(struct import *im, struct import_state *state, struct import_counts *counts);
