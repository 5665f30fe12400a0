/* common/ipc/queue.h - packets on their way out
 *
 * Private to this room. Messages are put into the last packet until one does
 * not fit. Packets are recycled, so that sending allocates nothing once warm.
 */
#pragma once

#include "common/ipc/message.h"

struct ipc_packet {
	struct ipc_packet *next;
	struct buf bytes;
	int fd;      /* -1 for none; ours */
	bool closed; /* takes no further message */
};

struct ipc_queue {
	struct ipc_packet *first, *last;
	size_t bytes;
};

/* An open packet at the end; opened when there is none. */
MUST_USE struct ipc_packet *ipc_queue_open(struct ipc_queue *q);
/* A new open packet at the end, whatever was there; the one before is closed. */
MUST_USE struct ipc_packet *ipc_queue_open_new(struct ipc_queue *q);
/* The first is done with: its descriptor is closed. */
void ipc_queue_drop_first(struct ipc_queue *q);
void ipc_queue_release(struct ipc_queue *q);
