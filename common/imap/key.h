/* common/imap/key.h - search keys; private to this room */
#pragma once

#include "common/imap/cursor.h"

/* search-key *(SP search-key), up to the end of the line: one key, or IMAP_KEY_AND of
 * all. Null after a failure. *uses_modseq: a MODSEQ stands somewhere in it. */
const struct imap_key *imap_keys(struct imap_cursor *c, bool *uses_modseq);
