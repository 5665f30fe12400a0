/* tests/unit/directory_fixture.h - a directory in a folder of its own, and short ways
 * to fill it */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "common/directory/directory.h"
#include "tests/unit/directory_make.h"

static const struct directory_policy policy = {.delimiters = SPAN("+")};

struct fixture {
	char folder[64];
	struct directory *d;
	struct arena arena;
	struct err err;
};

static inline void
open_it(struct fixture *f)
{
	struct directory_options options = {.folder = f->folder};

	assert_int_equal(directory_open(&options, &f->d, &f->err), DIRECTORY_DONE);
}

static inline int
setup(void **state)
{
	struct fixture *f = memory_new(1, sizeof(*f));

	strncpy(f->folder, "/tmp/test_directory.XXXXXX", sizeof(f->folder) - 1);
	assert_non_null(mkdtemp(f->folder));
	arena_init(&f->arena, DIRECTORY_ARENA_BYTES);
	open_it(f);
	*state = f;
	return 0;
}

static inline void
remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(folder), 0);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	directory_free(&f->d);
	remove_folder(f->folder);
	arena_release(&f->arena);
	free(f);
	return 0;
}

/* Cheap: tests that ask for no password share one that was never made. */
static const struct directory_password no_password = {.has_scram = false};

static inline uint64_t
add_account(struct fixture *f, const char *address)
{
	uint64_t id = 0;

	assert_int_equal(make_account(f->d, span_str(address), &no_password, 1000,
				      1700000000, &id, &f->err),
			 DIRECTORY_DONE);
	return id;
}

static inline void
add_domain(struct fixture *f, const char *name)
{
	assert_int_equal(make_domain(f->d, span_str(name), &f->err), DIRECTORY_DONE);
}

static inline enum directory_result
alias(struct fixture *f, const char *address, const char *targets)
{
	struct span list[64], rest = span_str(targets);
	size_t n = 0;

	while (rest.n > 0)
		list[n++] = span_cut(&rest, ' ');
	return make_alias(f->d, span_str(address), list, n, &f->err);
}

static inline void
add_alias(struct fixture *f, const char *address, const char *targets)
{
	assert_int_equal(alias(f, address, targets), DIRECTORY_DONE);
}

/* "kind target target+detail ..." with a NUL behind it, to compare with a row. */
static inline void
resolve_text(struct fixture *f, const char *address, const struct directory_policy *p,
	     struct buf *out)
{
	static const char *const kinds[] = {
	    "targets", "not-local", "unknown", "disabled", "loop", "too-many", "bad"};
	struct directory_route route;

	buf_reset(out);
	arena_release(&f->arena);
	if (directory_resolve(f->d, span_str(address), p, &f->arena, &route, &f->err) ==
	    DIRECTORY_ROUTE_FAULT) {
		buf_put(out, SPAN("fault\0"));
		return;
	}
	buf_put_str(out, kinds[route.kind]);
	for (size_t i = 0; i < route.n; i++) {
		buf_put_char(out, ' ');
		buf_put_str(out, route.targets[i].account ? "" : "->");
		buf_put(out, route.targets[i].address);
		if (route.targets[i].detail.n > 0) {
			buf_put_char(out, '/');
			buf_put(out, route.targets[i].detail);
		}
	}
	if (route.skipped)
		buf_putf(out, " skipped=%u", route.skipped);
	buf_put_char(out, '\0');
}

static inline void
expect(struct fixture *f, const char *address, const char *want)
{
	struct buf got = buf_make(1 << 20);

	resolve_text(f, address, &policy, &got);
	print_message("%s\n", address);
	assert_string_equal(got.at, want);
	buf_release(&got);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
