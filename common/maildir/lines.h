/* common/maildir/lines.h - line ends of files and of messages */
#pragma once

#include "common/base/base.h"

/* Is the file's first line ended by a bare LF? Then all its bare LFs are line ends that
 * were CRLF in the mail. */
MUST_USE bool lines_are_lf(struct span bytes);

/* Appends the bytes, each LF that has no CR before it as CRLF. *mixed: some had one. */
void lines_put_crlf(struct span bytes, struct buf *out, bool *mixed);

/* Are all line ends CRLF, that at the end of the last line, too? Then LF can stand for
 * them. */
MUST_USE bool lines_whole(struct span bytes);
