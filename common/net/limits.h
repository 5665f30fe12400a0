/* common/net/limits.h - what one client may do, counted by its address
 *
 * A bounded table of clients: connections open now, and a token bucket for each
 * kind of event. Pure: time is passed in and may only grow. When the table is
 * full, the client that was quiet for longest is forgotten; one with an open
 * connection never is.
 */
#pragma once

#include "common/net/address.h"

enum net_event {
	NET_EVENT_CONNECTION,
	NET_EVENT_MESSAGE,
	NET_EVENT_RECIPIENT,
	NET_EVENT_ERROR,
};
#define NET_EVENTS 4

/* At most `count` in any `per_ms` on average, all of them at once if need be;
 * count 0 means no limit. */
struct net_rate {
	uint32_t count;
	uint32_t per_ms;
};

struct net_limits_config {
	size_t clients_max;       /* size of the table */
	uint32_t connections_max; /* open at once from one client; 0: no limit */
	struct net_rate rates[NET_EVENTS];
	uint64_t seed; /* random, so that nobody can aim at one hash chain */
};

struct net_limits;

MUST_USE struct net_limits *net_limits_new(const struct net_limits_config *config);
void net_limits_free(struct net_limits **l);
/* New limits after a reload; counters stay, clients_max and seed too. */
void net_limits_configure(struct net_limits *l, const struct net_limits_config *config);

enum net_verdict {
	NET_ALLOWED,
	NET_TOO_MANY, /* connections open now */
	NET_TOO_FAST, /* connections in the last while */
	NET_CROWDED,  /* the table is full of clients with open connections */
};

/* Counts a connection when it is allowed; each one that was is given back. */
MUST_USE enum net_verdict
net_limits_connect(struct net_limits *l, struct net_key client, uint64_t now_ms);
void net_limits_disconnect(struct net_limits *l, struct net_key client);

/* Takes n events of a kind; false, and nothing taken, when that would be too
 * fast. A client without a connection is counted just as well. */
MUST_USE bool net_limits_take(struct net_limits *l, struct net_key client,
			      enum net_event event, uint32_t n, uint64_t now_ms);
/* True when n events would be allowed; takes nothing. */
MUST_USE bool net_limits_allow(const struct net_limits *l, struct net_key client,
			       enum net_event event, uint32_t n, uint64_t now_ms);

size_t net_limits_clients(const struct net_limits *l);
uint32_t net_limits_connections(const struct net_limits *l, struct net_key client);

/* Whether to refuse one more connection while `open` ones have not logged in:
 * never below `from`, always from `max` on, and between them with a chance that
 * grows with the crowd, so that a flood cannot lock everybody else out. random
 * is any 32 random bits. */
MUST_USE bool net_crowd_refuses(size_t open, size_t from, size_t max, uint32_t random);
