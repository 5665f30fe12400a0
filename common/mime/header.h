/* common/mime/header.h - the header fields of a message, as they stand in it
 *
 * RFC     [RFC5322 2.2] fields and folding. Tolerant of all that real mail does:
 *         no colon, no empty line, 8-bit bytes, NULs, bare CR and LF.
 */
#pragma once

#include "common/base/base.h"

#define MIME_HEADER_BLOCK_MAX ((size_t)1 << 20)
#define MIME_HEADER_MAX       ((size_t)100 << 10)
#define MIME_HEADERS_MAX      5000

/* The names this room knows; any other is MIME_HEADER_OTHER. */
enum mime_header_id {
	MIME_HEADER_OTHER,
	MIME_HEADER_OPAQUE, /* not a field, or one beyond a limit: no name, no value */
	MIME_HEADER_RECEIVED,
	MIME_HEADER_DELIVERED_TO,
	MIME_HEADER_DATE,
	MIME_HEADER_SUBJECT,
	MIME_HEADER_FROM,
	MIME_HEADER_SENDER,
	MIME_HEADER_REPLY_TO,
	MIME_HEADER_TO,
	MIME_HEADER_CC,
	MIME_HEADER_BCC,
	MIME_HEADER_IN_REPLY_TO,
	MIME_HEADER_MESSAGE_ID,
	MIME_HEADER_REFERENCES,
	MIME_HEADER_CONTENT_TYPE,
	MIME_HEADER_CONTENT_TRANSFER_ENCODING,
	MIME_HEADER_CONTENT_ID,
	MIME_HEADER_CONTENT_DESCRIPTION,
	MIME_HEADER_CONTENT_DISPOSITION,
	MIME_HEADER_CONTENT_LANGUAGE,
	MIME_HEADER_CONTENT_LOCATION,
	MIME_HEADER_CONTENT_MD5,
	MIME_HEADER_N,
};

struct mime_header {
	enum mime_header_id id;
	struct span raw;   /* whole lines, their ends included */
	struct span name;  /* without the colon and the space before it */
	struct span value; /* after the colon; folds kept, the last line end not */
};

/* A walk over the fields from the top of a message (or of a header block). */
struct mime_headers {
	struct span rest;  /* what was not walked yet; in the end, the body */
	const char *start; /* where the block began */
	uint32_t n;        /* fields taken */
	uint32_t lines;    /* lines taken, the empty one included */
	bool bare;         /* a bare LF ends a line here */
	bool ended;        /* the empty line was met, and taken */
};

void mime_headers_init(struct mime_headers *walk, struct span message);

/* As above for a part of a message whose line ends are known already. */
void mime_headers_init_inside(struct mime_headers *walk, struct span part, bool bare);

/* The next field; false at the end of the block, when walk->rest is the body.
 * Beyond MIME_HEADER_BLOCK_MAX or MIME_HEADERS_MAX all that is left of the block
 * comes as one opaque field. */
MUST_USE bool mime_headers_next(struct mime_headers *walk, struct mime_header *out);

/* Bytes of the header block, its empty line included; all of the message when
 * there is no empty line. */
MUST_USE size_t mime_header_block_size(struct span message);

/* The value of the first field of that name (in any case), as it stands in the
 * block, folds included; false, and *value untouched, when there is none. */
MUST_USE bool mime_header_find(struct span block, struct span name, struct span *value);

/* Appends a value as one line: folds undone, other line ends and NULs made
 * spaces, space trimmed at both ends. */
void mime_header_unfold(struct span value, struct buf *out);

MUST_USE enum mime_header_id mime_header_identify(struct span name);

/* True when the first line of the message ends in a bare LF. */
MUST_USE bool mime_lines_are_bare(struct span message);

/* Just after the end of the first line in s; s.n when it has no end. */
MUST_USE size_t mime_line_size(struct span s, bool bare);

/* How many line ends s holds. */
MUST_USE uint32_t mime_lines_count(struct span s, bool bare);
