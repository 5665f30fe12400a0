/* common/spool/relay.h - the recipients of one outgoing transaction, and what became of
 * them
 *
 * The lists inside ipc relay and relayed. qmgr names a target by its ordinal; remote
 * answers by the same. A list is its members one after another, little-endian:
 *
 *   recipient  u32 ordinal | u8 notify | bytes address | bytes orcpt
 *   result     u32 ordinal | u8 outcome | u8 flags | u16 code | 3 * u16 enhanced
 *              | bytes text | bytes host
 */
#pragma once

#include "common/base/base.h"

#define RELAY_RECIPIENTS_MAX 1000u       /* of one transaction */
#define RELAY_LIST_BYTES_MAX (48u << 10) /* a list that fits into one ipc message */
#define RELAY_TEXT_MAX       1000u       /* bytes of a result's text */

struct relay_recipient {
	uint32_t ordinal;
	uint8_t notify;      /* enum envelope_notify */
	struct span address; /* where it goes */
	struct span orcpt;   /* as given, still xtext; may be empty */
};

enum relay_flag {
	RELAY_NOTIFIES =
	    1 << 0, /* the next server took over the reports [RFC3461 6.2.1] */
	RELAY_LMTP =
	    1 << 1, /* it was the mailbox's own server: delivered, not relayed */
};

struct relay_result {
	uint32_t ordinal;
	uint8_t outcome;      /* enum delivery_outcome of common/ipc */
	uint8_t flags;        /* enum relay_flag */
	uint16_t code;        /* of the reply; 0 when there was none */
	uint16_t enhanced[3]; /* [RFC3463]; as the reply said, or ours; all 0: none */
	struct span text;     /* the reply without its codes, or a sentence of ours */
	struct span host; /* who said it: "mx.example.org[192.0.2.1]"; may be empty */
};

void relay_recipient_put(struct buf *list, const struct relay_recipient *r);
/* False at the end, or (the cursor has failed) on damage. */
MUST_USE bool relay_recipient_next(struct cursor *list, struct relay_recipient *out);

/* A text that is too long is cut. */
void relay_result_put(struct buf *list, const struct relay_result *r);
MUST_USE bool relay_result_next(struct cursor *list, struct relay_result *out);
