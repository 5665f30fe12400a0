#include "master/logger.h"
#include "master/master.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOGGER_WAIT_MS 3000
#define LOGGER_STEP_MS 5

/* No program has what the log is written to: those that face the network may not write
 * files (see common/proc/jail.h), and what several share any of them could spoil for
 * all. Each has a socket of its own to postroad-logger, for its whole life. Master
 * keeps the logger's ends, so that one that died can be replaced and no line is lost.
 */

/* A logger that is dead is replaced, and then given all. One that has not listened for
 * a thousand starts of programs misses some. */
static void
say(const struct logs *logs, enum logger_word word, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = {{0}};
	char byte = (char)word;
	struct iovec piece = {&byte, 1};
	struct msghdr m = {.msg_iov = &piece,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	(void)sendmsg(logs->control, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
logger_socket(struct logs *logs, int *kept, struct err *err)
{
	int pair[2];

	if (ipc_pair(pair, err) != 0)
		return -1;
	say(logs, LOGGER_READ, pair[0]);
	if (*kept >= 0)
		close(*kept);
	*kept = pair[0];
	return pair[1];
}

void
logger_redirect(const struct logs *logs)
{
	say(logs, LOGGER_WRITE, logs->destination);
}

int
logger_start(struct master *m, struct logs *logs, const struct settings *settings,
	     struct err *err)
{
	const char *arguments[] = {settings->user_net, settings->run_directory, NULL};
	struct spawn s = {
	    "logger", arguments, {-1, logs->destination, logs->usual, -1, -1}
        };
	int pair[2];
	pid_t pid;

	if (ipc_pair(pair, err) != 0)
		return -1;
	s.fds[0] = pair[1];
	pid = spawn(m, &s, err);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -1;
	}
	if (logs->control >= 0)
		close(logs->control);
	logs->control = pair[0];
	logs->logger = pid;
	logs->gone = false;
	return 0;
}

bool
logger_ended(struct master *m, pid_t pid, int status)
{
	/* An earlier one has written all it had and ends when nobody is left. */
	if (pid != m->logs.logger)
		return status == 0;
	logline(LOGLINE_ERROR, "logger.end", L_I64("pid", pid),
		L_I64("status", status));
	m->logs.logger = 0;
	return true;
}

static void
start_again(struct master *m)
{
	struct err err;

	if (logger_start(m, &m->logs, &m->settings, &err) != 0) {
		logline(LOGLINE_ERROR, "logger.start", L_ERR(&err));
		return;
	}
	say(&m->logs, LOGGER_READ, m->logs.log);
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].log >= 0)
			say(&m->logs, LOGGER_READ, m->processes[i].log);
}

/* Lines wait meanwhile, so this comes with them. */
static void
listen_to(struct logs *logs)
{
	char word;

	if (logs->gone || recv(logs->control, &word, 1, MSG_DONTWAIT) != 1)
		return;
	logs->gone = true;
	logline(LOGLINE_WARNING, "logger.waits");
}

void
logger_watch(struct master *m)
{
	if (m->logs.logger == 0)
		start_again(m);
	else
		listen_to(&m->logs);
	if (m->logs.gone)
		logs_mend(m);
}

/* Ends when the last writer has closed, which is about now; nobody waits long for
 * a disk that hangs. */
void
logger_wait(void)
{
	const struct timespec step = {0, LOGGER_STEP_MS * 1000000};

	for (int waited = 0; waited < LOGGER_WAIT_MS; waited += LOGGER_STEP_MS) {
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		nanosleep(&step, NULL);
	}
}
