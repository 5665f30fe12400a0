/* tests/unit/test_qmgr_clock.c - a wall clock that is set, back or ahead */
#include "tests/unit/queue_fixture.h"

/* Nobody waits until the clock has come again to where it was. */
static void
test_clock_set_back_delays_no_message(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	uint32_t years_s = 3 * 365 * 86400, now_s = 1000 + years_s;
	const struct entry *e;

	queue_tick(q, now_s);
	message_deferred(q, 1, now_s);
	e = queue_find(q, 1);
	queue_tick(q, now_s - 30);
	assert_false(queue_clock_turn(q, 10, now_s - 30));
	assert_true(e->due_s > now_s);
	now_s -= years_s;
	queue_tick(q, now_s);
	assert_true(queue_clock_turn(q, 1, now_s));
	assert_false(queue_clock_turn(q, 1, now_s));
	assert_int_equal(e->due_s, now_s);
	message_again(q, &target_there, 1, now_s);
	assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_TALKED, now_s));
	assert_true(e->due_s > now_s && e->due_s < now_s + 86400);
	queue_tick(q, now_s + 5);
	assert_false(queue_clock_turn(q, 10, now_s + 5));
	assert_true(e->due_s > now_s);
	queue_free(&q);
}

/* What came while the clock was ahead gets old all the same. */
static void
test_message_from_the_future_has_come_now(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	uint32_t years_s = 3 * 365 * 86400, bytes;
	struct queue_load load;

	queue_tick(q, 1000 + years_s);
	message_deferred(q, 1, 1000 + years_s);
	queue_tick(q, 1000);
	while (queue_clock_turn(q, 1, 1000))
		;
	assert_int_equal(queue_find(q, 1)->arrived_s, 1000);
	assert_true(queue_next_load(q, 2000, &load));
	queue_loaded(q, load.ref, (uint64_t)(1000 + years_s) * 1000000,
		     envelope_of(&target_there, 1, &bytes), 2000);
	assert_int_equal(queue_find(q, 1)->arrived_s, 1000);
	queue_free(&q);
}

/* One more try of message 1, which fails. */
static void
try_again(struct queue *q, uint32_t now_s)
{
	assert_true(queue_command(q, 1, QUEUE_FLUSH, now_s));
	message_again(q, &target_there, 1, now_s);
	assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_TALKED, now_s));
}

static const struct leap_row {
	const char *name;
	uint32_t before_s; /* what the clock said last; 0: the start */
	uint32_t now_s;
} leap_rows[] = {
    {"set ahead",         2000,       2000 + 86400 * 365},
    {"start after years", 0,          86400 * 365       },
    {"set back a little", 86400 * 31, 86400 * 30        },
};

/* Its age is counted again when the clock has gone on evenly for some time. */
static void
test_clock_that_leaps_gives_no_message_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(leap_rows); i++) {
		const struct leap_row *row = &leap_rows[i];
		struct queue *q = queue_make();
		uint32_t now_s = row->now_s;

		message_deferred(q, 1, 1000);
		if (row->before_s)
			queue_tick(q, row->before_s);
		for (; now_s < row->now_s + QUEUE_STEADY_S; now_s += 60) {
			queue_tick(q, now_s);
			if (now_s % 3600 == 0 || now_s == row->now_s)
				try_again(q, now_s);
			if (queue_find(q, 1)->state != ENTRY_WAITING ||
			    entry_target(queue_find(q, 1), 0) != TARGET_OPEN)
				fail_msg("%s: %u", row->name, now_s);
		}
		queue_tick(q, now_s);
		queue_tick(q, ++now_s);
		try_again(q, now_s);
		if (entry_target(queue_find(q, 1), 0) != TARGET_FAILED)
			fail_msg("%s: not given up", row->name);
		queue_free(&q);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clock_set_back_delays_no_message),
	    cmocka_unit_test(test_message_from_the_future_has_come_now),
	    cmocka_unit_test(test_clock_that_leaps_gives_no_message_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
