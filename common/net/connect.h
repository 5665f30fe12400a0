/* common/net/connect.h - a TCP connection that is being made
 *
 * One attempt at one address. It is told from the event loop how it went, once;
 * then, or earlier, its owner frees it.
 */
#pragma once

#include "common/net/address.h"

struct event_base;
struct net_connect;

/* Either fd, which is the taker's (non-blocking, close-on-exec, without delay and
 * with keepalive) and fault null, or fd -1 and a fault: its code is an errno value
 * (ETIMEDOUT when the time was over), its text "Connection refused" and the like,
 * without the address. May call net_connect_free(). */
typedef void net_connected(void *context, int fd, const struct err *fault);

/* from is the local address to connect from, of the same family, its port 0; null
 * leaves it to the system. timeout_ms is at least 1. Never fails at once: whatever
 * is wrong is told by `connected`. */
MUST_USE struct net_connect *
net_connect_new(struct event_base *base, const struct net_address *to,
		const struct net_address *from, uint64_t timeout_ms,
		net_connected *connected, void *context);
/* Gives up what is not done yet: `connected` comes no more. */
void net_connect_free(struct net_connect **c);
