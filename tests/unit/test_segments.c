/* tests/unit/test_segments.c - files of the spool that came by descriptor */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/segments/segments.h"

#include <sys/mman.h>
#include <unistd.h>

static int
memory_file(const char *text)
{
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void
test_segments_read_only_what_is_inside(void **state)
{
	static const struct row {
		const char *name;
		uint32_t number;
		uint64_t offset;
		size_t n;
		enum segments_result want;
	} rows[] = {
	    {"all",           7, 0,              6, SEGMENTS_OK     },
	    {"the middle",    7, 2,              2, SEGMENTS_OK     },
	    {"nothing",       7, 6,              0, SEGMENTS_OK     },
	    {"one too many",  7, 0,              7, SEGMENTS_BEYOND },
	    {"behind",        7, 6,              1, SEGMENTS_BEYOND },
	    {"far behind",    7, UINT64_MAX - 1, 6, SEGMENTS_BEYOND },
	    {"of no segment", 8, 0,              1, SEGMENTS_UNKNOWN},
	};
	struct segments all = {0};

	(void)state;
	segments_put(&all, 7, memory_file("abcdef"));
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct row *r = &rows[i];
		char got[8];
		enum segments_result result =
		    segments_read(&all, r->number, r->offset, got, r->n);

		if (result != r->want)
			fail_msg("%s: %d", r->name, result);
		assert_int_equal(segments_text(result)[0] == '\0',
				 result == SEGMENTS_OK);
		if (result == SEGMENTS_OK)
			assert_memory_equal(got, &"abcdef"[r->offset], r -> n);
	}
	segments_release(&all);
}

static void
test_segments_follow_a_file_that_grows(void **state)
{
	struct segments all = {0};
	int fd = memory_file("ab");
	char got[4];

	(void)state;
	segments_put(&all, 1, fd);
	assert_int_equal(segments_read(&all, 1, 0, got, 4), SEGMENTS_BEYOND);
	assert_int_equal(pwrite(fd, "cd", 2, 2), 2);
	assert_int_equal(segments_read(&all, 1, 0, got, 4), SEGMENTS_OK);
	assert_memory_equal(got, "abcd", 4);
	segments_release(&all);
}

static void
test_segments_replace_and_drop(void **state)
{
	struct segments all = {0};
	char got[2];

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		segments_put(&all, i, memory_file(i % 2 ? "odd" : "even"));
	segments_put(&all, 4, memory_file("new"));
	assert_int_equal(all.n, 40);
	assert_int_equal(segments_read(&all, 4, 0, got, 1), SEGMENTS_OK);
	assert_int_equal(got[0], 'n');
	segments_drop(&all, 4);
	segments_drop(&all, 99);
	assert_int_equal(all.n, 39);
	assert_int_equal(segments_read(&all, 4, 0, got, 1), SEGMENTS_UNKNOWN);
	assert_int_equal(segments_read(&all, 39, 0, got, 1), SEGMENTS_OK);
	assert_int_equal(got[0], 'o');
	segments_release(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_segments_read_only_what_is_inside),
	    cmocka_unit_test(test_segments_follow_a_file_that_grows),
	    cmocka_unit_test(test_segments_replace_and_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
