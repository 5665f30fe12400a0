/* common/proc/state.h - what struct proc is made of
 *
 * Private to this room: main.c (start, loop, end), orders.c (what master says),
 * peers.c (channels), control.c (the control socket).
 */
#pragma once

#include "common/proc/proc.h"
#include "common/proc/workers.h"

struct event;

#define CONTROL_SOCKETS_MAX 4
#define CONTROL_PEERS_MAX   64
#define STATUS_BYTES_MAX    60000

struct control_socket {
	int fd;
	struct event *readable;
};

enum proc_state {
	PROC_NEW, /* not started yet */
	PROC_RUNNING,
	PROC_DRAINING,
	PROC_DRAINED, /* leaves once its channels have taken everything */
	PROC_FAILED,
};

struct proc {
	const struct proc_program *program;
	const struct service *service;
	enum proc_state state;
	uint32_t instance;
	struct event_base *base;
	struct settings settings;
	uint32_t counts[IPC_KIND_COUNT];
	struct ipc_peer *master;
	struct ipc_peer *peers[IPC_KIND_COUNT][SERVICE_INSTANCES_MAX];
	/* Which start of the other program each of them leads to. */
	uint64_t peer_starts[IPC_KIND_COUNT][SERVICE_INSTANCES_MAX];
	struct ipc_peer *controls[CONTROL_PEERS_MAX];
	struct control_socket sockets[CONTROL_SOCKETS_MAX];
	struct workers *workers;
	unsigned threads;
	uint64_t started_ms;
	void *context;
};

/* The only place that changes p->state. */
void proc_enter(struct proc *p, enum proc_state to);

/* Called with every message of master's. */
void
orders_take(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd);

/* A fresh channel; an earlier one to the same is closed and told first. Takes fd. */
void peers_replace(struct proc *p, const struct ipc_ctl_peer *m, int fd);
/* True when no channel has anything left to send. */
MUST_USE bool peers_sent_all(struct proc *p);
extern const struct ipc_callbacks peers_callbacks;

/* Takes fd, a listening socket for the admin command. */
void control_listen(struct proc *p, int fd);
/* A control peer is gone. */
void control_forget(struct proc *p, struct ipc_peer *peer);

void proc_answer_status(struct proc *p, struct ipc_peer *peer, uint64_t tag);
