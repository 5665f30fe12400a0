/* master/logger.c - the program postroad-logger: from a socket into a file
 *
 * What    takes records from descriptor 0 and appends each to descriptor 1, both
 *         opened by master, until every program that could send is gone. It
 *         parses nothing. Complaints go to descriptor 2.
 * Trust   the records are other programs' and may hold anything.
 * Usage   postroad-logger USER RUN_DIRECTORY
 */
#include "common/proc/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct service logger_service = {
    .user = SERVICE_USER_NET,
    .jail = {.empty_root = true,
	     .no_network = true,
	     .no_children = true,
	     .open_files = 16,
	     .memory_bytes = 1ull << 30},
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

/* Whole or not at all would be best; a full disk may cut the last line. */
static int
append(struct span record, struct err *err)
{
	while (record.n > 0) {
		ssize_t n = write(STDOUT_FILENO, record.at, record.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "postroad-logger: lines are lost");
		record = span_after(record, (size_t)n);
	}
	return 0;
}

/* False at the end. */
static bool
take_record(char *bytes, size_t size)
{
	static bool complained;
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	struct err err;
	ssize_t n;

	if (poll(&p, 1, -1) < 0)
		return errno == EINTR;
	n = recv(STDIN_FILENO, bytes, size, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNRESET;
	if (n == 0)
		return false;
	if (append(span_make(bytes, (size_t)n), &err) == 0) {
		complained = false;
	} else if (!complained) {
		complained = true;
		fprintf(stderr, "%s\n", err.text);
	}
	return true;
}

int
main(int argc, char **argv)
{
	static char bytes[256u << 10];
	struct err err;

	/* The last lines of a stop are still to come: only the end of the socket
	 * ends it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (argc != 3)
		return 2;
	if (enter_jail(argv[1], argv[2], &err) != 0) {
		fprintf(stderr, "postroad-logger: %s\n", err.text);
		return 1;
	}
	while (take_record(bytes, sizeof(bytes)))
		continue;
	return 0;
}
