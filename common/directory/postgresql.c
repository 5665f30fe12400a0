#include "common/directory/postgresql.h"
#include "common/directory/postgresql_schema.h"
#include "common/directory/sql.h"

#include <errno.h>

/* those of enum row_statement; walks of 0 to 2 keys, without and with `after`; counts
 * of those */
#define FORM_WALK  (ROW_ERASE + 1)
#define FORM_COUNT (FORM_WALK + 6)
#define FORMS      (FORM_COUNT + 3)

static struct postgresql *
of(struct backend *backend)
{
	return (struct postgresql *)backend;
}

/* ---- statements */

static int *
place_of(struct postgresql *b, const struct relation *r, size_t form)
{
	size_t n;
	const struct relation *all = relations(&n);

	return &b->statements[(size_t)(r - all) * FORMS + form];
}

unsigned
postgresql_statement(struct postgresql *b, const struct relation *r,
		     enum row_statement s)
{
	int *number = place_of(b, r, s);

	if (*number < 0)
		*number = (int)row_statement(b->pool, r, s);
	return (unsigned)*number;
}

unsigned
postgresql_walk_statement(struct postgresql *b, const struct relation *r, size_t n,
			  bool after)
{
	int *number = place_of(b, r, FORM_WALK + 2 * n + after);

	if (*number < 0)
		*number = (int)row_walk_statement(b->pool, r, n, after);
	return (unsigned)*number;
}

unsigned
postgresql_count_statement(struct postgresql *b, const struct relation *r, size_t n)
{
	int *number = place_of(b, r, FORM_COUNT + n);

	if (*number < 0)
		*number = (int)row_count_statement(b->pool, r, n);
	return (unsigned)*number;
}

/* ---- calls outside of a task, of programs without a loop: each is one of its own */

struct call {
	struct postgresql *b;
	enum memo_kind kind;
	struct span key, after;
	size_t limit;
	const struct backend_change *changes;
	struct memo_entry *heard;
	int result;
	struct err *err;
};

static const struct memo_entry *
hear(struct postgresql *b, enum memo_kind kind, struct span key, struct span after,
     size_t limit, struct err *err);

static void
hear_work(struct directory *d, void *context)
{
	struct call *c = context;
	const struct memo_entry *e =
	    hear(c->b, c->kind, c->key, c->after, c->limit, c->err);

	(void)d;
	c->heard = e ? memo_copy(&c->b->direct[0], e) : NULL;
}

/* It stays until the next but one is heard. */
static const struct memo_entry *
hear_directly(struct postgresql *b, enum memo_kind kind, struct span key,
	      struct span after, size_t limit, struct err *err)
{
	struct memo oldest = b->direct[1];
	struct call c = {.b = b,
			 .kind = kind,
			 .key = key,
			 .after = after,
			 .limit = limit,
			 .err = err};

	memo_release(&oldest);
	b->direct[1] = b->direct[0];
	memo_init(&b->direct[0]);
	postgresql_wait(&b->backend, NULL, DIRECTORY_READS, hear_work, &c);
	return c.heard;
}

static void
apply_work(struct directory *d, void *context)
{
	struct call *c = context;

	(void)d;
	c->result =
	    c->b->backend.calls->apply(&c->b->backend, c->changes, c->limit, c->err);
}

static int
apply_directly(struct postgresql *b, const struct backend_change *changes, size_t n,
	       struct err *err)
{
	struct call c = {.b = b, .changes = changes, .limit = n, .err = err};

	postgresql_wait(&b->backend, NULL, DIRECTORY_CHANGES, apply_work, &c);
	return c.result;
}

/* ---- calls, while a task runs */

/* The answer, or null: then -1 is to be returned, *err says why. */
static const struct memo_entry *
hear(struct postgresql *b, enum memo_kind kind, struct span key, struct span after,
     size_t limit, struct err *err)
{
	struct postgresql_task *t = b->current;
	struct memo_entry *e;

	if (!t && b->own_base)
		return hear_directly(b, kind, key, after, limit, err);
	if (!t) {
		err_set(err, "the directory was asked outside of a task");
		return NULL;
	}
	e = memo_find(&t->memo, kind, key, after, limit);
	if (e && e->here)
		return e;
	if (t->failed) {
		*err = t->fault;
		return NULL;
	}
	if (!e) {
		err_set(err, "one task reads too much of the directory");
		return NULL;
	}
	t->waits = true;
	err_set(err, "the directory's answer is on its way");
	err->code = EAGAIN;
	return NULL;
}

static int
postgresql_get(struct backend *backend, struct span key, struct buf *out,
	       struct err *err)
{
	const struct memo_entry *e =
	    hear(of(backend), MEMO_GET, key, (struct span){0}, 1, err);

	if (!e)
		return -1;
	if (e->n == 0)
		return 0;
	buf_reset(out);
	buf_put(out, e->records[0].value);
	return out->full ? err_set(err, "a record is too long") : 1;
}

static int
postgresql_walk(struct backend *backend, struct span prefix, struct span after,
		size_t limit, backend_visit *visit, void *context, struct err *err)
{
	size_t page = limit ? limit : PAGE_RECORDS;
	const struct memo_entry *e;

	if (page > PAGE_RECORDS_MAX)
		page = PAGE_RECORDS_MAX;
	if (after.n <= prefix.n)
		after = (struct span){0};
	do {
		e = hear(of(backend), MEMO_PAGE, prefix, after, page, err);
		if (!e)
			return -1;
		for (size_t i = 0; i < e->n; i++)
			if (!visit(context, e->records[i].key, e->records[i].value))
				return 0;
		if (e->n > 0)
			after = e->records[e->n - 1].key;
	} while (e->n == page);
	return 0;
}

