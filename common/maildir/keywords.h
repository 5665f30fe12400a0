/* common/maildir/keywords.h - dovecot-keywords: "0 NonJunk", a line a letter; our own
 * goes on beyond the letters, in a file of its own */
#pragma once

#include "common/base/base.h"

#define MAILDIR_KEYWORDS 26 /* letters a to z */

/* The next line that names one below `most`. False after the last. */
MUST_USE bool mail_keyword_next(struct span *rest, unsigned most, unsigned *letter,
				struct span *name);
void mail_keyword_put(unsigned letter, struct span name, struct buf *out);
