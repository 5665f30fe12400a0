#include "common/proc/state.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The control socket is root's alone (mode 0600), so whoever connects may ask. */

static struct ipc_peer **
free_slot(struct proc *p)
{
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		if (!p->controls[i])
			return &p->controls[i];
	return NULL;
}

static void
on_connection(int listener, short what, void *context)
{
	struct proc *p = context;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ipc_peer **slot = free_slot(p);

	(void)what;
	if (fd < 0)
		return;
	if (!slot) {
		close(fd);
		return;
	}
	*slot = ipc_peer_new(p->base, fd, p->program->kind, p->instance,
			     &peers_callbacks, p);
	ipc_peer_expect_kind(*slot, IPC_KIND_ADMIN);
}

void
control_listen(struct proc *p, int fd)
{
	for (size_t i = 0; i < CONTROL_SOCKETS_MAX; i++) {
		struct control_socket *s = &p->sockets[i];

		if (s->readable)
			continue;
		s->fd = fd;
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		s->readable =
		    event_new(p->base, fd, EV_READ | EV_PERSIST, on_connection, p);
		ASSERT(s->readable && event_add(s->readable, NULL) == 0);
		return;
	}
	close(fd);
}

void
control_forget(struct proc *p, struct ipc_peer *peer)
{
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		if (p->controls[i] == peer)
			p->controls[i] = NULL;
}
