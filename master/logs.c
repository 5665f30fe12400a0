#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LOGGER_WAIT_MS 3000
#define LOGGER_STEP_MS 5

/* No program writes to a file: those that face the network may not (see
 * common/proc/jail.h), and an open log file is not theirs to have. A file is
 * written by postroad-logger, which takes whole records from a socket that all
 * programs have as their stderr. Master keeps both ends of that socket, so the
 * logger can be replaced (a reload, a crash) and no line is lost. */

void
logs_init(struct logs *logs)
{
	*logs = (struct logs){.usual = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3),
			      .program = -1,
			      .pipe = -1,
			      .file = -1};
}

static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* systemd says in JOURNAL_STREAM which device and inode its stream is. */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (!stream || fstat(fd, &st) != 0)
		return false;
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(stream, text) == 0;
}

static int
open_pipe(struct logs *logs, struct err *err)
{
	int pair[2];

	if (ipc_pair(pair, err) != 0)
		return -1;
	logs->pipe = pair[0];
	logs->program = pair[1];
	return 0;
}

static int
open_stderr(struct logs *logs, int usual, struct err *err)
{
	if (is_regular(usual)) {
		logs->file = fcntl(usual, F_DUPFD_CLOEXEC, 3);
		return open_pipe(logs, err);
	}
	logs->form = is_journal(usual) ? LOG_FORM_JOURNAL : LOG_FORM_TIME;
	logs->program = fcntl(usual, F_DUPFD_CLOEXEC, 3);
	return 0;
}

static int
open_syslog(struct logs *logs, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	logs->form = LOG_FORM_SYSLOG;
	logs->program = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (logs->program < 0 ||
	    connect(logs->program, (struct sockaddr *)&address, sizeof(address)) != 0)
		return err_sys(err, "log_to: no syslog at /dev/log");
	return 0;
}

static int
open_journal(struct logs *logs, struct err *err)
{
	logs->form = LOG_FORM_JOURNAL;
	logs->program = sd_journal_stream_fd("postroad", 6, 1);
	if (logs->program >= 0)
		return 0;
	errno = -logs->program;
	return err_sys(err, "log_to: no journal");
}

static int
open_file(struct logs *logs, const char *path, struct err *err)
{
	logs->file =
	    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (logs->file < 0)
		return err_sys(err, "log_to: cannot open %s", path);
	return open_pipe(logs, err);
}

static int
open_destination(struct logs *logs, const char *log_to, int usual, struct err *err)
{
	if (strcmp(log_to, "syslog") == 0)
		return open_syslog(logs, err);
	if (strcmp(log_to, "journal") == 0)
		return open_journal(logs, err);
	if (log_to[0] == '/')
		return open_file(logs, log_to, err);
	return open_stderr(logs, usual, err);
}

static int
start_logger(struct master *m, struct logs *logs, const struct settings *settings,
	     struct err *err)
{
	const char *arguments[] = {settings->user_net, settings->run_directory, NULL};
	struct spawn s = {
	    "logger", arguments, {logs->pipe, logs->file, logs->usual, -1, -1}
        };

	logs->logger = 0;
	if (logs->pipe < 0)
		return 0;
	logs->logger = spawn(m, &s, err);
	if (logs->logger > 0)
		return 0;
	logs->logger = 0;
	return -1;
}

int
logs_open(struct master *m, struct logs *logs, const struct settings *settings,
	  struct err *err)
{
	struct logs fresh = {
	    .usual = m->logs.usual, .program = -1, .pipe = -1, .file = -1};

	if (open_destination(&fresh, settings->log_to, m->logs.usual, err) != 0 ||
	    start_logger(m, &fresh, settings, err) != 0) {
		fresh.usual = -1;
		logs_close(&fresh);
		return -1;
	}
	*logs = fresh;
	return 0;
}

/* Ends when the last writer has closed, which is about now; nobody waits long for
 * a disk that hangs. */
void
logs_wait(void)
{
	const struct timespec step = {0, LOGGER_STEP_MS * 1000000};

	for (int waited = 0; waited < LOGGER_WAIT_MS; waited += LOGGER_STEP_MS) {
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		nanosleep(&step, NULL);
	}
}

bool
logs_logger_ended(struct master *m, pid_t pid, int status)
{
	/* An earlier one has written all it had and ends when nobody is left. */
	if (pid != m->logs.logger)
		return status == 0;
	logline(LOGLINE_ERROR, "logger.end", L_I64("pid", pid),
		L_I64("status", status));
	m->logs.logger = 0;
	return true;
}

void
logs_watch(struct master *m)
{
	struct err err;

	if (m->logs.logger == 0 && start_logger(m, &m->logs, &m->settings, &err) != 0)
		logline(LOGLINE_ERROR, "logger.start", L_ERR(&err));
}

void
logs_close(struct logs *logs)
{
	int fds[] = {logs->usual, logs->program, logs->pipe, logs->file};

	for (size_t i = 0; i < N_ELEMS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*logs = (struct logs){.usual = -1, .program = -1, .pipe = -1, .file = -1};
}

void
logs_use(const struct logs *logs)
{
	sink_flush();
	(void)dup2(logs->program, STDERR_FILENO);
	sink_set_form(logs->form);
}
