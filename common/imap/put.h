/* common/imap/put.h - what responses are made of
 *
 * Strings are quoted where that can hold them, literals else; common/mime/imap_text.h
 * has the form for what is rendered at delivery, and it is the same.
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/command.h"

void imap_put_number(struct buf *out, uint64_t number);
/* A quoted string or a literal. With `utf8`, valid UTF-8 is quoted as it is
 * [RFC6855 3]. */
void imap_put_string(struct buf *out, struct span s, bool utf8);
/* NIL when s.at is null. */
void imap_put_nstring(struct buf *out, struct span s, bool utf8);
/* An atom where it may be one, a string else. */
void imap_put_astring(struct buf *out, struct span s, bool utf8);
/* {n}CRLF; the n bytes follow by other means. `binary`: ~{n}. */
void imap_put_literal_head(struct buf *out, uint64_t bytes, bool binary);

/* "\Seen \Flagged" without parentheses, from IMAP_FLAG_ bits; true when it put any. */
bool imap_put_system_flags(struct buf *out, uint32_t flags);
