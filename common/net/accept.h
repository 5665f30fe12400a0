/* common/net/accept.h - a listening socket in the event loop
 *
 * A bounded number of connections is taken a turn, so that a flood of them does
 * not starve the sessions there are. When the process is out of descriptors the
 * listener sleeps NET_ACCEPT_PAUSE_MS and never spins.
 */
#pragma once

#include "common/net/address.h"

struct event_base;
struct net_listener;

#define NET_ACCEPTS_PER_TURN 32
#define NET_ACCEPT_PAUSE_MS  100

/* fd is the taker's: non-blocking, close-on-exec, and for TCP without delay and
 * with keepalive. */
typedef void net_accepted(void *context, int fd, const struct net_peer *peer);

/* Owns fd, a listening TCP or Unix socket that does not block. */
MUST_USE struct net_listener *net_listener_new(struct event_base *base, int fd,
					       net_accepted *accepted, void *context);
/* Closes the socket. */
void net_listener_free(struct net_listener **l);
/* Stops taking connections without closing, and goes on. */
void net_listener_pause(struct net_listener *l);
void net_listener_resume(struct net_listener *l);
/* How often it had to sleep for want of descriptors. */
uint64_t net_listener_pauses(const struct net_listener *l);
