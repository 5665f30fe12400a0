/* common/mime/subject.h - the base subject [RFC5256 2.1] */
#pragma once

#include "common/mime/charset.h"

/* Appends the base subject of a Subject value as UTF-8, its case kept. Returns
 * true when something was taken off that marks a reply or a forward. */
bool mime_subject_put(const struct mime_charsets *charsets, struct span value,
		      struct buf *out);
