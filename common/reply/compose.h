/* common/reply/compose.h - the answer as a message
 *
 * RFC     [RFC3834 3] its fields; [RFC5322 3.6.4] In-Reply-To and References;
 *         [RFC2047] names and subjects; [RFC3676] text that flows.
 */
#pragma once

#include "common/base/base.h"

#define REPLY_BYTES_MAX   (256u << 10)
#define REPLY_SUBJECT_MAX 400u /* bytes of the original's subject that are repeated */
#define REPLY_ID_MAX      400u /* of one Message-ID that is */
#define REPLY_IDS_MAX     20u  /* References: the first, and the last ones */

struct reply_letter {
	struct span to;       /* reverse-path of the message */
	struct span address;  /* the account's, for From */
	struct span name;     /* may be empty */
	struct span subject;  /* as set up, $subject is that of the message; may be
				 empty */
	struct span text;     /* UTF-8, lines that end in LF or CRLF */
	struct span header;   /* of the message */
	struct span hostname; /* ours */
	uint64_t id;          /* queue id of the answer */
	uint64_t now_us;
};

struct reply_made {
	bool eightbit; /* has bytes beyond ASCII: needs 8BITMIME [RFC6152] */
	bool utf8;     /* has them in its header: needs SMTPUTF8 [RFC6531] */
};

/* Appends the message, its lines ended by CRLF. False when `out` is full. */
MUST_USE bool reply_compose(struct buf *out, const struct reply_letter *letter,
			    struct reply_made *made);
