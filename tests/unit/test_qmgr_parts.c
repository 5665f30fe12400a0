/* tests/unit/test_qmgr_parts.c - the pieces the queue is made of, and single rules */
#include "tests/unit/queue_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t
roll(uint64_t *random, uint64_t n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random % n;
}

/* --- idmap ---------------------------------------------------------------- */

#define IDS 3000

static void
test_idmap_agrees_with_a_plain_table(void **state)
{
	(void)state;
	uint64_t random = 88172645463325252u, id;
	bool there[IDS + 2] = {false};
	struct idmap map = {0};
	uint32_t value;
	size_t n = 0;

	for (int i = 0; i < 60000; i++) {
		id = 1 + roll(&random, IDS);
		if (roll(&random, 5) < 3) {
			assert_int_equal(idmap_add(&map, id, (uint32_t)id), !there[id]);
			n += !there[id];
			there[id] = true;
		} else {
			idmap_remove(&map, id);
			n -= there[id];
			there[id] = false;
		}
		id = 1 + roll(&random, IDS);
		assert_int_equal(idmap_find(&map, id, &value), there[id]);
		assert_int_equal(map.n, n);
	}
	id = 0;
	for (uint64_t want = 1; want <= IDS; want++)
		if (there[want]) {
			assert_true(idmap_next(&map, id, &id, &value));
			assert_int_equal(id, want);
			assert_int_equal(value, want);
		}
	assert_false(idmap_next(&map, id, &id, &value));
	idmap_release(&map);
}

static void
test_idmap_in_order_is_full(void **state)
{
	(void)state;
	struct idmap map = {0};

	for (uint64_t id = 1; id <= 100 * IDMAP_CHUNK; id++)
		assert_true(idmap_add(&map, id, 1));
	assert_int_equal(map.n_chunks, 100);
	idmap_release(&map);
}

/* --- heap ----------------------------------------------------------------- */

static void
test_heap_gives_what_is_due_first(void **state)
{
	(void)state;
	uint64_t random = 4711;
	struct entries all = {0};
	struct heap h = {0};
	uint32_t refs[500], ref, before = 0;

	for (size_t i = 0; i < N_ELEMS(refs); i++) {
		refs[i] = entry_new(&all);
		entry_at(&all, refs[i])->due_s = (uint32_t)roll(&random, 1000);
		heap_add(&h, &all, refs[i]);
	}
	for (size_t i = 0; i < N_ELEMS(refs); i += 3)
		heap_remove(&h, &all, refs[i]);
	assert_false(h.n > 0 && heap_due(&h, h.slots[0].due_s - 1, &ref));
	while (heap_due(&h, UINT32_MAX, &ref)) {
		assert_true(entry_at(&all, ref)->due_s >= before);
		before = entry_at(&all, ref)->due_s;
		heap_remove(&h, &all, ref);
	}
	heap_release(&h);
	entries_release(&all);
}

/* --- words ---------------------------------------------------------------- */

static void
test_words_are_kept_once_and_go_with_their_last_user(void **state)
{
	(void)state;
	struct words w = {0};
	uint32_t first = word_take(&w, SPAN("example.org")), again, many[300];

	again = word_take(&w, SPAN("example.org"));
	assert_int_equal(first, again);
	assert_int_equal(word_take(&w, SPAN("")), 0);
	for (size_t i = 0; i < N_ELEMS(many); i++)
		many[i] = word_take(&w, span_make(&i, sizeof(i)));
	assert_true(span_equal(word_text(&w, first), SPAN("example.org")));
	for (size_t i = 0; i < N_ELEMS(many); i++)
		word_drop(&w, &many[i]);
	word_drop(&w, &first);
	assert_int_equal(first, 0);
	assert_true(span_equal(word_text(&w, again), SPAN("example.org")));
	word_drop(&w, &again);
	assert_int_equal(w.n_used, 0);
	words_release(&w);
}

/* --- notes ---------------------------------------------------------------- */

