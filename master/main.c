#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_USUAL     "/etc/postroad/postroad.conf"
#define PORT_PATIENCE_MS 2000
#define PORT_STEP_MS     50

static int
arguments_read(struct master *m, int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
            {NULL,     0,                 NULL, 0  }
        };
	const char *path = CONFIG_USUAL;
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c != 'c')
			return -1;
		path = optarg;
	}
	if (optind != argc) {
		fprintf(stderr, "usage: postroad-master [--config FILE]\n");
		return -1;
	}
	/* From here on the working directory is another. */
	if (!realpath(path, m->config_path) &&
	    !span_copy(span_str(path), m->config_path, sizeof(m->config_path)))
		return -1;
	return 0;
}

/* A descriptor below 3 that is closed would be taken by a file of ours. */
static void
standard_fds_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
}

static int
settings_load(struct master *m)
{
	struct buf text = buf_make(CONF_FILE_BYTES_MAX);
	struct conf_errors errors;
	char hostname[256] = "localhost";
	int result;

	(void)gethostname(hostname, sizeof(hostname) - 1);
	result = conf_load(m->config_path, hostname, &text, &m->settings, &errors);
	for (size_t i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", errors.at[i].text);
	conf_errors_release(&errors);
	buf_release(&text);
	return result;
}

/* Sockets of a master that was killed may live on for a moment: those on their way to
 * a program are closed by the kernel in its own time. */
static int
ports_open(struct master *m, struct err *err)
{
	const struct timespec step = {0, PORT_STEP_MS * 1000000};

	for (int waited = 0; waited < PORT_PATIENCE_MS; waited += PORT_STEP_MS) {
		if (listeners_open(&m->listeners, &m->settings, NULL, err) == 0)
			return 0;
		if (err->code != EADDRINUSE)
			return -1;
		nanosleep(&step, NULL);
	}
	return -1;
}

/* Everything that can be wrong on this machine, before anything is started. */
static int
prepare(struct master *m, struct err *err)
{
	if (libexec_find(m, err) != 0 || directories_make(m, err) != 0 ||
	    lock_take(m, err) != 0)
		return -1;
	if (texts_open(&m->texts, &m->settings, err) != 0 ||
	    files_open(m, &m->files, &m->settings, err) != 0 ||
	    files_open_policies(&m->policies_fd, &m->settings, err) != 0 ||
	    ports_open(m, err) != 0)
		return -1;
	return logs_open(m, &m->logs, &m->settings, err);
}

static void
log_listeners(const struct master *m)
{
	for (size_t i = 0; i < m->listeners.n; i++) {
		struct buf address = buf_make(300);

		listener_address(&m->listeners.at[i], &address);
		logline(LOGLINE_INFO, "master.listen",
			L_STR("name", m->listeners.at[i].name),
			L_SPAN("address", buf_span(&address)));
		buf_release(&address);
	}
	if (!*m->settings.tls_certificate)
		logline(LOGLINE_WARNING, "master.no_tls",
			L_STR("why", "tls_certificate is not set"));
}

static void
on_signal(int number, short what, void *context)
{
	struct master *m = context;
	struct buf told = buf_make(1);

	(void)what;
	switch (number) {
	case SIGCHLD:
		processes_reap(m);
		break;
	case SIGHUP:
		if (reload(m, &told) != 0)
			logline(LOGLINE_ERROR, "master.reload_failed",
				L_STR("file", m->config_path));
		break;
	default:
		/* A second one means: at once. */
		stop_begin(m, m->stopping);
		break;
	}
	buf_release(&told);
}

/* One that comes before there is a loop waits for it, in place of ending master. */
static void
reload_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(how, &set, NULL);
}

static void
signals_start(struct master *m)
{
	static const int numbers[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < N_ELEMS(numbers); i++) {
		m->signals[i] = evsignal_new(m->base, numbers[i], on_signal, m);
		ASSERT(m->signals[i] && event_add(m->signals[i], NULL) == 0);
	}
	reload_signal(SIG_UNBLOCK);
}

static void
on_ping(int fd, short what, void *context)
{
	struct master *m = context;

	(void)fd, (void)what;
	processes_ping(m);
	logger_watch(m);
}

static void
timers_start(struct master *m)
{
	struct timeval every = {PING_EVERY_S, 0};

	m->ping_timer = event_new(m->base, -1, EV_PERSIST, on_ping, m);
	ASSERT(m->ping_timer && event_add(m->ping_timer, &every) == 0);
	notify_start(m);
}

static void
processes_start(struct master *m)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	processes_init(m, cores > 0 ? (uint32_t)cores : 1);
	for (size_t i = 0; i < m->n; i++)
		process_start(&m->processes[i]);
}

static void
loop(struct master *m)
{
	while (!m->done) {
		ipc_flush_all();
		sink_flush();
		ASSERT(event_base_loop(m->base, EVLOOP_ONCE) >= 0);
	}
	logline(LOGLINE_INFO, "master.end");
	sink_flush();
}

static void
release(struct master *m)
{
	struct event *const events[] = {m->ping_timer, m->watchdog_timer,
					m->stop_timer};

	control_close(m);
	processes_release(m);
	listeners_close(&m->listeners);
	files_close(&m->files);
	close(m->policies_fd);
	texts_close(&m->texts);
	for (size_t i = 0; i < N_ELEMS(events); i++)
		if (events[i])
			event_free(events[i]);
	for (size_t i = 0; i < N_ELEMS(m->signals); i++)
		if (m->signals[i])
			event_free(m->signals[i]);
	event_base_free(m->base);
	/* What is said after this goes to where master was started from. */
	(void)dup2(m->logs.usual, STDERR_FILENO);
	logs_close(&m->logs);
	logger_wait();
	lock_release(m);
	conf_release(&m->settings);
}

static int
run(struct master *m)
{
	struct err err;

	m->base = event_base_new();
	ASSERT(m->base);
	if (prepare(m, &err) != 0 || control_open(m, &err) != 0) {
		fprintf(stderr, "postroad-master: %s\n", err.text);
		return 1;
	}
	logs_use(&m->logs);
	sink_start("master");
	logline_set_level((enum logline_level)m->settings.log_level);
	logline(LOGLINE_INFO, "master.start", L_STR("file", m->config_path));
	log_listeners(m);
	signals_start(m);
	timers_start(m);
	processes_start(m);
	loop(m);
	release(m);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct master m;

	reload_signal(SIG_BLOCK);
	m.started_ms = proc_ticks_ms();
	m.texts = (struct texts){
	    {-1, -1}
        };
	m.lock_fd = m.life_fd = m.policies_fd = -1;
	m.files = (struct files){-1, -1};
	standard_fds_open();
	logs_init(&m.logs);
	if (arguments_read(&m, argc, argv) != 0)
		return 2;
	if (settings_load(&m) != 0)
		return 1;
	umask(022);
	if (chdir("/") != 0)
		return 1;
	return run(&m);
}
