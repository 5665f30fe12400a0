/* common/base/macros.h - attributes and checks used everywhere */
#pragma once

#include <stdlib.h>

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN          __attribute__((noreturn))
#define N_ELEMS(a)        (sizeof(a) / sizeof((a)[0]))

/* What our own code promises; always on. Never for a byte from a peer, a file,
 * a setting or ipc. */
#define ASSERT(x) ((x) ? (void)0 : assert_failed(#x, __FILE__, __LINE__))

NORETURN void assert_failed(const char *what, const char *file, int line);

/* Zeroed memory for n items of `size` bytes. Never null: a machine out of
 * memory ends the process, and master restarts it. Freed with free(). */
MUST_USE void *memory_new(size_t n, size_t size);

/* Resizes as realloc() does, for n items of `size` bytes. Never null. */
MUST_USE void *memory_resize(void *at, size_t n, size_t size);
