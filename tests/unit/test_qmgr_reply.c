/* tests/unit/test_qmgr_reply.c - answers of accounts, as the queue has them tried;
 * owners of lists in the place of senders
 */
#include "tests/unit/queue_fixture.h"

#include "common/dsn/dsn.h"

#define NOW 1000u

static const struct target target_answer = {
    .kind = TARGET_REPLY, .account = 4, .address = {"a@example.org", 13}
};

static void
start_both(struct queue *q)
{
	const struct target both[] = {target_here, target_answer};

	message_start(q, 1, both, 2, NOW);
}

static void
deliver(struct queue *q)
{
	struct queue_job job;

	assert_true(queue_next_job(q, 0, &job));
	assert_true(
	    queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN("2.1.5 in"), NOW));
}

static void
test_answer_is_asked_of_bounce_while_the_mail_is_delivered(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	struct queue_report r;

	queue_instance_up(q, JOB_BOUNCE, 0);
	start_both(q);
	assert_true(queue_next_report(q, 0, NOW, &r));
	assert_int_equal(r.account, 4);
	assert_true(span_equal(r.sender, SPAN("s@example.org")));
	assert_true(span_equal(r.recipient, SPAN("a@example.org")));
	assert_true(span_equal(r.original, SPAN("r@example.org")));
	deliver(q);
	assert_non_null(queue_find(q, 1));
	assert_true(queue_reported(q, 0, r.job, REPORT_MADE, NOW));
	assert_null(queue_find(q, 1));
	assert_int_equal(q->n_replies, 1);
	assert_int_equal(q->n_reports, 0);
	queue_free(&q);
}

static void
test_answer_that_must_wait_is_left_out_after_some_tries(void **state)
{
	(void)state;
	const struct target both[] = {target_here, target_answer};
	struct queue *q = queue_make();
	struct queue_report r;
	unsigned tries = 0;
	uint32_t now_s = NOW;

	queue_instance_up(q, JOB_BOUNCE, 0);
	start_both(q);
	deliver(q);
	while (queue_next_report(q, 0, now_s, &r)) {
		assert_int_equal(r.account, 4);
		assert_true(queue_reported(q, 0, r.job, REPORT_LATER, now_s));
		tries++;
		if (!queue_find(q, 1))
			break;
		now_s = queue_find(q, 1)->due_s;
		message_again(q, both, 2, now_s);
	}
	assert_int_equal(tries, REPLY_TRIES_MAX);
	assert_null(queue_find(q, 1));
	assert_false(queue_next_report(q, 0, now_s, &r));
	queue_free(&q);
}

static void
test_answer_waits_for_a_bounce_that_is_away(void **state)
{
	(void)state;
	const struct target both[] = {target_here, target_answer};
	struct queue *q = queue_make();
	struct queue_report r;

	start_both(q);
	deliver(q);
	assert_int_equal(queue_find(q, 1)->tries, 0);
	queue_instance_up(q, JOB_BOUNCE, 0);
	message_again(q, both, 2, queue_find(q, 1)->due_s);
	assert_true(queue_next_report(q, 0, NOW + 60, &r));
	assert_true(queue_reported(q, 0, r.job, REPORT_NOBODY, NOW + 60));
	assert_null(queue_find(q, 1));
	assert_int_equal(q->n_replies, 0);
	queue_free(&q);
}

