#include "common/net/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

struct net_connect {
	struct event event; /* writable, timed out, or made active with a fault */
	int fd;
	struct err fault; /* known already when the attempt began */
	net_connected *connected;
	void *context;
	bool busy; /* inside `connected` */
	bool dead; /* freed there */
};

/* The port is chosen with the address to connect to, so that one local address is
 * not used up by its 28,000 ports. */
static int
bind_from(int fd, const struct net_address *from, struct err *err)
{
	static const int on = 1;
	struct sockaddr_storage address;
	socklen_t n = net_address_to_sockaddr(from, &address);

	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, n) != 0)
		return err_sys(err, "cannot connect from the local address");
	return 0;
}

static int
fail(struct err *err, int code)
{
	err_set(err, "%s", code == ETIMEDOUT ? "timed out" : strerror(code));
	err->code = code;
	return -1;
}

static int
begin(struct net_connect *c, const struct net_address *to,
      const struct net_address *from, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t n = net_address_to_sockaddr(to, &address);

	c->fd =
	    socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_sys(err, "cannot make a socket");
	net_socket_options(c->fd);
	if (from && bind_from(c->fd, from, err) != 0)
		return -1;
	if (connect(c->fd, (struct sockaddr *)&address, n) != 0 && errno != EINPROGRESS)
		return fail(err, errno);
	return 0;
}

/* What the system says now that the socket is writable. */
static int
finish(struct net_connect *c, short what, struct err *err)
{
	socklen_t n = sizeof(int);
	int code = 0;

	if (c->fault.text[0] != '\0') {
		*err = c->fault;
		return -1;
	}
	if (what & EV_TIMEOUT)
		return fail(err, ETIMEDOUT);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &n) != 0)
		code = errno;
	return code ? fail(err, code) : 0;
}

static void
on_event(evutil_socket_t fd, short what, void *context)
{
	struct net_connect *c = context;
	struct err err = {0};
	int result = finish(c, what, &err);

	(void)fd;
	fd = c->fd;
	c->busy = true;
	if (result == 0) {
		c->fd = -1;
		c->connected(c->context, fd, NULL);
	} else {
		c->connected(c->context, -1, &err);
	}
	c->busy = false;
	if (c->dead)
		net_connect_free(&c);
}

struct net_connect *
net_connect_new(struct event_base *base, const struct net_address *to,
		const struct net_address *from, uint64_t timeout_ms,
		net_connected *connected, void *context)
{
	struct timeval wait = {(time_t)(timeout_ms / 1000),
			       (suseconds_t)(timeout_ms % 1000 * 1000)};
	struct net_connect *c = memory_new(1, sizeof(*c));
	int begun;

	ASSERT(timeout_ms > 0);
	c->connected = connected;
	c->context = context;
	begun = begin(c, to, from, &c->fault);
	event_assign(&c->event, base, begun == 0 ? c->fd : -1, EV_WRITE, on_event, c);
	if (begun == 0)
		event_add(&c->event, &wait);
	else
		event_active(&c->event, EV_WRITE, 0);
	return c;
}

void
net_connect_free(struct net_connect **owner)
{
	struct net_connect *c = *owner;

	if (!c)
		return;
	*owner = NULL;
	if (c->busy) {
		c->dead = true;
		return;
	}
	event_del(&c->event);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}
