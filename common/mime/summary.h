/* common/mime/summary.h - all that the store keeps of a message, in one pass */
#pragma once

#include "common/mime/charset.h"
#include "common/mime/structure.h"
#include "common/mime/trace.h"

/* Beyond it an ENVELOPE is shown without its addresses, a structure as one part. */
#define MIME_RENDERED_MAX ((size_t)4 << 20)

/* Spans live until the parser's next message. */
struct mime_summary {
	struct span envelope;      /* "(...)", ready to send */
	struct span body;          /* BODY */
	struct span bodystructure; /* BODYSTRUCTURE */
	struct span headers;       /* the header block less its trace fields */
	bool headers_whole;  /* false: too long, `headers` is empty, read the data */
	struct span preview; /* UTF-8, one line, may be empty */

	int64_t date_seconds;     /* of the Date field, UTC; -1 without one */
	struct span base_subject; /* UTF-8, case kept */
	bool is_reply;            /* the subject marked a reply or a forward */
	/* Sort keys: local part of the first mailbox, as it stands [RFC5256 3]; and
	 * what SORT=DISPLAY takes, decoded [RFC5957 3]. Empty when there is none. */
	struct span from_mailbox, to_mailbox, cc_mailbox;
	struct span from_display, to_display;

	struct span message_id; /* normalised, without <>; may be empty */
	struct span references; /* parents, oldest first, each ended by LF: the
				 * References, or the first id in In-Reply-To
				 * [RFC5256 3] */

	struct mime_tree tree;
	uint64_t header_bytes; /* the header block with its empty line */
	uint64_t lines;        /* of the whole message */
	struct mime_hops hops;
	bool bare_lines; /* a bare LF ends a line in it, see mime.h */
};

/* Working memory that is used again for each message: one a process is enough. */
struct mime_parser;

/* `charsets` is copied; may be null. Freed by mime_parser_free(). */
MUST_USE struct mime_parser *mime_parser_new(const struct mime_charsets *charsets);
void mime_parser_free(struct mime_parser **parser);

/* Fills all of *out. Cannot fail: what is broken is shown as well as it can be.
 * `message` must stay until *out is no longer used. */
void mime_summarize(struct mime_parser *parser, struct span message,
		    struct mime_summary *out);

/* Only the tree. */
void mime_parse(struct mime_parser *parser, struct span message, struct mime_tree *out);
