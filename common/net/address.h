/* common/net/address.h - addresses of the internet
 *
 * IPv4 is kept mapped into IPv6 (::ffff:a.b.c.d), so that one code path serves
 * both. An address of zeros ("::") with port 0 stands for a local peer.
 */
#pragma once

#include "common/base/base.h"

#include <sys/socket.h>

#define NET_ADDRESS_TEXT_MAX 46 /* with its NUL */

struct net_address {
	uint8_t ip[16];
	uint16_t port;
};

/* Who stands at the other end of an accepted socket. */
struct net_peer {
	struct net_address address;
	bool local; /* a Unix socket; then the next three hold, by SO_PEERCRED */
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

MUST_USE bool net_address_is_ipv4(const struct net_address *a);
MUST_USE bool net_address_is_loopback(const struct net_address *a);
MUST_USE bool
net_address_equal(const struct net_address *a, const struct net_address *b);

/* "192.0.2.1" or "2001:db8::1", without a port; no brackets, no scope. */
MUST_USE bool net_address_parse(struct span text, struct net_address *out);
/* The inverse. */
void net_address_put(const struct net_address *a, struct buf *out);
/* As a C string in the caller's array of NET_ADDRESS_TEXT_MAX; returns it. */
const char *net_address_text(const struct net_address *a, char *text);

/* False for a family that is neither IPv4 nor IPv6. */
MUST_USE bool
net_address_from_sockaddr(const struct sockaddr *from, struct net_address *out);
/* AF_INET for a mapped address, AF_INET6 else; returns the length. */
socklen_t
net_address_to_sockaddr(const struct net_address *a, struct sockaddr_storage *out);

/* --- keys to count a client by -------------------------------------------- */

/* An address cut to a prefix. */
struct net_key {
	uint8_t ip[16];
};

/* One client: the whole of an IPv4 address, the /64 of an IPv6 one. */
struct net_key net_key_client(const struct net_address *a);
/* One site, for guessing at passwords: /24 and /48. */
struct net_key net_key_site(const struct net_address *a);