static const struct note notes[] = {
    {.kind = NOTE_SNAPSHOT},
    {		  .kind = NOTE_SEGMENT,         .segment = 7, .known_end = 4096},
    { .kind = NOTE_MESSAGE,
     .id = 5,
     .place = {.offset = 1024, .content_bytes = 9, .envelope_bytes = 8, .segment = 7},
     .arrived_s = 1,
     .due_s = 2,
     .n_targets = 3,
     .tries = 4,
     .held = true,
     .given_up = true,
     .removed = true,
     .domain = {"d", 1},
     .reason = {"because", 7}},
    {				  .kind = NOTE_TARGET,        .id = 5, .ordinal = 2, .state = TARGET_DONE},
    {			       .kind = NOTE_SNAPSHOT_END           },
    {			     .kind = NOTE_DONE,       .id = 5},
    {		       .kind = NOTE_SENT,
     .sent = {.account = 7,
	      .told_s = 1,
	      .noted_s = 2,
	      .windows = {{3, 4, 5}, {6, 7, 8}, {9, 10, 11}, {12, 13, 14}}}},
};

static void
test_notes_come_back_as_they_were(void **state)
{
	(void)state;
	struct buf bytes = buf_make(4096), again = buf_make(4096);
	struct cursor c;
	struct note n;

	for (size_t i = 0; i < N_ELEMS(notes); i++)
		note_put(&bytes, &notes[i]);
	c = cursor_make(buf_span(&bytes));
	for (size_t i = 0; i < N_ELEMS(notes); i++) {
		assert_true(note_next(&c, &n));
		assert_int_equal(n.kind, notes[i].kind);
		note_put(&again, &n);
	}
	assert_false(note_next(&c, &n));
	assert_true(cursor_done(&c));
	assert_true(span_equal(buf_span(&bytes), buf_span(&again)));
	buf_release(&bytes);
	buf_release(&again);
}

static void
test_notes_cut_anywhere_end_cleanly(void **state)
{
	(void)state;
	struct buf bytes = buf_make(4096);
	struct note n;

	for (size_t i = 0; i < N_ELEMS(notes); i++)
		note_put(&bytes, &notes[i]);
	for (size_t cut = 0; cut < bytes.n; cut++) {
		struct cursor c = cursor_make(span_first(buf_span(&bytes), cut));
		size_t count = 0;

		while (note_next(&c, &n))
			count++;
		assert_true(count < N_ELEMS(notes));
	}
	bytes.at[0] = 99;
	struct cursor c = cursor_make(buf_span(&bytes));
	assert_false(note_next(&c, &n));
	assert_true(c.failed);
	buf_release(&bytes);
}

/* --- the rules, one by one ------------------------------------------------ */

static void
test_retries_back_off_up_to_a_limit_then_end(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	uint32_t now_s = 1000, longest = 0, tries = 1;
	const struct entry *e;

	message_deferred(q, 1, now_s);
	e = queue_find(q, 1);
	while (entry_target(e, 0) == TARGET_OPEN) {
		uint32_t delay = e->due_s - now_s;

		assert_int_equal(e->tries, tries++);
		assert_true(delay >= 262 || e->due_s == 1000 + 86401);
		assert_true(delay <= 16200);
		longest = delay > longest ? delay : longest;
		now_s = e->due_s;
		message_again(q, &target_there, 1, now_s);
		assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_TALKED, now_s));
	}
	assert_true(longest > 12000);
	assert_int_equal(e->state, ENTRY_WAITING); /* for its report */
	assert_int_equal(now_s, 1000 + 86401);
	assert_true(
	    span_equal(word_text(&q->words, e->reason),
		       SPAN("mx.example.net[192.0.2.1]: 451 4.7.1 greylisted")));
	assert_int_equal(entry_target(e, 0), TARGET_FAILED);
	queue_free(&q);
}

static void
test_mailbox_named_twice_gets_one_copy(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target targets[] = {target_here, target_there, target_here};
	struct queue_job job;

	message_start(q, 1, targets, 3, 1000);
	assert_true(queue_next_job(q, 0, &job));
	assert_int_equal(job.ordinal, 0);
	assert_false(queue_next_job(q, 0, &job));
	assert_false(queue_next_job(q, 1, &job));
	queue_free(&q);
}

static void
test_failed_target_is_tried_again_when_the_operator_wants_it(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_job job;

	message_start(q, 1, &target_here, 1, 1000);
	assert_true(queue_next_job(q, 0, &job));
	assert_true(
	    queue_delivered(q, 0, job.job, DELIVERY_FAILED, SPAN("no mailbox"), 1001));
	assert_int_equal(entry_target(queue_find(q, 1), 0), TARGET_FAILED);
	assert_true(queue_command(q, 1, QUEUE_REQUEUE, 1002));
	message_again(q, &target_here, 1, 1002);
	assert_true(queue_next_job(q, 0, &job));
	assert_true(queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), 1003));
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

