#include "common/detail/detail.h"

void
detail_put(struct buf *out, const struct detail *d)
{
	wire_put_bytes(out, d->reason);
	wire_put_bytes(out, d->states);
	wire_put_bytes(out, d->headers);
}

bool
detail_parse(struct span bytes, struct detail *out)
{
	struct cursor c = cursor_make(bytes);
	struct detail d;

	d.reason = wire_get_bytes(&c);
	d.states = wire_get_bytes(&c);
	d.headers = wire_get_bytes(&c);
	if (!cursor_done(&c))
		return false;
	*out = d;
	return true;
}
