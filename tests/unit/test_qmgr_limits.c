/* tests/unit/test_qmgr_limits.c - how much an account may send */
#include "tests/unit/queue_fixture.h"

#define HOUR_S 3600u
#define NOW_S  (400000u * HOUR_S) /* when an hour begins */

static const struct take_row {
	const char *name;
	uint64_t max[LIMIT_COUNT];
	uint32_t recipients, messages; /* so many go, the next does not */
	enum limit limit;
} take_rows[] = {
    {"messages an hour",   {5, 0, 0, 0},   1,  5, LIMIT_MESSAGES_HOUR  },
    {"messages a day",     {9, 7, 0, 0},   1,  7, LIMIT_MESSAGES_DAY   },
    {"recipients an hour", {0, 0, 100, 0}, 30, 3, LIMIT_RECIPIENTS_HOUR},
    {"all but one more",   {0, 0, 90, 0},  30, 3, LIMIT_RECIPIENTS_HOUR},
    {"recipients a day",   {0, 0, 0, 10},  5,  2, LIMIT_RECIPIENTS_DAY },
};

static void
test_message_beyond_a_limit_is_not_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(take_rows); i++) {
		const struct take_row *row = &take_rows[i];
		struct limits all;
		enum limit limit;

		limits_init(&all);
		for (uint32_t k = 0; k < row->messages; k++)
			if (!limits_take(&all, row->max, 7, row->recipients, NOW_S,
					 &limit))
				fail_msg("%s: %u", row->name, k);
		if (limits_take(&all, row->max, 7, row->recipients, NOW_S, &limit) ||
		    limit != row->limit)
			fail_msg("%s", row->name);
		assert_true(limits_take(&all, row->max, 8, row->recipients, NOW_S,
					&limit)); /* another account */
		limits_release(&all);
	}
}

static void
test_no_limit_takes_all(void **state)
{
	(void)state;
	const uint64_t none[LIMIT_COUNT] = {0};
	struct limits all;
	enum limit limit;

	limits_init(&all);
	for (uint32_t i = 0; i < 100000; i++)
		assert_true(limits_take(&all, none, 7, 1000, NOW_S, &limit));
	limits_release(&all);
}

static void
test_window_slides(void **state)
{
	(void)state;
	const uint64_t max[LIMIT_COUNT] = {[LIMIT_MESSAGES_HOUR] = 60};
	struct limits all;
	enum limit limit;
	uint32_t taken = 0;

	limits_init(&all);
	while (limits_take(&all, max, 7, 1, NOW_S, &limit))
		taken++;
	assert_int_equal(taken, 60);
	/* At the next hour's begin nearly all of them still count, later fewer. */
	assert_false(limits_take(&all, max, 7, 1, NOW_S + HOUR_S, &limit));
	for (taken = 0;
	     limits_take(&all, max, 7, 1, NOW_S + HOUR_S + HOUR_S / 2, &limit);)
		taken++;
	assert_int_equal(taken, 30);
	for (taken = 0; limits_take(&all, max, 7, 1, NOW_S + 4 * HOUR_S, &limit);)
		taken++;
	assert_int_equal(taken, 60);
	limits_release(&all);
}

static void
test_table_of_accounts_is_bounded(void **state)
{
	(void)state;
	const uint64_t max[LIMIT_COUNT] = {[LIMIT_MESSAGES_HOUR] = 1};
	struct limits all;
	enum limit limit;

	limits_init(&all);
	for (uint64_t account = 1; account <= LIMITS_ACCOUNTS_MAX + 100; account++)
		assert_true(limits_take(&all, max, account, 1, NOW_S, &limit));
	assert_int_equal(all.n, LIMITS_ACCOUNTS_MAX);
	assert_false(
	    limits_take(&all, max, LIMITS_ACCOUNTS_MAX + 100, 1, NOW_S, &limit));
	assert_true(limits_take(&all, max, 1, 1, NOW_S, &limit)); /* forgotten */
	limits_release(&all);
}

static struct queue *
limited_make(void)
{
	struct queue *q = queue_make();

	q->config.limits[LIMIT_MESSAGES_HOUR] = 2;
	fixture_account = 77;
	return q;
}

