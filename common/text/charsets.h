/* common/text/charsets.h - every charset that iconv knows, for common/mime
 *
 * Names are taken as mail has them: charsets.c lists what mailers write for what
 * they mean, and where a larger charset is read in place of the one that is named
 * (GB 18030 for GB 2312, as browsers do). What is broken becomes U+FFFD.
 * iconv reads files of the C library, so that a program whose root is empty knows
 * few charsets.
 */
#pragma once

#include "common/mime/mime.h"

/* Descriptors kept open; the one not used for the longest time makes room. */
#define TEXT_CHARSETS_OPEN 16

struct text_charsets;

MUST_USE struct text_charsets *text_charsets_new(void);
void text_charsets_free(struct text_charsets **charsets);

/* To be handed to mime_parser_new() and others; lives as long as the set. */
MUST_USE const struct mime_charsets *
text_charsets_mime(const struct text_charsets *charsets);
