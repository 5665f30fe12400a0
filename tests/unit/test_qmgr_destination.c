/* tests/unit/test_qmgr_destination.c - how fast a destination is served, and when it
 * is left alone */
#include "tests/unit/queue_fixture.h"

#include <stdio.h>

#define NOW_S 100000u

static uint64_t
seed_get(void)
{
	const char *text = getenv("SEED");
	uint64_t seed;

	if (text && number_parse(span_str(text), UINT64_MAX, &seed))
		return seed;
	return 20260101;
}

/* A queue that may have many jobs. */
static struct queue *
wide_make(uint64_t active_max, uint32_t first, uint32_t most)
{
	struct queue *q = queue_make();

	q->random = seed_get();
	q->config.active_max = active_max;
	q->config.connections_first = first;
	q->config.connections_max = most;
	return q;
}

static void
sent_by(struct queue *q, uint64_t id, const char *sender, const char *to)
{
	struct target t = remote_to(to);

	fixture_sender = span_str(sender);
	message_start(q, id, &t, 1, NOW_S);
	fixture_sender = SPAN("s@example.org");
}

static void
messages_start(struct queue *q, uint64_t first, uint64_t n, const char *to,
	       uint32_t now_s)
{
	struct target t = remote_to(to);

	for (uint64_t id = first; id < first + n; id++)
		message_start(q, id, &t, 1, now_s);
}

/* All envelopes of what is due are read: each leads to that address. */
static uint32_t
load_all(struct queue *q, const char *to, uint32_t now_s)
{
	struct target t = remote_to(to);
	struct queue_load load;
	uint32_t n = 0;

	for (; queue_next_load(q, now_s, &load); n++) {
		uint32_t bytes;
		char *envelope = envelope_of(&t, 1, &bytes);

		queue_loaded(q, load.ref, (uint64_t)NOW_S * 1000000, envelope, now_s);
	}
	return n;
}

struct sent {
	struct queue_relay relay;
	uint32_t instance;
};

/* Takes all that may be sent now. */
static uint32_t
take_all(struct queue *q, struct sent *out, uint32_t max, uint32_t now_s)
{
	uint32_t n = 0;

	while (n < max && relay_take(q, &out[n].relay, &out[n].instance, now_s))
		n++;
	return n;
}

static void
end_all(struct queue *q, const struct sent *all, uint32_t n,
	enum relay_connection connection, enum delivery_outcome outcome, uint32_t now_s)
{
	for (uint32_t i = 0; i < n; i++)
		relay_finish(q, all[i].instance, all[i].relay.job, connection, outcome,
			     "", now_s);
}

/* --- the window ----------------------------------------------------------- */

static void
test_window_grows_with_success_up_to_its_limit(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 6);
	uint32_t n = 0, round, widths[12];
	struct sent sent[100];

	messages_start(q, 1, 100, "b@example.net", NOW_S);
	for (round = 0; round < N_ELEMS(widths); round++) {
		n = take_all(q, sent, 100, NOW_S);
		widths[round] = n;
		end_all(q, sent, n, RELAY_TALKED, DELIVERY_DONE, NOW_S);
	}
	assert_int_equal(widths[0], 2);
	assert_int_equal(widths[1], 3); /* one more for each window of successes */
	for (round = 1; round < N_ELEMS(widths); round++)
		assert_true(widths[round] >= widths[round - 1] && widths[round] <= 6);
	assert_int_equal(widths[N_ELEMS(widths) - 1], 6);
	queue_free(&q);
}

static void
test_window_halves_when_the_server_asks_for_less(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 8, 8);
	struct sent sent[100];

	messages_start(q, 1, 100, "b@example.net", NOW_S);
	assert_int_equal(take_all(q, sent, 100, NOW_S), 8);
	end_all(q, sent, 1, RELAY_BUSY, DELIVERY_DEFERRED, NOW_S);
	end_all(q, sent + 1, 7, RELAY_UNTRIED, DELIVERY_FAILED, NOW_S);
	assert_int_equal(take_all(q, sent, 100, NOW_S), 4);
	end_all(q, sent, 1, RELAY_UNREACHABLE, DELIVERY_DEFERRED, NOW_S);
	end_all(q, sent + 1, 3, RELAY_UNTRIED, DELIVERY_FAILED, NOW_S);
	assert_int_equal(take_all(q, sent, 100, NOW_S), 1);
	queue_free(&q);
}

/* --- death ---------------------------------------------------------------- */

