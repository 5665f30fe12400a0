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

static struct {
	pthread_mutex_t lock;
	const char *name;
	enum log_form form;
	struct buf lines;
	struct buf line; /* the one being formatted */
	time_t second;   /* of which `stamp` is the text */
	char stamp[24];
	uint64_t lost; /* lines that could not be written */
	bool stuck;    /* who reads was waited for in vain */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER,
	  .lines = {.max = SINK_BYTES_MAX},
	  .line = {.max = LOGLINE_MAX + 128}};

/* Who reads too slowly is waited for once; from then on nothing waits until most of
 * what was written is read, for no program stands still for its log. */
static bool
wait_for_room(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	sink.stuck = poll(&p, 1, sink.stuck ? 0 : SINK_WAIT_MS) == 0;
	return !sink.stuck;
}

/* False when nobody takes the bytes; the rest is then lost. */
static bool
write_all(struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(STDERR_FILENO, bytes.at, bytes.n);

		if (n >= 0)
			bytes = span_after(bytes, (size_t)n);
		else if (errno != EINTR && !(errno == EAGAIN && wait_for_room()))
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
flush_locked(void)
{
	struct span bytes = buf_span(&sink.lines);

	if (!write_all(bytes))
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
line_make(enum logline_level level, struct span text)
{
	buf_reset(&sink.line);
	head_put(level, &sink.line);
	buf_put(&sink.line, text);
	buf_put_char(&sink.line, '\n');
}

static void
line_add(enum logline_level level, struct span text)
{
	line_make(level, text);
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

/* Before the lines that came after the gap; until it is written it is not told. */
static void
tell_lost(void)
{
	char text[64];

	if (sink.lost == 0)
		return;
	snprintf(text, sizeof(text), "log.lost lines=%llu",
		 (unsigned long long)sink.lost);
	line_make(LOGLINE_WARNING, span_str(text));
	if (write_all(buf_span(&sink.line)))
		sink.lost = 0;
}

void
sink_flush(void)
{
	pthread_mutex_lock(&sink.lock);
	if (sink.stuck)
		(void)wait_for_room();
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
