/* tests/unit/spoold_fixture.h - a store of spoold for tests
 *
 * Jobs run when the test says so; the disk is a temporary directory whose calls
 * can be made to fail.
 */
#pragma once

#include "spoold/ids.h"
#include "spoold/store.h"
#include "spoold/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define SEGMENT_BYTES (4u << 20)
#define ENVELOPE      10 /* bytes; the store does not look into it */

struct fixture {
	char path[64];
	int dir_fd;
	struct log_io io;
	struct store store;
	struct client *client;
	struct proc_job *jobs[256];
	size_t n_jobs;
	uint64_t next_id;
	struct store_result results[4096];
	size_t n_results;
};

/* What the disk refuses; 0 for nothing. */
static int fail_sync, fail_write, fail_create, fail_reserve, fail_read;

static inline ssize_t
disk_pwritev(void *disk, int fd, const struct iovec *v, int n, uint64_t offset)
{
	(void)disk;
	if (fail_write) {
		errno = fail_write;
		return -1;
	}
	return log_io_real.pwritev(NULL, fd, v, n, offset);
}

/* The headers stay readable. */
static inline ssize_t
disk_pread(void *disk, int fd, void *at, size_t n, uint64_t offset)
{
	(void)disk;
	if (fail_read && offset + n > LOG_HEADER_BYTES &&
	    offset < LOG_HEADER_BYTES + 4096) {
		errno = fail_read;
		return -1;
	}
	return log_io_real.pread(NULL, fd, at, n, offset);
}

static inline int
disk_fdatasync(void *disk, int fd)
{
	(void)disk;
	if (fail_sync) {
		errno = fail_sync;
		return -1;
	}
	return fsync(fd) == 0 ? 0 : -1;
}

static inline int
disk_open(void *disk, int dir, const char *name, enum log_access access)
{
	(void)disk;
	if (fail_create && access == LOG_CREATE) {
		errno = fail_create;
		return -1;
	}
	return log_io_real.open(NULL, dir, name, access);
}

static inline int
reserve(void *context, uint32_t end, struct err *err)
{
	(void)context;
	(void)end;
	return fail_reserve ? err_set(err, "no") : 0;
}

static inline bool
work(void *context, struct proc_job *job)
{
	struct fixture *f = context;

	if (f->n_jobs == N_ELEMS(f->jobs))
		return false;
	f->jobs[f->n_jobs++] = job;
	return true;
}

/* Goes on by itself, so that no sync waits for ever. */
static uint64_t clock_us;

static inline uint64_t
now_us(void)
{
	return clock_us += 100;
}

/* One job after another until none is left, new ones too. */
static inline void
jobs_run(struct fixture *f)
{
	while (f->n_jobs > 0) {
		struct proc_job *job = f->jobs[0];

		memmove(f->jobs, f->jobs + 1, --f->n_jobs * sizeof(job));
		job->work(job);
		job->done(job);
	}
}

static inline void
results_take(struct fixture *f)
{
	while (f->n_results < N_ELEMS(f->results) &&
	       store_next(&f->store, &f->results[f->n_results]))
		f->n_results++;
}

/* The loop until nothing moves. */
static inline void
settle(struct fixture *f)
{
	for (int i = 0; i < 24; i++) {
		store_turn(&f->store);
		jobs_run(f);
	}
	results_take(f);
}

static inline void
store_start(struct fixture *f, uint32_t next_number)
{
	struct store_setup setup = {.io = &f->io,
				    .dir_fd = f->dir_fd,
				    .segment_bytes = SEGMENT_BYTES,
				    .reserve = reserve,
				    .work = work,
				    .now_us = now_us,
				    .context = f};

	store_init(&f->store, &setup, next_number, next_number + STORE_NUMBERS_AHEAD);
	f->store.recovered = true;
	f->client = client_new(&f->store, (struct origin){0, 1});
	for (f->next_id = 1000; f->next_id < 1000 + 16 * QUEUE_ID_BLOCK;
	     f->next_id += QUEUE_ID_BLOCK)
		id_grants_add(&f->client->grants, f->next_id);
	f->next_id = 1000;
}

static inline int
setup_store(void **state)
{
	struct fixture *f = memory_new(1, sizeof(*f));

	fail_sync = fail_write = fail_create = fail_reserve = fail_read = 0;
	snprintf(f->path, sizeof(f->path), "/tmp/test_spoold.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->dir_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->io = log_io_real;
	f->io.pread = disk_pread;
	f->io.pwritev = disk_pwritev;
	f->io.fdatasync = disk_fdatasync;
	f->io.open = disk_open;
	store_start(f, 1);
	jobs_run(f);
	*state = f;
	return 0;
}

static inline size_t
files(struct fixture *f, bool remove)
{
	struct log_numbers numbers = {0};
	struct err err;
	size_t n;

	if (log_dir_list(&f->store.dir, &numbers, &err) != 0)
		return 0;
	for (size_t i = 0; remove && i < numbers.n; i++)
		if (log_dir_remove(&f->store.dir, numbers.at[i], &err) != 0)
			return 0;
	n = numbers.n;
	log_numbers_release(&numbers);
	return n;
}

static inline int
teardown_store(void **state)
{
	struct fixture *f = *state;

	fail_sync = fail_write = fail_create = fail_reserve = fail_read = 0;
	client_free(&f->client);
	settle(f);
	store_release(&f->store);
	(void)files(f, true);
	close(f->dir_fd);
	rmdir(f->path);
	free(f);
	return 0;
}

static char letters[SPOOL_SHARED_MAX * 4];

static inline uint64_t
put(struct fixture *f, size_t n)
{
	uint64_t id = f->next_id++;

	assert_true(client_put(f->client, id, ENVELOPE, span_make(letters, n), 1));
	return id;
}

static inline uint64_t
begin(struct fixture *f, uint64_t hint)
{
	uint64_t id = f->next_id++;

	assert_true(
	    client_begin(f->client, id, ENVELOPE, hint, span_make(letters, 100), 1));
	return id;
}

/* The answer for an id, or -1 when there is none. */
static inline int
answer(const struct fixture *f, uint64_t id)
{
	for (size_t i = 0; i < f->n_results; i++)
		if (f->results[i].kind == STORE_ANSWER && f->results[i].id == id)
			return (int)f->results[i].outcome;
	return -1;
}

static inline const struct store_result *
added(const struct fixture *f, uint64_t id)
{
	for (size_t i = 0; i < f->n_results; i++)
		if (f->results[i].kind == STORE_ADDED && f->results[i].id == id)
			return &f->results[i];
	return NULL;
}

/* What stands on disk where a result says. */
static inline void
assert_on_disk(struct fixture *f, const struct store_result *r)
{
	struct buf hold = buf_make(LOG_RECORD_MAX);
	struct log_record record;
	struct spool_head head;
	struct log_file file;
	struct err err;

	assert_non_null(r);
	assert_int_equal(log_dir_open(&f->store.dir, r->segment, LOG_READ, &file, &err),
			 LOG_OPEN_OK);
	assert_int_equal(log_fetch(&file, r->offset, 4096, &hold, &record, &err),
			 LOG_READ_RECORD);
	assert_true(spool_head_parse(record.payload, record.n, &head));
	assert_true(head.id == r->id);
	assert_int_equal(head.envelope_bytes, ENVELOPE);
	assert_int_equal(record.n, SPOOL_HEAD_BYTES + ENVELOPE + r->content_bytes);
	log_file_close(&file);
	buf_release(&hold);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_store, teardown_store)