/* Three messages find it out of reach. */
static void
destination_kill(struct queue *q, uint64_t first_id, const char *to)
{
	messages_start(q, first_id, 3, to, NOW_S);
	for (unsigned i = 0; i < 3; i++)
		assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_UNREACHABLE, NOW_S));
	assert_int_equal(q->destinations.n_dead, 1);
}

static void
test_dead_destination_costs_no_reading(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);
	struct queue_load load;
	struct place p = {.offset = 1 << 20, .envelope_bytes = 8, .segment = 1};

	destination_kill(q, 1, "b@example.net");
	/* A fresh one is read once, to know where it goes. */
	messages_start(q, 10, 2, "c@example.net", NOW_S);
	assert_int_equal(queue_find(q, 10)->state, ENTRY_WAITING);
	assert_int_equal(queue_find(q, 10)->tries, 0);
	assert_true(queue_find(q, 10)->due_s >= NOW_S + DESTINATION_DEAD_S);
	assert_true(
	    span_equal(word_text(&q->words, queue_find(q, 10)->reason),
		       SPAN("mx.example.net[192.0.2.1]: 451 4.7.1 greylisted")));
	/* The operator wants to see whether it lives: one probe. */
	assert_true(queue_command(q, 10, QUEUE_FLUSH, NOW_S));
	assert_true(queue_command(q, 11, QUEUE_FLUSH, NOW_S));
	assert_int_equal(load_all(q, "c@example.net", NOW_S), 1);
	assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_UNREACHABLE, NOW_S));
	/* It does not: the other is put off. */
	assert_false(queue_next_load(q, NOW_S + 2 * DESTINATION_DEAD_S - 1, &load));
	/* Others are not held up. */
	messages_start(q, 20, 1, "d@example.com", NOW_S);
	assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
	assert_true(queue_add(q, 30, &p, 0, NOW_S));
	assert_true(queue_next_load(q, NOW_S, &load));
	queue_free(&q);
}

static void
test_one_probe_finds_out_whether_it_lives(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);
	uint32_t now_s = NOW_S, wait_s = DESTINATION_DEAD_S;

	destination_kill(q, 1, "b@example.net");
	messages_start(q, 10, 20, "c@example.net", NOW_S);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(load_all(q, "c@example.net", now_s + wait_s - 1), 0);
		now_s += wait_s;
		queue_tick(q, now_s);
		assert_int_equal(load_all(q, "c@example.net", now_s), 1);
		assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_UNREACHABLE, now_s));
		wait_s = wait_s * 2 < DESTINATION_DEAD_MAX_S ? wait_s * 2
							     : DESTINATION_DEAD_MAX_S;
	}
	now_s += wait_s;
	assert_int_equal(load_all(q, "c@example.net", now_s), 1);
	assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, now_s));
	assert_int_equal(q->destinations.n_dead, 0);
	/* All that waited for it are due. */
	while (queue_wake_turn(q, 7, now_s))
		;
	assert_true(load_all(q, "c@example.net", now_s) >= 13);
	assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, now_s));
	queue_free(&q);
}

static void
test_jobs_in_line_wait_when_their_destination_dies(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);

	messages_start(q, 1, 10, "b@example.net", NOW_S);
	for (unsigned i = 0; i < 3; i++)
		assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_UNREACHABLE, NOW_S));
	assert_false(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
	assert_int_equal(q->n_jobs, 0);
	for (uint64_t id = 1; id <= 10; id++)
		assert_int_equal(queue_find(q, id)->state, ENTRY_WAITING);
	assert_int_equal(q->destinations.flows.n_used, 0);
	queue_free(&q);
}

static void
test_refusals_without_a_connection_kill_nothing(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);

	messages_start(q, 1, 10, "b@example.net", NOW_S);
	for (unsigned i = 0; i < 10; i++)
		assert_true(relay_one(q, DELIVERY_FAILED, RELAY_UNTRIED, NOW_S));
	assert_int_equal(q->destinations.n_dead, 0);
	queue_free(&q);
}

static void
test_message_that_is_late_is_read_though_its_destination_is_dead(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);
	const struct entry *e;
	uint32_t late_s;

	destination_kill(q, 1, "b@example.net");
	messages_start(q, 10, 1, "c@example.net", NOW_S);
	e = queue_find(q, 10);
	late_s = e->arrived_s + q->config.lifetime_s + 1;
	/* It stays dead. */
	q->destinations.at[0].dead_until_s = late_s + 100;
	assert_true(load_all(q, "c@example.net", late_s) >= 1);
	assert_true(!queue_find(q, 10) || entry_target(e, 0) != TARGET_OPEN);
	queue_free(&q);
}

