/* common/base/base64.h - [RFC4648 4], padded, no line breaks */
#pragma once

#include "common/base/buf.h"

void base64_put(struct buf *out, struct span bytes);

/* Strict: whole groups of four, padding only at the end, no unused bits set.
 * False, and nothing appended, on any other input or when `out` is full. */
MUST_USE bool base64_parse(struct span text, struct buf *out);