static void
test_answer_of_a_former_channel_is_no_answer(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_job job, again;

	message_start(q, 1, &target_here, 1, 1000);
	assert_true(queue_next_job(q, 0, &job));
	assert_false(queue_delivered(q, 1, job.job, DELIVERY_DONE, SPAN(""), 1000));
	queue_instance_down(q, JOB_LOCAL, 0, 1000);
	assert_false(queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), 1000));
	queue_instance_up(q, JOB_LOCAL, 0);
	message_again(q, &target_here, 1, 1002);
	assert_true(queue_next_job(q, 0, &again));
	assert_true(again.job != job.job);
	assert_false(job.replay);
	assert_true(again.replay);
	assert_false(queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), 1002));
	queue_free(&q);
}

static const struct command_row {
	const char *name;
	enum queue_verb verb;
	bool deferred, held, in_work; /* does it apply in that state? */
} command_rows[] = {
    {"hold",	       QUEUE_HOLD,    true,  false, true },
    {"release",            QUEUE_RELEASE, false, true,  false},
    {"flush",	      QUEUE_FLUSH,   true,  false, false},
    {"requeue",            QUEUE_REQUEUE, true,  true,  false},
    {"remove",             QUEUE_REMOVE,  true,  true,  true },
    {"bounce",             QUEUE_BOUNCE,  true,  true,  true },
    {"list is no command", QUEUE_LIST,    false, false, false},
};

static void
test_commands_apply_where_they_make_sense(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(command_rows); i++) {
		const struct command_row *row = &command_rows[i];
		struct queue *q = queue_make();

		message_deferred(q, 1, 1000);
		message_deferred(q, 2, 1000);
		message_start(q, 3, &target_here, 1, 1000);
		assert_true(queue_command(q, 2, QUEUE_HOLD, 1000));
		if (queue_command(q, 1, row->verb, 1000) != row->deferred ||
		    queue_command(q, 2, row->verb, 1000) != row->held ||
		    queue_command(q, 3, row->verb, 1000) != row->in_work ||
		    queue_command(q, 4, row->verb, 1000))
			fail_msg("%s", row->name);
		queue_free(&q);
	}
}

static void
test_hold_and_remove_of_a_message_in_work_wait_for_its_answer(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target two[] = {
	    target_here,
	    {.kind = TARGET_ACCOUNT, .account = 6, .address = {"c@example.org", 13}}
        };
	struct queue_job job, other;

	message_start(q, 1, two, 2, 1000);
	assert_true(queue_next_job(q, 0, &job));
	assert_true(queue_command(q, 1, QUEUE_HOLD, 1000));
	assert_false(queue_next_job(q, 0, &other)); /* taken back */
	assert_int_equal(queue_find(q, 1)->state, ENTRY_WORK);
	assert_true(queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), 1001));
	assert_int_equal(queue_find(q, 1)->state, ENTRY_HELD);
	assert_true(queue_command(q, 1, QUEUE_RELEASE, 1002));
	message_again(q, two, 2, 1002);
	assert_true(queue_next_job(q, 0, &other));
	assert_int_equal(other.ordinal, 1 - job.ordinal);
	queue_free(&q);
}

static void
test_window_limits_the_jobs(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_load load;
	struct place p = {.offset = 1 << 20, .envelope_bytes = 1, .segment = 1};

	for (uint64_t id = 1; id <= 10; id++)
		message_start(q, id, &target_here, 1, 1000);
	assert_true(queue_add(q, 11, &p, 0, 1000));
	assert_false(queue_next_load(q, 1000, &load));
	struct queue_job job;
	assert_true(queue_next_job(q, 0, &job));
	assert_true(queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), 1000));
	assert_true(queue_next_load(q, 1000, &load));
	queue_load_failed(q, load.ref, SPAN("cannot be read"));
	assert_int_equal(queue_find(q, 11)->state, ENTRY_HELD);
	queue_free(&q);
}