static void
test_null_sender_has_no_answer(void **state)
{
	(void)state;
	const struct span before = fixture_sender;
	struct queue *q = queue_make();
	struct queue_report r;

	queue_instance_up(q, JOB_BOUNCE, 0);
	fixture_sender = SPAN("");
	start_both(q);
	fixture_sender = before;
	assert_false(queue_next_report(q, 0, NOW, &r));
	deliver(q);
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

/* Given up by the operator: the report tells of the mailbox alone. */
static void
test_answer_is_in_no_report(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct target both[] = {target_there, target_answer};
	struct dsn_request request;
	struct queue_report r;

	start_both(q);
	queue_free(&q);
	q = queue_make();
	message_start(q, 1, both, 2, NOW);
	queue_instance_up(q, JOB_BOUNCE, 0);
	assert_true(queue_command(q, 1, QUEUE_BOUNCE, NOW));
	assert_true(queue_next_report(q, 0, NOW, &r));
	assert_int_equal(r.account, 0);
	assert_true(dsn_request_parse(r.request, &request));
	assert_int_equal(request.n_rows, 1);
	assert_true(queue_reported(q, 0, r.job, REPORT_MADE, NOW));
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

/* A mailbox and its answer are no expansion [RFC3461 5.2.7]. */
static void
test_answer_makes_no_list_of_an_address(void **state)
{
	(void)state;
	struct queue *q = queue_make();
	const struct work *w;

	queue_instance_up(q, JOB_BOUNCE, 0);
	start_both(q);
	w = &q->works[queue_find(q, 1)->link];
	assert_false(w->targets[0].expanded);
	assert_false(w->targets[1].expanded);
	queue_free(&q);
}

/* --- owners of lists ------------------------------------------------------- */

static struct target
owned(struct target t)
{
	t.owner = SPAN("owner@example.org");
	return t;
}

/* The ordinal of its first recipient. */
static uint32_t
ordinal_of(const struct queue_relay *r)
{
	struct cursor c = cursor_make(r->recipients);
	struct relay_recipient recipient;

	assert_true(relay_recipient_next(&c, &recipient));
	return recipient.ordinal;
}

static void
test_owner_is_the_sender_of_what_goes_to_members(void **state)
{
	(void)state;
	const struct target all[] = {owned(target_here), owned(target_there),
				     remote_to("c@example.net")};
	struct queue *q = queue_make();
	struct queue_relay r;
	struct queue_job job;
	uint32_t instance, n = 0;

	message_start(q, 1, all, 3, NOW);
	assert_true(queue_next_job(q, 0, &job));
	assert_true(span_equal(job.sender, SPAN("owner@example.org")));
	for (; relay_take(q, &r, &instance, NOW); n++)
		assert_true(span_equal(r.sender, ordinal_of(&r) == 1
						     ? SPAN("owner@example.org")
						     : SPAN("s@example.org")));
	assert_int_equal(n, 2);
	queue_free(&q);
}

static void
test_owner_hears_of_what_fails_for_members(void **state)
{
	(void)state;
	const struct target all[] = {owned(target_there), remote_to("c@example.net")};
	const char *const want[] = {"owner@example.org", "s@example.org"};
	struct queue *q = queue_make();
	struct dsn_request request;
	struct queue_report r;

	message_start(q, 1, all, 2, NOW);
	while (relay_one(q, DELIVERY_FAILED, RELAY_TALKED, NOW)) {
	}
	queue_instance_up(q, JOB_BOUNCE, 0);
	message_again(q, all, 2, queue_find(q, 1)->due_s);
	for (size_t i = 0; i < N_ELEMS(want); i++) {
		assert_true(queue_next_report(q, 0, NOW, &r));
		assert_true(dsn_request_parse(r.request, &request));
		assert_true(span_equal(request.sender, span_str(want[i])));
		assert_int_equal(request.n_rows, 1);
		assert_true(queue_reported(q, 0, r.job, REPORT_MADE, NOW));
	}
	assert_null(queue_find(q, 1));
	queue_free(&q);
}

/* A list is told of as one to who sent to it, however few members it has. */
static void
test_list_is_an_expansion(void **state)
{
	(void)state;
	const struct target one = owned(target_here);
	struct queue *q = queue_make();
	const struct work *w;

	fixture_notify = ENVELOPE_NOTIFY_SUCCESS;
	message_start(q, 1, &one, 1, NOW);
	fixture_notify = 0;
	w = &q->works[queue_find(q, 1)->link];
	assert_true(w->targets[0].expanded);
	assert_int_equal(w->targets[0].notify, 0);
	queue_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_answer_is_asked_of_bounce_while_the_mail_is_delivered),
	    cmocka_unit_test(test_answer_that_must_wait_is_left_out_after_some_tries),
	    cmocka_unit_test(test_answer_waits_for_a_bounce_that_is_away),
	    cmocka_unit_test(test_null_sender_has_no_answer),
	    cmocka_unit_test(test_answer_is_in_no_report),
	    cmocka_unit_test(test_answer_makes_no_list_of_an_address),
	    cmocka_unit_test(test_owner_is_the_sender_of_what_goes_to_members),
	    cmocka_unit_test(test_owner_hears_of_what_fails_for_members),
	    cmocka_unit_test(test_list_is_an_expansion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
