/* common/smtp/header.h - watch the header of a message pass by
 *
 * What    counts hops and holds the header to its limits without keeping it.
 *         The header ends at the first empty line, or at a line that is no
 *         header field; a first line "From " (mbox) is let pass.
 * RFC     [RFC5322 2.2] fields, [RFC5321 6.3] loops.
 */
#pragma once

#include "common/base/base.h"

struct header_limits {
	uint64_t block_bytes_max;
	uint64_t field_bytes_max;
	unsigned fields_max;
};

struct header_scan {
	struct header_limits limits;
	enum header_state {
		HEADER_LINE,  /* at the start of a line */
		HEADER_NAME,  /* in a field name */
		HEADER_COLON, /* spaces before the colon */
		HEADER_VALUE, /* up to the end of the line */
		HEADER_CR,    /* CR at the start of a line: the empty line */
		HEADER_OVER,  /* in the body */
	} state;
	char name[13]; /* the start of a name, in small letters */
	size_t name_bytes;
	uint64_t block_bytes, field_bytes;
	unsigned fields;
	unsigned hops; /* Received and Delivered-To */
	bool over_limit;
};

void header_scan_init(struct header_scan *h, const struct header_limits *limits);

/* Bytes of the message in order, cut anywhere; lines end in CRLF, as dot.h gives
 * them. Cheap once the header is over. */
void header_scan_feed(struct header_scan *h, struct span bytes);
