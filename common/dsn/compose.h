/* common/dsn/compose.h - a report as a message
 *
 * RFC     [RFC6522 3] multipart/report: a text, [RFC3464 2] the fields, and the
 *         message or its header. [RFC6533] the types for addresses in UTF-8.
 *         [RFC3834 5] header fields of automatic mail.
 */
#pragma once

#include "common/dsn/request.h"
#include "common/dsn/template.h"

/* Beyond the content that is returned. */
#define DSN_REPORT_BYTES_MAX (1u << 20)
#define DSN_ROWS_SHOWN_MAX   50 /* paragraphs in the text; the fields have all */

enum dsn_reader {
	DSN_TO_SENDER,
	DSN_TO_POSTMASTER,      /* the sender cannot be told; or a notice */
	DSN_COPY_TO_POSTMASTER, /* of what the sender was told */
};

struct dsn_letter {
	const struct dsn_request *request;
	const struct dsn_templates *templates;
	enum dsn_reader reader;
	struct span to;         /* address for the To field */
	struct span hostname;   /* ours */
	struct span postmaster; /* whom to ask for help */
	uint64_t now_us;
	uint64_t id;          /* queue id of the report */
	uint64_t original_id; /* of the message it is about */
	struct span content;  /* of that message, from its first byte */
	bool whole;           /* all of it is there, and is to be returned */
	uint8_t random[16];   /* for the boundary */
};

struct dsn_letter_made {
	bool eightbit; /* has bytes beyond ASCII: needs 8BITMIME [RFC6152] */
	bool utf8;     /* has them in its header: needs SMTPUTF8 [RFC6531] */
};

/* Should the content be returned whole, if it is not too large? */
MUST_USE bool dsn_wants_whole(const struct dsn_request *r);

/* Appends the message, its lines ended by CRLF. False when `out` is full. */
MUST_USE bool dsn_compose(struct buf *out, const struct dsn_letter *letter,
			  struct dsn_letter_made *made);
