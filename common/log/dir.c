#include "common/log/dir.h"
#include "common/log/write_all.h"

#include <errno.h>
#include <stdio.h>

#define NAME_BYTES   (LOG_PREFIX_MAX + 21) /* a prefix, 20 digits, NUL */
#define ZEROS_BYTES  (64u << 10)
#define ZEROS_A_CALL 16

static void
name_put(const struct log_dir *d, uint64_t number, char name[NAME_BYTES])
{
	ASSERT(strlen(d->prefix) <= LOG_PREFIX_MAX);
	snprintf(name, NAME_BYTES, "%s%llu", d->prefix, (unsigned long long)number);
}

static int
fail(struct err *err, const char *what, const char *name)
{
	return err_sys(err, "log: cannot %s %s", what, name);
}

static int
dir_sync(const struct log_dir *d, struct err *err)
{
	if (d->io->fsync(d->io->disk, d->fd) < 0)
		return err_sys(err, "log: cannot sync the directory");
	return 0;
}

struct listing {
	struct span prefix;
	struct log_numbers found;
};

static void
list_name(void *context, const char *name)
{
	struct listing *l = context;
	struct span rest = span_str(name);
	uint64_t number;

	if (!span_starts(rest, l->prefix))
		return;
	rest = span_after(rest, l->prefix.n);
	if (!number_parse(rest, UINT64_MAX, &number) || (rest.n > 1 && *rest.at == '0'))
		return;
	if ((l->found.n & (l->found.n - 1)) == 0)
		l->found.at = memory_resize(
		    l->found.at, l->found.n ? 2 * l->found.n : 1, sizeof(*l->found.at));
	l->found.at[l->found.n++] = number;
}

static int
number_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int
log_dir_list(const struct log_dir *d, struct log_numbers *out, struct err *err)
{
	struct listing l = {.prefix = span_str(d->prefix)};

	if (dir_sync(d, err) < 0)
		return -1;
	if (d->io->list(d->io->disk, d->fd, list_name, &l) < 0) {
		err_sys(err, "log: cannot list the directory");
		log_numbers_release(&l.found);
		return -1;
	}
	if (l.found.n > 0)
		qsort(l.found.at, l.found.n, sizeof(*l.found.at), number_order);
	*out = l.found;
	return 0;
}

void
log_numbers_release(struct log_numbers *numbers)
{
	free(numbers->at);
	*numbers = (struct log_numbers){NULL, 0};
}

enum log_open
log_dir_open(const struct log_dir *d, uint64_t number, enum log_access access,
	     struct log_file *out, struct err *err)
{
	char name[NAME_BYTES];
	enum log_open result;
	int fd;

	ASSERT(access != LOG_CREATE);
	name_put(d, number, name);
	fd = d->io->open(d->io->disk, d->fd, name, access);
	if (fd < 0) {
		fail(err, "open", name);
		return LOG_OPEN_FAULT;
	}
	result = log_file_open(out, d->io, fd, d->kind, number, err);
	if (result != LOG_OPEN_OK)
		d->io->close(d->io->disk, fd);
	return result;
}

/* Zeros from the file's end up to `size`. */
static int
prewrite(const struct log_file *f, uint64_t size, struct err *err)
{
	static const char zeros[ZEROS_BYTES];
	uint64_t at;

	if (log_file_size(f, &at, err) < 0)
		return -1;
	while (at < size) {
		struct iovec v[ZEROS_A_CALL];
		uint64_t start = at;
		int n = 0;

		for (; n < ZEROS_A_CALL && at < size; n++) {
			size_t bytes =
			    size - at < ZEROS_BYTES ? (size_t)(size - at) : ZEROS_BYTES;

			v[n] = (struct iovec){(char *)(uintptr_t)zeros, bytes};
			at += bytes;
		}
		if (log_write_all(f->io, f->fd, v, n, start, err) < 0)
			return -1;
	}
	return 0;
}

/* An empty log of this size with a salt of its own, durable. */
static int
file_start(struct log_file *f, uint64_t size, struct err *err)
{
	char header[LOG_HEADER_BYTES];

	ASSERT(size <= LOG_FILE_MAX);
	if (f->io->random(f->io->disk, &f->id.salt, sizeof(f->id.salt)) < 0)
		return err_sys(err, "log: no random salt");
	log_header_put(&f->id, header);
	if (prewrite(f, size, err) < 0 ||
	    log_write_span(f->io, f->fd, span_make(header, sizeof(header)), 0, err) < 0)
		return -1;
	if (f->io->fsync(f->io->disk, f->fd) < 0)
		return err_sys(err, "log: cannot sync file %llu",
			       (unsigned long long)f->id.number);
	return 0;
}

int
log_dir_create(const struct log_dir *d, uint64_t number, uint64_t size,
	       struct log_file *out, struct err *err)
{
	struct log_file f = {
	    d->io, -1, {.kind = d->kind, .number = number}
        };
	char name[NAME_BYTES];

	name_put(d, number, name);
	f.fd = d->io->open(d->io->disk, d->fd, name, LOG_CREATE);
	if (f.fd < 0)
		return fail(err, "create", name);
	if (file_start(&f, size, err) < 0 || dir_sync(d, err) < 0) {
		log_file_close(&f);
		/* The first fault is the one to tell. */
		(void)d->io->unlink(d->io->disk, d->fd, name);
		return -1;
	}
	*out = f;
	return 0;
}

int
log_dir_recycle(const struct log_dir *d, uint64_t from, uint64_t to, uint64_t size,
		struct log_file *out, struct err *err)
{
	struct log_file f = {
	    d->io, -1, {.kind = d->kind, .number = to}
        };
	char old[NAME_BYTES], new[NAME_BYTES];

	ASSERT(from != to);
	name_put(d, from, old);
	name_put(d, to, new);
	f.fd = d->io->open(d->io->disk, d->fd, old, LOG_WRITE);
	if (f.fd < 0)
		return fail(err, "open", old);
	if (file_start(&f, size, err) < 0)
		goto failed;
	if (d->io->rename(d->io->disk, d->fd, old, new) < 0) {
		fail(err, "rename", old);
		goto failed;
	}
	if (dir_sync(d, err) < 0)
		goto failed;
	*out = f;
	return 0;
failed:
	log_file_close(&f);
	return -1;
}

int
log_dir_remove(const struct log_dir *d, uint64_t number, struct err *err)
{
	char name[NAME_BYTES];

	name_put(d, number, name);
	if (d->io->unlink(d->io->disk, d->fd, name) < 0)
		return fail(err, "remove", name);
	return dir_sync(d, err);
}
