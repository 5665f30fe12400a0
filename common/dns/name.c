#include "common/dns/dns.h"

static const struct {
	enum dns_type type;
	const char *name;
} types[] = {
    {DNS_A,     "A"    },
    {DNS_CNAME, "CNAME"},
    {DNS_PTR,   "PTR"  },
    {DNS_MX,    "MX"   },
    {DNS_TXT,   "TXT"  },
    {DNS_AAAA,  "AAAA" },
    {DNS_TLSA,  "TLSA" },
};

const char *
dns_type_name(unsigned type)
{
	for (size_t i = 0; i < N_ELEMS(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

bool
dns_type_known(unsigned type)
{
	return *dns_type_name(type) != '?';
}

const char *
dns_security_name(enum dns_security security)
{
	static const char *const names[] = {"insecure", "secure", "bogus"};

	return security < N_ELEMS(names) ? names[security] : "?";
}

static bool
char_valid(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

bool
dns_name_valid(struct span name)
{
	size_t label = 0;

	if (name.n == 0 || name.n > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.at[i] == '.' ? label == 0 : !char_valid(name.at[i]))
			return false;
		label = name.at[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

void
dns_reverse_put(const uint8_t ip[16], struct buf *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		buf_putf(out, "%u.%u.%u.%u.in-addr.arpa", ip[15], ip[14], ip[13],
			 ip[12]);
		return;
	}
	for (size_t i = 16; i-- > 0;)
		buf_putf(out, "%x.%x.", ip[i] & 15u, ip[i] >> 4);
	buf_put_str(out, "ip6.arpa");
}

void
dns_tlsa_put(struct span host, uint16_t port, struct buf *out)
{
	buf_putf(out, "_%u._tcp.", port);
	buf_put(out, host);
}
