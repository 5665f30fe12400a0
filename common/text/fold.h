/* common/text/fold.h - case, diacritics and forms of characters made one
 *
 * Each character by itself: compatibility decomposition (NFKD), case folding
 * (full, of no language), decomposition again; of what that gives, white space
 * (the property White_Space) becomes a blank, other controls and format
 * characters (categories Cc, Cf) and marks (Mn) are dropped. Then runs of blanks
 * become one. "Straße" and "STRASSE" are "strasse", "Ångström" is "angstrom",
 * "ﬁ" is "fi", U+2160 is "i". What is folded already stays as it is.
 */
#pragma once

#include "common/base/base.h"

/* Appends the folded form of UTF-8 text; a byte that is none gives U+FFFD. When
 * `out` comes to its limit it holds all characters that fit, and is full. */
void text_fold(struct span utf8, struct buf *out);

/* A number that is another one when a newer library folds otherwise. */
MUST_USE uint32_t text_rules(void);
