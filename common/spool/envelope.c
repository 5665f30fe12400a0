#include "common/spool/envelope.h"

#define CLIENT_BYTES 16

void
recipient_put(struct buf *list, const struct envelope_recipient *r)
{
	wire_put_bytes(list, r->address);
	wire_put_bytes(list, r->orcpt);
	wire_put_u8(list, r->notify);
	wire_put_bytes(list, r->targets);
}

bool
recipient_next(struct cursor *list, struct envelope_recipient *out)
{
	struct envelope_recipient r;

	if (list->failed || list->rest.n == 0)
		return false;
	r.address = wire_get_bytes(list);
	r.orcpt = wire_get_bytes(list);
	r.notify = wire_get_u8(list);
	r.targets = wire_get_bytes(list);
	if (list->failed)
		return false;
	*out = r;
	return true;
}

void
envelope_put(struct buf *out, const struct envelope *e)
{
	wire_put_u8(out, ENVELOPE_VERSION);
	wire_put_u8(out, (uint8_t)e->ret);
	wire_put_u32(out, e->flags);
	wire_put_u64(out, e->account);
	wire_put_bytes(out, e->sender);
	wire_put_bytes(out, e->envid);
	wire_put_bytes(out, e->login);
	wire_put_bytes(out, e->client);
	wire_put_bytes(out, e->helo);
	wire_put_bytes(out, e->protocol);
	wire_put_bytes(out, e->message_id);
	wire_put_u32(out, e->n_recipients);
	wire_put_bytes(out, e->recipients);
}

/* Recipients and targets as many as said, at least one of each. */
static bool
recipients_check(const struct envelope *e)
{
	struct cursor c = cursor_make(e->recipients);
	struct envelope_recipient r;
	size_t recipients = 0, targets = 0, n;

	while (recipient_next(&c, &r)) {
		if (!target_list_check(r.targets, &n) || n == 0)
			return false;
		recipients++;
		targets += n;
		if (targets > ENVELOPE_TARGETS_MAX)
			return false;
	}
	return !c.failed && recipients > 0 && recipients == e->n_recipients;
}

bool
envelope_parse(struct span bytes, struct envelope *out)
{
	struct cursor c = cursor_make(bytes);
	struct envelope e;
	uint8_t version;

	if (bytes.n > ENVELOPE_BYTES_MAX)
		return false;
	version = wire_get_u8(&c);
	e.ret = wire_get_u8(&c);
	e.flags = wire_get_u32(&c);
	e.account = wire_get_u64(&c);
	e.sender = wire_get_bytes(&c);
	e.envid = wire_get_bytes(&c);
	e.login = wire_get_bytes(&c);
	e.client = wire_get_bytes(&c);
	e.helo = wire_get_bytes(&c);
	e.protocol = wire_get_bytes(&c);
	e.message_id = wire_get_bytes(&c);
	e.n_recipients = wire_get_u32(&c);
	e.recipients = wire_get_bytes(&c);
	if (!cursor_done(&c) || version != ENVELOPE_VERSION)
		return false;
	if (e.ret > ENVELOPE_RET_HEADERS)
		return false;
	if (e.client.n != 0 && e.client.n != CLIENT_BYTES)
		return false;
	if (!recipients_check(&e))
		return false;
	*out = e;
	return true;
}
