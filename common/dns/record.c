#include "common/dns/dns.h"

void
dns_record_put(struct buf *list, const struct dns_record *r)
{
	wire_put_u16(list, (uint16_t)r->type);
	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		buf_put(list, r->data);
		break;
	case DNS_MX:
		wire_put_u16(list, r->preference);
		wire_put_bytes(list, r->name);
		break;
	case DNS_CNAME:
	case DNS_PTR:
		wire_put_bytes(list, r->name);
		break;
	case DNS_TXT:
		wire_put_bytes(list, r->data);
		break;
	case DNS_TLSA:
		wire_put_u8(list, r->usage);
		wire_put_u8(list, r->selector);
		wire_put_u8(list, r->matching);
		wire_put_bytes(list, r->data);
		break;
	}
}

static struct span
name_get(struct cursor *list, bool may_be_empty)
{
	struct span name = wire_get_bytes(list);

	if (!dns_name_valid(name) && !(may_be_empty && name.n == 0))
		list->failed = true;
	return name;
}

static void
tlsa_get(struct cursor *list, struct dns_record *r)
{
	r->usage = wire_get_u8(list);
	r->selector = wire_get_u8(list);
	r->matching = wire_get_u8(list);
	r->data = wire_get_bytes(list);
}

static void
fields_get(struct cursor *list, struct dns_record *r)
{
	switch (r->type) {
	case DNS_A:
		r->data = wire_get_raw(list, 4);
		return;
	case DNS_AAAA:
		r->data = wire_get_raw(list, 16);
		return;
	case DNS_MX:
		r->preference = wire_get_u16(list);
		r->name = name_get(list, true);
		return;
	case DNS_CNAME:
	case DNS_PTR:
		r->name = name_get(list, false);
		return;
	case DNS_TXT:
		r->data = wire_get_bytes(list);
		return;
	case DNS_TLSA:
		tlsa_get(list, r);
		return;
	}
	list->failed = true;
}

bool
dns_record_next(struct cursor *list, struct dns_record *out)
{
	struct dns_record r = {.name = SPAN(""), .data = SPAN("")};

	if (list->failed || list->rest.n == 0)
		return false;
	r.type = (enum dns_type)wire_get_u16(list);
	fields_get(list, &r);
	if (list->failed)
		return false;
	*out = r;
	return true;
}

bool
dns_records_valid(struct span list, enum dns_type type)
{
	struct cursor c = cursor_make(list);
	struct dns_record r;
	size_t n = 0;

	while (dns_record_next(&c, &r))
		if (r.type != type || ++n > DNS_RECORDS_MAX)
			return false;
	return !c.failed;
}

void
dns_record_ip(const struct dns_record *r, uint8_t ip[16])
{
	ASSERT(r->type == DNS_A || r->type == DNS_AAAA);
	memset(ip, 0, 16);
	if (r->type == DNS_A)
		memset(ip + 10, 0xff, 2);
	memcpy(ip + 16 - r->data.n, r->data.at, r->data.n);
}
