/* common/spool/demand.h - what access tables want done with a message as a whole
 *
 * authd writes the list (ipc resolved.demands), smtpd does what it says once the
 * message is there. The list is the demands one after another:
 *
 *   u8 kind | u32 length, text
 */
#pragma once

#include "common/base/base.h"

#define DEMAND_TEXT_MAX 1024 /* bytes of one text */
#define DEMAND_LIST_MAX 3072 /* bytes of the list that goes with one recipient */

enum demand_kind {
	DEMAND_HOLD = 1, /* it waits in the queue for the operator; no text */
	DEMAND_REDIRECT, /* it goes to this address and to no other */
	DEMAND_BCC,      /* to this address too */
	DEMAND_PREPEND,  /* a header field, "Name: text", before all of it */
};

struct demand {
	enum demand_kind kind;
	struct span text; /* points into the list */
};

void demand_put(struct buf *list, const struct demand *d);

/* Takes the next one; false at the end, and (the cursor then has failed) for a list
 * that is damaged, or has a text that cannot be: an address without "@", a field with a
 * byte outside printable ASCII. */
MUST_USE bool demand_next(struct cursor *list, struct demand *out);

/* Is all of it right? */
MUST_USE bool demand_list_check(struct span list);
