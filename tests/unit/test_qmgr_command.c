/* tests/unit/test_qmgr_command.c - what an operator said of a message, and what becomes
 * of it through a restart
 */
#include "tests/unit/queue_fixture.h"

static struct queue *
restarted(struct queue *q, uint32_t now_s)
{
	struct queue *again = queue_make();
	struct cursor notes;
	struct note n;

	for (notes = cursor_make(buf_span(&q->notes)); note_next(&notes, &n);)
		queue_restore(again, &n, now_s);
	queue_free(&q);
	return again;
}

/* What was said of it is remembered, though nothing has been done yet. */
static void
test_bounce_of_a_held_message_survives_a_restart(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_relay relay;
	uint32_t instance;

	message_deferred(q, 1, 1000);
	assert_true(queue_command(q, 1, QUEUE_HOLD, 1000));
	assert_true(queue_command(q, 1, QUEUE_BOUNCE, 1000));
	q = restarted(q, 1000);
	assert_int_equal(queue_find(q, 1)->state, ENTRY_WAITING);
	message_again(q, &target_there, 1, 1000);
	assert_false(relay_take(q, &relay, &instance, 1000));
	assert_int_equal(entry_target(queue_find(q, 1), 0), TARGET_FAILED);
	assert_int_equal(q->n_events, 1);
	assert_int_equal(q->events[0].kind, QUEUE_EVENT_BOUNCED);
	queue_free(&q);
}

static const struct mark_row {
	const char *name;
	enum queue_verb verbs[2];
	bool there, held, given_up; /* after the restart, once it was looked at */
} mark_rows[] = {
    {"hold",    {QUEUE_HOLD, QUEUE_LIST},    true,  true,  false},
    {"release", {QUEUE_HOLD, QUEUE_RELEASE}, true,  false, false},
    {"remove",  {QUEUE_REMOVE, QUEUE_LIST},  false, false, false},
    {"bounce",  {QUEUE_BOUNCE, QUEUE_LIST},  true,  false, true },
};

/* The transaction that was under way is not waited for. */
static void
test_what_was_said_of_a_message_in_work_survives_a_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(mark_rows); i++) {
		const struct mark_row *row = &mark_rows[i];
		struct queue *q = queue_make();
		struct queue_relay relay;
		const struct entry *e;
		uint32_t instance;

		message_start(q, 1, &target_there, 1, 1000);
		assert_true(relay_take(q, &relay, &instance, 1000));
		assert_true(queue_command(q, 1, row->verbs[0], 1000));
		(void)queue_command(q, 1, row->verbs[1], 1000);
		q = restarted(q, 1000);
		assert_int_equal(queue_find(q, 1)->state == ENTRY_HELD, row->held);
		if (!row->held)
			message_again(q, &target_there, 1, 1000);
		e = queue_find(q, 1);
		if ((e != NULL) != row->there ||
		    (e && (entry_target(e, 0) == TARGET_FAILED) != row->given_up))
			fail_msg("%s", row->name);
		queue_free(&q);
	}
}

static const struct word_row {
	const char *name;
	enum queue_verb verbs[3];
	bool unreadable; /* when it is read after the second one */
	bool given_up;
} word_rows[] = {
    {"bounce, hold, release",                  {QUEUE_BOUNCE, QUEUE_HOLD, QUEUE_RELEASE}, false, false},
    {"hold, release, bounce",                  {QUEUE_HOLD, QUEUE_RELEASE, QUEUE_BOUNCE}, false, true },
    {"bounce of what cannot be read, release",
     {QUEUE_HOLD, QUEUE_BOUNCE, QUEUE_RELEASE},
     true,										       false},
};

/* What an operator said before holds no more. */
static void
test_last_word_of_the_operator_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(word_rows); i++) {
		const struct word_row *row = &word_rows[i];
		struct queue *q = queue_make();
		struct queue_load load;

		message_deferred(q, 1, 1000);
		for (size_t k = 0; k < N_ELEMS(row->verbs); k++) {
			if (k == 2 && row->unreadable) {
				assert_true(queue_next_load(q, 1000, &load));
				queue_load_failed(q, load.ref, SPAN("not readable"));
			}
			assert_true(queue_command(q, 1, row->verbs[k], 1000));
		}
		message_again(q, &target_there, 1, 1000);
		if ((entry_target(queue_find(q, 1), 0) == TARGET_FAILED) !=
		    row->given_up)
			fail_msg("%s", row->name);
		queue_free(&q);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bounce_of_a_held_message_survives_a_restart),
	    cmocka_unit_test(
		test_what_was_said_of_a_message_in_work_survives_a_restart),
	    cmocka_unit_test(test_last_word_of_the_operator_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
