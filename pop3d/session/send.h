/* pop3d/session/send.h - a message on its way to the client
 *
 * What    dot-stuffing of lines [RFC1939 3] and the cut of TOP [RFC1939 7], over
 *         bytes that come in pieces cut anywhere.
 * Trust   pure; the bytes are a mail's. Only CRLF ends a line: a bare LF passes
 *         as it is, and a dot behind it is not stuffed.
 * Memory  a value.
 */
#pragma once

#include "common/base/base.h"

#define POP3_ALL_LINES UINT64_MAX

struct pop3_send {
	uint64_t lines_left; /* of the body; POP3_ALL_LINES for RETR */
	bool in_body;
	uint64_t line_bytes; /* of the line so far */
	bool cr_last;
	bool done; /* TOP has what it wants */
};

void pop3_send_init(struct pop3_send *p, uint64_t lines);

/* Appends the bytes of the message as the protocol wants them. */
void pop3_send_bytes(struct pop3_send *p, struct span bytes, struct buf *out);

/* Ends the message: a CRLF if its last line lacks one, and the dot. */
void pop3_send_end(struct pop3_send *p, struct buf *out);
