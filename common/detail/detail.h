/* common/detail/detail.h - what an operator is shown of a message beyond its envelope
 *
 * Inside `reason` of an ipc queue_row that answers QUEUE_LIST or QUEUE_SHOW; the row's
 * envelope has the recipients that are meant. A message whose recipients do not fit
 * into one row has several, one behind another, with the same id.
 *
 *   bytes reason | bytes states | bytes headers
 *
 * Trust   pure. What it carries comes from strangers: servers and senders.
 * Memory  allocates nothing; what is parsed points into the input.
 */
#pragma once

#include "common/base/base.h"

#define DETAIL_HEADERS_MAX (32u << 10) /* bytes of a header block that are shown */

/* A letter for each target of the envelope, in its order. */
enum detail_state {
	DETAIL_OPEN = 'o',
	DETAIL_DONE = 'd',
	DETAIL_FAILED = 'f',
	DETAIL_WORK = 'w', /* is being tried */
};

struct detail {
	struct span reason;  /* of the last try, or why it is held */
	struct span states;  /* enum detail_state */
	struct span headers; /* CRLF at line ends; of QUEUE_SHOW only */
};

void detail_put(struct buf *out, const struct detail *d);
/* False, and *out as it was, when the bytes are none. */
MUST_USE bool detail_parse(struct span bytes, struct detail *out);
