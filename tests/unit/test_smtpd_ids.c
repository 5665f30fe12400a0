/* tests/unit/test_smtpd_ids.c - each granted queue id is used once */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtpd/ids.h"

static void
test_ids_come_in_order_and_once(void **state)
{
	struct id_pool p = {0};
	uint64_t id;

	(void)state;
	assert_false(id_pool_take(&p, &id));
	assert_true(id_pool_grant(&p, 100, 2));
	assert_true(id_pool_grant(&p, 500, 1));
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t want[] = {100, 101, 500};

		assert_true(id_pool_take(&p, &id));
		assert_int_equal(id, want[i]);
	}
	assert_false(id_pool_take(&p, &id));
}

static void
test_returned_id_is_used_again(void **state)
{
	struct id_pool p = {0};
	uint64_t id;

	(void)state;
	assert_true(id_pool_grant(&p, 100, 2));
	assert_true(id_pool_take(&p, &id));
	assert_true(id_pool_return(&p, id));
	assert_true(id_pool_take(&p, &id));
	assert_int_equal(id, 100);
	for (size_t i = 0; i < ID_RETURNED_MAX; i++)
		assert_true(id_pool_return(&p, i + 1));
	assert_false(id_pool_return(&p, 9999));
	id_pool_clear(&p);
	assert_false(id_pool_take(&p, &id));
}

static void
test_impossible_grants_are_refused(void **state)
{
	struct id_pool p = {0};

	(void)state;
	assert_false(id_pool_grant(&p, 0, 1));
	assert_false(id_pool_grant(&p, 1, 0));
	assert_false(id_pool_grant(&p, UINT64_MAX, 2));
	for (size_t i = 0; i < ID_GRANTS_MAX; i++)
		assert_true(id_pool_grant(&p, 1 + i, 1));
	assert_false(id_pool_grant(&p, 1000, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids_come_in_order_and_once),
	    cmocka_unit_test(test_returned_id_is_used_again),
	    cmocka_unit_test(test_impossible_grants_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
