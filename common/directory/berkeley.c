#include "common/directory/backend.h"

#include <db.h>
#include <errno.h>

#define LOG_FILE_BYTES       (1U << 20)
#define CHECKPOINT_KILOBYTES 256
#define VALUE_BYTES_MAX      (1U << 20)

/* One environment private to this process, one tree in it. There is one thread
 * and no other process, so Berkeley DB's locks are not set up at all. */
struct berkeley {
	struct backend backend;
	DB_ENV *env;
	DB *db;
	void *room; /* what DB_DBT_REALLOC gives back values in */
	uint32_t room_bytes;
};

static struct berkeley *
of(struct backend *b)
{
	return (struct berkeley *)b;
}

static int
fail(struct err *err, const char *what, int code)
{
	err_set(err, "the directory: %s: %s", what, db_strerror(code));
	/* Berkeley DB's own codes are negative. */
	err->code = code > 0 ? code : EIO;
	return -1;
}

static DBT
dbt_of(struct span s)
{
	return (DBT){.data = (void *)(uintptr_t)s.at, .size = (uint32_t)s.n};
}

static DBT
dbt_out(struct berkeley *b)
{
	return (DBT){.data = b->room, .ulen = b->room_bytes, .flags = DB_DBT_REALLOC};
}

/* After each call: the library may have moved the room. */
static void
keep_room(struct berkeley *b, const DBT *value)
{
	b->room = value->data;
}

static int
berkeley_get(struct backend *backend, struct span key, struct buf *out, struct err *err)
{
	struct berkeley *b = of(backend);
	DBT k = dbt_of(key), v = dbt_out(b);
	int code = b->db->get(b->db, NULL, &k, &v, 0);

	keep_room(b, &v);
	if (code == DB_NOTFOUND)
		return 0;
	if (code != 0)
		return fail(err, "reading", code);
	buf_reset(out);
	buf_put(out, span_make(v.data, v.size));
	return out->full ? fail(err, "a record is too long", EFBIG) : 1;
}

static int
walk_from(struct berkeley *b, DBC *cursor, struct span prefix, struct span after,
	  backend_visit *visit, void *context, struct err *err)
{
	DBT k = dbt_of(after.n > prefix.n ? after : prefix), v = dbt_out(b);
	uint32_t step = DB_SET_RANGE;
	int code;

	for (;; step = DB_NEXT) {
		code = cursor->get(cursor, &k, &v, step);
		keep_room(b, &v);
		if (code == DB_NOTFOUND)
			return 0;
		if (code != 0)
			return fail(err, "reading on", code);
		if (!span_starts(span_make(k.data, k.size), prefix))
			return 0;
		if (span_equal(span_make(k.data, k.size), after))
			continue;
		if (!visit(context, span_make(k.data, k.size),
			   span_make(v.data, v.size)))
			return 0;
	}
}

static int
berkeley_walk(struct backend *backend, struct span prefix, struct span after,
	      size_t limit, backend_visit *visit, void *context, struct err *err)
{
	struct berkeley *b = of(backend);
	DBC *cursor;
	int code = b->db->cursor(b->db, NULL, &cursor, 0);
	int r;

	(void)limit;
	if (code != 0)
		return fail(err, "reading", code);
	r = walk_from(b, cursor, prefix, after, visit, context, err);
	code = cursor->close(cursor);
	if (r == 0 && code != 0)
		return fail(err, "reading", code);
	return r;
}

struct counting {
	size_t n, limit;
};

static bool
visit_count(void *context, struct span key, struct span value)
{
	struct counting *counting = context;

	(void)key;
	(void)value;
	counting->n++;
	return counting->n < counting->limit;
}

static int
berkeley_count(struct backend *backend, struct span prefix, size_t limit, size_t *n,
	       struct err *err)
{
	struct counting counting = {.limit = limit};

