/* tests/unit/test_qmgr_scale.c - 200,000 messages to a domain that is out of reach
 *
 * What it costs is counted in envelopes read, and printed in time.
 */
#include "tests/unit/queue_fixture.h"

#include <stdio.h>
#include <time.h>

#define MESSAGES 200000u
#define NOW_S    1000000u
#define HOUR_S   3600u
#define LOCAL_ID 100000000u

static double
cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* The queue as after a restart: all were deferred before, and are due now. */
static struct queue *
restored_make(void)
{
	struct queue *q = queue_make();
	uint32_t bytes;

	free(envelope_of(&target_there, 1, &bytes));
	q->config.active_max = 20000;
	q->config.lifetime_s = 5 * 86400;
	q->config.connections_first = 5;
	q->config.connections_max = 20;
	for (uint64_t id = 1; id <= MESSAGES; id++) {
		struct note n = {
		    .kind = NOTE_MESSAGE,
		    .id = id,
		    .place = {.offset = 1024 + 4096 * id,
			      .content_bytes = 10,
			      .envelope_bytes = bytes,
			      .segment = 1},
		    .arrived_s = NOW_S - 1000,
		    .due_s = NOW_S,
		    .n_targets = 1,
		    .tries = 1,
		    .domain = SPAN("example.net"),
		    .reason = SPAN("connection refused")
                };

		queue_restore(q, &n, NOW_S);
	}
	queue_restored(q);
	return q;
}

static size_t
bytes_of(const struct queue *q)
{
	return q->entries.n_chunks * ENTRY_CHUNK * sizeof(struct entry) +
	       q->heap.size * sizeof(struct heap_slot) +
	       q->ids.n_chunks * sizeof(struct idmap_chunk) +
	       q->size_works * sizeof(struct work) +
	       q->n_jobs_size * sizeof(struct job) +
	       q->destinations.size * sizeof(struct destination);
}

/* All that is due is read; every transaction fails to reach a server. */
static uint64_t
second_pass(struct queue *q, uint32_t now_s)
{
	struct queue_load load;
	uint64_t reads = 0;

	queue_tick(q, now_s);
	do {
		while (queue_next_load(q, now_s, &load)) {
			uint32_t bytes;
			char *envelope = envelope_of(&target_there, 1, &bytes);

			queue_loaded(q, load.ref, (uint64_t)(NOW_S - 1000) * 1000000,
				     envelope, now_s);
			reads++;
		}
	} while (q->more_due);
	while (relay_one(q, DELIVERY_DEFERRED, RELAY_UNREACHABLE, now_s))
		;
	buf_reset(&q->notes);
	queue_events_clear(q);
	return reads;
}

static void
assert_all_wait(const struct queue *q)
{
	const struct entry *e;
	uint64_t after = 0, n = 0;

	while ((e = queue_walk(q, after))) {
		assert_int_equal(e->state, ENTRY_WAITING);
		after = e->id;
		n++;
	}
	assert_int_equal(n, MESSAGES);
}

static void
test_dead_domain_with_many_messages_costs_next_to_nothing(void **state)
{
	(void)state;
	double start = cpu_s(), restored, first, worst = 0;
	struct queue *q = restored_make();
	uint64_t reads;

	restored = cpu_s() - start;
	reads = second_pass(q, NOW_S);
	first = cpu_s() - start - restored;
	assert_int_equal(q->destinations.n_dead, 1);
	assert_true(reads < 1000);
	for (uint32_t s = 1; s < HOUR_S; s++) {
		double before = cpu_s();

		reads += second_pass(q, NOW_S + s);
		worst = cpu_s() - before > worst ? cpu_s() - before : worst;
	}
	print_message("restored in %.2f s, first second %.2f s, an hour %.2f s, "
		      "worst second %.3f s; %llu envelopes read, %zu MB\n",
		      restored, first, cpu_s() - start - restored - first, worst,
		      (unsigned long long)reads, bytes_of(q) >> 20);
	assert_true(reads < 1200);
	assert_true(bytes_of(q) < 40u << 20);
	assert_all_wait(q);
	queue_free(&q);
}

static void
test_other_mail_goes_on_beside_it(void **state)
{
	(void)state;
	struct queue *q = restored_make();
	struct queue_job job;

	(void)second_pass(q, NOW_S);
	for (uint32_t i = 0; i < 100; i++) {
		struct place p = {.offset = 1u << 30, .segment = 2 + i};
		struct queue_load load;
		char *envelope = envelope_of(&target_here, 1, &p.envelope_bytes);

		(void)second_pass(q, NOW_S + i);
		assert_true(queue_add(q, LOCAL_ID + i, &p, 0, NOW_S + i));
		assert_true(queue_next_load(q, NOW_S + i, &load));
		assert_int_equal(load.id, LOCAL_ID + i);
		queue_loaded(q, load.ref, (uint64_t)(NOW_S + i) * 1000000, envelope,
			     NOW_S + i);
		assert_true(queue_next_job(q, 0, &job));
		assert_true(
		    queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), NOW_S + i));
	}
	queue_free(&q);
}

/* Reads what may be read and delivers what may be sent; false when nothing was. */
static bool
delivered_some(struct queue *q, uint32_t now_s)
{
	struct queue_load load;
	bool some = false;

	while (queue_next_load(q, now_s, &load)) {
		uint32_t bytes;
		char *envelope = envelope_of(&target_there, 1, &bytes);

		queue_loaded(q, load.ref, (uint64_t)(NOW_S - 1000) * 1000000, envelope,
			     now_s);
	}
	for (; relay_one(q, DELIVERY_DONE, RELAY_TALKED, now_s); some = true)
		;
	buf_reset(&q->notes);
	queue_events_clear(q);
	return some || q->more_due;
}

static void
test_domain_that_comes_back_gets_its_mail(void **state)
{
	(void)state;
	struct queue *q = restored_make();
	uint32_t now_s = NOW_S;

	(void)second_pass(q, now_s);
	for (; q->ids.n > 0 && now_s < NOW_S + 2 * HOUR_S; now_s++) {
		queue_tick(q, now_s);
		(void)queue_wake_turn(q, 100000, now_s);
		while (delivered_some(q, now_s))
			;
	}
	print_message("%u s until all were gone\n", now_s - NOW_S);
	assert_int_equal(q->ids.n, 0);
	assert_int_equal(q->heap.n, 0);
	queue_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dead_domain_with_many_messages_costs_next_to_nothing),
	    cmocka_unit_test(test_other_mail_goes_on_beside_it),
	    cmocka_unit_test(test_domain_that_comes_back_gets_its_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
