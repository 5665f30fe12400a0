#include "common/base/base.h"

#include <stdarg.h>
#include <stdio.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = buf_make(max);
}

void
buf_release(struct buf *b)
{
	free(b->at);
	*b = buf_make(b->max);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

bool
buf_room(const struct buf *b, size_t n)
{
	return n <= b->max - b->n;
}

static void
grow(struct buf *b, size_t n)
{
	size_t size = b->size ? b->size : 64;

	if (n <= b->size)
		return;
	while (size < n)
		size *= 2;
	if (size > b->max)
		size = b->max;
	b->at = memory_resize(b->at, size, 1);
	b->size = size;
}

char *
buf_extend(struct buf *b, size_t n)
{
	char *at;

	if (!buf_room(b, n)) {
		b->full = true;
		return NULL;
	}
	grow(b, b->n + n);
	at = b->at + b->n;
	b->n += n;
	return at;
}

void
buf_put(struct buf *b, struct span s)
{
	char *at;

	if (s.n == 0)
		return;
	at = buf_extend(b, s.n);
	if (at)
		memcpy(at, s.at, s.n);
}

void
buf_put_char(struct buf *b, char c)
{
	buf_put(b, span_make(&c, 1));
}

void
buf_put_str(struct buf *b, const char *text)
{
	buf_put(b, span_str(text));
}

void
buf_putf(struct buf *b, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ASSERT(n >= 0 && (size_t)n < sizeof(text));
	buf_put(b, span_make(text, (size_t)n));
}

void
buf_drop_front(struct buf *b, size_t n)
{
	ASSERT(n <= b->n);
	if (n > 0 && n < b->n)
		memmove(b->at, b->at + n, b->n - n);
	b->n -= n;
}
