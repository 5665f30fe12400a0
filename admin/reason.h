/* admin/reason.h - the reason that qmgr keeps of a message, taken apart
 *
 * "[HOST: ][CODE ][ENHANCED ]TEXT", see queue_relayed(); HOST ends in "]".
 * Trust   pure. Most of it is what another server said.
 */
#pragma once

#include "common/advice/advice.h"

struct reason {
	struct span host;     /* "mx.example.org[192.0.2.1]"; empty: our own words */
	unsigned code;        /* 0: none */
	uint16_t enhanced[3]; /* all 0: none */
	struct span text;
	const struct advice *advice; /* what it means; null: not known */
};

/* Never fails: what is not there is empty. Points into the text. */
MUST_USE struct reason reason_parse(struct span text);
