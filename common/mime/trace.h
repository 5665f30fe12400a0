/* common/mime/trace.h - the fields that servers add on the way */
#pragma once

#include "common/mime/header.h"

/* How often a message was handed on: the measure of a mail loop
 * [RFC5321 6.3]. */
struct mime_hops {
	uint32_t received;
	uint32_t delivered_to;
};

/* Walks a header block (or message, whose body is not looked at). */
MUST_USE struct mime_hops mime_hops_count(struct span block);

/* True for the names in trace.c: what a hop writes for other servers and no
 * reader of mail asks for. */
MUST_USE bool mime_header_is_trace(struct span name);

/* Appends the fields of a header block that are no trace fields, unchanged and
 * in order, and the empty line if there was one. */
void mime_headers_put_kept(struct span block, struct buf *out);
