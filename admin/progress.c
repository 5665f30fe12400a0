#include "admin/progress.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

struct progress {
	const char *what, *unit;
	uint64_t total;
	uint64_t began_ms, told_ms;
	bool terminal;
	bool drawn; /* a line stands at the terminal */
};

static uint64_t
ticks_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the line */

/* 1234567 -> "1,234,567" */
static void
put_number(struct buf *out, uint64_t number)
{
	char digits[32];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			buf_put_str(out, ",");
		buf_put(out, span_make(digits + i, 1));
	}
}

static void
put_duration(struct buf *out, uint64_t seconds)
{
	if (seconds < 120) {
		put_number(out, seconds);
		buf_put_str(out, " s");
	} else if (seconds < 7200) {
		put_number(out, seconds / 60);
		buf_put_str(out, " min");
	} else {
		put_number(out, seconds / 3600);
		buf_put_str(out, " h");
	}
}

/* Without the part of a character at its end, where it was cut. */
static struct span
whole_characters(struct span s)
{
	size_t n = s.n;

	while (n > 0 && ((unsigned char)s.at[n - 1] & 0xc0) == 0x80)
		n--;
	if (n == 0 || utf8_valid(span_after(s, n - 1)))
		return s;
	return span_first(s, n - 1);
}

/* What a terminal would obey is shown as a dot. */
static void
put_place(struct buf *out, struct span at)
{
	buf_put_str(out, ": ");
	for (size_t i = 0; i < at.n; i++) {
		unsigned char c = (unsigned char)at.at[i];

		buf_put(out, c < ' ' || c == 127 ? SPAN(".") : span_make(at.at + i, 1));
	}
}

static void
put_speed(struct buf *out, uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
	uint64_t speed = elapsed_ms > 0 ? done * 1000 / elapsed_ms : 0;

	if (elapsed_ms < 1000 || speed == 0)
		return;
	buf_put_str(out, ", ");
	put_number(out, speed);
	buf_put_str(out, "/s");
	if (total <= done)
		return;
	buf_put_str(out, ", ");
	put_duration(out, (total - done) / speed);
	buf_put_str(out, " left");
}

void
progress_text(const char *what, const char *unit, uint64_t done, uint64_t total,
	      uint64_t elapsed_ms, struct span at, char out[PROGRESS_TEXT])
{
	struct buf line = buf_make(2000);
	struct span kept;

	buf_put_str(&line, what);
	buf_put_str(&line, "  ");
	put_number(&line, done);
	if (total > 0) {
		buf_put_str(&line, " of ");
		put_number(&line, total);
	}
	buf_put_str(&line, " ");
	buf_put_str(&line, unit);
	if (total > 0) {
		buf_put_str(&line, " (");
		put_number(&line, done >= total ? 100 : done * 100 / total);
		buf_put_str(&line, "%)");
	}
	put_speed(&line, done, total, elapsed_ms);
	if (at.n > 0)
		put_place(&line, span_first(at, 1000));
	kept = whole_characters(span_first(buf_span(&line), PROGRESS_TEXT - 1));
	snprintf(out, PROGRESS_TEXT, "%.*s", SPAN_ARG(kept));
	buf_release(&line);
}

/* ---- telling it */

struct progress *
progress_new(const char *what, const char *unit, uint64_t total)
{
	struct progress *p = memory_new(1, sizeof(*p));

	p->what = what;
	p->unit = unit;
	p->total = total;
	p->began_ms = p->told_ms = ticks_ms();
	p->terminal = isatty(STDERR_FILENO) == 1;
	return p;
}

static void
tell(struct progress *p, uint64_t done, uint64_t now_ms, struct span at)
{
	char line[PROGRESS_TEXT];
	struct span kept;

	progress_text(p->what, p->unit, done, p->total, now_ms - p->began_ms, at, line);
	kept = whole_characters(span_first(span_str(line), 79));
	if (p->terminal)
		fprintf(stderr, "\r%.*s\033[K", SPAN_ARG(kept));
	else
		fprintf(stderr, "postroad: %s\n", line);
	fflush(stderr);
	p->drawn = p->terminal;
	p->told_ms = now_ms;
}

void
progress_at(struct progress *p, uint64_t done, struct span at)
{
	uint64_t now_ms = ticks_ms();
	uint64_t pause_ms = p->terminal ? PROGRESS_DRAW_MS : PROGRESS_LINE_S * 1000;

	if (now_ms - p->told_ms >= pause_ms)
		tell(p, done, now_ms, at);
}

void
progress_free(struct progress **p)
{
	if (*p && (*p)->drawn)
		fputs("\r\033[K", stderr);
	free(*p);
	*p = NULL;
}
