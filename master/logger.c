/* master/logger.c - the program postroad-logger: from sockets to where the log goes
 *
 * What    takes records from the sockets that master hands over, one for each
 *         program, and writes each to descriptor 1, until master has let go of it
 *         and every program that could send is gone. It parses nothing; where the
 *         destination takes datagrams, each line is one. When the destination is
 *         gone the lines wait for another. Complaints go to descriptor 2.
 * Trust   the records are other programs' and may hold anything. What a program
 *         does to its socket touches the socket of no other.
 * Usage   postroad-logger USER RUN_DIRECTORY
 */
#include "common/proc/proc.h"
#include "master/logger.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX      1024
#define RECORD_BYTES_MAX (256u << 10)

static const struct service logger_service = {
    .user = SERVICE_USER_NET,
    .jail = {.empty_root = true,
	     .no_network = true,
	     .no_children = true,
	     .open_files = SOCKETS_MAX + 16,
	     .memory_bytes = 1ull << 30},
};

struct logger {
	struct pollfd polled[1 + SOCKETS_MAX]; /* the first is master's; -1: gone */
	size_t n;
	bool is_socket, is_datagrams; /* the destination */
	bool waits;                   /* for another destination */
	bool complained;
};

static int
enter_jail(char *user, char *run_directory, struct err *err)
{
	struct settings settings = {.user_net = user, .run_directory = run_directory};
	struct jail jail;

	if (jail_prepare(&jail, &logger_service, &settings, err) != 0)
		return -1;
	return jail_enter(&jail, err);
}

/* --- what master says ----------------------------------------------------- */

static void
destination_look(struct logger *l)
{
	int type = 0;
	socklen_t size = sizeof(type);

	l->is_socket =
	    getsockopt(STDOUT_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
	l->is_datagrams = l->is_socket && type == SOCK_DGRAM;
}

static void
destination_take(struct logger *l, int fd)
{
	(void)dup2(fd, STDOUT_FILENO);
	close(fd);
	destination_look(l);
	l->waits = false;
}

static void
socket_add(struct logger *l, int fd)
{
	if (l->n == N_ELEMS(l->polled)) {
		fprintf(stderr, "postroad-logger: too many programs\n");
		close(fd);
		return;
	}
	l->polled[l->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* -1 when none came with it. */
static int
fd_of(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void
take_word(struct logger *l)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control;
	char word = 0;
	struct iovec piece = {&word, 1};
	struct msghdr m = {.msg_iov = &piece,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(STDIN_FILENO, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd = n == 1 ? fd_of(&m) : -1;

	if (fd >= 0 && word == LOGGER_WRITE)
		destination_take(l, fd);
	else if (fd >= 0)
		socket_add(l, fd);
	else if (n == 0)
		l->polled[0].fd = -1;
}

/* --- writing -------------------------------------------------------------- */

static void
complain(struct logger *l, const char *what)
{
	if (!l->complained)
		fprintf(stderr, "postroad-logger: %s: %s\n", what,
			strerrordesc_np(errno));
	l->complained = true;
}

/* False when there will be none, for master is gone. Nothing is read meanwhile, so
 * lines wait where they are. */
static bool
wait_for_another(struct logger *l)
{
	struct pollfd master = {.fd = STDIN_FILENO, .events = POLLIN};
	char word = LOGGER_GONE;

	complain(l, "nobody takes the log, lines wait");
	if (send(STDIN_FILENO, &word, 1, MSG_NOSIGNAL) != 1)
		return false;
	l->waits = true;
	while (l->waits && l->polled[0].fd >= 0)
		if (poll(&master, 1, -1) > 0)
			take_word(l);
	return !l->waits;
}

static bool
wait_for_room(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, -1) > 0 || errno == EINTR;
}

static bool
try_again(struct logger *l)
{
	switch (errno) {
	case EINTR:
		return true;
	case EAGAIN:
		return wait_for_room();
	case EMSGSIZE:
	case ENOBUFS:
	case ENOMEM:
		return false;
	default:
		return l->is_socket && wait_for_another(l);
	}
}

/* Whole or not at all would be best; a full disk may cut the last line. */
static void
put(struct logger *l, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes.at, bytes.n);

		if (n >= 0) {
			bytes = span_after(bytes, (size_t)n);
		} else if (!try_again(l)) {
			complain(l, "lines are lost");
			return;
		}
	}
	l->complained = false;
}

static void
put_record(struct logger *l, struct span record)
{
	if (!l->is_datagrams)
		put(l, record);
	while (l->is_datagrams && record.n > 0)
		put(l, span_cut(&record, '\n'));
}

/* --- reading -------------------------------------------------------------- */

/* False at the end of this socket. An empty record looks like one: who sends that has
 * only itself to blame. */
static bool
take_record(struct logger *l, int fd)
{
	static char bytes[RECORD_BYTES_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		put_record(l, span_make(bytes, (size_t)n));
	return n > 0 ||
	       (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET));
}

/* One record of each that has any, so that nobody keeps the others waiting. */
static void
turn(struct logger *l)
{
	if (poll(l->polled, l->n, -1) < 0)
		return;
	for (size_t i = l->n - 1; i > 0; i--) {
		int fd = l->polled[i].fd;

		if (l->polled[i].revents == 0 || take_record(l, fd))
			continue;
		close(fd);
		l->polled[i] = l->polled[--l->n];
	}
	if (l->polled[0].revents != 0)
		take_word(l);
}

int
main(int argc, char **argv)
{
	static struct logger l = {.polled = {{.fd = STDIN_FILENO, .events = POLLIN}},
				  .n = 1};
	struct err err;

	/* The last lines of a stop are still to come. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (argc != 3)
		return 2;
	if (enter_jail(argv[1], argv[2], &err) != 0) {
		fprintf(stderr, "postroad-logger: %s\n", err.text);
		return 1;
	}
	destination_look(&l);
	while (l.n > 1 || l.polled[0].fd >= 0)
		turn(&l);
	return 0;
}
