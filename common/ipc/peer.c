#include "common/ipc/ipc.h"
#include "common/ipc/peer.h"

#include <fcntl.h>
#include <unistd.h>

/* The only way to IPC_PEER_DOWN: nothing of a live channel is left after it. */
static void
close_all(struct ipc_peer *peer)
{
	if (peer->state == IPC_PEER_DOWN)
		return;
	peer->state = IPC_PEER_DOWN;
	event_del(&peer->readable);
	event_del(&peer->writable);
	ipc_dirty_remove(peer);
	ipc_queue_release(&peer->out);
	close(peer->fd);
	peer->fd = -1;
}

void
ipc_peer_fail(struct ipc_peer *peer, const char *fault, bool broken)
{
	if (peer->state == IPC_PEER_DOWN)
		return;
	close_all(peer);
	peer->fault = fault;
	peer->broken = broken;
	if (!peer->freed)
		event_active(&peer->fallen, EV_TIMEOUT, 1);
}

static void
on_fallen(int fd, short what, void *context)
{
	struct ipc_peer *peer = context;

	(void)fd, (void)what;
	peer->busy = true;
	if (peer->callbacks->down)
		peer->callbacks->down(peer, peer->context);
	peer->busy = false;
	ipc_peer_end(peer);
}

static void
say_hello(struct ipc_peer *peer)
{
	struct ipc_hello m = {ipc_rows_hash(), peer->me, peer->my_instance};

	ipc_send_hello(peer, &m);
}

struct ipc_peer *
ipc_peer_new(struct event_base *base, int fd, enum ipc_kind me, uint32_t my_instance,
	     const struct ipc_callbacks *callbacks, void *context)
{
	struct ipc_peer *peer = memory_new(1, sizeof(*peer));

	*peer = (struct ipc_peer){
	    .state = IPC_PEER_NEW,
	    .fd = fd,
	    .me = me,
	    .my_instance = my_instance,
	    .kind = IPC_KIND_COUNT,
	    .expect_kinds = IPC_ANY_KIND,
	    .expect_instance = -1,
	    .callbacks = callbacks,
	    .context = context,
	    .fault = "",
	};
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	ASSERT(event_assign(&peer->readable, base, fd, EV_READ | EV_PERSIST,
			    ipc_peer_on_readable, peer) == 0);
	ASSERT(event_assign(&peer->writable, base, fd, EV_WRITE, ipc_peer_on_writable,
			    peer) == 0);
	ASSERT(event_assign(&peer->fallen, base, -1, 0, on_fallen, peer) == 0);
	ASSERT(event_add(&peer->readable, NULL) == 0);
	say_hello(peer);
	return peer;
}

void
ipc_peer_end(struct ipc_peer *peer)
{
	if (!peer->freed)
		return;
	event_del(&peer->fallen);
	free(peer);
}

void
ipc_peer_free(struct ipc_peer **owner)
{
	struct ipc_peer *peer = *owner;

	*owner = NULL;
	if (!peer)
		return;
	close_all(peer);
	peer->freed = true;
	if (!peer->busy)
		ipc_peer_end(peer);
}

void
ipc_peer_expect_kind(struct ipc_peer *peer, enum ipc_kind kind)
{
	peer->expect_kinds = 1u << kind;
}

void
ipc_peer_expect(struct ipc_peer *peer, enum ipc_kind kind, uint32_t instance)
{
	ipc_peer_expect_kind(peer, kind);
	peer->expect_instance = instance;
}

void
ipc_peer_pause(struct ipc_peer *peer, bool paused)
{
	if (peer->state == IPC_PEER_DOWN)
		return;
	if (paused)
		event_del(&peer->readable);
	else
		ASSERT(event_add(&peer->readable, NULL) == 0);
}

void
ipc_peer_drop(struct ipc_peer *peer, const char *fault)
{
	ipc_peer_fail(peer, fault, true);
}

enum ipc_kind
ipc_peer_kind(const struct ipc_peer *peer)
{
	return peer->kind;
}

uint32_t
ipc_peer_instance(const struct ipc_peer *peer)
{
	return peer->instance;
}

bool
ipc_peer_is_up(const struct ipc_peer *peer)
{
	return peer->state == IPC_PEER_UP;
}

void *
ipc_peer_note(const struct ipc_peer *peer)
{
	return peer->note;
}

void
ipc_peer_set_note(struct ipc_peer *peer, void *note)
{
	peer->note = note;
}

const char *
ipc_peer_fault(const struct ipc_peer *peer, bool *broken)
{
	*broken = peer->broken;
	return peer->fault;
}

size_t
ipc_queued_bytes(const struct ipc_peer *peer)
{
	return peer->out.bytes;
}
