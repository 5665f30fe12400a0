/* tests/unit/test_spoold_segments.c - segments of spoold: let go, recycled, moved from,
 * recovered
 */
#include "tests/unit/spoold_fixture.h"

static void
test_finished_segment_is_recycled(void **state)
{
	struct fixture *f = *state;
	uint64_t first = put(f, 60000), last = 0;
	size_t before;

	for (size_t i = 0; i < 3 * SEGMENT_BYTES / 60000; i++)
		last = put(f, 60000);
	settle(f);
	settle(f);
	before = files(f, false);
	store_let_go(&f->store, added(f, first)->segment);
	settle(f);
	assert_int_equal(f->store.n_spares, 1);
	assert_int_equal(files(f, false), before);
	for (size_t i = 0; i < SEGMENT_BYTES / 60000 + 1; i++)
		last = put(f, 60000);
	settle(f);
	assert_int_equal(f->store.n_spares, 0);
	assert_int_equal(files(f, false), before);
	assert_on_disk(f, added(f, last));
}

/* Those beyond what is kept for recycling go, however many are let go together. */
static void
test_segments_let_go_together_are_kept_or_removed(void **state)
{
	struct fixture *f = *state;
	uint64_t first = put(f, 60000), last = 0;
	uint32_t segment, end;
	size_t before;

	for (size_t i = 0; i < 9 * SEGMENT_BYTES / 60000; i++) {
		last = put(f, 60000);
		settle(f);
	}
	before = files(f, false);
	segment = added(f, first)->segment;
	end = added(f, last)->segment;
	assert_true(end - segment > STORE_SPARES_MAX + 2);
	for (uint32_t i = segment; i < end; i++)
		store_let_go(&f->store, i);
	settle(f);
	assert_int_equal(f->store.n_spares, STORE_SPARES_MAX);
	assert_int_equal(files(f, false), before - (end - segment) + STORE_SPARES_MAX);
	assert_null(f->store.letting);
}

/* A segment that is being recovered must not become a new one under its hands. */
static void
test_segment_is_not_let_go_before_the_recovery_ends(void **state)
{
	(void)state;
	struct fixture *f = *state;
	uint64_t first = put(f, 60000), last = 0;
	struct log_numbers numbers = {0};
	uint32_t segment, next;
	struct err err;

	for (size_t i = 0; i < SEGMENT_BYTES / 60000 + 1; i++)
		last = put(f, 60000);
	settle(f);
	assert_int_equal(answer(f, last), SPOOL_STORED);
	segment = added(f, first)->segment;
	next = f->store.next_number;
	client_free(&f->client);
	assert_int_equal(log_dir_list(&f->store.dir, &numbers, &err), 0);
	store_release(&f->store);
	store_start(f, next);
	f->store.recovered = false;
	store_let_go(&f->store, segment);
	store_let_go(&f->store, segment);
	jobs_run(f);
	assert_int_equal(f->store.n_spares, 0);
	store_recover(&f->store, &numbers);
	jobs_run(f);
	assert_int_equal(f->store.n_spares, 1);
}

static void
test_segment_in_use_is_not_let_go(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put(f, 100);

	settle(f);
	store_let_go(&f->store, added(f, id)->segment);
	store_let_go(&f->store, 77777);
	settle(f);
	assert_on_disk(f, added(f, id));
}

static void
test_move_copies_a_message_onward(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put(f, 5000);
	struct store_result old;

	for (size_t i = 0; i < SEGMENT_BYTES / 60000 + 1; i++)
		(void)put(f, 60000);
	settle(f);
	old = *added(f, id);
	f->n_results = 0;
	store_move(&f->store, id, old.segment, old.offset);
	settle(f);
	assert_true(added(f, id)->moved);
	assert_true(added(f, id)->segment != old.segment);
	assert_on_disk(f, added(f, id));
	f->n_results = 0;
	store_move(&f->store, id, old.segment, old.offset + 8);
	settle(f);
	assert_true(added(f, id)->moved);
	assert_int_equal(added(f, id)->segment, 0);
}

static void
test_recovery_keeps_messages_and_removes_empty_segments(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put(f, 5000);
	struct log_numbers numbers = {0};
	struct store_result was;
	uint32_t next;
	struct err err;

	settle(f);
	was = *added(f, id);
	client_free(&f->client);
	next = f->store.next_number;
	assert_int_equal(log_dir_list(&f->store.dir, &numbers, &err), 0);
	assert_int_equal(numbers.n, 2); /* the current one, and the next, empty */
	store_release(&f->store);
	store_start(f, next);
	store_recover(&f->store, &numbers);
	settle(f);
	assert_true(f->store.recovered);
	assert_int_equal(files(f, false), 3);
	assert_on_disk(f, &was);
}

/* The disk may be able to read it another time. */
static void
test_recovery_keeps_a_segment_that_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	uint64_t own = begin(f, SPOOL_SHARED_MAX + 1);
	struct log_numbers numbers = {0};
	struct store_result was;
	uint32_t next;
	struct err err;

	assert_true(client_piece(f->client, own, span_make(letters, 60000)));
	assert_true(client_end(f->client, own));
	settle(f);
	assert_int_equal(answer(f, own), SPOOL_STORED);
	was = *added(f, own);
	client_free(&f->client);
	next = f->store.next_number;
	assert_int_equal(log_dir_list(&f->store.dir, &numbers, &err), 0);
	store_release(&f->store);
	store_start(f, next);
	fail_read = EIO;
	store_recover(&f->store, &numbers);
	settle(f);
	assert_true(f->store.recovered);
	fail_read = 0;
	assert_on_disk(f, &was);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_finished_segment_is_recycled),
	    TEST(test_segments_let_go_together_are_kept_or_removed),
	    TEST(test_segment_is_not_let_go_before_the_recovery_ends),
	    TEST(test_segment_in_use_is_not_let_go),
	    TEST(test_move_copies_a_message_onward),
	    TEST(test_recovery_keeps_messages_and_removes_empty_segments),
	    TEST(test_recovery_keeps_a_segment_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