static void
test_damaged_envelope_is_held_not_lost(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct place p = {.offset = 1024, .envelope_bytes = 8, .segment = 1};
	struct queue_load load;

	assert_true(queue_add(q, 1, &p, 0, 1000));
	assert_true(queue_next_load(q, 1000, &load));
	queue_loaded(q, load.ref, 1, memory_new(8, 1), 1000);
	assert_int_equal(queue_find(q, 1)->state, ENTRY_HELD);
	queue_free(&q);
}

static void
test_segment_is_done_when_all_its_messages_are(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	uint32_t segment;

	queue_set_current(q, 1);
	message_deferred(q, 1, 1000);
	message_deferred(q, 2, 1000);
	queue_set_current(q, 2);
	assert_true(queue_command(q, 1, QUEUE_REMOVE, 1000));
	assert_false(queue_next_done(q, &segment));
	assert_true(queue_command(q, 2, QUEUE_REMOVE, 1000));
	assert_true(queue_next_done(q, &segment));
	assert_int_equal(segment, 1);
	assert_false(queue_next_done(q, &segment));
	queue_segment_remains(q, 1);
	assert_true(queue_next_done(q, &segment));
	queue_free(&q);
}

/* Between being told and being freed. */
static void
test_segment_that_is_needed_again_is_not_released(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	uint32_t segment;

	queue_set_current(q, 1);
	message_deferred(q, 1, 1000);
	queue_set_current(q, 2);
	assert_true(queue_command(q, 1, QUEUE_REMOVE, 1000));
	assert_true(queue_next_done(q, &segment));
	assert_true(queue_segment_released(q, 1));
	queue_set_current(q, 1);
	assert_false(queue_segment_released(q, 1));
	queue_set_current(q, 2);
	assert_true(queue_next_done(q, &segment));
	assert_true(queue_segment_released(q, 1));
	queue_free(&q);
}

/* --- memory --------------------------------------------------------------- */

#define MANY_DEFAULT 1000000u

static size_t
bytes_of(const struct queue *q)
{
	return q->entries.n_chunks * ENTRY_CHUNK * sizeof(struct entry) +
	       q->entries.n_chunks * sizeof(void *) +
	       q->heap.size * sizeof(struct heap_slot) +
	       q->ids.n_chunks * sizeof(struct idmap_chunk) +
	       q->ids.size * sizeof(void *);
}

static void
test_many_deferred_messages_cost_less_than_100_bytes_each(void **state)
{
	const char *wanted = getenv("QUEUED_MESSAGES");
	size_t many = wanted ? strtoul(wanted, NULL, 10) : MANY_DEFAULT;
	struct queue *q = queue_make();

	(void)state;
	for (uint64_t id = 1; id <= many; id++) {
		message_deferred(q, id, 1000);
		buf_reset(&q->notes);
		queue_events_clear(q);
	}
	assert_int_equal(q->ids.n, many);
	print_message("%zu bytes a message of %zu\n", bytes_of(q) / many, many);
	assert_true(bytes_of(q) < 100 * many);
	queue_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_idmap_agrees_with_a_plain_table),
	    cmocka_unit_test(test_idmap_in_order_is_full),
	    cmocka_unit_test(test_heap_gives_what_is_due_first),
	    cmocka_unit_test(test_words_are_kept_once_and_go_with_their_last_user),
	    cmocka_unit_test(test_notes_come_back_as_they_were),
	    cmocka_unit_test(test_notes_cut_anywhere_end_cleanly),
	    cmocka_unit_test(test_retries_back_off_up_to_a_limit_then_end),
	    cmocka_unit_test(test_mailbox_named_twice_gets_one_copy),
	    cmocka_unit_test(
		test_failed_target_is_tried_again_when_the_operator_wants_it),
	    cmocka_unit_test(test_answer_of_a_former_channel_is_no_answer),
	    cmocka_unit_test(test_commands_apply_where_they_make_sense),
	    cmocka_unit_test(
		test_hold_and_remove_of_a_message_in_work_wait_for_its_answer),
	    cmocka_unit_test(test_window_limits_the_jobs),
	    cmocka_unit_test(test_damaged_envelope_is_held_not_lost),
	    cmocka_unit_test(test_segment_is_done_when_all_its_messages_are),
	    cmocka_unit_test(test_segment_that_is_needed_again_is_not_released),
	    cmocka_unit_test(test_many_deferred_messages_cost_less_than_100_bytes_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
