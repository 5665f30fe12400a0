/* common/dsn/put.h - text as it may stand in a message of ours
 *
 * RFC     [RFC5322 2.2.3] folding, [RFC5322 3.3] dates, [RFC2047] encoded words.
 */
#pragma once

#include "common/base/base.h"

#define DSN_COLUMNS    76   /* where lines are broken */
#define DSN_WORD_BYTES 900u /* a longer word is broken, whatever it is */

/* "Sun, 22 Nov 2026 10:00:00 +0000". */
void dsn_date_put(struct buf *out, uint64_t us);

/* One line: line ends and other controls become spaces, space at both ends is
 * dropped. Bytes beyond ASCII stay if `utf8` and all is well-formed; else each
 * becomes '?'. */
void dsn_clean_put(struct buf *out, struct span text, bool utf8);

/* "Name: value" folded at spaces. The value is clean. */
void dsn_field_put(struct buf *out, const char *name, struct span value);

/* The same with what is beyond ASCII in encoded words. */
void dsn_field_words_put(struct buf *out, const char *name, struct span value);

/* One encoded word of the text, and that part off its front. */
void dsn_encoded_word_put(struct buf *out, struct span *text);

/* A line of text with its CRLF, broken at spaces; each further line begins with the
 * spaces that the first began with. */
void dsn_line_put(struct buf *out, struct span line);

MUST_USE bool dsn_ascii(struct span text);
