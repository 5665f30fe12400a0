/* Any bytes as a list of records: what is taken off it is well-formed and, put
 * again, gives the same bytes. */
#include "common/dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct dns_record *r)
{
	uint8_t ip[16];

	ASSERT(dns_type_known(r->type));
	ASSERT(r->name.n == 0 || dns_name_valid(r->name));
	if (r->type == DNS_A || r->type == DNS_AAAA)
		dns_record_ip(r, ip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	struct cursor c = cursor_make(bytes);
	struct buf out = buf_make(size + 1);
	struct dns_record r;

	while (dns_record_next(&c, &r)) {
		look(&r);
		dns_record_put(&out, &r);
	}
	ASSERT(span_starts(bytes, buf_span(&out)));
	ASSERT(c.failed || out.n == size);
	(void)!dns_records_valid(bytes, DNS_MX);
	(void)!dns_name_valid(bytes);
	buf_release(&out);
	return 0;
}
