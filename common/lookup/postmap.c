#include "common/lookup/internal.h"

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* postmap(1) writes a file in place, with an exclusive lock on it: so each lookup has a
 * shared one, and looks whether the file is still the one that was opened. */

#define CACHE_BYTES (1U << 20)

/* Does the file have a NUL after each key? Found out by the first key that is there. */
enum ending {
	ENDING_UNKNOWN,
	ENDING_NUL,
	ENDING_NONE,
};

struct postmap {
	char *path;
	DBTYPE type;
	DB *db;
	int fd; /* for the lock */
	enum ending ending;
	struct timespec changed; /* when db was opened */
};

static void
handle_close(struct postmap *b)
{
	if (b->db)
		(void)b->db->close(b->db, DB_NOSYNC);
	b->db = NULL;
}

static int
fault(struct postmap *b, int code, struct err *err)
{
	err_set(err, "%.120s: %.80s", b->path, db_strerror(code));
	return -1;
}

/* What libdb would print on stderr is told by the code it returns. */
static void
silence(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env, (void)prefix, (void)text;
}

static int
handle_open(struct postmap *b, const struct stat *info, struct err *err)
{
	int code = db_create(&b->db, NULL, 0);

	if (code != 0)
		return fault(b, code, err);
	b->db->set_errcall(b->db, silence);
	code = b->db->set_cachesize(b->db, 0, CACHE_BYTES, 1);
	if (code == 0)
		code = b->db->open(b->db, NULL, b->path, NULL, b->type, DB_RDONLY, 0);
	if (code != 0) {
		handle_close(b);
		return fault(b, code, err);
	}
	b->ending = ENDING_UNKNOWN;
	b->changed = info->st_mtim;
	return 0;
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* With the lock held: the file as it is now. */
static int
handle_renew(struct postmap *b, struct err *err)
{
	struct stat info;

	if (fstat(b->fd, &info) != 0)
		return err_sys(err, "%.120s", b->path);
	if (b->db && same_time(info.st_mtim, b->changed))
		return 0;
	handle_close(b);
	return handle_open(b, &info, err);
}

void
postmap_free(struct postmap **b)
{
	if (!*b)
		return;
	handle_close(*b);
	if ((*b)->fd >= 0)
		close((*b)->fd);
	free((*b)->path);
	free(*b);
	*b = NULL;
}

int
postmap_open(const char *path, enum table_kind kind, struct postmap **out,
	     struct err *err)
{
	struct postmap *b = memory_new(1, sizeof(*b));

	b->path = span_dup(span_str(path));
	b->type = kind == TABLE_HASH ? DB_HASH : DB_BTREE;
	b->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (b->fd < 0) {
		err_sys(err, "%.120s", path);
		postmap_free(&b);
		return -1;
	}
	/* Locked: then the first lookup opens it. */
	if (flock(b->fd, LOCK_SH | LOCK_NB) == 0) {
		int result = handle_renew(b, err);

		(void)flock(b->fd, LOCK_UN);
		if (result != 0) {
			postmap_free(&b);
			return -1;
		}
	}
	*out = b;
	return 0;
}

/* 1 found, 0 not, -1. `key` has a NUL behind it, which is counted when `nul`. */
static int
get(struct postmap *b, const struct buf *key, bool nul, struct buf *value,
    struct err *err)
{
	DBT name = {.data = key->at, .size = (uint32_t)(key->n - !nul)};
	DBT data = {.flags = 0};
	int code = b->db->get(b->db, NULL, &name, &data, 0);
	struct span found;

	if (code == DB_NOTFOUND || code == DB_KEYEMPTY)
		return 0;
	if (code != 0)
		return fault(b, code, err);
	found = span_make(data.data, data.size);
	buf_put(value, span_first(found, span_find(found, '\0')));
	b->ending = nul ? ENDING_NUL : ENDING_NONE;
	return 1;
}

static enum table_result
get_either(struct postmap *b, const struct buf *key, struct buf *value, struct err *err)
{
	enum ending ending = b->ending;
	int found = 0;

	if (ending != ENDING_NONE)
		found = get(b, key, true, value, err);
	if (found == 0 && ending != ENDING_NUL)
		found = get(b, key, false, value, err);
	if (found < 0)
		return TABLE_FAULT;
	return found ? TABLE_FOUND : TABLE_NOT_FOUND;
}

enum table_result
postmap_get(struct postmap *b, struct span key, struct buf *value, struct err *err)
{
	struct buf name = buf_make(key.n + 1);
	enum table_result result = TABLE_FAULT;

	if (flock(b->fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK || errno == EINTR
			   ? TABLE_WAIT
			   : (enum table_result)err_sys(err, "%.120s", b->path);
	buf_put(&name, key);
	buf_put_char(&name, '\0');
	if (handle_renew(b, err) == 0)
		result = get_either(b, &name, value, err);
	(void)flock(b->fd, LOCK_UN);
	buf_release(&name);
	return result;
}
