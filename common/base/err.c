#include "common/base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void
assert_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "assertion failed: %s (%s:%d)\n", what, file, line);
	abort();
}

void *
memory_new(size_t n, size_t size)
{
	void *at = calloc(n ? n : 1, size);

	if (!at)
		abort();
	return at;
}

void *
memory_resize(void *at, size_t n, size_t size)
{
	void *moved = reallocarray(at, n ? n : 1, size);

	if (!moved)
		abort();
	return moved;
}

int
err_set(struct err *err, const char *format, ...)
{
	va_list args;

	err->code = 0;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -1;
}

int
err_sys(struct err *err, const char *format, ...)
{
	int code = errno;
	va_list args;
	size_t n;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerrordesc_np(code));
	err->code = code;
	return -1;
}