	if (berkeley_walk(backend, prefix, (struct span){0}, limit, visit_count,
			  &counting, err) != 0)
		return -1;
	*n = counting.n;
	return 0;
}

static int
change_one(struct berkeley *b, DB_TXN *txn, const struct backend_change *change)
{
	DBT k = dbt_of(change->key), v = dbt_of(change->value);
	int code;

	if (change->value.at)
		return b->db->put(b->db, txn, &k, &v, 0);
	code = b->db->del(b->db, txn, &k, 0);
	return code == DB_NOTFOUND ? 0 : code;
}

static int
berkeley_apply(struct backend *backend, const struct backend_change *changes, size_t n,
	       struct err *err)
{
	struct berkeley *b = of(backend);
	DB_TXN *txn;
	int code = b->env->txn_begin(b->env, NULL, &txn, 0);

	if (code != 0)
		return fail(err, "beginning a change", code);
	for (size_t i = 0; i < n && code == 0; i++)
		code = change_one(b, txn, &changes[i]);
	if (code != 0) {
		(void)txn->abort(txn);
		return fail(err, "writing", code);
	}
	code = txn->commit(txn, DB_TXN_SYNC);
	if (code != 0)
		return fail(err, "writing", code);
	code = b->env->txn_checkpoint(b->env, CHECKPOINT_KILOBYTES, 0, 0);
	return code == 0 ? 0 : fail(err, "writing a checkpoint", code);
}

static void
berkeley_close(struct backend *backend)
{
	struct berkeley *b = of(backend);

	if (b->db) {
		(void)b->env->txn_checkpoint(b->env, 0, 0, 0);
		(void)b->db->close(b->db, 0);
	}
	if (b->env)
		(void)b->env->close(b->env, 0);
	free(b->room);
	free(b);
}

static const struct backend_calls calls = {
    .get = berkeley_get,
    .walk = berkeley_walk,
    .count = berkeley_count,
    .apply = berkeley_apply,
    .close = berkeley_close,
};

static int
open_environment(struct berkeley *b, const char *folder, size_t cache_bytes)
{
	const uint32_t flags = DB_CREATE | DB_PRIVATE | DB_RECOVER | DB_INIT_TXN |
			       DB_INIT_LOG | DB_INIT_MPOOL;
	int code = db_env_create(&b->env, 0);

	if (code != 0) {
		b->env = NULL;
		return code;
	}
	b->env->set_errfile(b->env, NULL);
	b->env->set_errcall(b->env, NULL);
	if ((code = b->env->set_cachesize(b->env, 0, (uint32_t)cache_bytes, 1)) != 0 ||
	    (code = b->env->set_lg_max(b->env, LOG_FILE_BYTES)) != 0 ||
	    (code = b->env->log_set_config(b->env, DB_LOG_AUTO_REMOVE, 1)) != 0)
		return code;
	return b->env->open(b->env, folder, flags, 0600);
}

static int
open_tree(struct berkeley *b)
{
	int code = db_create(&b->db, b->env, 0);

	if (code != 0) {
		b->db = NULL;
		return code;
	}
	code = b->db->set_flags(b->db, DB_CHKSUM);
	if (code != 0)
		return code;
	return b->db->open(b->db, NULL, "directory.db", NULL, DB_BTREE,
			   DB_CREATE | DB_AUTO_COMMIT, 0600);
}

int
berkeley_open(const char *folder, size_t cache_bytes, struct backend **out,
	      struct err *err)
{
	struct berkeley *b = memory_new(1, sizeof(*b));
	int code;

	b->backend.calls = &calls;
	code = open_environment(b, folder, cache_bytes);
	if (code == 0)
		code = open_tree(b);
	if (code != 0) {
		if (b->db)
			(void)b->db->close(b->db, DB_NOSYNC);
		b->db = NULL;
		berkeley_close(&b->backend);
		return fail(err, "opening", code);
	}
	*out = &b->backend;
	return 0;
}
