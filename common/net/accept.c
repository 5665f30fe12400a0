#include "common/net/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

struct net_listener {
	struct event readable;
	struct event pause;
	int fd;
	bool wanted; /* the owner wants connections */
	bool dead;   /* freed inside its own callback */
	bool busy;
	net_accepted *accepted;
	void *context;
	uint64_t pauses;
};

void
net_socket_options(int fd)
{
	static const int on = 1;

	/* Both only help; a socket without them still works. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static bool
peer_of(int fd, const struct sockaddr_storage *from, struct net_peer *out)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	*out = (struct net_peer){0};
	if (from->ss_family != AF_UNIX)
		return net_address_from_sockaddr((const struct sockaddr *)from,
						 &out->address);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return false;
	out->local = true;
	out->pid = who.pid;
	out->uid = who.uid;
	out->gid = who.gid;
	return true;
}

static void
sleep_a_while(struct net_listener *l)
{
	static const struct timeval pause = {0, NET_ACCEPT_PAUSE_MS * 1000};

	l->pauses++;
	event_del(&l->readable);
	event_add(&l->pause, &pause);
}

/* Whether to try the next one at once; any fault but a want of descriptors is
 * that one connection's. */
static bool
accept_failed(struct net_listener *l, int code)
{
	if (code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM)
		sleep_a_while(l);
	return code == ECONNABORTED || code == EINTR;
}

/* False when there is no more to take now. */
static bool
accept_one(struct net_listener *l)
{
	struct sockaddr_storage from = {0};
	socklen_t n = sizeof(from);
	int fd =
	    accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct net_peer peer;

	if (fd < 0)
		return accept_failed(l, errno);
	if (!peer_of(fd, &from, &peer)) {
		close(fd);
		return true;
	}
	if (!peer.local)
		net_socket_options(fd);
	l->accepted(l->context, fd, &peer);
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct net_listener *l = context;

	(void)fd;
	(void)what;
	l->busy = true;
	for (int i = 0; i < NET_ACCEPTS_PER_TURN && l->wanted && !l->dead; i++)
		if (!accept_one(l))
			break;
	l->busy = false;
	if (l->dead)
		free(l);
}

static void
on_pause_over(evutil_socket_t fd, short what, void *context)
{
	struct net_listener *l = context;

	(void)fd;
	(void)what;
	if (l->wanted)
		event_add(&l->readable, NULL);
}

struct net_listener *
net_listener_new(struct event_base *base, int fd, net_accepted *accepted, void *context)
{
	struct net_listener *l = memory_new(1, sizeof(*l));

	l->fd = fd;
	l->wanted = true;
	l->accepted = accepted;
	l->context = context;
	event_assign(&l->readable, base, fd, EV_READ | EV_PERSIST, on_readable, l);
	event_assign(&l->pause, base, -1, 0, on_pause_over, l);
	event_add(&l->readable, NULL);
	return l;
}

void
net_listener_free(struct net_listener **owner)
{
	struct net_listener *l = *owner;

	if (!l)
		return;
	*owner = NULL;
	event_del(&l->readable);
	event_del(&l->pause);
	close(l->fd);
	l->dead = true;
	if (!l->busy)
		free(l);
}

void
net_listener_pause(struct net_listener *l)
{
	l->wanted = false;
	event_del(&l->readable);
	event_del(&l->pause);
}

void
net_listener_resume(struct net_listener *l)
{
	l->wanted = true;
	event_add(&l->readable, NULL);
}

uint64_t
net_listener_pauses(const struct net_listener *l)
{
	return l->pauses;
}
