/* tests/unit/test_spoold.c - the store of spoold: group commit, own segments, faults */
#include "tests/unit/spoold_fixture.h"

static void
test_put_is_answered_only_after_its_sync(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put(f, 4096);

	store_turn(&f->store);
	results_take(f);
	assert_int_equal(answer(f, id), -1);
	jobs_run(f);
	results_take(f);
	assert_int_equal(answer(f, id), SPOOL_STORED);
	assert_on_disk(f, added(f, id));
}

/* What comes while a sync runs waits for the next one; one sync serves many. */
static void
test_sync_covers_only_what_came_before_it(void **state)
{
	struct fixture *f = *state;
	uint64_t first = put(f, 4096), later[20];
	uint64_t syncs;

	store_turn(&f->store);
	for (size_t i = 0; i < N_ELEMS(later); i++)
		later[i] = put(f, 4096);
	store_turn(&f->store);
	jobs_run(f);
	results_take(f);
	assert_int_equal(answer(f, first), SPOOL_STORED);
	assert_int_equal(answer(f, later[0]), -1);
	syncs = f->store.n_syncs;
	store_turn(&f->store);
	jobs_run(f);
	results_take(f);
	for (size_t i = 0; i < N_ELEMS(later); i++)
		assert_int_equal(answer(f, later[i]), SPOOL_STORED);
	assert_int_equal(f->store.n_syncs, syncs + 1);
}

/* Many at a time: after a while a sync waits for as many again, but not for ever. */
static void
test_sync_learns_how_many_to_gather(void **state)
{
	(void)state;
	struct fixture *f = *state;
	uint64_t syncs, began;

	for (size_t k = 0; k < SEGMENT_GATHER_TRY * 8; k++) {
		for (size_t i = 0; i < 8; i++)
			(void)put(f, 100);
		while (store_turn(&f->store))
			;
		jobs_run(f);
	}
	syncs = f->store.n_syncs;
	for (size_t i = 0; i < 6; i++) {
		(void)put(f, 100);
		assert_true(store_turn(&f->store));
	}
	assert_int_equal(f->n_jobs, 0);
	began = clock_us;
	while (store_turn(&f->store))
		assert_true(clock_us < began + SEGMENT_GATHER_US);
	jobs_run(f);
	assert_int_equal(f->store.n_syncs, syncs + 1);
	while (f->store.current->gather > 1) {
		(void)put(f, 100);
		while (store_turn(&f->store))
			;
		jobs_run(f);
	}
	(void)put(f, 100);
	assert_false(store_turn(&f->store)); /* one alone again */
	jobs_run(f);
}

static void
test_failed_sync_refuses_all_it_should_have_covered(void **state)
{
	struct fixture *f = *state;
	uint64_t good = put(f, 100), a, b, after;
	uint32_t segment;
	uint64_t offset;

	settle(f);
	store_state(&f->store, &segment, &offset);
	a = put(f, 4096);
	b = put(f, 4096);
	fail_sync = EIO;
	settle(f);
	assert_int_equal(answer(f, good), SPOOL_STORED);
	assert_int_equal(answer(f, a), SPOOL_FAULT);
	assert_int_equal(answer(f, b), SPOOL_FAULT);
	assert_null(added(f, a));
	fail_sync = 0;
	store_second(&f->store);
	after = put(f, 100);
	settle(f);
	assert_int_equal(answer(f, after), SPOOL_STORED);
	assert_true(added(f, after)->segment != segment);
	assert_true(store_state_due(&f->store));
}

static void
test_refused_messages_are_cut_from_the_segment(void **state)
{
	struct fixture *f = *state;
	uint64_t good = put(f, 100), bad;
	struct log_recovery was;
	struct log_file file;
	struct err err;

	settle(f);
	bad = put(f, 4096);
	fail_sync = EIO;
	settle(f);
	assert_int_equal(answer(f, bad), SPOOL_FAULT);
	assert_int_equal(
	    log_dir_open(&f->store.dir, added(f, good)->segment, LOG_READ, &file, &err),
	    LOG_OPEN_OK);
	assert_int_equal(log_survey(&file, 0, &was, &err), 0);
	assert_int_equal(was.records, 1);
	log_file_close(&file);
}

static void
test_disk_full_is_noticed_before_the_answer_and_heals(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, refused;

	settle(f);
	fail_create = ENOSPC;
	for (size_t i = 0; i < 2 * SEGMENT_BYTES / 60000; i++) {
		last = put(f, 60000);
		store_turn(&f->store);
	}
	settle(f);
	settle(f);
	assert_int_equal(answer(f, last), SPOOL_NO_SPACE);
	refused = put(f, 60000);
	settle(f);
	assert_int_equal(answer(f, refused), SPOOL_NO_SPACE);
	fail_create = 0;
	store_second(&f->store);
	settle(f);
	last = put(f, 60000);
	settle(f);
	assert_int_equal(answer(f, last), SPOOL_STORED);
}

