/* common/directory/backend.h - where records are kept; for this room only
 *
 * What    an ordered map from keys to values, small enough that another engine
 *         can stand behind it. What keys and values mean is record.h's.
 * Memory  a backend is owned by its struct directory.
 */
#pragma once

#include "common/directory/directory.h"

struct backend;

/* One part of an atomic change: `value` without memory means erase. */
struct backend_change {
	struct span key;
	struct span value;
};

/* Gets records in order of their keys. False stops the walk. Makes no calls of
 * its own to the backend. */
typedef bool backend_visit(void *context, struct span key, struct span value);

struct backend_calls {
	/* 1 and the value in `out` (emptied first), 0 not there, -1. */
	int (*get)(struct backend *, struct span key, struct buf *out, struct err *);
	/* Every record that starts with `prefix` and is greater than `after`. */
	int (*walk)(struct backend *, struct span prefix, struct span after,
		    backend_visit *, void *context, struct err *);
	/* All of it or nothing, durable on return. */
	int (*apply)(struct backend *, const struct backend_change *, size_t n,
		     struct err *);
	void (*close)(struct backend *);
};

/* What every backend begins with. */
struct backend {
	const struct backend_calls *calls;
};

/* Berkeley DB in `folder`, which exists and is locked. Recovers. */
MUST_USE int berkeley_open(const char *folder, size_t cache_bytes, struct backend **out,
			   struct err *err);
