/* common/smtp/xtext.h - [RFC3461 4] printable ASCII with "+XX" for the rest */
#pragma once

#include "common/base/base.h"

/* False on a byte xtext may not hold, or '+' without two upper-case digits. */
MUST_USE bool smtp_xtext_valid(struct span text);

/* Appends the decoded bytes; false, and nothing appended, on bad xtext or when
 * `out` is full. */
MUST_USE bool smtp_xtext_parse(struct span text, struct buf *out);

void smtp_xtext_put(struct buf *out, struct span bytes);
