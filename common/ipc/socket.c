#include "common/ipc/ipc.h"
#include "common/ipc/socket.h"

#include <errno.h>
#include <unistd.h>

static void
fd_add(struct ipc_fds *fds, int fd)
{
	if (fds->fd < 0 && !fds->broken) {
		fds->fd = fd;
		return;
	}
	close(fd);
	if (fds->fd >= 0)
		close(fds->fd);
	*fds = (struct ipc_fds){-1, true};
}

struct ipc_fds
ipc_fds_take(struct msghdr *header)
{
	struct ipc_fds fds = {-1, false};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			fd_add(&fds, fd);
		}
	}
	if ((header->msg_flags & MSG_CTRUNC) != 0) {
		if (fds.fd >= 0)
			close(fds.fd);
		fds = (struct ipc_fds){-1, true};
	}
	return fds;
}

static void
control_put(struct msghdr *header, union ipc_control *control, int fd)
{
	struct cmsghdr *c;

	*control = (union ipc_control){0};
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(int));
	c = CMSG_FIRSTHDR(header);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

enum ipc_io
ipc_packet_send(int socket, struct span packet, int fd, int flags)
{
	struct iovec piece = {(void *)(uintptr_t)packet.at, packet.n};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
	union ipc_control control;

	if (fd >= 0)
		control_put(&header, &control, fd);
	for (;;) {
		if (sendmsg(socket, &header, flags | MSG_NOSIGNAL) >= 0)
			return IPC_IO_DONE;
		if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
			return IPC_IO_WAIT;
		if (errno != EINTR)
			return IPC_IO_GONE;
	}
}

/* Root may go beyond the system's usual limit; others get what they can. */
static void
buffers_set(int fd)
{
	int bytes = IPC_SOCKET_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int
ipc_pair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       fds) != 0)
		return err_sys(err, "cannot make a socket pair");
	buffers_set(fds[0]);
	buffers_set(fds[1]);
	return 0;
}
