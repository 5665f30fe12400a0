/* common/smtp/fold.h - lines that are too long for SMTP are broken
 *
 * What    says, over a body given in pieces of any cut, where FOLD_BREAK must go in so
 *         that no line is too long. In a header field that is folding, in text a line
 *         end and a space more; base64 and most of HTML mean the same with it.
 * RFC     [RFC5321 4.5.3.1.6] 998 bytes and CRLF, the stuffed dot not counted; [RFC5322
 *         2.2.3] folding. 8BITMIME and CHUNKING allow no more [RFC6152 3].
 * Trust   every byte of the body is anyone's. Pure; allocates nothing.
 */
#pragma once

#include "common/base/base.h"

#define FOLD_LINE_BYTES_MAX 998u
#define FOLD_BREAK          SPAN("\r\n ")

struct fold {
	size_t line_bytes_max; /* without the line end; at least FOLD_LINE_BYTES_MAX */
	size_t line_bytes;     /* of the line so far */
};

/* Takes the bytes off the front of *body that may go out as they are. When some are
 * left, FOLD_BREAK must follow; then call again. A bare CR or LF ends a line. A
 * character of UTF-8 is not cut, unless the pieces cut it. */
MUST_USE struct span fold_next(struct fold *f, struct span *body);