static int
postgresql_count(struct backend *backend, struct span prefix, size_t limit, size_t *n,
		 struct err *err)
{
	const struct memo_entry *e =
	    hear(of(backend), MEMO_COUNT, prefix, (struct span){0}, limit, err);

	if (!e)
		return -1;
	*n = e->count;
	return 0;
}

static bool
copy_change(struct arena *arena, const struct backend_change *from,
	    struct backend_change *to)
{
	if (!arena_copy(arena, from->key, &to->key))
		return false;
	return !from->value.at || arena_copy(arena, from->value, &to->value);
}

/* What to change goes with COMMIT after this run; the next one hears that it is done.
 */
static int
postgresql_apply(struct backend *backend, const struct backend_change *changes,
		 size_t n, struct err *err)
{
	struct postgresql *b = of(backend);
	struct postgresql_task *t = b->current;

	if (!t && b->own_base)
		return apply_directly(b, changes, n, err);
	if (!t || t->kind != DIRECTORY_CHANGES)
		return err_set(err, "the directory was changed outside of a task");
	if (t->apply == APPLY_DONE)
		return 0;
	if (t->failed) {
		*err = t->fault;
		return -1;
	}
	if (n > CHANGES_MAX)
		return err_set(err, "one change has too many parts");
	t->changes = arena_new(&t->memo.arena, n + 1, sizeof(*t->changes));
	for (size_t i = 0; i < n && t->changes; i++)
		if (!copy_change(&t->memo.arena, &changes[i], &t->changes[i]))
			t->changes = NULL;
	if (!t->changes)
		return err_set(err, "one change of the directory is too large");
	t->n_changes = n;
	t->apply = APPLY_WANTED;
	t->waits = true;
	err_set(err, "the change is on its way");
	err->code = EAGAIN;
	return -1;
}

static void
postgresql_prefetch(struct backend *backend, const struct span *keys, size_t n)
{
	struct postgresql_task *t = of(backend)->current;

	for (size_t i = 0; t && !t->failed && i < n; i++)
		(void)memo_find(&t->memo, MEMO_GET, keys[i], (struct span){0}, 1);
}

/* ---- opening */

static void
postgresql_close(struct backend *backend)
{
	struct postgresql *b = of(backend);

	while (!TAILQ_EMPTY(&b->tasks))
		postgresql_cancel(&TAILQ_FIRST(&b->tasks)->task);
	event_del(&b->next);
	memo_release(&b->direct[0]);
	memo_release(&b->direct[1]);
	pgsql_free(&b->pool);
	if (b->own_base)
		event_base_free(b->own_base);
	buf_release(&b->sql_record);
	free(b->statements);
	free(b);
}

static void
postgresql_state(const struct backend *backend, struct directory_state *out)
{
	const struct postgresql *b = (const struct postgresql *)backend;
	struct pgsql_state now;

	pgsql_state(b->pool, &now);
	*out = (struct directory_state){
	    .up = now.up,
	    .connections = now.connections,
	    .waiting = now.waiting,
	    .asked = now.asked,
	    .failed = now.failed,
	    .conflicts = now.conflicts,
	    .lost = now.lost,
	};
}

const struct backend_calls postgresql_calls = {
    .get = postgresql_get,
    .walk = postgresql_walk,
    .count = postgresql_count,
    .apply = postgresql_apply,
    .close = postgresql_close,
    .prefetch = postgresql_prefetch,
    .state = postgresql_state,
    .begin = postgresql_begin,
    .cancel = postgresql_cancel,
    .wait = postgresql_wait,
};

static int
open_pool(struct postgresql *b, const struct directory_options *o, struct err *err)
{
	const struct pgsql_options options = {
	    .name = "directory",
	    .connection = o->connection,
	    .password_file = o->password_file,
	    .connections = o->connections,
	    .timeout_ms = o->timeout_ms,
	    .read_only = o->backend == DIRECTORY_SQL,
	    .check = o->backend == DIRECTORY_SQL ? NULL : SCHEMA_CHECK_STATEMENT,
	    .judge = schema_judge,
	};

	return pgsql_new(b->base, &options, &b->pool, err);
}

int
postgresql_open(const struct directory_options *o, struct backend **out,
		struct err *err)
{
	struct postgresql *b = memory_new(1, sizeof(*b));
	size_t n;

	(void)relations(&n);
	b->backend.calls = &postgresql_calls;
	b->timeout_ms = o->timeout_ms;
	b->changing_max = o->connections > 1 ? o->connections / 2 : 1;
	b->statements = memory_new(n * FORMS, sizeof(*b->statements));
	memset(b->statements, 0xff, n * FORMS * sizeof(*b->statements));
	b->own_base = o->base ? NULL : event_base_new();
	b->base = o->base ? o->base : b->own_base;
	memo_init(&b->direct[0]);
	memo_init(&b->direct[1]);
	postgresql_tasks_init(b);
	b->sql_record = buf_make(RECORD_VALUE_MAX);
	if (open_pool(b, o, err) != 0 ||
	    (o->backend == DIRECTORY_SQL && sql_open(o, b, err) != 0)) {
		postgresql_close(&b->backend);
		return -1;
	}
	if (b->sql)
		b->backend.calls = &sql_calls;
	*out = &b->backend;
	return 0;
}
