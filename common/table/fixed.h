/* common/table/fixed.h - "key value" lines in memory
 *
 * Private to this room. Keys are folded; of several with one key the first counts.
 */
#pragma once

#include "common/table/line.h"

struct table_fixed {
	struct buf bytes; /* u32 line, key length, value length, key, value; ... */
	uint32_t *slots;  /* offset into bytes + 1, or 0 */
	size_t n, size;   /* size is a power of 2 */
};

void table_fixed_parse(struct table_fixed *f, struct span text,
		       struct table_problems *problems);
void table_fixed_release(struct table_fixed *f);
/* The key must be folded. */
MUST_USE bool
table_fixed_get(const struct table_fixed *f, struct span key, struct span *value);
/* The n-th entry, of f->n, in the order of the file, from *place, which begins as 0. */
void table_fixed_next(const struct table_fixed *f, size_t *place, unsigned *line,
		      struct span *value);