static void
test_all_of_many_segments_are_answered_and_readable(void **state)
{
	struct fixture *f = *state;
	uint64_t first = f->next_id, last = 0;

	for (size_t i = 0; i < 300; i++)
		last = put(f, 60000 - i);
	settle(f);
	settle(f);
	for (uint64_t id = first; id <= last; id++) {
		assert_int_equal(answer(f, id), SPOOL_STORED);
		assert_on_disk(f, added(f, id));
	}
	assert_true(added(f, last)->segment > added(f, first)->segment + 2);
	assert_true(store_idle(&f->store));
}

static void
test_stream_that_stays_small_shares_a_segment(void **state)
{
	struct fixture *f = *state;
	uint64_t id = begin(f, 0);
	uint32_t segment;
	uint64_t offset;

	assert_true(client_piece(f->client, id, span_make(letters, 60000)));
	assert_true(client_piece(f->client, id, span_make(letters, 60000)));
	assert_true(client_end(f->client, id));
	settle(f);
	assert_int_equal(answer(f, id), SPOOL_STORED);
	store_state(&f->store, &segment, &offset);
	assert_int_equal(added(f, id)->segment, segment);
	assert_int_equal(added(f, id)->content_bytes, 120100 - ENVELOPE);
	assert_int_equal(f->store.held_bytes, 0);
}

static const struct size_row {
	const char *name;
	size_t bytes; /* of envelope and content */
	uint64_t hint;
	bool own;
} size_rows[] = {
    {"limit - 1", SPOOL_SHARED_MAX - SPOOL_HEAD_BYTES - 1, 0,                    false},
    {"limit",     SPOOL_SHARED_MAX - SPOOL_HEAD_BYTES,     0,                    false},
    {"limit + 1", SPOOL_SHARED_MAX - SPOOL_HEAD_BYTES + 1, 0,                    true },
    {"hint",      200,				     SPOOL_SHARED_MAX + 1, true },
};

static void
test_large_message_gets_its_own_segment(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < N_ELEMS(size_rows); i++) {
		const struct size_row *row = &size_rows[i];
		uint64_t id = begin(f, row->hint);
		uint32_t segment;
		uint64_t offset;

		assert_true(
		    client_piece(f->client, id, span_make(letters, row->bytes - 100)));
		assert_true(client_end(f->client, id));
		settle(f);
		store_state(&f->store, &segment, &offset);
		if (answer(f, id) != SPOOL_STORED ||
		    (added(f, id)->segment != segment) != row->own)
			fail_msg("%s", row->name);
		assert_on_disk(f, added(f, id));
	}
	assert_int_equal(f->store.n_own, 0);
}

/* Is the segment among those that spoold calls not complete? */
static bool
is_open(const struct fixture *f, uint32_t segment)
{
	struct buf list = buf_make(1000);
	struct cursor c;
	bool found = false;

	store_open_put(&f->store, &list);
	for (c = cursor_make(buf_span(&list)); c.rest.n > 0 && !found;)
		found = wire_get_u32(&c) == segment;
	buf_release(&list);
	return found;
}

/* While its file is made, while it comes, and until its sync has ended. */
static void
test_large_message_is_open_until_it_is_synced(void **state)
{
	struct fixture *f = *state;
	uint32_t own = f->store.next_number;
	uint64_t id = begin(f, SPOOL_SHARED_MAX + 1);

	assert_true(is_open(f, own));
	settle(f);
	assert_true(is_open(f, own));
	assert_true(client_piece(f->client, id, span_make(letters, 60000)));
	assert_true(client_end(f->client, id));
	assert_int_equal(store_turn(&f->store), false); /* the sync begins */
	assert_true(is_open(f, own));
	settle(f);
	assert_int_equal(answer(f, id), SPOOL_STORED);
	assert_int_equal(added(f, id)->segment, own);
	assert_false(is_open(f, own));
}

/* What is written to is told with what of it is synced, the next one is open, and one
 * that is full, but not synced, is waited for. */
static void
test_state_is_of_what_is_synced(void **state)
{
	struct fixture *f = *state;
	uint64_t first = put(f, 100), end, offset;
	uint32_t segment, before;

	settle(f);
	store_state(&f->store, &segment, &end);
	assert_int_equal(segment, added(f, first)->segment);
	assert_false(is_open(f, segment));
	assert_true(is_open(f, segment + 1));
	before = segment;
	while (segment == before) {
		assert_true(store_complete(&f->store));
		(void)put(f, 100000);
		store_state(&f->store, &segment, &offset);
		assert_true(segment != before || offset == end);
	}
	assert_int_equal(offset, LOG_HEADER_BYTES);
	assert_false(store_complete(&f->store));
	settle(f);
	assert_true(store_complete(&f->store));
	assert_false(is_open(f, before));
}

