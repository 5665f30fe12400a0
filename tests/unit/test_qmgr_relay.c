/* tests/unit/test_qmgr_relay.c - from targets to transactions, from results to fates */
#include "tests/unit/queue_fixture.h"

#include <stdio.h>

static struct target
forward_to(const char *address, const char *sender)
{
	return (struct target){.kind = TARGET_FORWARD,
			       .address = span_str(address),
			       .sender = span_str(sender)};
}

static uint32_t
count_of(struct span recipients)
{
	struct cursor c = cursor_make(recipients);
	struct relay_recipient r;
	uint32_t n = 0;

	while (relay_recipient_next(&c, &r))
		n++;
	assert_true(cursor_done(&c));
	return n;
}

static struct target
remote_by(const char *address, const char *next_hop)
{
	return (struct target){.kind = TARGET_REMOTE,
			       .address = span_str(address),
			       .next_hop = span_str(next_hop)};
}

static void
test_targets_with_a_next_hop_are_a_destination_of_their_own(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target targets[] = {
	    remote_to("a@one.example"),         remote_by("b@one.example", "x:25"),
	    remote_by("c@one.example", "y:25"), remote_by("d@one.example", "x:25"),
	    remote_by("b@one.example", "x:25"), /* twice */
	};
	static const struct {
		uint32_t ordinal, n;
		const char *next_hop;
	} want[] = {
	    {0, 1, ""    },
            {1, 2, "x:25"},
            {2, 1, "y:25"}
        };
	struct queue_relay r;
	uint32_t instance, jobs = 0;

	message_start(q, 1, targets, 5, 1000);
	while (relay_take(q, &r, &instance, 1000)) {
		struct cursor c = cursor_make(r.recipients);
		struct relay_recipient recipient;

		assert_true(relay_recipient_next(&c, &recipient));
		assert_true(span_equal(r.domain, SPAN("one.example")));
		for (size_t i = 0; i < N_ELEMS(want); i++)
			if (recipient.ordinal == want[i].ordinal) {
				assert_int_equal(r.n, want[i].n);
				assert_true(
				    span_equal(r.next_hop, span_str(want[i].next_hop)));
				jobs++;
			}
	}
	assert_int_equal(jobs, 3);
	queue_free(&q);
}

/* What waits is put off by its hop's destination and the pause of its domain. */
static void
test_next_hop_is_put_off_unread(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct target t = remote_by("b@One.example", "x:25");
	const struct relay_result later = {.outcome = DELIVERY_DEFERRED,
					   .text = SPAN("later")};
	struct queue_load load;
	struct queue_relay r;
	uint32_t instance;

	message_start(q, 1, &t, 1, 1000);
	assert_true(relay_take(q, &r, &instance, 1000));
	relay_end(q, instance, &r, RELAY_TALKED, &later, 1000);
	assert_true(queue_pause(q, SPAN("one.example"), 1001));
	assert_false(queue_next_load(q, 2000, &load));
	assert_int_equal(q->n_put_off, 1);
	assert_true(queue_resume(q, SPAN("one.example")));
	while (queue_wake_turn(q, 100, 2001)) {
	}
	assert_true(queue_next_load(q, 2001, &load));
	queue_load_failed(q, load.ref, SPAN("enough"));
	queue_free(&q);
}

static void
test_targets_are_grouped_by_destination_and_sender(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target targets[] = {
	    remote_to("a@one.example"), remote_to("b@two.example"),
	    remote_to("c@ONE.example"), forward_to("d@one.example", "srs@here.example"),
	    remote_to("e@one.example"),
	};
	struct queue_relay r;
	uint32_t instance, n = 0, jobs = 0;

	message_start(q, 1, targets, 5, 1000);
	while (relay_take(q, &r, &instance, 1000)) {
		struct cursor c = cursor_make(r.recipients);
		struct relay_recipient recipient;

		jobs++;
		n += r.n;
		assert_int_equal(r.n, count_of(r.recipients));
		assert_true(relay_recipient_next(&c, &recipient));
		if (recipient.ordinal == 3)
			assert_true(span_equal(r.sender, SPAN("srs@here.example")));
		else
			assert_true(span_equal(r.sender, SPAN("s@example.org")));
		if (recipient.ordinal == 0)
			assert_int_equal(r.n, 3);
	}
	assert_int_equal(n, 5);
	assert_int_equal(jobs, 3);
	queue_free(&q);
}

static const struct cut_row {
	uint32_t targets, jobs; /* three recipients in one at most */
} cut_rows[] = {
    {2, 1},
    {3, 1},
    {4, 2},
    {7, 3},
};

static void
test_transaction_has_no_more_recipients_than_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(cut_rows); i++) {
		struct queue *q = queue_make();
		struct target targets[7];
		char texts[7][32];
		struct queue_relay r;
		uint32_t instance, jobs = 0;

		q->config.connections_first = 10;
		q->config.connections_max = 10;
		for (uint32_t k = 0; k < cut_rows[i].targets; k++) {
			snprintf(texts[k], sizeof(texts[k]), "%u@one.example", k);
			targets[k] = remote_to(texts[k]);
		}
		message_start(q, 1, targets, cut_rows[i].targets, 1000);
		while (relay_take(q, &r, &instance, 1000))
			jobs++;
		assert_int_equal(jobs, cut_rows[i].jobs);
		queue_free(&q);
	}
}

