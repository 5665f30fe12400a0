/* common/maildir/name.h - the names that Maildir keeps things in
 *
 * A message is a file "BASE:2,FLAGS", flags being letters in the order of ASCII; a
 * folder of Maildir++ a directory ".A.B", its levels in modified UTF-7 (or UTF-8).
 */
#pragma once

#include "common/base/base.h"

struct mail_name {
	struct span base;  /* before the flags: who the message is */
	uint32_t flags;    /* MAIL_SEEN .. */
	uint32_t keywords; /* bit i: letter 'a' + i */
	bool passed;       /* P: forwarded or bounced */
	bool exact;        /* its S= and W= say that it is `bytes` long either way */
	int64_t time_us;   /* what the base begins with; 0: nothing that is a time */
};

/* `bytes`: of the file. */
void mail_name_parse(struct span file, uint64_t bytes, struct mail_name *out);

/* Appends ":2," and the letters. */
void
mail_name_put_flags(uint32_t flags, uint32_t keywords, bool passed, struct buf *out);

/* The name of a mailbox, '/' between its levels, from one whose levels are parted by
 * `separator` ('.' in Maildir++, '/' in LAYOUT=fs); modified UTF-7 is decoded, UTF-8
 * taken as it is, Dovecot's "\2e" undone. False when it is no name. */
MUST_USE bool mail_folder_decode(struct span folder, char separator, struct buf *out);

/* ".A.B" of "A/B", for Maildir++. */
void mail_folder_encode(struct span name, struct buf *out);
/* The name in modified UTF-7. */
void mail_utf7_put(struct span name, struct buf *out);
