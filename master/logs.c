#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define JOURNAL_IDENTIFIER "postroad" /* `postroad trace` looks for it */
#define JOURNAL_PRIORITY   6          /* of lines that do not say theirs */

static const struct logs none = {
    .usual = -1, .destination = -1, .control = -1, .mine = -1, .log = -1};

void
logs_init(struct logs *logs)
{
	*logs = none;
	logs->usual = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
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
open_stderr(struct logs *logs, struct err *err)
{
	logs->form = is_journal(logs->usual) ? LOG_FORM_JOURNAL : LOG_FORM_TIME;
	logs->destination = fcntl(logs->usual, F_DUPFD_CLOEXEC, 3);
	return logs->destination >= 0 ? 0 : err_sys(err, "log_to: no stderr");
}

/* Its time is when the daemon gets it [RFC3164 4.3.2]: only that one knows which zone
 * its files are in. */
static int
open_syslog(struct logs *logs, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	logs->form = LOG_FORM_SYSLOG;
	logs->destination = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (logs->destination < 0 ||
	    connect(logs->destination, (struct sockaddr *)&address, sizeof(address)) !=
		0)
		return err_sys(err, "log_to: no syslog at /dev/log");
	return 0;
}

static int
open_journal(struct logs *logs, struct err *err)
{
	logs->form = LOG_FORM_JOURNAL;
	logs->destination =
	    sd_journal_stream_fd(JOURNAL_IDENTIFIER, JOURNAL_PRIORITY, 1);
	if (logs->destination >= 0)
		return 0;
	errno = -logs->destination;
	logs->destination = -1;
	return err_sys(err, "log_to: no journal");
}

static int
open_file(struct logs *logs, const char *path, struct err *err)
{
	logs->form = LOG_FORM_TIME;
	logs->destination =
	    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	return logs->destination >= 0 ? 0
				      : err_sys(err, "log_to: cannot open %s", path);
}

static int
open_destination(struct logs *logs, const char *log_to, struct err *err)
{
	if (strcmp(log_to, "syslog") == 0)
		return open_syslog(logs, err);
	if (strcmp(log_to, "journal") == 0)
		return open_journal(logs, err);
	if (log_to[0] == '/')
		return open_file(logs, log_to, err);
	return open_stderr(logs, err);
}

static int
open_mine(struct logs *logs, struct err *err)
{
	logs->mine = logger_socket(logs, &logs->log, err);
	return logs->mine >= 0 ? 0 : -1;
}

int
logs_open(struct master *m, struct logs *logs, const struct settings *settings,
	  struct err *err)
{
	struct logs fresh = none;

	fresh.usual = m->logs.usual;
	if (open_destination(&fresh, settings->log_to, err) != 0 ||
	    logger_start(m, &fresh, settings, err) != 0 ||
	    open_mine(&fresh, err) != 0) {
		fresh.usual = -1;
		logs_close(&fresh);
		return -1;
	}
	*logs = fresh;
	return 0;
}

/* A stderr that is gone cannot be had again, but for systemd's. */
static int
open_again(struct logs *logs, const char *log_to, struct err *err)
{
	if (strcmp(log_to, "stderr") == 0 && is_journal(logs->usual))
		return open_journal(logs, err);
	if (strcmp(log_to, "stderr") == 0)
		return err_set(err, "stderr is gone");
	return open_destination(logs, log_to, err);
}

void
logs_mend(struct master *m)
{
	struct logs fresh = none;
	struct err err;

	fresh.usual = m->logs.usual;
	if (open_again(&fresh, m->settings.log_to, &err) == 0) {
		close(m->logs.destination);
		m->logs.destination = fresh.destination;
		m->logs.gone = false;
		logger_redirect(&m->logs);
	} else if (fresh.destination >= 0) {
		close(fresh.destination);
	}
}

void
logs_close(struct logs *logs)
{
	int fds[] = {logs->usual, logs->destination, logs->control, logs->mine,
		     logs->log};

	for (size_t i = 0; i < N_ELEMS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*logs = none;
}

void
logs_use(const struct logs *logs)
{
	sink_flush();
	(void)dup2(logs->mine, STDERR_FILENO);
	sink_set_form(logs->form);
}
