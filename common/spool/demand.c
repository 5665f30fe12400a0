#include "common/spool/demand.h"

void
demand_put(struct buf *list, const struct demand *d)
{
	wire_put_u8(list, (uint8_t)d->kind);
	wire_put_bytes(list, d->text);
}

static bool
printable(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return text.n <= DEMAND_TEXT_MAX;
}

static bool
possible(const struct demand *d)
{
	switch (d->kind) {
	case DEMAND_HOLD:
		return d->text.n == 0;
	case DEMAND_REDIRECT:
	case DEMAND_BCC:
		return printable(d->text) && span_find(d->text, '@') < d->text.n;
	case DEMAND_PREPEND:
		return printable(d->text) && span_find(d->text, ':') < d->text.n;
	}
	return false;
}

bool
demand_next(struct cursor *list, struct demand *out)
{
	struct demand d;

	if (list->failed || list->rest.n == 0)
		return false;
	d.kind = wire_get_u8(list);
	d.text = wire_get_bytes(list);
	if (list->failed || !possible(&d)) {
		list->failed = true;
		return false;
	}
	*out = d;
	return true;
}

bool
demand_list_check(struct span list)
{
	struct cursor c = cursor_make(list);
	struct demand d;

	while (demand_next(&c, &d))
		;
	return !c.failed;
}
