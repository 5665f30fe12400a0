/* common/directory/backend.h - where records are kept; for this room only
 *
 * What    an ordered map from keys to values, small enough that another engine
 *         can stand behind it. What keys and values mean is record.h's.
 * Memory  a backend is owned by its struct directory.
 */
#pragma once

#include "common/directory/directory.h"
#include "common/directory/task.h"

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
	/* Every record that starts with `prefix` and is greater than `after`. The
	 * visitor takes `limit` of them at most; 0: nobody knows. */
	int (*walk)(struct backend *, struct span prefix, struct span after,
		    size_t limit, backend_visit *, void *context, struct err *);
	/* How many records start with `prefix`; counts no further than `limit`. */
	int (*count)(struct backend *, struct span prefix, size_t limit, size_t *n,
		     struct err *);
	/* All of it or nothing, durable on return. No key is there twice. */
	int (*apply)(struct backend *, const struct backend_change *, size_t n,
		     struct err *);
	void (*close)(struct backend *);

	/* A hint: these are the keys that will be asked for next. Null where a get
	 * takes no time. */
	void (*prefetch)(struct backend *, const struct span *keys, size_t n);

	/* Null where nothing can be down. */
	void (*state)(const struct backend *, struct directory_state *);

	/* Tasks [task.h]; all three null where nothing ever waits. In a task `get`,
	 * `walk`, `count` and `apply` return -1 with EAGAIN in err->code while an
	 * answer is on its way. */
	bool (*begin)(struct backend *, struct directory *, enum directory_task_kind,
		      directory_work *, directory_finished *, void *context,
		      struct directory_task **);
	void (*cancel)(struct directory_task *);
	void (*wait)(struct backend *, struct directory *, enum directory_task_kind,
		     directory_work *, void *context);
};

/* What every backend begins with. */
struct backend {
	const struct backend_calls *calls;
};

/* What every task begins with. */
struct directory_task {
	struct backend *backend;
};

/* Berkeley DB in `folder`, which exists and is locked. Recovers. */
MUST_USE int berkeley_open(const char *folder, size_t cache_bytes, struct backend **out,
			   struct err *err);

/* PostgreSQL, as options say; its schema is postgresql_schema.h's. */
MUST_USE int postgresql_open(const struct directory_options *options,
			     struct backend **out, struct err *err);
