/* tests/unit/memory.h - how much is allocated now */
#pragma once

#include <malloc.h>
#include <stddef.h>

/* The sanitizer's count where its allocator replaces the C library's. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static inline size_t
memory_in_use(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}
