/* common/smtp/reply.h - a server's reply, as a client reads it
 *
 * RFC     [RFC5321 4.2] replies, [RFC2034 4] enhanced status codes.
 * Trust   every byte is the server's. A bare CR or LF, a line over 2,048 bytes,
 *         more than 100 lines, or codes that differ make the reply bad: the
 *         connection is then of no more use.
 */
#pragma once

#include "common/base/base.h"

#define SMTP_REPLY_LINE_BYTES_MAX 2048
#define SMTP_REPLY_LINES_MAX      100

enum smtp_reply_result {
	SMTP_REPLY_MORE,
	SMTP_REPLY_DONE,
	SMTP_REPLY_BAD,
};

struct smtp_reply {
	unsigned code;        /* 200 to 599 */
	unsigned enhanced[3]; /* of the last line that has one; all 0: none */
	struct buf text;      /* lines without code and CRLF, each ended by '\n' */
	unsigned lines;
};

void smtp_reply_init(struct smtp_reply *r);
void smtp_reply_release(struct smtp_reply *r);
/* Ready for the next reply; the memory stays. */
void smtp_reply_reset(struct smtp_reply *r);

/* Takes whole lines off the front of *in until the reply is done; part of a line
 * stays and must come again with more behind it. */
MUST_USE enum smtp_reply_result smtp_reply_feed(struct smtp_reply *r, struct span *in);

/* The next line of the text, off the front of *rest (begin with the text). */
struct span smtp_reply_line(struct span *rest);

/* Whether an EHLO reply offers `keyword`; its arguments in *args. */
MUST_USE bool
smtp_reply_offers(const struct smtp_reply *r, struct span keyword, struct span *args);
