#include "common/ipc/ipc.h"
#include "common/ipc/peer.h"
#include "common/ipc/socket.h"

#include <errno.h>
#include <unistd.h>

/* One system call takes all that waits, up to the limit of a turn. Callbacks do
 * not run the loop, so one inbox serves all peers. */
struct inbox {
	struct mmsghdr heads[IPC_PACKETS_PER_TURN];
	struct iovec pieces[IPC_PACKETS_PER_TURN];
	union ipc_control controls[IPC_PACKETS_PER_TURN];
	char bytes[IPC_PACKETS_PER_TURN][IPC_PACKET_MAX];
};

static struct inbox inbox;

static void
inbox_prepare(void)
{
	for (size_t i = 0; i < IPC_PACKETS_PER_TURN; i++) {
		inbox.pieces[i] = (struct iovec){inbox.bytes[i], IPC_PACKET_MAX};
		inbox.heads[i].msg_len = 0;
		inbox.heads[i].msg_hdr = (struct msghdr){
		    .msg_iov = &inbox.pieces[i],
		    .msg_iovlen = 1,
		    .msg_control = &inbox.controls[i],
		    .msg_controllen = sizeof(inbox.controls[i]),
		};
	}
}

static bool
hello_fits(const struct ipc_peer *peer, const struct ipc_hello *m)
{
	return m->kind < IPC_KIND_COUNT && (peer->expect_kinds & 1u << m->kind) != 0 &&
	       (peer->expect_instance < 0 || peer->expect_instance == m->instance);
}

static void
take_hello(struct ipc_peer *peer, const struct ipc_message *m)
{
	if (m->number != IPC_NUMBER_hello) {
		ipc_peer_fail(peer, "it did not say hello first", true);
	} else if (m->hello.rows_hash != ipc_rows_hash()) {
		ipc_peer_fail(peer, "it is of another version", true);
	} else if (!hello_fits(peer, &m->hello)) {
		ipc_peer_fail(peer, "it is not the program expected here", true);
	} else {
		peer->state = IPC_PEER_UP;
		peer->kind = (enum ipc_kind)m->hello.kind;
		peer->instance = m->hello.instance;
		if (peer->callbacks->up)
			peer->callbacks->up(peer, peer->context);
	}
}

/* A descriptor is passed on only with a row that has one, alone in its packet. */
static bool
fd_fits(const struct ipc_message *m, bool alone, int fd)
{
	bool wanted = ipc_number_has_fd(m->number);

	return wanted == (fd >= 0) && (!wanted || alone);
}

/* True when the descriptor went to the callback. */
static bool
take_message(struct ipc_peer *peer, const struct ipc_message *m, bool alone, int fd)
{
	if (peer->state == IPC_PEER_UP &&
	    !ipc_number_allowed(m->number, peer->kind, peer->me)) {
		ipc_peer_fail(peer, "it may not send such a message", true);
	} else if (!fd_fits(m, alone, fd)) {
		ipc_peer_fail(peer, "a descriptor is missing or does not belong", true);
	} else if (peer->state == IPC_PEER_NEW) {
		take_hello(peer, m);
	} else if (m->number == IPC_NUMBER_hello) {
		ipc_peer_fail(peer, "it said hello twice", true);
	} else {
		peer->callbacks->message(peer, peer->context, m, fd);
		return fd >= 0;
	}
	return false;
}

static void
take_packet(struct ipc_peer *peer, struct span packet, struct ipc_fds fds)
{
	struct ipc_message m;
	bool first = true, passed = false;

	if (fds.broken)
		ipc_peer_fail(peer, "it sent more descriptors than belong", true);
	while (packet.n > 0 && peer->state != IPC_PEER_DOWN) {
		if (!ipc_decode(&packet, &m)) {
			ipc_peer_fail(peer, "it sent a message that cannot be read",
				      true);
			break;
		}
		passed |= take_message(peer, &m, first && packet.n == 0, fds.fd);
		first = false;
	}
	if (fds.fd >= 0 && !passed)
		close(fds.fd);
}

static void
take_batch(struct ipc_peer *peer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct msghdr *head = &inbox.heads[i].msg_hdr;
		struct ipc_fds fds = ipc_fds_take(head);

		if (inbox.heads[i].msg_len == 0)
			ipc_peer_fail(peer, "closed by the other side", false);
		if ((head->msg_flags & MSG_TRUNC) != 0)
			ipc_peer_fail(peer, "it sent a packet that is too long", true);
		take_packet(peer, span_make(inbox.bytes[i], inbox.heads[i].msg_len),
			    fds);
	}
}

void
ipc_peer_on_readable(int fd, short what, void *context)
{
	struct ipc_peer *peer = context;
	int n;

	(void)what;
	inbox_prepare();
	n = recvmmsg(fd, inbox.heads, IPC_PACKETS_PER_TURN,
		     MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	/* ECONNRESET says once that the other side closed without reading all;
	 * what it sent before can still be read, then comes the end. */
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNRESET)
		ipc_peer_fail(peer, "cannot read from the channel", false);
	if (n <= 0)
		return;
	peer->busy = true;
	take_batch(peer, (size_t)n);
	peer->busy = false;
	ipc_peer_end(peer);
}
