/* common/ipc/channel.h - one SOCK_SEQPACKET channel between two programs
 *
 * Sending only fills a packet in memory; the packet goes out when it is full or
 * when ipc_flush_all() runs, which common/proc calls once at the end of each
 * turn of the loop. So messages sent in one turn share one system call.
 *
 * The first message in both directions is hello; ipc sends and checks it. No
 * other message reaches the callbacks before it.
 *
 * Callbacks run from the event loop only, never from within a call into this
 * room. ipc_peer_free() may be called anywhere, also in a callback of the same
 * peer. Used by one thread of a process only.
 */
#pragma once

#include "common/ipc/message.h"

struct event_base;
struct ipc_peer;

/* What may wait for a reader who does not read; beyond it the peer goes down. */
#define IPC_QUEUE_BYTES_MAX (16u << 20)
/* Packets taken from one peer in one turn, so that none starves the others. */
#define IPC_PACKETS_PER_TURN 8
/* What both ends of a socket pair should be given as SO_SNDBUF. */
#define IPC_SOCKET_BYTES (1 << 20)

struct ipc_callbacks {
	/* The other side said hello; its kind and instance are known now. */
	void (*up)(struct ipc_peer *peer, void *context);
	/* Spans in m live until the callback returns. fd is -1, or for a row with
	 * FD a descriptor (close-on-exec) that now belongs to the callback. */
	void (*message)(struct ipc_peer *peer, void *context,
			const struct ipc_message *m, int fd);
	/* The channel is closed and stays so; ipc_peer_fault() says why. Free the
	 * peer, here or later. Called once; not after ipc_peer_free(). */
	void (*down)(struct ipc_peer *peer, void *context);
};

/* Takes fd, which is made non-blocking and close-on-exec. Never null. */
MUST_USE struct ipc_peer *
ipc_peer_new(struct event_base *base, int fd, enum ipc_kind me, uint32_t my_instance,
	     const struct ipc_callbacks *callbacks, void *context);

/* Closes at once; what is queued but not sent is lost, so flush before. */
void ipc_peer_free(struct ipc_peer **peer);

/* The other side must say it is this; without the call any kind and instance
 * will do. Call it right after ipc_peer_new(). */
void ipc_peer_expect(struct ipc_peer *peer, enum ipc_kind kind, uint32_t instance);
/* Only a kind, any instance. */
void ipc_peer_expect_kind(struct ipc_peer *peer, enum ipc_kind kind);

/* Stops and goes on reading from the peer; sending goes on. A few messages that
 * were read before may still arrive. */
void ipc_peer_pause(struct ipc_peer *peer, bool paused);

/* The program itself found a message that breaks the rules. down() follows from
 * the loop; `fault` must live on. */
void ipc_peer_drop(struct ipc_peer *peer, const char *fault);

/* One function a row: ipc_send_NAME(peer, &message), for a row with FD
 * ipc_send_NAME(peer, &message, fd), which sends a duplicate: fd stays the
 * caller's. What a closed peer is sent is dropped. A message that is too long,
 * or a queue that is full, takes the peer down (later, by the callback). */
#define IPC_SEND_true(name)                                                            \
	void ipc_send_##name(struct ipc_peer *peer, const struct ipc_##name *m, int fd);
#define IPC_SEND_false(name)                                                           \
	void ipc_send_##name(struct ipc_peer *peer, const struct ipc_##name *m);
#define IPC_SEND_ROW(number, name, from, to, fd) IPC_SEND_##fd(name)
IPC_ROWS(IPC_SEND_ROW)
#undef IPC_SEND_ROW
#undef IPC_SEND_true
#undef IPC_SEND_false

/* The same for a message of any kind; fd is -1 where none belongs. */
void ipc_send(struct ipc_peer *peer, const struct ipc_message *m, int fd);

/* Sent by the program, not yet taken by the kernel. */
MUST_USE size_t ipc_queued_bytes(const struct ipc_peer *peer);

void ipc_flush(struct ipc_peer *peer);
/* All peers of this process that have something to send. */
void ipc_flush_all(void);

/* Known after up(); IPC_KIND_COUNT and 0 before. */
MUST_USE enum ipc_kind ipc_peer_kind(const struct ipc_peer *peer);
MUST_USE uint32_t ipc_peer_instance(const struct ipc_peer *peer);
MUST_USE bool ipc_peer_is_up(const struct ipc_peer *peer);

/* For the owner's own notes about a peer; null at first. */
MUST_USE void *ipc_peer_note(const struct ipc_peer *peer);
void ipc_peer_set_note(struct ipc_peer *peer, void *note);

/* Why the channel went down: a text of ours, such as "closed by the other side".
 * `broken` is true when the other side broke the rules, which is worth a warning. */
MUST_USE const char *ipc_peer_fault(const struct ipc_peer *peer, bool *broken);

/* Close-on-exec, buffers of IPC_SOCKET_BYTES. */
MUST_USE int ipc_pair(int fds[2], struct err *err);
