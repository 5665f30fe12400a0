#include "common/conf/value.h"

#include <arpa/inet.h>

static bool
parse_v4(struct span text, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char copy[INET_ADDRSTRLEN];
	uint8_t v4[4];

	if (!span_copy(text, copy, sizeof(copy)) || inet_pton(AF_INET, copy, v4) != 1)
		return false;
	memcpy(out, mapped, 12);
	memcpy(out + 12, v4, 4);
	return true;
}

static bool
parse_v6(struct span text, uint8_t out[16])
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t v6[16];

	if (!span_copy(text, copy, sizeof(copy)) || inet_pton(AF_INET6, copy, v6) != 1)
		return false;
	memcpy(out, v6, 16);
	return true;
}

bool
conf_address_ok(struct span text)
{
	uint8_t address[16];

	return parse_v4(text, address) || parse_v6(text, address);
}

static bool
parse_host(struct span host, struct conf_listen *out)
{
	if (span_equal(host, SPAN("*"))) {
		out->any = true;
		return true;
	}
	if (host.n > 2 && host.at[0] == '[' && host.at[host.n - 1] == ']')
		return parse_v6(span_make(host.at + 1, host.n - 2), out->address);
	out->v4 = true;
	return parse_v4(host, out->address);
}

bool
conf_listen_parse(struct span text, struct conf_listen *out)
{
	size_t colon = span_find_last(text, ':');
	struct conf_listen parsed = {0};
	uint64_t port;

	if (colon == text.n || !parse_host(span_first(text, colon), &parsed) ||
	    !number_parse(span_after(text, colon + 1), UINT16_MAX, &port))
		return false;
	parsed.port = (uint16_t)port;
	*out = parsed;
	return true;
}

bool
conf_network_parse(struct span text, struct conf_network *out)
{
	struct span address = span_cut(&text, '/');
	struct conf_network parsed = {.bits = 0};
	bool has_bits = address.at + address.n < text.at + text.n || text.n > 0;
	bool v4 = parse_v4(address, parsed.address);
	uint64_t bits = v4 ? 32 : 128;

	if ((!v4 && !parse_v6(address, parsed.address)) ||
	    (has_bits && !number_parse(text, bits, &bits)))
		return false;
	parsed.bits = (uint8_t)(v4 ? bits + 96 : bits);
	*out = parsed;
	return true;
}

static bool
network_match(const struct conf_network *network, const uint8_t address[16])
{
	size_t bytes = network->bits / 8;
	unsigned rest = network->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(network->address, address, bytes) == 0 &&
	       (rest == 0 || ((network->address[bytes] ^ address[bytes]) & mask) == 0);
}

bool
conf_networks_match(const struct conf_networks *networks, const uint8_t address[16])
{
	for (size_t i = 0; i < networks->n; i++)
		if (network_match(&networks->at[i], address))
			return true;
	return false;
}
