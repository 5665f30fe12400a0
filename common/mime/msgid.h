/* common/mime/msgid.h - message identifiers [RFC5322 3.6.4], [RFC5256 3] */
#pragma once

#include "common/base/base.h"

#define MIME_REFERENCES_MAX 1000

/* Takes the next <id@host> out of *rest (a field's value) and appends it to
 * `out` without its brackets, quotes and comments: two ways to write one id give
 * the same bytes. False when there is none left. */
bool mime_msgid_next(struct span *rest, struct buf *out);