static void
test_failure_is_told_though_the_destination_is_dead(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);
	struct queue_report report;

	destination_kill(q, 1, "b@example.net");
	assert_true(queue_command(q, 1, QUEUE_BOUNCE, NOW_S));
	load_all(q, "b@example.net", NOW_S); /* bounce is away */
	assert_int_equal(entry_target(queue_find(q, 1), 0), TARGET_FAILED);
	queue_instance_up(q, JOB_BOUNCE, 0);
	assert_int_equal(load_all(q, "b@example.net", NOW_S + QUEUE_AWAY_MAX_S), 1);
	assert_true(queue_next_report(q, 0, NOW_S, &report));
	assert_true(queue_reported(q, 0, report.job, REPORT_MADE, NOW_S));
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

static void
test_server_that_stays_busy_is_left_alone_too(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 4, 4);
	struct target two[] = {remote_to("b@example.net"), remote_to("c@other.net")};

	/* Messages whose second destination is new when the first one dies. */
	for (uint64_t id = 1; id <= 20; id++)
		message_start(q, id, two, 2, NOW_S);
	for (unsigned i = 0; i < 60 && q->destinations.n_dead < 2; i++)
		(void)relay_one(q, DELIVERY_DEFERRED, RELAY_BUSY, NOW_S);
	assert_int_equal(q->destinations.n_dead, 2);
	queue_free(&q);
}

/* --- rate ----------------------------------------------------------------- */

static void
test_rate_is_kept_over_a_minute(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 10, 10);
	uint32_t sent = 0, in_first_s = 0;

	q->config.per_minute_max = 30;
	messages_start(q, 1, 200, "b@example.net", NOW_S);
	for (uint32_t now_s = NOW_S; now_s < NOW_S + 120; now_s++) {
		queue_tick(q, now_s);
		while (relay_one(q, DELIVERY_DONE, RELAY_TALKED, now_s))
			sent++;
		in_first_s += now_s == NOW_S ? sent : 0;
	}
	assert_true(in_first_s >= 1 && in_first_s <= 3);
	assert_true(sent >= 58 && sent <= 64);
	queue_free(&q);
}

/* --- providers ------------------------------------------------------------ */

static void
test_domains_of_one_provider_share_its_window(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 4, 4);
	struct sent sent[20];
	uint32_t n;

	messages_start(q, 1, 5, "b@one.example", NOW_S);
	messages_start(q, 11, 5, "b@two.example", NOW_S);
	n = take_all(q, sent, 20, NOW_S);
	assert_int_equal(n, 8); /* it is not known yet */
	for (uint32_t i = 0; i < n; i++)
		relay_finish(q, sent[i].instance, sent[i].relay.job, RELAY_TALKED,
			     DELIVERY_DONE, "Big.Example", NOW_S);
	messages_start(q, 21, 8, "b@one.example", NOW_S);
	messages_start(q, 31, 8, "b@two.example", NOW_S);
	assert_int_equal(take_all(q, sent, 20, NOW_S), 4);
	end_all(q, sent, 4, RELAY_TALKED, DELIVERY_DONE, NOW_S);
	assert_int_equal(take_all(q, sent, 20, NOW_S), 4);
	queue_free(&q);
}

/* --- fairness ------------------------------------------------------------- */

static uint32_t
turns_until(struct queue *q, uint64_t id)
{
	struct sent s;
	uint32_t n = 0;

	do {
		assert_true(relay_take(q, &s.relay, &s.instance, NOW_S));
		n++;
		relay_end(q, s.instance, &s.relay, RELAY_TALKED,
			  &(struct relay_result){.outcome = DELIVERY_DONE}, NOW_S);
	} while (s.relay.id != id);
	return n;
}

static void
test_many_recipients_do_not_hold_up_a_single_mail(void **state)
{
	(void)state;
	struct queue *q = wide_make(10000, 1, 1);
	struct target *targets = memory_new(3000, sizeof(*targets));
	char(*texts)[32] = memory_new(3000, sizeof(*texts));

	for (size_t i = 0; i < 3000; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%zu@example.net", i);
		targets[i] = remote_to(texts[i]);
	}
	message_start(q, 1, targets, 3000, NOW_S);
	assert_int_equal(q->n_jobs, 1000);
	sent_by(q, 100, "other@example.org", "b@example.net");
	assert_true(turns_until(q, 100) <= 2);
	free(targets);
	free(texts);
	queue_free(&q);
}