static void
test_message_beyond_a_limit_is_held_and_postmaster_told_once_an_hour(void **state)
{
	(void)state;
	struct queue *q = limited_make();
	struct buf login = buf_make(1000), reason = buf_make(1000);
	const struct entry *e;
	uint64_t id;

	for (uint64_t i = 1; i <= 4; i++)
		message_start(q, i, &target_here, 1, NOW_S);
	assert_int_equal(queue_find(q, 2)->state, ENTRY_WORK);
	e = queue_find(q, 3);
	assert_int_equal(e->state, ENTRY_HELD);
	assert_true(
	    span_equal(word_text(&q->words, e->reason),
		       SPAN("me@example.org sent more than 2 messages an hour")));
	assert_true(queue_next_notice(q, &id, &login, &reason));
	assert_int_equal(id, 3);
	assert_true(span_equal(buf_span(&login), SPAN("me@example.org")));
	assert_false(queue_next_notice(q, &id, &login, &reason));
	assert_int_equal(q->events[0].kind, QUEUE_EVENT_LIMITED);
	message_start(q, 5, &target_here, 1, NOW_S + LIMITS_TELL_S - 1);
	assert_false(queue_next_notice(q, &id, &login, &reason));
	message_start(q, 6, &target_here, 1, NOW_S + LIMITS_TELL_S);
	assert_true(queue_next_notice(q, &id, &login, &reason));
	fixture_account = 0;
	message_start(q, 7, &target_here, 1, NOW_S); /* nobody's */
	assert_int_equal(queue_find(q, 7)->state, ENTRY_WORK);
	buf_release(&login);
	buf_release(&reason);
	queue_free(&q);
}

static void
test_released_message_is_not_counted_again(void **state)
{
	(void)state;
	struct queue *q = limited_make();

	for (uint64_t i = 1; i <= 3; i++)
		message_start(q, i, &target_here, 1, NOW_S);
	assert_int_equal(queue_find(q, 3)->state, ENTRY_HELD);
	assert_true(queue_command(q, 3, QUEUE_RELEASE, NOW_S));
	message_again(q, &target_here, 1, NOW_S);
	assert_int_equal(queue_find(q, 3)->state, ENTRY_WORK);
	fixture_account = 0;
	queue_free(&q);
}

/* --- through a restart ---------------------------------------------------- */

enum noting {
	BY_TIME,
	BY_SNAPSHOT,
	AT_THE_END
};

static const struct noting_row {
	const char *name;
	enum noting how;
} noting_rows[] = {
    {"by time",     BY_TIME    },
    {"by snapshot", BY_SNAPSHOT},
    {"at the end",  AT_THE_END },
};

/* The queue from the notes of another, which is freed. */
static struct queue *
restarted(struct queue *q)
{
	struct queue *again = limited_make();
	struct cursor notes;
	struct note n;

	for (notes = cursor_make(buf_span(&q->notes)); note_next(&notes, &n);)
		queue_restore(again, &n, NOW_S);
	queue_restored(again);
	queue_instance_up(again, JOB_LOCAL, 0); /* a snapshot starts over */
	queue_free(&q);
	return again;
}

static void
test_counts_outlive_a_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(noting_rows); i++) {
		const struct noting_row *row = &noting_rows[i];
		struct queue *q = limited_make();

		queue_tick(q, NOW_S);
		for (uint64_t id = 1; id <= 2; id++)
			message_start(q, id, &target_here, 1, NOW_S);
		queue_tick(q, NOW_S + 1);
		assert_int_equal(q->notes.n, 0); /* not at each */
		if (row->how == BY_TIME)
			queue_tick(q, NOW_S + LIMITS_NOTE_S);
		if (row->how == AT_THE_END)
			queue_note_limits(q, NOW_S + 1);
		if (row->how == BY_SNAPSHOT)
			queue_snapshot_start(q);
		q = restarted(q);
		message_start(q, 3, &target_here, 1, NOW_S + 20);
		if (queue_find(q, 3)->state != ENTRY_HELD)
			fail_msg("%s", row->name);
		fixture_account = 0;
		queue_free(&q);
	}
}