static void
test_list_of_recipients_fits_one_message(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	static char texts[100][1020];
	struct target targets[100];
	struct queue_relay r;
	uint32_t instance, n = 0, jobs = 0;

	q->config.relay_recipients_max = 1000;
	q->config.connections_first = q->config.connections_max = 10;
	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		memset(texts[i], 'a', 1000);
		snprintf(texts[i] + 1000, 20, "%zu@one.example", i);
		targets[i] = remote_to(texts[i]);
	}
	message_start(q, 1, targets, N_ELEMS(targets), 1000);
	for (; relay_take(q, &r, &instance, 1000); jobs++) {
		assert_true(r.recipients.n <= RELAY_LIST_BYTES_MAX);
		n += count_of(r.recipients);
	}
	assert_int_equal(n, 100);
	assert_int_equal(jobs, 3);
	queue_free(&q);
}

static void
result_send(struct queue *q, uint32_t instance, const struct queue_relay *r,
	    uint32_t ordinal, enum delivery_outcome outcome, bool last)
{
	struct relay_result result = {.ordinal = ordinal,
				      .outcome = (uint8_t)outcome,
				      .code = 400,
				      .text = SPAN("so it is")};
	struct buf list = buf_make(1000);
	struct ipc_relayed relayed = {.job = r->job, .last = last};

	relay_result_put(&list, &result);
	relayed.results = buf_span(&list);
	assert_true(queue_relayed(q, instance, &relayed, 1000));
	buf_release(&list);
}

static void
test_each_recipient_has_its_own_fate(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target targets[] = {remote_to("a@one.example"),
					 remote_to("b@one.example"),
					 remote_to("c@one.example")};
	const struct entry *e;
	struct queue_relay r;
	uint32_t instance;

	message_start(q, 1, targets, 3, 1000);
	e = queue_find(q, 1);
	assert_true(relay_take(q, &r, &instance, 1000));
	result_send(q, instance, &r, 0, DELIVERY_DONE, false);
	assert_int_equal(entry_target(e, 0), TARGET_DONE);
	result_send(q, instance, &r, 0, DELIVERY_FAILED, false); /* said already */
	result_send(q, instance, &r, 99, DELIVERY_DONE, false);  /* none of it */
	assert_int_equal(entry_target(e, 0), TARGET_DONE);
	assert_int_equal(e->state, ENTRY_WORK);
	/* The third is not named: it is to be tried again. */
	result_send(q, instance, &r, 1, DELIVERY_DEFERRED, true);
	assert_int_equal(e->state, ENTRY_WAITING);
	assert_int_equal(e->tries, 1);
	assert_int_equal(entry_target(e, 1), TARGET_OPEN);
	assert_int_equal(entry_target(e, 2), TARGET_OPEN);
	message_again(q, targets, 3, e->due_s);
	assert_true(relay_take(q, &r, &instance, 2000));
	assert_int_equal(r.n, 2);
	assert_false(r.replay);
	relay_end(q, instance, &r, RELAY_TALKED,
		  &(struct relay_result){.outcome = DELIVERY_DONE}, 2000);
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

static void
test_lost_transaction_is_a_replay(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_relay r, again;
	uint32_t instance;

	message_start(q, 1, &target_there, 1, 1000);
	assert_true(relay_take(q, &r, &instance, 1000));
	assert_false(r.replay);
	queue_instance_down(q, JOB_REMOTE, instance, 1000);
	assert_int_equal(queue_find(q, 1)->tries, 0);
	queue_instance_up(q, JOB_REMOTE, instance);
	message_again(q, &target_there, 1, 1002);
	assert_true(relay_take(q, &again, &instance, 1002));
	assert_true(again.replay);
	assert_false(queue_relayed(
	    q, instance, &(struct ipc_relayed){.job = r.job, .last = 1}, 1002));
	assert_int_equal(q->n_replays, 1);
	queue_free(&q);
}

static void
test_connections_of_a_destination_are_in_one_process(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_relay r;
	uint32_t first, instance;

	message_start(q, 1, &target_there, 1, 1000);
	assert_true(relay_take(q, &r, &first, 1000));
	message_start(q, 2, &target_there, 1, 1000);
	assert_true(relay_take(q, &r, &instance, 1000));
	assert_int_equal(first, instance);
	queue_free(&q);
}

static void
test_remote_that_is_away_costs_no_try(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct entry *e;

	for (uint32_t i = 0; i < 2; i++)
		queue_instance_down(q, JOB_REMOTE, i, 990);
	message_start(q, 1, &target_there, 1, 1000);
	e = queue_find(q, 1);
	assert_int_equal(e->state, ENTRY_WAITING);
	assert_int_equal(e->tries, 0);
	assert_true(e->due_s > 1000 && e->due_s <= 1000 + QUEUE_AWAY_MAX_S);
	queue_free(&q);
}

static void
test_reason_is_what_the_server_said(void **state)
{
	(void)state;
	struct queue *q = queue_make();

	message_deferred(q, 1, 1000);
	assert_true(
	    span_equal(word_text(&q->words, queue_find(q, 1)->reason),
		       SPAN("mx.example.net[192.0.2.1]: 451 4.7.1 greylisted")));
	queue_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_targets_are_grouped_by_destination_and_sender),
	    cmocka_unit_test(
		test_targets_with_a_next_hop_are_a_destination_of_their_own),
	    cmocka_unit_test(test_next_hop_is_put_off_unread),
	    cmocka_unit_test(test_transaction_has_no_more_recipients_than_set),
	    cmocka_unit_test(test_list_of_recipients_fits_one_message),
	    cmocka_unit_test(test_each_recipient_has_its_own_fate),
	    cmocka_unit_test(test_lost_transaction_is_a_replay),
	    cmocka_unit_test(test_connections_of_a_destination_are_in_one_process),
	    cmocka_unit_test(test_remote_that_is_away_costs_no_try),
	    cmocka_unit_test(test_reason_is_what_the_server_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
