/* common/smtp/header.h - watch the header of a message pass by
 *
 * What    counts hops, notes the Message-ID, and holds the header to its limits
 *         without keeping it.
 *         The header ends at the first empty line, or at a line that is no
 *         header field; a first line "From " (mbox) is let pass.
 * RFC     [RFC5322 2.2] fields, [RFC5321 6.3] loops.
 */
#pragma once

#include "common/base/base.h"

#define HEADER_MESSAGE_ID_MAX 250

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
	bool in_message_id;                     /* the value that passes is one */
	char message_id[HEADER_MESSAGE_ID_MAX]; /* of the first, its start */
	size_t message_id_bytes;
};

void header_scan_init(struct header_scan *h, const struct header_limits *limits);

/* Bytes of the message in order, cut anywhere; lines end in CRLF, as dot.h gives
 * them. Cheap once the header is over. */
void header_scan_feed(struct header_scan *h, struct span bytes);

/* The first Message-ID without its brackets and spaces; empty when there is none,
 * or one that is longer than HEADER_MESSAGE_ID_MAX. */
MUST_USE struct span header_scan_message_id(const struct header_scan *h);
