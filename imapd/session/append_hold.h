/* imapd/session/append_hold.h - the messages of an APPEND while they come
 *
 * Up to APPEND_MEMORY_MAX of all of them together are in memory; beyond that all are in
 * a file without a name, which nobody else can see and no crash leaves behind.
 */
#pragma once

#include "common/base/base.h"

#define APPEND_MEMORY_MAX (64u << 10)

struct append_hold {
	struct buf bytes; /* while there is no file */
	int fd;           /* -1: none */
	uint64_t n;       /* bytes in all */
	void *map;
	size_t map_bytes;
};

void append_hold_init(struct append_hold *h);
void append_hold_release(struct append_hold *h);

/* Adds s; -1 when the file cannot be had or written. */
MUST_USE int append_hold_put(struct append_hold *h, const char *directory,
			     struct span s, struct err *err);
/* All of it, until the release; nothing may be added then. */
MUST_USE int append_hold_all(struct append_hold *h, struct span *out, struct err *err);
