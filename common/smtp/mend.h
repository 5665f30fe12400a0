/* common/smtp/mend.h - what a submission server mends in a header as it passes
 *
 * What    leaves out Bcc and Resent-Bcc, and puts Date and Message-ID at the end of
 *         a header that lacks them; all other bytes stay as they are. A text that
 *         begins without an empty line gets one when fields are added before it.
 * RFC     [RFC6409 8.2] [RFC6409 8.3] added fields, [RFC5322 3.6.3] Bcc.
 * Trust   every byte is a user's; nothing here asserts on one.
 * Memory  holds the name of one field; `struct mend` is a value.
 */
#pragma once

#include "common/base/base.h"

/* A longer word before a colon is no field name, but text. */
#define MEND_NAME_MAX 250

struct mend {
	enum mend_state {
		MEND_LINE,  /* at the start of a line */
		MEND_NAME,  /* a field name is held */
		MEND_COLON, /* held, and spaces behind it */
		MEND_CR,    /* the CR of what will be the empty line is held */
		MEND_FIELD, /* up to the end of a line that is kept */
		MEND_DROP,  /* the same of one that is left out */
		MEND_OVER,  /* in the body */
	} state;
	struct span date, message_id; /* whole lines with CRLF, to be added */
	bool has_date, has_message_id;
	bool dropping; /* the field under way is left out */
	bool begun;    /* at least one line was a field, or mbox's "From " */
	char held[MEND_NAME_MAX];
	size_t n_held;
};

/* The two lines must live as long as the mend. */
void mend_init(struct mend *m, struct span date, struct span message_id);

/* Bytes of the message in order, cut anywhere, lines ended by CRLF as dot.h gives
 * them; what becomes of them is appended to `out`. It grows by at most what was held
 * and added, which is under 2 KB. */
void mend_feed(struct mend *m, struct span bytes, struct buf *out);
/* The message is over. */
void mend_end(struct mend *m, struct buf *out);

/* All further bytes stay as they are: mend_feed() need not be called. */
MUST_USE static inline bool
mend_over(const struct mend *m)
{
	return m->state == MEND_OVER;
}
