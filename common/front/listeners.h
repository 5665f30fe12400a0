/* common/front/listeners.h - the listening sockets of a program, each for a service
 *
 * They come from master, and go when the settings change; sessions go on without them.
 * What a service is only the program knows.
 */
#pragma once

#include "common/net/net.h"

#include <sys/queue.h>

struct event_base;
struct listener;

/* As net_accepted, with the service of the socket. */
typedef void listeners_accepted(void *owner, const void *service, int fd,
				const struct net_peer *peer);

struct listeners {
	struct event_base *base;
	listeners_accepted *accepted;
	void *owner;
	LIST_HEAD(, listener) all;
};

void listeners_init(struct listeners *l, struct event_base *base,
		    listeners_accepted *accepted, void *owner);
/* Owns fd. */
void listeners_add(struct listeners *l, const void *service, int fd);
/* Closes those of a service, or all when it is null. */
void listeners_close(struct listeners *l, const void *service);
