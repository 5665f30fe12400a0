/* common/table/key.h - keys as fixed tables have them: without case */
#pragma once

#include "common/base/base.h"

#define TABLE_KEY_MAX 2048 /* bytes of a key that is looked up */

/* Lower case, in UTF-8 by Unicode's case folding, appended to `out`. False when it is
 * neither ASCII nor UTF-8: no table has such a key. */
MUST_USE bool table_key_fold(struct span key, struct buf *out);

/* White space of Postfix's files: also VT and FF. */
static inline bool
table_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#define TABLE_SPACES " \t\n\v\f\r"
