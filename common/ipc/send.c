#include "common/ipc/ipc.h"
#include "common/ipc/peer.h"
#include "common/ipc/socket.h"

#include <fcntl.h>

/* Peers with something to send that nobody waits for yet. */
static LIST_HEAD(, ipc_peer) dirty_peers = LIST_HEAD_INITIALIZER(dirty_peers);

void
ipc_dirty_add(struct ipc_peer *peer)
{
	if (peer->dirty || peer->waiting)
		return;
	peer->dirty = true;
	LIST_INSERT_HEAD(&dirty_peers, peer, dirties);
}

void
ipc_dirty_remove(struct ipc_peer *peer)
{
	if (!peer->dirty)
		return;
	peer->dirty = false;
	LIST_REMOVE(peer, dirties);
}

/* The other side reads no more. What it sent before is still worth reading, so
 * the end is left to the reading side. */
static void
go_mute(struct ipc_peer *peer)
{
	peer->mute = true;
	ipc_queue_release(&peer->out);
}

void
ipc_flush(struct ipc_peer *peer)
{
	struct ipc_queue *q = &peer->out;

	ipc_dirty_remove(peer);
	while (q->first && !peer->waiting) {
		switch (ipc_packet_send(peer->fd, buf_span(&q->first->bytes),
					q->first->fd, MSG_DONTWAIT)) {
		case IPC_IO_DONE:
			ipc_queue_drop_first(q);
			break;
		case IPC_IO_WAIT:
			peer->waiting = true;
			ASSERT(event_add(&peer->writable, NULL) == 0);
			break;
		case IPC_IO_GONE:
			go_mute(peer);
			break;
		}
	}
}

void
ipc_flush_all(void)
{
	struct ipc_peer *peer;

	while ((peer = LIST_FIRST(&dirty_peers)))
		ipc_flush(peer);
}

void
ipc_peer_on_writable(int fd, short what, void *context)
{
	struct ipc_peer *peer = context;

	(void)fd, (void)what;
	peer->waiting = false;
	ipc_flush(peer);
}

static bool
may_send(struct ipc_peer *peer, enum ipc_number number)
{
	ASSERT(ipc_number_may_leave(number, peer->me));
	if (peer->state == IPC_PEER_DOWN || peer->mute)
		return false;
	if (peer->out.bytes <= IPC_QUEUE_BYTES_MAX)
		return true;
	ipc_peer_fail(peer, "it does not read what it is sent", true);
	return false;
}

static void
grown(struct ipc_peer *peer, const struct ipc_packet *packet, size_t before)
{
	peer->out.bytes += packet->bytes.n - before;
	ipc_dirty_add(peer);
}

/* With a descriptor a message is alone in its packet. Usually it can go at once
 * and the descriptor need not be duplicated. */
static void
send_alone(struct ipc_peer *peer, struct ipc_packet *packet, int fd)
{
	packet->closed = true;
	ipc_dirty_remove(peer);
	if (peer->out.first == packet && !peer->waiting &&
	    ipc_packet_send(peer->fd, buf_span(&packet->bytes), fd, MSG_DONTWAIT) ==
		IPC_IO_DONE) {
		ipc_queue_drop_first(&peer->out);
		return;
	}
	packet->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (packet->fd < 0)
		ipc_peer_fail(peer, "no descriptor left to send one", false);
	else
		ipc_dirty_add(peer);
}

static void
put_alone(struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	struct ipc_packet *packet;

	ASSERT(fd >= 0);
	if (!may_send(peer, m->number))
		return;
	ipc_flush(peer);
	packet = ipc_queue_open_new(&peer->out);
	if (!ipc_encode(&packet->bytes, m)) {
		ipc_peer_fail(peer, "a message for it is too long", false);
		return;
	}
	peer->out.bytes += packet->bytes.n;
	send_alone(peer, packet, fd);
}

/* A message that does not fit into the packet at hand: that one goes out, and
 * the message into the next. */
#define PUT(name)                                                                      \
	struct ipc_packet *packet;                                                     \
	size_t before;                                                                 \
                                                                                       \
	if (!may_send(peer, IPC_NUMBER_##name))                                        \
		return;                                                                \
	packet = ipc_queue_open(&peer->out);                                           \
	before = packet->bytes.n;                                                      \
	if (!ipc_encode_##name(&packet->bytes, m)) {                                   \
		packet = next_packet(peer);                                            \
		before = 0;                                                            \
		if (!ipc_encode_##name(&packet->bytes, m)) {                           \
			ipc_peer_fail(peer, "a message for it is too long", false);    \
			return;                                                        \
		}                                                                      \
	}                                                                              \
	grown(peer, packet, before);

static struct ipc_packet *
next_packet(struct ipc_peer *peer)
{
	if (peer->out.last->bytes.n == 0)
		return peer->out.last;
	ipc_flush(peer);
	return ipc_queue_open_new(&peer->out);
}

/* clang-format off */
#define SEND_true(name)                                                                  \
	void ipc_send_##name(struct ipc_peer *peer, const struct ipc_##name *m, int fd)  \
	{                                                                                \
		struct ipc_message any = {.number = IPC_NUMBER_##name};                  \
		any.name = *m;                                                           \
		put_alone(peer, &any, fd);                                               \
	}
#define SEND_false(name)                                                                 \
	void ipc_send_##name(struct ipc_peer *peer, const struct ipc_##name *m)          \
	{                                                                                \
		PUT(name)                                                                \
	}
#define SEND_ROW(number, name, from, to, fd) SEND_##fd(name)
IPC_ROWS(SEND_ROW)

#define CALL_true(name)  ipc_send_##name(peer, &m->name, fd)
#define CALL_false(name) ipc_send_##name(peer, &m->name)
#define CALL_ROW(number, name, from, to, has_fd)                                         \
	case IPC_NUMBER_##name:                                                          \
		CALL_##has_fd(name);                                                     \
		break;
/* clang-format on */

void
ipc_send(struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	switch (m->number) {
		IPC_ROWS(CALL_ROW)
	}
}
