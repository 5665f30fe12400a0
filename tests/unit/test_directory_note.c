/* tests/unit/test_directory_note.c - notes: found, ended, cleaned away */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "common/directory/directory.h"

static char folder[64];
static struct directory *d;
static struct err err;

static int
setup(void **state)
{
	const struct directory_options options = {.folder = folder};

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_note.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(directory_open(&options, &d, &err), DIRECTORY_DONE);
	return 0;
}

static int
teardown(void **state)
{
	struct dirent *entry;
	DIR *dir;

	(void)state;
	directory_free(&d);
	dir = opendir(folder);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(folder);
}

static void
put(uint64_t account, struct span about, uint64_t value, uint64_t ends)
{
	const struct directory_note note = {DIRECTORY_NOTE_REPLIED, account, about,
					    value, ends};

	assert_int_equal(directory_note_put(d, &note, &err), DIRECTORY_DONE);
}

static int
find(uint64_t account, struct span about, uint64_t now, uint64_t *value)
{
	return directory_note_find(d, DIRECTORY_NOTE_REPLIED, account, about, now,
				   value, &err);
}

static void
test_note_is_found_until_its_end(void **state)
{
	char text[DIRECTORY_NOTE_ABOUT_MAX + 1] = "x";
	const struct span longest = span_make(text, DIRECTORY_NOTE_ABOUT_MAX);
	const struct span longer = span_make(text, sizeof(text));
	struct directory_note note = {DIRECTORY_NOTE_REPLIED, 7, longer, 1, 0};
	uint64_t value = 0;

	(void)state;
	put(7, SPAN("a@b.example"), 5, 100);
	put(7, longest, 6, 0);
	assert_int_equal(find(7, SPAN("a@b.example"), 99, &value), 1);
	assert_int_equal(value, 5);
	assert_int_equal(find(7, SPAN("a@b.example"), 100, &value), 0);
	assert_int_equal(find(8, SPAN("a@b.example"), 99, &value), 0);
	assert_int_equal(find(7, SPAN("a@b.exampl"), 99, &value), 0);
	assert_int_equal(directory_note_find(d, DIRECTORY_NOTE_QUOTA, 7,
					     SPAN("a@b.example"), 99, &value, &err),
			 0);
	assert_int_equal(find(7, longest, 1u << 30, &value), 1);
	assert_int_equal(value, 6);
	assert_int_equal(find(7, longer, 1, &value), 0);
	assert_int_equal(directory_note_put(d, &note, &err), DIRECTORY_BAD_VALUE);
	put(7, SPAN("a@b.example"), 8, 200);
	assert_int_equal(find(7, SPAN("a@b.example"), 100, &value), 1);
	assert_int_equal(value, 8);
	assert_int_equal(directory_note_remove(d, DIRECTORY_NOTE_REPLIED, 7,
					       SPAN("a@b.example"), &err),
			 DIRECTORY_DONE);
	assert_int_equal(find(7, SPAN("a@b.example"), 100, &value), 0);
}

static void
test_cleaning_takes_what_has_ended_and_nothing_else(void **state)
{
	enum {
		N = 3 * DIRECTORY_CLEAN_PAGE
	};
	struct directory_cleaning at = {0};
	size_t removed, all = 0, pages = 0;
	uint64_t value;

	(void)state;
	for (uint64_t i = 1; i <= N; i++)
		put(i, SPAN("x"), i, i % 3 == 0 ? 0 : i % 3 == 1 ? 10 : 1000);
	do {
		struct directory_cleaning next;

		assert_int_equal(
		    directory_notes_clean(d, &at, 10, &next, &removed, &err),
		    DIRECTORY_DONE);
		at = next;
		all += removed;
		pages++;
	} while (at.n > 0);
	assert_int_equal(all, N / 3);
	assert_true(pages >= N / DIRECTORY_CLEAN_PAGE);
	for (uint64_t i = 1; i <= N; i++)
		assert_int_equal(find(i, SPAN("x"), 1, &value), i % 3 != 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_note_is_found_until_its_end, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(
		test_cleaning_takes_what_has_ended_and_nothing_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
