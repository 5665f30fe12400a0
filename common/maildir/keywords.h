/* common/maildir/keywords.h - dovecot-keywords: "0 NonJunk", a line a letter; our own
 * goes on beyond the letters, in a file of its own. And those of Courier. */
#pragma once

#include "common/base/base.h"

#define MAILDIR_KEYWORDS 26 /* letters a to z */

/* The next line that names one below `most`. False after the last. */
MUST_USE bool mail_keyword_next(struct span *rest, unsigned most, unsigned *letter,
				struct span *name);
void mail_keyword_put(unsigned letter, struct span name, struct buf *out);

/* courierimapkeywords/:list has keywords, one a line, an empty line, then for each
 * message that has some "NAME:0 3", their places in that list. */

/* The next line that is not empty; false at one that is, which is taken, and at the
 * end. */
MUST_USE bool mail_courier_word(struct span *rest, struct span *name);
/* The next message; lines that are none are passed over. */
MUST_USE bool
mail_courier_row(struct span *rest, struct span *name, struct span *numbers);
/* The next number below `most`. */
MUST_USE bool
mail_courier_number(struct span *numbers, unsigned most, unsigned *number);
/* The name of a file there: ".N.NAME" is number N + 2, "NAME" 1. False: no message's.
 */
MUST_USE bool mail_courier_file(struct span file, struct span *name, uint64_t *number);
