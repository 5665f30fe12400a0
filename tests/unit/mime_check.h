/* tests/unit/mime_check.h - what must hold of any summary of any message */
#pragma once

#include "common/mime/mime.h"

/* Null when all holds, else what does not. */
const char *mime_check(struct span message, const struct mime_summary *summary);

/* True when s is one parenthesised list by IMAP's grammar, with strings, NIL,
 * numbers and literals of the right length, and nothing else. */
bool mime_check_imap_list(struct span s);