static void
test_aborted_streams_leave_nothing(void **state)
{
	struct fixture *f = *state;
	size_t before = files(f, false);
	uint64_t held = begin(f, 0), opening = begin(f, 1 << 30), writing;

	assert_true(client_abort(f->client, held));
	assert_true(client_abort(f->client, opening));
	settle(f);
	writing = begin(f, SPOOL_SHARED_MAX + 1);
	settle(f);
	assert_true(client_piece(f->client, writing, span_make(letters, 60000)));
	assert_int_equal(files(f, false), before + 1);
	assert_true(client_abort(f->client, writing));
	settle(f);
	assert_int_equal(files(f, false), before);
	assert_int_equal(f->store.held_bytes + f->store.waiting_bytes, 0);
	assert_int_equal(f->n_results, 0);
	assert_false(client_piece(f->client, writing, span_make(letters, 1)));
}

static void
test_client_that_goes_away_aborts_its_streams(void **state)
{
	struct fixture *f = *state;
	size_t before = files(f, false);

	(void)begin(f, 0);
	(void)begin(f, SPOOL_SHARED_MAX + 1);
	jobs_run(f);
	(void)begin(f, SPOOL_SHARED_MAX + 1);
	client_free(&f->client);
	settle(f);
	assert_int_equal(files(f, false), before);
	assert_int_equal(f->store.n_own, 0);
	assert_int_equal(f->store.held_bytes + f->store.waiting_bytes, 0);
	f->client = client_new(&f->store, (struct origin){0, 2});
}

static void
test_full_disk_refuses_a_streamed_message_and_removes_its_file(void **state)
{
	struct fixture *f = *state;
	size_t before = files(f, false);
	uint64_t id = begin(f, SPOOL_SHARED_MAX + 1);

	settle(f);
	fail_write = ENOSPC;
	assert_true(client_piece(f->client, id, span_make(letters, 60000)));
	fail_write = 0;
	assert_true(client_piece(f->client, id, span_make(letters, 60000)));
	settle(f);
	assert_int_equal(answer(f, id), -1);
	assert_true(client_end(f->client, id));
	settle(f);
	assert_int_equal(answer(f, id), SPOOL_NO_SPACE);
	assert_int_equal(files(f, false), before);
}

static void
test_ids_are_used_once_and_only_when_granted(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put(f, 100);
	struct span s = span_make(letters, 100);

	assert_false(client_put(f->client, id, ENVELOPE, s, 1));
	assert_false(client_put(f->client, 1, ENVELOPE, s, 1));
	assert_false(client_put(f->client, 1000 + 16 * QUEUE_ID_BLOCK, ENVELOPE, s, 1));
	assert_false(client_begin(f->client, id, ENVELOPE, 0, s, 1));
	assert_false(
	    client_put(f->client, f->next_id, 101, s, 1)); /* envelope too long */
	assert_false(client_end(f->client, id));
	assert_true(client_abort(f->client, f->next_id)); /* given up */
	assert_false(client_put(f->client, f->next_id, ENVELOPE, s, 1));
}

static void
test_numbers_are_given_only_when_reserved(void **state)
{
	struct fixture *f = *state;
	uint32_t end = f->store.numbers_end, number = 0;

	fail_reserve = 1;
	while (store_number(&f->store, &number))
		jobs_run(f);
	assert_int_equal(number, end - 1);
	fail_reserve = 0;
	assert_false(store_number(&f->store, &number));
	jobs_run(f);
	assert_true(store_number(&f->store, &number));
	assert_int_equal(number, end);
}

static void
test_intake_pauses_when_much_waits(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	settle(f);
	while (!store_full(&f->store) && n < 1000) {
		(void)put(f, 60000);
		n++;
	}
	assert_true(n > STORE_WAITING_MAX / 60000);
	assert_true(n < (STORE_WAITING_MAX + 3 * SEGMENT_BYTES) / 60000);
	for (int i = 0; i < 20; i++)
		settle(f);
	assert_false(store_full(&f->store));
	assert_int_equal(f->store.waiting_bytes, 0);
	assert_int_equal(f->store.n_stored, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_put_is_answered_only_after_its_sync),
	    TEST(test_sync_covers_only_what_came_before_it),
	    TEST(test_sync_learns_how_many_to_gather),
	    TEST(test_failed_sync_refuses_all_it_should_have_covered),
	    TEST(test_refused_messages_are_cut_from_the_segment),
	    TEST(test_disk_full_is_noticed_before_the_answer_and_heals),
	    TEST(test_all_of_many_segments_are_answered_and_readable),
	    TEST(test_stream_that_stays_small_shares_a_segment),
	    TEST(test_large_message_gets_its_own_segment),
	    TEST(test_large_message_is_open_until_it_is_synced),
	    TEST(test_state_is_of_what_is_synced),
	    TEST(test_aborted_streams_leave_nothing),
	    TEST(test_client_that_goes_away_aborts_its_streams),
	    TEST(test_full_disk_refuses_a_streamed_message_and_removes_its_file),
	    TEST(test_ids_are_used_once_and_only_when_granted),
	    TEST(test_numbers_are_given_only_when_reserved),
	    TEST(test_intake_pauses_when_much_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
