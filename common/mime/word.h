/* common/mime/word.h - encoded words in header fields [RFC2047] */
#pragma once

#include "common/mime/charset.h"

/* Appends header text (folded or not) as UTF-8 on one line, its encoded words
 * decoded, the space between two of them dropped [RFC2047 6.2]; bytes outside
 * encoded words are taken as UTF-8, or else windows-1252. */
void
mime_words_put(const struct mime_charsets *charsets, struct span text, struct buf *out);
