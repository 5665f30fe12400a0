#include "common/front/listeners.h"

struct listener {
	LIST_ENTRY(listener) all;
	struct listeners *of;
	const void *service;
	struct net_listener *net;
};

void
listeners_init(struct listeners *l, struct event_base *base,
	       listeners_accepted *accepted, void *owner)
{
	*l = (struct listeners){.base = base, .accepted = accepted, .owner = owner};
	LIST_INIT(&l->all);
}

static void
on_accepted(void *context, int fd, const struct net_peer *peer)
{
	const struct listener *one = context;

	one->of->accepted(one->of->owner, one->service, fd, peer);
}

void
listeners_add(struct listeners *l, const void *service, int fd)
{
	struct listener *one = memory_new(1, sizeof(*one));

	one->of = l;
	one->service = service;
	one->net = net_listener_new(l->base, fd, on_accepted, one);
	LIST_INSERT_HEAD(&l->all, one, all);
}

void
listeners_close(struct listeners *l, const void *service)
{
	struct listener *one, *next;

	for (one = LIST_FIRST(&l->all); one; one = next) {
		next = LIST_NEXT(one, all);
		if (service && one->service != service)
			continue;
		LIST_REMOVE(one, all);
		net_listener_free(&one->net);
		free(one);
	}
}