static void
test_senders_take_turns(void **state)
{
	(void)state;
	struct queue *q = wide_make(10000, 1, 1);

	for (uint64_t id = 1; id <= 500; id++)
		sent_by(q, id, "bulk@example.org", "b@example.net");
	for (uint64_t id = 501; id <= 504; id++)
		sent_by(q, id, "me@example.org", "b@example.net");
	assert_true(turns_until(q, 504) <= 9);
	queue_free(&q);
}

static void
test_sender_of_few_gets_in_where_others_are_parked(void **state)
{
	(void)state;
	struct queue *q = wide_make(40, 1, 1);

	for (uint64_t id = 1; id <= 30; id++)
		sent_by(q, id, "bulk@example.org", "b@example.net");
	assert_int_equal(q->n_jobs, 10); /* a quarter */
	assert_int_equal(q->destinations.n_parked_messages, 20);
	sent_by(q, 31, "me@example.org", "b@example.net");
	assert_int_equal(q->n_jobs, 11);
	assert_true(turns_until(q, 31) <= 2);
	queue_free(&q);
}

static void
test_parked_messages_follow_when_there_is_room(void **state)
{
	(void)state;
	struct queue *q = wide_make(40, 1, 1);
	uint32_t sent = 0;

	messages_start(q, 1, 50, "b@example.net", NOW_S);
	assert_int_equal(q->destinations.n_parked_messages, 40);
	assert_true(queue_command(q, 50, QUEUE_HOLD, NOW_S));
	assert_true(queue_command(q, 49, QUEUE_REMOVE, NOW_S));
	assert_int_equal(q->destinations.n_parked_messages, 38);
	for (; sent < 48; sent++) {
		assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
		load_all(q, "b@example.net", NOW_S);
	}
	assert_false(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
	assert_int_equal(q->ids.n, 1);
	assert_int_equal(q->destinations.n_parked, 0);
	queue_free(&q);
}

/* --- pause ---------------------------------------------------------------- */

static const struct pause_row {
	const char *name, *domain;
	bool one, two; /* may mail go to one.example, two.example? */
} pause_rows[] = {
    {"all",     "",            false, false},
    {"one",     "one.example", false, true },
    {"letters", "ONE.Example", false, true },
    {"another", "six.example", true,  true },
};

static void
test_paused_mail_waits_with_that_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(pause_rows); i++) {
		const struct pause_row *row = &pause_rows[i];
		struct queue *q = wide_make(1000, 2, 4);
		struct sent sent[4];

		messages_start(q, 1, 1, "a@one.example", NOW_S); /* in line already */
		assert_true(queue_pause(q, span_str(row->domain), NOW_S));
		assert_false(queue_pause(q, span_str(row->domain), NOW_S));
		messages_start(q, 2, 1, "a@one.example", NOW_S);
		messages_start(q, 3, 1, "a@two.example", NOW_S);
		if (take_all(q, sent, 4, NOW_S) != 2u * row->one + row->two)
			fail_msg("%s", row->name);
		if (!row->one) {
			assert_true(queue_find(q, 2)->due_s > NOW_S + 30);
			assert_int_equal(queue_find(q, 2)->tries, 0);
			assert_true(span_find_span(
					word_text(&q->words, queue_find(q, 2)->reason),
					SPAN("paused")) <
				    word_text(&q->words, queue_find(q, 2)->reason).n);
		}
		assert_true(queue_resume(q, span_str(row->domain)));
		assert_false(queue_resume(q, span_str(row->domain)));
		while (queue_wake_turn(q, 1, NOW_S))
			;
		assert_int_equal(load_all(q, "a@one.example", NOW_S),
				 2u * !row->one + !row->two);
		queue_free(&q);
	}
}

static void
restore_from(struct queue *q, const struct buf *notes)
{
	struct cursor c = cursor_make(buf_span(notes));
	struct note n;

	while (note_next(&c, &n))
		queue_restore(q, &n, NOW_S);
	assert_true(cursor_done(&c));
	queue_restored(q);
}

