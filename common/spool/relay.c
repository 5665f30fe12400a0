#include "common/spool/relay.h"

void
relay_recipient_put(struct buf *list, const struct relay_recipient *r)
{
	wire_put_u32(list, r->ordinal);
	wire_put_u8(list, r->notify);
	wire_put_bytes(list, r->address);
	wire_put_bytes(list, r->orcpt);
}

bool
relay_recipient_next(struct cursor *list, struct relay_recipient *out)
{
	struct relay_recipient r;

	if (list->failed || list->rest.n == 0)
		return false;
	r.ordinal = wire_get_u32(list);
	r.notify = wire_get_u8(list);
	r.address = wire_get_bytes(list);
	r.orcpt = wire_get_bytes(list);
	if (list->failed)
		return false;
	*out = r;
	return true;
}

void
relay_result_put(struct buf *list, const struct relay_result *r)
{
	wire_put_u32(list, r->ordinal);
	wire_put_u8(list, r->outcome);
	wire_put_u8(list, r->flags);
	wire_put_u16(list, r->code);
	for (size_t i = 0; i < N_ELEMS(r->enhanced); i++)
		wire_put_u16(list, r->enhanced[i]);
	wire_put_bytes(list, span_first(r->text, RELAY_TEXT_MAX));
	wire_put_bytes(list, r->host);
}

bool
relay_result_next(struct cursor *list, struct relay_result *out)
{
	struct relay_result r;

	if (list->failed || list->rest.n == 0)
		return false;
	r.ordinal = wire_get_u32(list);
	r.outcome = wire_get_u8(list);
	r.flags = wire_get_u8(list);
	r.code = wire_get_u16(list);
	for (size_t i = 0; i < N_ELEMS(r.enhanced); i++)
		r.enhanced[i] = wire_get_u16(list);
	r.text = wire_get_bytes(list);
	r.host = wire_get_bytes(list);
	if (list->failed)
		return false;
	*out = r;
	return true;
}
