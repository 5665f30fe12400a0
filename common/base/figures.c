#include "common/base/figures.h"

void
figures_put(const struct figure *rows, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_putf(out, "%s %llu\n", rows[i].name,
			 (unsigned long long)rows[i].value);
}
