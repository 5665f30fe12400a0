#include "common/directory/internal.h"
#include "common/directory/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what the other files stand on */

int
directory_get(struct directory *d, struct record_key key, struct span *value,
	      struct err *err)
{
	int r =
	    d->backend->calls->get(d->backend, record_key_span(&key), &d->value, err);

	*value = buf_span(&d->value);
	return r;
}

int
directory_walk(struct directory *d, struct record_key prefix, struct span after,
	       size_t limit, backend_visit *visit, void *context, struct err *err)
{
	return d->backend->calls->walk(d->backend, record_key_span(&prefix), after,
				       limit, visit, context, err);
}

int
directory_count(struct directory *d, struct record_key prefix, size_t limit, size_t *n,
		struct err *err)
{
	return d->backend->calls->count(d->backend, record_key_span(&prefix), limit, n,
					err);
}

enum directory_result
directory_apply(struct directory *d, const struct backend_change *changes, size_t n,
		struct err *err)
{
	int r = d->backend->calls->apply(d->backend, changes, n, err);

	return r == 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

enum directory_result
directory_say(enum directory_result r, struct err *err, const char *format, ...)
{
	va_list args;

	err->code = 0;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return r;
}

int
directory_damaged(struct err *err, struct span key)
{
	struct directory_name name;

	if (key.n > 0 && record_key_address(key, &name))
		err_set(err, "the directory's record of %.150s is damaged", name.text);
	else
		err_set(err, "a record of the directory is damaged: %.*s",
			(int)(key.n < 150 ? key.n : 150), key.at);
	err->code = EIO;
	return -1;
}

static struct record_key
next_id_key(void)
{
	return record_key_meta("next-id");
}

int
directory_next_id(struct directory *d, uint64_t *id, struct err *err)
{
	struct record_key key = next_id_key();
	struct span old;
	uint64_t next = 1;
	int r = directory_get(d, key, &old, err);

	if (r < 0)
		return -1;
	if (r > 0 && !record_get_number(old, &next))
		return directory_damaged(err, record_key_span(&key));
	*id = next;
	return 0;
}

void
directory_ids_given(struct changes *c, uint64_t next)
{
	struct record_key key = next_id_key();
	struct buf value = buf_make(RECORD_VALUE_MAX);

	record_put_number(next, &value);
	changes_put(c, &key, buf_span(&value));
	buf_release(&value);
}

/* ---- opening */

static int
make_secret(struct directory *d, struct record_key key, struct err *err)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct changes changes;
	enum directory_result r;

	if (getrandom(d->secret, sizeof(d->secret), 0) != (ssize_t)sizeof(d->secret))
		return err_sys(err, "getrandom");
	record_put_bytes(span_make(d->secret, sizeof(d->secret)), &value);
	changes_init(&changes);
	changes_put(&changes, &key, buf_span(&value));
	r = changes_apply(&changes, d->backend, err);
	changes_release(&changes);
	buf_release(&value);
	return r == DIRECTORY_DONE ? 0 : -1;
}

static int
load_secret(struct directory *d, struct err *err)
{
	struct record_key key = record_key_meta("secret");
	struct span value, secret;
	int r = directory_get(d, key, &value, err);

	if (r < 0)
		return -1;
	if (r == 0)
		return make_secret(d, key, err);
	if (!record_get_bytes(value, &secret) || secret.n != sizeof(d->secret))
		return directory_damaged(err, record_key_span(&key));
	memcpy(d->secret, secret.at, secret.n);
	return 0;
}

/* One owner: the lock is held as long as the file is open. */
static enum directory_result
lock_folder(struct directory *d, const char *folder, struct err *err)
{
	int folder_fd;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return (enum directory_result)err_sys(err, "making %s", folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return (enum directory_result)err_sys(err, "opening %s", folder);
	d->lock_fd =
	    openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0)
		err_sys(err, "opening %s/lock", folder);
	close(folder_fd);
	if (d->lock_fd < 0)
		return DIRECTORY_FAULT;
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return DIRECTORY_DONE;
	if (errno == EWOULDBLOCK)
		return directory_say(DIRECTORY_IN_USE, err,
				     "the directory is in use by the running server");
	return (enum directory_result)err_sys(err, "locking %s/lock", folder);
}

static enum directory_result
open_berkeley(struct directory *d, const struct directory_options *options,
	      struct err *err)
{
	size_t cache =
	    options->cache_bytes ? options->cache_bytes : DIRECTORY_CACHE_BYTES;
	enum directory_result r = lock_folder(d, options->folder, err);

	if (r != DIRECTORY_DONE)
		return r;
	if (berkeley_open(options->folder, cache, &d->backend, err) != 0 ||
	    load_secret(d, err) != 0)
		return DIRECTORY_FAULT;
	return DIRECTORY_DONE;
}

static enum directory_result
open_postgresql(struct directory *d, const struct directory_options *options,
		struct err *err)
{
	enum directory_result r = DIRECTORY_DONE;

	if (directory_secret_read(options->folder, d->secret, err) != 0)
		return DIRECTORY_FAULT;
	if (options->backend == DIRECTORY_SQL) /* has files beside */
		r = lock_folder(d, options->folder, err);
	if (r == DIRECTORY_DONE && postgresql_open(options, &d->backend, err) != 0)
		return DIRECTORY_FAULT;
	return r;
}

enum directory_result
directory_open(const struct directory_options *options, struct directory **out,
	       struct err *err)
{
	struct directory *d = memory_new(1, sizeof(*d));
	enum directory_result r;

	d->lock_fd = -1;
	d->value = buf_make(RECORD_VALUE_MAX);
	r = options->backend == DIRECTORY_BERKELEY ? open_berkeley(d, options, err)
						   : open_postgresql(d, options, err);
	if (r != DIRECTORY_DONE) {
		directory_free(&d);
		return r;
	}
	*out = d;
	return DIRECTORY_DONE;
}

void
directory_free(struct directory **directory)
{
	struct directory *d = *directory;

	*directory = NULL;
	if (!d)
		return;
	if (d->backend)
		d->backend->calls->close(d->backend);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	buf_release(&d->value);
	explicit_bzero(d->secret, sizeof(d->secret));
	free(d);
}

int
directory_become_owner(const char *folder, struct err *err)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(folder, &st) != 0)
		return errno == ENOENT ? 0 : err_sys(err, "looking at %s", folder);
	if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0)
		return err_sys(err, "becoming the owner of %s", folder);
	return 0;
}

struct span
directory_secret(const struct directory *d)
{
	return span_make(d->secret, sizeof(d->secret));
}

void
directory_state(const struct directory *d, struct directory_state *out)
{
	*out = (struct directory_state){.up = true};
	if (d->backend->calls->state)
		d->backend->calls->state(d->backend, out);
}
