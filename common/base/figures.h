/* common/base/figures.h - what a program counts, as its status shows it
 *
 * docs/metrics.md has all names, by program.
 */
#pragma once

#include "common/base/buf.h"

struct figure {
	const char *name;
	uint64_t value;
};

/* Appends a line "name value\n" for each. */
void figures_put(const struct figure *rows, size_t n, struct buf *out);
