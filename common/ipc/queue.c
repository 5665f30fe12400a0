#include "common/ipc/ipc.h"
#include "common/ipc/queue.h"

#include <unistd.h>

/* Each keeps its 64 KiB; a process with many busy peers needs a few at a time. */
#define SPARES_MAX 16

static struct ipc_packet *spares;
static size_t spares_n;

static struct ipc_packet *
packet_new(void)
{
	struct ipc_packet *packet = spares;

	if (packet) {
		spares = packet->next;
		spares_n--;
	} else {
		packet = memory_new(1, sizeof(*packet));
		buf_init(&packet->bytes, IPC_PACKET_MAX);
	}
	packet->next = NULL;
	packet->fd = -1;
	packet->closed = false;
	return packet;
}

static void
packet_free(struct ipc_packet *packet)
{
	if (packet->fd >= 0)
		close(packet->fd);
	if (spares_n == SPARES_MAX) {
		buf_release(&packet->bytes);
		free(packet);
		return;
	}
	buf_reset(&packet->bytes);
	packet->next = spares;
	spares = packet;
	spares_n++;
}

struct ipc_packet *
ipc_queue_open_new(struct ipc_queue *q)
{
	struct ipc_packet *packet = packet_new();

	if (q->last) {
		q->last->closed = true;
		q->last->next = packet;
	} else {
		q->first = packet;
	}
	q->last = packet;
	return packet;
}

struct ipc_packet *
ipc_queue_open(struct ipc_queue *q)
{
	return q->last && !q->last->closed ? q->last : ipc_queue_open_new(q);
}

void
ipc_queue_drop_first(struct ipc_queue *q)
{
	struct ipc_packet *packet = q->first;

	q->first = packet->next;
	if (!q->first)
		q->last = NULL;
	q->bytes -= packet->bytes.n;
	packet_free(packet);
}

void
ipc_queue_release(struct ipc_queue *q)
{
	while (q->first)
		ipc_queue_drop_first(q);
}
