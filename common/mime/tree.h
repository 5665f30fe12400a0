/* common/mime/tree.h - how the tree of parts is built
 *
 * Inside this room only.
 */
#pragma once

#include "common/mime/structure.h"

/* A container on the way from the message to where the builder stands. */
struct mime_open {
	uint32_t part;
	size_t floor;         /* it cannot end before this offset */
	struct span boundary; /* empty: none, or its end was met */
};

struct mime_builder {
	struct span message;
	bool bare;
	size_t at;      /* where the builder stands, at the start of a line */
	uint32_t lines; /* line ends before `at` */

	struct mime_open stack[MIME_DEPTH_MAX + 1];
	uint32_t depth;
	uint8_t first_bytes[256]; /* of the boundaries in the stack */
	bool full;                /* no further part is made */

	struct mime_place *places;
	struct mime_content *contents;
	uint32_t n_parts, size_parts;
	struct mime_param *params;
	uint32_t n_params, size_params;
	struct mime_header *top; /* fields of the message itself */
	uint32_t n_top, size_top;
	struct arena text; /* values that do not stand in the message as they are */
};

void mime_builder_init(struct mime_builder *b);
void mime_builder_release(struct mime_builder *b);

/* Forgets the message before and builds the tree of this one. */
void mime_builder_run(struct mime_builder *b, struct span message);

MUST_USE struct mime_tree mime_builder_tree(const struct mime_builder *b);

/* Notes what a field of the newest part says. */
void mime_content_take(struct mime_builder *b, const struct mime_header *field);

/* After the last field: fills in the defaults. Returns the boundary when the
 * newest part is a multipart, else an empty span; its place gets kind, encoding
 * and text. */
MUST_USE struct span mime_content_settle(struct mime_builder *b, bool in_digest);

/* Shows the part as application/octet-stream, a leaf. */
void mime_content_set_opaque(struct mime_builder *b, uint32_t part);
