/* common/ipc/socket.h - packets with descriptors in and out of a socket
 *
 * Private to this room: shared by the channel and the blocking client.
 */
#pragma once

#include "common/ipc/message.h"

#include <sys/socket.h>

/* More than one is never right; the room is for catching and closing them. */
#define IPC_FDS_MAX 4

union ipc_control {
	char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	struct cmsghdr aligned;
};

/* What came with a packet. */
struct ipc_fds {
	int fd;      /* -1: none */
	bool broken; /* several, or cut off: all were closed */
};

MUST_USE struct ipc_fds ipc_fds_take(struct msghdr *header);

enum ipc_io {
	IPC_IO_DONE,
	IPC_IO_WAIT, /* would block */
	IPC_IO_GONE,
};

/* One packet; fd is -1 for none. Never raises SIGPIPE. */
MUST_USE enum ipc_io ipc_packet_send(int socket, struct span packet, int fd, int flags);
