/* common/ipc/peer.h - what a channel is made of
 *
 * Private to this room: peer.c (life and death), send.c (out), receive.c (in).
 */
#pragma once

#include "common/ipc/channel.h"
#include "common/ipc/queue.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

enum ipc_peer_state {
	IPC_PEER_NEW, /* no hello from the other side yet */
	IPC_PEER_UP,
	IPC_PEER_DOWN, /* closed; the owner is told by the loop */
};

struct ipc_peer {
	enum ipc_peer_state state;
	int fd;
	enum ipc_kind me;
	uint32_t my_instance;
	enum ipc_kind kind;
	uint32_t instance;
	uint32_t expect_kinds;   /* a bit for each */
	int64_t expect_instance; /* -1: any */
	const struct ipc_callbacks *callbacks;
	void *context;
	void *note;
	struct event readable, writable, fallen;
	struct ipc_queue out;
	bool waiting; /* for the socket to take more */
	bool mute;    /* the other side reads no more; what it sent is still read */
	bool dirty;   /* is in the list of ipc_flush_all() */
	bool busy;    /* its callbacks are running */
	bool freed;   /* by its owner while busy */
	bool broken;
	const char *fault;
	LIST_ENTRY(ipc_peer) dirties;
};

/* Closes the channel now; down() is called by the loop. */
void ipc_peer_fail(struct ipc_peer *peer, const char *fault, bool broken);
/* Frees what ipc_peer_free() left because the peer was busy. */
void ipc_peer_end(struct ipc_peer *peer);

void ipc_peer_on_readable(int fd, short what, void *context);
void ipc_peer_on_writable(int fd, short what, void *context);

void ipc_dirty_add(struct ipc_peer *peer);
void ipc_dirty_remove(struct ipc_peer *peer);
