#include "common/net/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define MAPPED_BYTES 12 /* what stands before the four of an IPv4 address */

static const uint8_t mapped[MAPPED_BYTES] = {[10] = 0xff, [11] = 0xff};

bool
net_address_is_ipv4(const struct net_address *a)
{
	return memcmp(a->ip, mapped, MAPPED_BYTES) == 0;
}

bool
net_address_is_loopback(const struct net_address *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (net_address_is_ipv4(a))
		return a->ip[MAPPED_BYTES] == 127;
	return memcmp(a->ip, one, sizeof(one)) == 0;
}

bool
net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

bool
net_address_parse(struct span text, struct net_address *out)
{
	struct net_address a = {0};
	char copy[INET6_ADDRSTRLEN];

	if (!span_copy(text, copy, sizeof(copy)))
		return false;
	if (inet_pton(AF_INET, copy, a.ip + MAPPED_BYTES) == 1)
		memcpy(a.ip, mapped, MAPPED_BYTES);
	else if (inet_pton(AF_INET6, copy, a.ip) != 1)
		return false;
	*out = a;
	return true;
}

/* What stands before the port: a host, "[v6]", "*" or nothing. */
static bool
parse_host(struct span host, struct net_address *out)
{
	if (host.n == 0 || span_equal(host, SPAN("*"))) {
		*out = (struct net_address){0};
		return true;
	}
	if (host.at[0] == '[' && host.at[host.n - 1] == ']')
		return net_address_parse(span_make(host.at + 1, host.n - 2), out) &&
		       !net_address_is_ipv4(out);
	return net_address_parse(host, out) && net_address_is_ipv4(out);
}

bool
net_address_parse_port(struct span text, struct net_address *out)
{
	size_t colon = span_find_last(text, ':');
	struct net_address a;
	uint64_t port;

	if (colon == text.n || !number_parse(span_after(text, colon + 1), 65535, &port))
		return false;
	if (!parse_host(span_first(text, colon), &a))
		return false;
	a.port = (uint16_t)port;
	*out = a;
	return true;
}

void
net_address_put(const struct net_address *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	bool ipv4 = net_address_is_ipv4(a);
	const void *from = ipv4 ? a->ip + MAPPED_BYTES : a->ip;

	ASSERT(inet_ntop(ipv4 ? AF_INET : AF_INET6, from, text, sizeof(text)));
	buf_put_str(out, text);
}

void
net_address_put_port(const struct net_address *a, struct buf *out)
{
	bool ipv4 = net_address_is_ipv4(a);

	buf_put_str(out, ipv4 ? "" : "[");
	net_address_put(a, out);
	buf_putf(out, "%s:%u", ipv4 ? "" : "]", a->port);
}

const char *
net_address_text(const struct net_address *a, char *text)
{
	bool ipv4 = net_address_is_ipv4(a);
	const void *from = ipv4 ? a->ip + MAPPED_BYTES : a->ip;

	ASSERT(inet_ntop(ipv4 ? AF_INET : AF_INET6, from, text, NET_ADDRESS_TEXT_MAX));
	return text;
}

bool
net_address_from_sockaddr(const struct sockaddr *from, struct net_address *out)
{
	struct net_address a = {0};

	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)(const void *)from;

		memcpy(a.ip, mapped, MAPPED_BYTES);
		memcpy(a.ip + MAPPED_BYTES, &in->sin_addr, 4);
		a.port = ntohs(in->sin_port);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in =
		    (const struct sockaddr_in6 *)(const void *)from;

		memcpy(a.ip, &in->sin6_addr, sizeof(a.ip));
		a.port = ntohs(in->sin6_port);
	} else {
		return false;
	}
	*out = a;
	return true;
}

socklen_t
net_address_to_sockaddr(const struct net_address *a, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

	*out = (struct sockaddr_storage){0};
	if (net_address_is_ipv4(a)) {
		memcpy(&v4.sin_addr, a->ip + MAPPED_BYTES, 4);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, a->ip, sizeof(a->ip));
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

/* Whether the first `bits` of both are the same. */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || ((a[bytes] ^ b[bytes]) & mask) == 0;
}

static void
keep_prefix(uint8_t *ip, unsigned bits)
{
	for (unsigned i = 0; i < 128; i++)
		if (i >= bits)
			ip[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
}

bool
net_network_parse(struct span text, struct net_network *out)
{
	struct span rest = text, host = span_cut(&rest, '/');
	struct net_network network = {.bits = 128};
	struct net_address a;
	bool whole = host.n == text.n;
	uint64_t bits = 0;
	uint8_t cut[16];

	if (!net_address_parse(host, &a))
		return false;
	if (!whole) {
		unsigned most = net_address_is_ipv4(&a) ? 32 : 128;

		if (!number_parse(rest, most, &bits))
			return false;
		network.bits = (unsigned)bits + 128 - most;
	}
	memcpy(network.ip, a.ip, sizeof(network.ip));
	memcpy(cut, a.ip, sizeof(cut));
	keep_prefix(cut, network.bits);
	if (memcmp(cut, a.ip, sizeof(cut)) != 0)
		return false;
	*out = network;
	return true;
}

bool
net_network_has(const struct net_network *n, const struct net_address *a)
{
	return same_prefix(n->ip, a->ip, n->bits);
}

/* The next word of a list; empty at its end. */
static struct span
next_word(struct span *rest)
{
	size_t n = 0;

	*rest = span_trim(*rest, " ,\t");
	while (n < rest->n && !memchr(" ,\t", rest->at[n], 3))
		n++;
	struct span word = span_first(*rest, n);
	*rest = span_after(*rest, n);
	return word;
}

int
net_networks_parse(struct span text, struct net_networks *out, struct err *err)
{
	struct net_networks list = {0};
	struct span rest = text, word;

	while ((word = next_word(&rest)).n > 0) {
		list.at = memory_resize(list.at, list.n + 1, sizeof(*list.at));
		if (!net_network_parse(word, &list.at[list.n])) {
			net_networks_release(&list);
			return err_set(err, "\"%.*s\" is no network",
				       SPAN_ARG(span_first(word, 64)));
		}
		list.n++;
	}
	*out = list;
	return 0;
}

bool
net_networks_have(const struct net_networks *n, const struct net_address *a)
{
	for (size_t i = 0; i < n->n; i++)
		if (net_network_has(&n->at[i], a))
			return true;
	return false;
}

void
net_networks_release(struct net_networks *n)
{
	free(n->at);
	*n = (struct net_networks){0};
}

static struct net_key
key_cut(const struct net_address *a, unsigned ipv4_bits, unsigned ipv6_bits)
{
	struct net_key key;

	memcpy(key.ip, a->ip, sizeof(key.ip));
	keep_prefix(key.ip, net_address_is_ipv4(a) ? 96 + ipv4_bits : ipv6_bits);
	return key;
}

struct net_key
net_key_client(const struct net_address *a)
{
	return key_cut(a, 32, 64);
}

struct net_key
net_key_site(const struct net_address *a)
{
	return key_cut(a, 24, 48);
}
