/* common/advice/table.h - a row, and the parts of the table
 *
 * Private to this room. A row fits when all that it names fits; null or 0 names
 * nothing. Its weight is the sum of what it names (advice.c), and among rows of one
 * weight the first counts.
 */
#pragma once

#include "common/advice/advice.h"

struct advice_row {
	const char *hosts;    /* ends of host names, separated by spaces */
	unsigned code;        /* 4 or 5: the first digit; else the whole */
	const char *enhanced; /* "5.7.26", "5.7.606-649"; "*.2.2" for either class */
	/* Parts of the text, here in small letters: one of those between "|" stands
	 * in it; "*" within one is any text. */
	const char *phrases;
	struct advice advice;
};

struct advice_part {
	const struct advice_row *rows;
	size_t n;
};

extern const struct advice_part advice_providers, advice_more_providers, advice_filters,
    advice_ours, advice_generic;
