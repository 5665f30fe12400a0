/* common/mime/imap_text.h - strings as IMAP sends them [RFC3501 4.3] */
#pragma once

#include "common/base/base.h"

/* Appends a quoted string, or a literal where quotes cannot hold it (8-bit, CR,
 * LF, or long). A NUL, which neither can hold, becomes 0x80 [RFC3501 9]. */
void mime_imap_put_string(struct buf *out, struct span s);

void mime_imap_put_number(struct buf *out, uint64_t number);

/* As mime_imap_put_string(); NIL when s.at is null. */
void mime_imap_put_nstring(struct buf *out, struct span s);
