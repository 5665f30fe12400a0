/* common/mime/structure.h - the tree of a message's parts
 *
 * Parts stand in an array in the order of their first byte, so that a part's
 * descendants follow it. Part 0 is the message itself. The array of places is
 * all that is needed later to answer a FETCH of any section.
 */
#pragma once

#include "common/mime/content.h"

#define MIME_DEPTH_MAX 100
#define MIME_PARTS_MAX 10000
#define MIME_NO_PART   UINT32_MAX

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* children are its parts */
	MIME_MESSAGE,   /* message/rfc822 or message/global: one child, the message */
};

enum mime_text {
	MIME_TEXT_NONE,
	MIME_TEXT_PLAIN,
	MIME_TEXT_HTML,
	MIME_TEXT_OTHER, /* text/calendar and the like */
};

/* Offsets in the message: header_start <= body_start <= body_end, and a child
 * lies in its parent's body. */
struct mime_place {
	uint64_t header_start;
	uint64_t body_start; /* header_start .. body_start holds the empty line */
	uint64_t body_end;
	uint32_t header_lines;
	uint32_t body_lines;
	uint32_t parent;  /* MIME_NO_PART for the first */
	uint32_t next;    /* the first part after it that it does not hold */
	uint8_t kind;     /* enum mime_kind */
	uint8_t encoding; /* enum mime_encoding */
	uint8_t text;     /* enum mime_text */
};

struct mime_tree {
	const struct mime_place *places;
	const struct mime_content *contents;
	const struct mime_param *params;
	uint32_t n;
};

/* The value of a parameter (name in any case); false, and *value untouched, when
 * there is none. */
bool mime_param_find(const struct mime_tree *tree, struct mime_params params,
		     struct span name, struct span *value);

/* The part that IMAP calls e.g. 2.1 [RFC3501 6.4.5]: path {2, 1}; an empty path is
 * the message. MIME_NO_PART when there is none. */
MUST_USE uint32_t mime_section_find(const struct mime_place *places, uint32_t n,
				    const uint32_t *path, size_t depth);
