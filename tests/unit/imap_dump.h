/* tests/unit/imap_dump.h - a parsed command as one line of text, every value of it */
#pragma once

#include "common/imap/imap.h"

/* "FETCH uid=1 1:* FLAGS BODY.PEEK[TEXT]<0.10>": the same for the same values. */
void imap_dump(const struct imap_command *command, struct buf *out);
void imap_dump_message(const struct imap_append_message *message, struct buf *out);
