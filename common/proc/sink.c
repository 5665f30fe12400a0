#include "common/proc/sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SINK_BYTES_MAX   (128u << 10)
#define SINK_BYTES_FLUSH (32u << 10)
#define SINK_WAIT_MS     1000 /* for a reader of stderr that does not read */

static struct {
	pthread_mutex_t lock;
	const char *name;
	enum log_form form;
	struct buf lines;
	struct buf line; /* the one being formatted */
	time_t second;   /* of which `stamp` is the text */
	char stamp[24];
	uint64_t lost; /* lines that could not be written */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER,
	  .lines = {.max = SINK_BYTES_MAX},
	  .line = {.max = LOGLINE_MAX + 128}};

/* False when nobody takes the bytes; the rest is then lost, and counted. */
static bool
write_all(struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(STDERR_FILENO, bytes.at, bytes.n);
		struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

		if (n >= 0)
			bytes = span_after(bytes, (size_t)n);
		else if (errno == EAGAIN && poll(&p, 1, SINK_WAIT_MS) > 0)
			continue;
		else if (errno != EINTR)
			return false;
	}
	return true;
}

static size_t
count_lines(struct span bytes)
{
	size_t n = 0;

	while (bytes.n > 0) {
		(void)span_cut(&bytes, '\n');
		n++;
	}
	return n;
}

static void
write_syslog(struct span bytes)
{
	while (bytes.n > 0) {
		struct span line = span_cut(&bytes, '\n');

		if (!write_all(line))
			sink.lost++;
	}
}

static void
flush_locked(void)
{
	struct span bytes = buf_span(&sink.lines);

	if (bytes.n == 0)
		return;
	if (sink.form == LOG_FORM_SYSLOG)
		write_syslog(bytes);
	else if (!write_all(bytes))
		sink.lost += count_lines(bytes);
	buf_reset(&sink.lines);
}

static void
stamp_put(struct buf *out)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != sink.second || !sink.stamp[0]) {
		sink.second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		strftime(sink.stamp, sizeof(sink.stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	buf_putf(out, "%s.%06ldZ ", sink.stamp, now.tv_nsec / 1000);
}

static void
head_put(enum logline_level level, struct buf *out)
{
	static const int priorities[] = {3, 4, 6, 7};
	const int facility_mail = 2 << 3;
	int pid = getpid();

	switch (sink.form) {
	case LOG_FORM_JOURNAL:
		buf_putf(out, "<%d>%s[%d] ", priorities[level], sink.name, pid);
		break;
	case LOG_FORM_SYSLOG:
		buf_putf(out,
			 "<%d>postroad-%s[%d]: ", facility_mail + priorities[level],
			 sink.name, pid);
		break;
	default:
		stamp_put(out);
		buf_putf(out, "%s[%d] ", sink.name, pid);
		break;
	}
}

static void
line_add(enum logline_level level, struct span text)
{
	buf_reset(&sink.line);
	head_put(level, &sink.line);
	buf_put(&sink.line, text);
	buf_put_char(&sink.line, '\n');
	if (!buf_room(&sink.lines, sink.line.n))
		flush_locked();
	buf_put(&sink.lines, buf_span(&sink.line));
}

static void
take_line(enum logline_level level, struct span text)
{
	pthread_mutex_lock(&sink.lock);
	line_add(level, text);
	if (sink.lines.n >= SINK_BYTES_FLUSH)
		flush_locked();
	pthread_mutex_unlock(&sink.lock);
}

static void
tell_lost(void)
{
	char text[64];
	uint64_t lost = sink.lost;

	if (lost == 0 || sink.lines.n > 0)
		return;
	sink.lost = 0;
	snprintf(text, sizeof(text), "log.lost lines=%llu", (unsigned long long)lost);
	line_add(LOGLINE_WARNING, span_str(text));
}

void
sink_flush(void)
{
	pthread_mutex_lock(&sink.lock);
	tell_lost();
	flush_locked();
	pthread_mutex_unlock(&sink.lock);
}

void
sink_set_form(enum log_form form)
{
	sink_flush();
	sink.form = form;
}

/* The process is dying: no locks, only what the buffer holds. */
static void
on_fatal(int number)
{
	(void)write_all(buf_span(&sink.lines));
	raise(number);
}

static void
fatal_signals(void)
{
	static const int numbers[] = {
		SIGABRT,
#if !defined(__SANITIZE_ADDRESS__)
		SIGSEGV,
		SIGBUS,
		SIGILL,
		SIGFPE,
#endif
	};
	struct sigaction action = {.sa_handler = on_fatal,
				   .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};

	for (size_t i = 0; i < N_ELEMS(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

void
sink_start(const char *name)
{
	sink.name = name;
	logline_set_sink(take_line);
	fatal_signals();
}
