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

void
net_address_put(const struct net_address *a, struct buf *out)
{
	char text[NET_ADDRESS_TEXT_MAX];

	buf_put_str(out, net_address_text(a, text));
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

static void
keep_prefix(uint8_t *ip, unsigned bits)
{
	for (unsigned i = 0; i < 128; i++)
		if (i >= bits)
			ip[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
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
