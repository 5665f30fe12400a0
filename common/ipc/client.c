#include "common/ipc/ipc.h"
#include "common/ipc/socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct ipc_client {
	int fd;
	enum ipc_kind kind;
	struct span rest; /* messages of the last packet not yet taken */
	struct buf out;
	char packet[IPC_PACKET_MAX];
};

static int64_t
ticks_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
fail(struct err *err, int code, const char *text)
{
	err_set(err, "%s", text);
	err->code = code;
	return -1;
}

/* 0 when there is something to read. */
static int
wait_readable(int fd, int64_t until_ms, struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until_ms - ticks_ms();
		int n = left < 0 ? 0 : poll(&p, 1, (int)left);

		if (n > 0)
			return 0;
		if (n == 0)
			return fail(err, ETIMEDOUT, "no answer in time");
		if (errno != EINTR)
			return err_sys(err, "cannot wait for an answer");
	}
}

static int
read_packet(struct ipc_client *client, struct err *err)
{
	struct iovec piece = {client->packet, sizeof(client->packet)};
	union ipc_control control;
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(client->fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct ipc_fds fds = {-1, false};

	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
		return 0;
	if (n < 0)
		return err_sys(err, "cannot read from the server");
	fds = ipc_fds_take(&header);
	if (fds.fd >= 0)
		close(fds.fd);
	if (n == 0)
		return fail(err, ECONNRESET, "the server closed the connection");
	if (fds.fd >= 0 || fds.broken || (header.msg_flags & MSG_TRUNC) != 0)
		return fail(err, EPROTO, "the server sent what does not belong");
	client->rest = span_make(client->packet, (size_t)n);
	return 0;
}

int
ipc_client_receive(struct ipc_client *client, int timeout_ms, struct ipc_message *out,
		   struct err *err)
{
	int64_t until_ms = ticks_ms() + timeout_ms;

	while (client->rest.n == 0)
		if (wait_readable(client->fd, until_ms, err) != 0 ||
		    read_packet(client, err) != 0)
			return -1;
	if (!ipc_decode(&client->rest, out))
		return fail(err, EPROTO,
			    "the server sent a message that cannot be read");
	return 0;
}

int
ipc_client_send(struct ipc_client *client, const struct ipc_message *m, struct err *err)
{
	ASSERT(ipc_number_may_leave(m->number, IPC_KIND_ADMIN));
	ASSERT(!ipc_number_has_fd(m->number));
	buf_reset(&client->out);
	if (!ipc_encode(&client->out, m))
		return fail(err, EMSGSIZE, "the request is too long");
	if (ipc_packet_send(client->fd, buf_span(&client->out), -1, 0) != IPC_IO_DONE)
		return err_sys(err, "cannot send to the server");
	return 0;
}

static int
open_socket(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!span_copy(span_str(path), address.sun_path, sizeof(address.sun_path)))
		return fail(err, ENAMETOOLONG,
			    "the path of the control socket is too long");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		err_sys(err, "%s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int
greet(struct ipc_client *client, int timeout_ms, struct err *err)
{
	struct ipc_message m = {.number = IPC_NUMBER_hello};

	m.hello = (struct ipc_hello){ipc_rows_hash(), IPC_KIND_ADMIN, 0};
	if (ipc_client_send(client, &m, err) != 0 ||
	    ipc_client_receive(client, timeout_ms, &m, err) != 0)
		return -1;
	if (m.number != IPC_NUMBER_hello || m.hello.rows_hash != ipc_rows_hash() ||
	    m.hello.kind >= IPC_KIND_COUNT)
		return fail(err, EPROTO, "the running server is of another version");
	client->kind = (enum ipc_kind)m.hello.kind;
	return 0;
}

struct ipc_client *
ipc_client_connect(const char *path, int timeout_ms, struct err *err)
{
	int fd = open_socket(path, err);
	struct ipc_client *client;

	if (fd < 0)
		return NULL;
	client = memory_new(1, sizeof(*client));
	client->fd = fd;
	client->out = buf_make(IPC_PACKET_MAX);
	if (greet(client, timeout_ms, err) != 0)
		ipc_client_free(&client);
	return client;
}

void
ipc_client_free(struct ipc_client **owner)
{
	struct ipc_client *client = *owner;

	*owner = NULL;
	if (!client)
		return;
	close(client->fd);
	buf_release(&client->out);
	free(client);
}

enum ipc_kind
ipc_client_kind(const struct ipc_client *client)
{
	return client->kind;
}
