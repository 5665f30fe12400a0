/* tests/unit/test_spoold_start.c - what one run of spoold leaves to the next: ids,
 * numbers
 */
#include "spoold/ids.h"
#include "spoold/start.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_ids_go_on_even_when_the_clock_went_back(void **state)
{
	(void)state;
	uint64_t start;

	assert_true(ids_first(0, 1000, &start) == UINT64_C(1000) << 32);
	assert_int_equal(start, 1000);
	assert_true(ids_first(2000, 1000, &start) == UINT64_C(2001) << 32);
	assert_int_equal(start, 2001);
	assert_true(ids_first(1000, 1000, &start) == UINT64_C(1001) << 32);
}

static void
started(const char *path, uint32_t next_number)
{
	struct spool_start found = {0};
	struct err err;

	assert_int_equal(spool_start(path, 1000, &found, &err), 0);
	assert_int_equal(found.next_number, next_number);
	assert_int_equal(found.numbers_end, next_number + STORE_NUMBERS_AHEAD);
	log_numbers_release(&found.numbers);
	close(found.dir_fd);
	close(found.spool_fd);
}

/* Their files may all be gone: what qmgr remembers of them is not. */
static void
test_numbers_of_an_earlier_run_are_never_given_again(void **state)
{
	char path[] = "/tmp/test_spoold.XXXXXX", name[128];
	const char *files[] = {"ids", "numbers", "seg/9000"};

	(void)state;
	assert_non_null(mkdtemp(path));
	started(path, 1);
	started(path, 1 + STORE_NUMBERS_AHEAD);
	snprintf(name, sizeof(name), "%s/seg/9000", path);
	assert_int_equal(close(open(name, O_CREAT | O_WRONLY, 0600)), 0);
	started(path, 9001);
	for (size_t i = 0; i < N_ELEMS(files); i++) {
		snprintf(name, sizeof(name), "%s/%s", path, files[i]);
		assert_int_equal(unlink(name), 0);
	}
	snprintf(name, sizeof(name), "%s/seg", path);
	assert_int_equal(rmdir(name), 0);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids_go_on_even_when_the_clock_went_back),
	    cmocka_unit_test(test_numbers_of_an_earlier_run_are_never_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
