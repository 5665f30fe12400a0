/* pickup/drop/drop.h - the door: the head of a file in spool/drop (sending it is
 * send.h)
 *
 *   postroad-drop 1
 *   sender me@example.org          (nothing behind "sender " for the null sender)
 *   recipient you@example.net      (once for each)
 *                                  (an empty line, then the message)
 *
 * Lines end with LF. Written by sendmail, which is run by anybody: every byte is
 * doubted.
 */
#pragma once

#include "common/base/base.h"

#include "pickup/drop/send.h"

#define DROP_HEAD_MAX    (1u << 20)
#define DROP_ADDRESS_MAX 1024
#define DROP_RECIPIENTS  50000

enum drop_result {
	DROP_OK,
	DROP_MORE, /* the head goes on behind these bytes */
	DROP_BAD,
};

struct drop {
	struct span sender;
	struct span recipients; /* lines "recipient ADDRESS\n" */
	size_t n_recipients;
	size_t head_bytes; /* the message starts here */
};

/* `bytes` is the start of the file. Spans point into it. */
MUST_USE enum drop_result drop_parse(struct span bytes, struct drop *out);

/* The next recipient off the front of *rest (begin with drop.recipients). */
MUST_USE bool drop_recipient(struct span *rest, struct span *address);
