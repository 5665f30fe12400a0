/* tests/unit/store_fixture.h - a store in a directory of its own */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store/store.h"

#define FIXTURE_NOW INT64_C(1800000000000000)

struct fixture {
	char root[64];
	struct store *store;
	struct store_settings settings;
	struct store_account *account;
	struct err err;
	int64_t now_us;
	uint64_t queue_id;
};

#define FIXTURE_ID UINT64_C(0x123f)

static inline void
fixture_check(struct fixture *f, enum store_result result)
{
	if (result == STORE_FAULT || result == STORE_DAMAGED)
		print_message("%s\n", f->err.text);
	assert_int_equal(result, STORE_OK);
}

static inline void
fixture_open(struct fixture *f)
{
	fixture_check(f, store_account_open(f->store, FIXTURE_ID, STORE_MAY_CREATE,
					    f->now_us, &f->account, &f->err));
}

static inline void
fixture_init(struct fixture *f, const struct store_settings *settings)
{
	*f = (struct fixture){
	    .settings = *settings, .now_us = FIXTURE_NOW, .queue_id = 1};
	snprintf(f->root, sizeof(f->root), "%.40s/store.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(f->root));
	f->store = store_new(f->root, settings, &f->err);
	assert_non_null(f->store);
	fixture_open(f);
}

/* As a process that ends and starts again. */
static inline void
fixture_reopen(struct fixture *f)
{
	store_account_close(&f->account);
	store_free(&f->store);
	f->store = store_new(f->root, &f->settings, &f->err);
	assert_non_null(f->store);
	fixture_open(f);
}

static inline void
fixture_path(const struct fixture *f, const char *name, char path[160])
{
	snprintf(path, 160, "%s/3f/000000000000123f/%s", f->root, name);
}

static inline void
fixture_remove(const struct fixture *f, const char *name)
{
	char path[160];

	fixture_path(f, name, path);
	unlink(path);
}

/* Changes one byte of a file. */
static inline void
fixture_poke(const struct fixture *f, const char *name, off_t offset)
{
	char path[160], byte;
	int fd;

	fixture_path(f, name, path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x20;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static inline void
fixture_remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d) {
		unlink(path);
		return;
	}
	while ((e = readdir(d))) {
		char name[512];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%.200s/%.200s", path, e->d_name);
		fixture_remove_tree(name);
	}
	closedir(d);
	rmdir(path);
}

static inline void
fixture_release(struct fixture *f)
{
	store_account_close(&f->account);
	store_free(&f->store);
	fixture_remove_tree(f->root);
}

static inline struct store_message
fixture_message(const struct fixture *f, struct span content, struct span prefix)
{
	return (struct store_message){.mailbox = STORE_INBOX,
				      .content = content,
				      .prefix = prefix,
				      .internal_us = f->now_us,
				      .saved_us = f->now_us};
}

/* Appends one message and makes it durable. */
static inline struct store_appended
fixture_append(struct fixture *f, const struct store_message *m)
{
	struct store_appended out;

	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	fixture_check(f, store_append(f->account, m, &out, &f->err));
	fixture_check(f, store_batch_end(f->account, &f->err));
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	return out;
}

/* All bytes of a message, prefix included. */
static inline enum store_result
fixture_read(struct fixture *f, uint32_t mailbox, uint32_t uid, struct buf *out)
{
	struct store_content *c = NULL;
	enum store_result result =
	    store_content_open(f->account, mailbox, uid, &c, &f->err);
	struct span piece;

	if (result != STORE_OK)
		return result;
	buf_reset(out);
	for (;;) {
		fixture_check(f,
			      store_content_read(c, out->n, 100000, &piece, &f->err));
		if (piece.n == 0)
			break;
		buf_put(out, piece);
	}
	assert_int_equal(out->n, store_content_size(c));
	store_content_close(&c);
	return STORE_OK;
}