static void
test_pause_outlives_a_restart(void **state)
{
	(void)state;
	for (unsigned snapshot = 0; snapshot < 2; snapshot++) {
		struct queue *q = wide_make(1000, 2, 4), *after = queue_make();
		struct span domain;

		assert_true(queue_pause(q, SPAN("one.example"), NOW_S));
		assert_true(queue_pause(q, SPAN("two.example"), NOW_S));
		assert_true(queue_resume(q, SPAN("one.example")));
		if (snapshot) {
			buf_reset(&q->notes);
			queue_snapshot_start(q);
			assert_true(queue_snapshot_step(q, 100));
		}
		restore_from(after, &q->notes);
		assert_int_equal(queue_paused(after, 0, &domain), 1);
		assert_true(span_equal(domain, SPAN("two.example")));
		queue_free(&q);
		queue_free(&after);
	}
}

/* --- the table ------------------------------------------------------------ */

static void
test_idle_destinations_are_forgotten(void **state)
{
	(void)state;
	struct queue *q = wide_make(1000, 2, 4);
	char to[40];

	for (uint64_t id = 1; id <= 300; id++) {
		snprintf(to, sizeof(to), "a@d%u.example", (unsigned)id);
		messages_start(q, id, 1, to, NOW_S);
		assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
	}
	messages_start(q, 301, 1, "a@busy.example", NOW_S);
	assert_int_equal(q->destinations.n_used, 301);
	for (uint32_t s = 0; s < 10; s++)
		queue_tick(q, NOW_S + DESTINATION_IDLE_S + s);
	assert_int_equal(q->destinations.n_used, 1);
	assert_true(relay_one(q, DELIVERY_DONE, RELAY_TALKED, NOW_S));
	assert_int_equal(q->words.n_used, 0);
	queue_free(&q);
}

static void
test_table_of_destinations_is_bounded(void **state)
{
	(void)state;
	struct queue *q = wide_make(100000, 2, 4);
	char to[40];

	for (uint64_t id = 1; id <= DESTINATIONS_MAX + 10; id++) {
		snprintf(to, sizeof(to), "a@d%u.example", (unsigned)id);
		messages_start(q, id, 1, to, NOW_S);
	}
	assert_int_equal(q->destinations.n_used, DESTINATIONS_MAX);
	assert_int_equal(queue_find(q, DESTINATIONS_MAX + 10)->state, ENTRY_WAITING);
	assert_true(queue_find(q, DESTINATIONS_MAX + 10)->due_s > NOW_S);
	queue_free(&q);
}

static void
test_other_settings_find_their_destinations_again(void **state)
{
	(void)state;
	struct queue *q = wide_make(40, 1, 1);
	struct queue_config config;

	messages_start(q, 1, 30, "b@example.net", NOW_S);
	config = q->config;
	config.connections_max = 7;
	queue_configure(q, &config, NOW_S);
	assert_int_equal(q->destinations.n_parked_messages, 0);
	load_all(q, "b@example.net", NOW_S);
	assert_int_equal(q->destinations.n_used, 1);
	assert_int_equal(q->destinations.at[0].pace.window_max, 7);
	queue_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_window_grows_with_success_up_to_its_limit),
	    cmocka_unit_test(test_window_halves_when_the_server_asks_for_less),
	    cmocka_unit_test(test_dead_destination_costs_no_reading),
	    cmocka_unit_test(test_one_probe_finds_out_whether_it_lives),
	    cmocka_unit_test(test_jobs_in_line_wait_when_their_destination_dies),
	    cmocka_unit_test(test_refusals_without_a_connection_kill_nothing),
	    cmocka_unit_test(
		test_message_that_is_late_is_read_though_its_destination_is_dead),
	    cmocka_unit_test(test_failure_is_told_though_the_destination_is_dead),
	    cmocka_unit_test(test_server_that_stays_busy_is_left_alone_too),
	    cmocka_unit_test(test_rate_is_kept_over_a_minute),
	    cmocka_unit_test(test_domains_of_one_provider_share_its_window),
	    cmocka_unit_test(test_many_recipients_do_not_hold_up_a_single_mail),
	    cmocka_unit_test(test_senders_take_turns),
	    cmocka_unit_test(test_sender_of_few_gets_in_where_others_are_parked),
	    cmocka_unit_test(test_parked_messages_follow_when_there_is_room),
	    cmocka_unit_test(test_paused_mail_waits_with_that_reason),
	    cmocka_unit_test(test_pause_outlives_a_restart),
	    cmocka_unit_test(test_idle_destinations_are_forgotten),
	    cmocka_unit_test(test_table_of_destinations_is_bounded),
	    cmocka_unit_test(test_other_settings_find_their_destinations_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
