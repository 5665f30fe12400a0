#include "common/proc/state.h"

#include <unistd.h>

static void
log_down(struct ipc_peer *peer, uint32_t kind, uint32_t instance)
{
	bool broken;
	const char *fault = ipc_peer_fault(peer, &broken);

	logline(broken ? LOGLINE_WARNING : LOGLINE_INFO, "ipc.down",
		L_STR("peer", ipc_kind_name(kind)), L_U64("instance", instance),
		L_STR("why", fault));
}

static void
on_up(struct ipc_peer *peer, void *context)
{
	struct proc *p = context;

	if (p->program->peer_up)
		p->program->peer_up(p, peer);
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct proc *p = context;

	if (m->number == IPC_NUMBER_status_ask)
		proc_answer_status(p, peer, m->status_ask.tag);
	else if (p->program->message)
		p->program->message(p, peer, m, fd);
	else if (fd >= 0)
		close(fd);
}

/* A peer that never came up is not known by its kind; its slot is. */
static struct ipc_peer **
slot_of(struct proc *p, const struct ipc_peer *peer)
{
	for (size_t kind = 0; kind < IPC_KIND_COUNT; kind++)
		for (size_t i = 0; i < SERVICE_INSTANCES_MAX; i++)
			if (p->peers[kind][i] == peer)
				return &p->peers[kind][i];
	return NULL;
}

static void
tell_down(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) != IPC_KIND_COUNT && p->program->peer_down)
		p->program->peer_down(p, peer);
}

/* Only master can tell whether the other program is gone or the channel alone. */
static void
channel_lost(struct proc *p, struct ipc_peer *peer, size_t slot)
{
	struct ipc_ctl_lost m = {(uint32_t)(slot / SERVICE_INSTANCES_MAX),
				 (uint32_t)(slot % SERVICE_INSTANCES_MAX),
				 (&p->peer_starts[0][0])[slot]};

	log_down(peer, m.kind, m.instance);
	if (p->state == PROC_RUNNING)
		ipc_send_ctl_lost(p->master, &m);
}

static void
on_down(struct ipc_peer *peer, void *context)
{
	struct proc *p = context;
	struct ipc_peer **slot = slot_of(p, peer);

	if (slot) {
		channel_lost(p, peer, (size_t)(slot - &p->peers[0][0]));
		*slot = NULL;
	} else {
		control_forget(p, peer);
	}
	tell_down(p, peer);
	ipc_peer_free(&peer);
}

const struct ipc_callbacks peers_callbacks = {on_up, on_message, on_down};

void
peers_replace(struct proc *p, const struct ipc_ctl_peer *m, int fd)
{
	struct ipc_peer **slot, *old;

	if (m->kind >= IPC_KIND_COUNT || m->instance >= SERVICE_INSTANCES_MAX) {
		close(fd);
		return;
	}
	slot = &p->peers[m->kind][m->instance];
	old = *slot;
	*slot = ipc_peer_new(p->base, fd, p->program->kind, p->instance,
			     &peers_callbacks, p);
	ipc_peer_expect(*slot, (enum ipc_kind)m->kind, m->instance);
	p->peer_starts[m->kind][m->instance] = m->start;
	if (!old)
		return;
	tell_down(p, old);
	ipc_peer_free(&old);
}

struct ipc_peer *
proc_peer(struct proc *p, enum ipc_kind kind, uint32_t instance)
{
	struct ipc_peer *peer;

	if (kind >= IPC_KIND_COUNT || instance >= SERVICE_INSTANCES_MAX)
		return NULL;
	peer = p->peers[kind][instance];
	return peer && ipc_peer_is_up(peer) ? peer : NULL;
}

bool
peers_sent_all(struct proc *p)
{
	for (size_t kind = 0; kind < IPC_KIND_COUNT; kind++)
		for (size_t i = 0; i < SERVICE_INSTANCES_MAX; i++)
			if (p->peers[kind][i] &&
			    ipc_queued_bytes(p->peers[kind][i]) > 0)
				return false;
	return true;
}
