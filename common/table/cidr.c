#include "common/table/rules.h"

#include <arpa/inet.h>

struct network {
	uint8_t address[16];
	unsigned family; /* AF_INET or AF_INET6 */
	unsigned bits;
};

static bool
address_read(struct span text, uint8_t address[16], unsigned *family)
{
	char copy[INET6_ADDRSTRLEN];

	*family = span_find(text, ':') < text.n ? AF_INET6 : AF_INET;
	return span_copy(text, copy, sizeof(copy)) &&
	       inet_pton((int)*family, copy, address) == 1;
}

static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* Bits behind the network's must be zero. */
static bool
host_bits(const struct network *net)
{
	for (unsigned i = net->bits; i < (net->family == AF_INET ? 32U : 128U); i++)
		if (net->address[i / 8] >> (7 - i % 8) & 1)
			return true;
	return false;
}

/* Null, or what is wrong. */
static const char *
network_read(struct span text, struct network *net)
{
	bool bracket = text.n > 0 && text.at[0] == '[';
	size_t end = span_find(text, bracket ? ']' : '/');
	struct span address = span_after(span_first(text, end), bracket);
	struct span bits = span_after(text, end + bracket);
	uint64_t number = 0;
	unsigned most;

	if (!address_read(address, net->address, &net->family) ||
	    (bits.n > 0 && bits.at[0] != '/'))
		return "is no address and no network";
	most = net->family == AF_INET ? 32 : 128;
	if (bits.n > 0 && !number_parse(span_after(bits, 1), most, &number))
		return "has no right number of bits";
	net->bits = bits.n > 0 ? (unsigned)number : most;
	return host_bits(net) ? "has bits set behind its network" : NULL;
}

static void *
compile(struct span *text, bool *negated, unsigned *groups, unsigned line,
	struct table_problems *problems)
{
	struct network net = {0}, *copy;
	struct span s = *text;
	const char *wrong;
	size_t n = 0;

	(void)groups;
	for (; s.n > 0 && (s.at[0] == '!' || table_space(s.at[0]));
	     s = span_after(s, 1))
		*negated ^= s.at[0] == '!';
	while (n < s.n && !table_space(s.at[n]))
		n++;
	wrong = network_read(span_first(s, n), &net);
	if (wrong) {
		table_error(problems, line, "\"%.*s\" %s", (int)(n < 60 ? n : 60), s.at,
			    wrong);
		return NULL;
	}
	*text = span_after(s, n);
	copy = memory_new(1, sizeof(*copy));
	*copy = net;
	return copy;
}

static enum rule_match
match(const void *what, struct span key, struct rule_groups *groups, uint64_t *steps,
      struct err *err)
{
	const struct network *net = what;
	uint8_t address[16];
	unsigned family;

	(void)steps, (void)err;
	groups->n = 0;
	if (!address_read(key, address, &family) || family != net->family)
		return RULE_OTHER;
	return bits_equal(address, net->address, net->bits) ? RULE_YES : RULE_NO;
}

const struct rule_class rule_class_cidr = {
    .compile = compile, .discard = free, .match = match, .words = true};
