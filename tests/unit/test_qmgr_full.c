/* tests/unit/test_qmgr_full.c - messages that wait for space, and what a try leaves
 * behind */
#include "tests/unit/queue_fixture.h"

#define FULL "4.3.1 No space left on device"

/* The job that is due; answers it. */
static void
answer(struct queue *q, enum delivery_outcome outcome, const char *text, uint32_t now_s)
{
	struct queue_job job;

	assert_true(queue_next_job(q, 0, &job));
	assert_true(queue_delivered(q, 0, job.job, outcome, span_str(text), now_s));
}

/* Messages 1 to n, each deferred at now_s. */
static struct queue *
deferred_make(uint64_t n, const char *text, uint32_t now_s)
{
	struct queue *q = queue_make();

	for (uint64_t id = 1; id <= n; id++) {
		message_start(q, id, &target_here, 1, now_s);
		answer(q, DELIVERY_DEFERRED, text, now_s);
	}
	return q;
}

static size_t
count_due(const struct queue *q, uint64_t n, uint32_t by_s)
{
	size_t due = 0;

	for (uint64_t id = 1; id <= n; id++) {
		const struct entry *e = queue_find(q, id);

		due += e && e->due_s <= by_s;
	}
	return due;
}

static void
test_try_after_a_deferral_is_a_replay(void **state)
{
	struct queue *q = deferred_make(1, "4.3.0 the disk failed", 1000);
	struct queue_job job;

	(void)state;
	message_again(q, &target_here, 1, 2000);
	assert_true(queue_next_job(q, 0, &job));
	assert_true(job.replay);
	queue_free(&q);
}

static void
test_full_disk_is_probed_by_few(void **state)
{
	struct queue *q = deferred_make(20, FULL, 1000);

	(void)state;
	assert_int_equal(count_due(q, 20, 1000 + QUEUE_FULL_PROBE_S),
			 QUEUE_FULL_PROBES);
	/* However long it lasts, and it is no other try. */
	for (uint32_t now_s = 1002; now_s < 1100; now_s += 2) {
		for (int i = 0; i < QUEUE_FULL_PROBES; i++) {
			message_again(q, &target_here, 1, now_s);
			answer(q, DELIVERY_DEFERRED, FULL, now_s);
		}
		assert_int_equal(count_due(q, 20, now_s + 2), QUEUE_FULL_PROBES);
	}
	for (uint64_t id = 1; id <= 20; id++)
		assert_int_equal(queue_find(q, id)->tries, 1);
	assert_false(queue_full_turn(q, 100, 1100));
	queue_free(&q);
}

static void
test_space_that_comes_back_makes_all_due(void **state)
{
	struct queue *q = deferred_make(20, FULL, 1000);

	(void)state;
	message_again(q, &target_here, 1, 1002);
	answer(q, DELIVERY_DONE, "", 1002);
	assert_int_equal(count_due(q, 20, 1002), QUEUE_FULL_PROBES - 1);
	assert_true(queue_full_turn(q, 10, 1002));
	while (queue_full_turn(q, 3, 1002))
		;
	assert_int_equal(count_due(q, 20, 1002), 19);
	/* One more success is no news. */
	message_again(q, &target_here, 1, 1002);
	answer(q, DELIVERY_DONE, "", 1002);
	assert_false(queue_full_turn(q, 10, 1002));
	queue_free(&q);
}

static void
test_other_deferrals_are_left_alone(void **state)
{
	struct queue *q = deferred_make(3, "4.3.0 the mailbox failed", 1000);

	(void)state;
	assert_int_equal(count_due(q, 3, 1200), 0);
	message_start(q, 4, &target_here, 1, 1010);
	answer(q, DELIVERY_DEFERRED, FULL, 1010);
	message_again(q, &target_here, 1, 1012);
	answer(q, DELIVERY_DONE, "", 1012);
	while (queue_full_turn(q, 10, 1012))
		;
	assert_int_equal(count_due(q, 3, 1200), 0);
	queue_free(&q);
}

static void
test_restart_asks_again_for_space(void **state)
{
	struct queue *q = deferred_make(6, FULL, 1000), *next = queue_make();
	struct cursor c = cursor_make(buf_span(&q->notes));
	struct note n;

	(void)state;
	while (note_next(&c, &n))
		queue_restore(next, &n, 1001);
	assert_int_equal(count_due(next, 6, 1001), 6);
	queue_free(&q);
	queue_free(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_try_after_a_deferral_is_a_replay),
	    cmocka_unit_test(test_full_disk_is_probed_by_few),
	    cmocka_unit_test(test_space_that_comes_back_makes_all_due),
	    cmocka_unit_test(test_other_deferrals_are_left_alone),
	    cmocka_unit_test(test_restart_asks_again_for_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