/* Found by a search, as what a former run had in work. */
static void
message_found(struct queue *q, uint64_t id, uint32_t arrived_s)
{
	struct queue_load load;
	uint32_t bytes, now_s = NOW_S + 30;
	char *envelope = envelope_of(&target_here, 1, &bytes);
	struct place p = {.offset = 1024 + 4096 * id,
			  .content_bytes = 10,
			  .envelope_bytes = bytes,
			  .segment = 1};

	assert_true(queue_add(q, id, &p, QUEUE_FOUND, now_s));
	assert_true(queue_next_load(q, now_s, &load));
	queue_loaded(q, load.ref, (uint64_t)arrived_s * 1000000, envelope, now_s);
}

static void
test_message_is_counted_once_though_it_is_found_again(void **state)
{
	(void)state;
	struct queue *q = limited_make();

	for (uint64_t id = 1; id <= 2; id++)
		message_start(q, id, &target_here, 1, NOW_S);
	queue_note_limits(q, NOW_S + 1);
	q = restarted(q);
	message_found(q, 1, NOW_S);
	message_found(q, 2, NOW_S);
	message_found(q, 3, NOW_S + 1); /* it may have come after the note */
	assert_int_equal(queue_find(q, 1)->state, ENTRY_WORK);
	assert_int_equal(queue_find(q, 2)->state, ENTRY_WORK);
	assert_int_equal(queue_find(q, 3)->state, ENTRY_HELD);
	fixture_account = 0;
	queue_free(&q);
}

/* Are counts among what was noted last? They are taken away. */
static bool
counts_noted(struct queue *q)
{
	struct cursor notes = cursor_make(buf_span(&q->notes));
	bool found = false;
	struct note n;

	while (note_next(&notes, &n))
		found = found || n.kind == NOTE_SENT;
	buf_reset(&q->notes);
	return found;
}

static void
test_counts_are_noted_while_they_count(void **state)
{
	(void)state;
	struct queue *q = limited_make();
	uint32_t later_s = NOW_S + 86400;

	message_start(q, 1, &target_here, 1, NOW_S);
	queue_tick(q, NOW_S);
	assert_true(counts_noted(q));
	queue_tick(q, later_s);
	assert_false(counts_noted(q)); /* nothing was sent since */
	queue_snapshot_start(q);
	assert_true(counts_noted(q));
	queue_tick(q, later_s += 86400);
	queue_snapshot_start(q);
	assert_false(counts_noted(q));
	message_start(q, 2, &target_here, 1, later_s);
	q->config.limits[LIMIT_MESSAGES_HOUR] = 0;
	queue_note_limits(q, later_s);
	queue_snapshot_start(q);
	assert_false(counts_noted(q)); /* there are no limits */
	fixture_account = 0;
	queue_free(&q);
}

/* By its envelope: until the first release, and through a restart. */
static void
test_message_of_an_access_table_is_held_once(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue *again;
	struct cursor notes;
	struct note n;

	fixture_flags = ENVELOPE_HOLD;
	message_start(q, 1, &target_here, 1, NOW_S);
	assert_int_equal(queue_find(q, 1)->state, ENTRY_HELD);
	assert_true(span_equal(word_text(&q->words, queue_find(q, 1)->reason),
			       SPAN("held by an access table")));
	again = queue_make();
	for (notes = cursor_make(buf_span(&q->notes)); note_next(&notes, &n);)
		queue_restore(again, &n, NOW_S);
	assert_int_equal(queue_find(again, 1)->state, ENTRY_HELD);
	assert_true(queue_command(again, 1, QUEUE_RELEASE, NOW_S));
	message_again(again, &target_here, 1, NOW_S);
	assert_int_equal(queue_find(again, 1)->state, ENTRY_WORK);
	fixture_flags = 0;
	queue_free(&q);
	queue_free(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_message_beyond_a_limit_is_not_taken),
	    cmocka_unit_test(test_no_limit_takes_all),
	    cmocka_unit_test(test_message_of_an_access_table_is_held_once),
	    cmocka_unit_test(test_window_slides),
	    cmocka_unit_test(test_table_of_accounts_is_bounded),
	    cmocka_unit_test(
		test_message_beyond_a_limit_is_held_and_postmaster_told_once_an_hour),
	    cmocka_unit_test(test_released_message_is_not_counted_again),
	    cmocka_unit_test(test_counts_outlive_a_restart),
	    cmocka_unit_test(test_message_is_counted_once_though_it_is_found_again),
	    cmocka_unit_test(test_counts_are_noted_while_they_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
