/* tests/unit/test_qmgr_report.c - what a sender is told, decided without a bounce */
#include "tests/unit/queue_fixture.h"

#include <stdio.h>

#define NOW 1000000u

struct rcpt {
	const char *address;
	uint8_t notify;
	unsigned n_targets; /* on another server; 0: one, here */
};

static char *
envelope_with(const char *sender, const struct rcpt *rcpts, size_t n, uint32_t *bytes)
{
	struct buf list = buf_make(1u << 22), out = buf_make(1u << 22);
	char *copy;

	for (size_t i = 0; i < n; i++) {
		struct buf targets = buf_make(65536);
		struct envelope_recipient r = {.address = span_str(rcpts[i].address),
					       .notify = rcpts[i].notify,
					       .orcpt = SPAN("rfc822;o@x")};

		for (unsigned k = 0; k < rcpts[i].n_targets; k++) {
			char address[64];
			struct target t = {.kind = TARGET_REMOTE};

			snprintf(address, sizeof(address), "t%u-%s", k,
				 rcpts[i].address);
			t.address = span_str(address);
			target_put(&targets, &t);
		}
		if (rcpts[i].n_targets == 0)
			target_put(&targets, &(struct target){.kind = TARGET_ACCOUNT,
							      .account = 4 + i,
							      .address = r.address});
		r.targets = buf_span(&targets);
		recipient_put(&list, &r);
		buf_release(&targets);
	}
	struct envelope e = {.sender = span_str(sender),
			     .envid = SPAN("QQ"),
			     .ret = ENVELOPE_RET_FULL,
			     .helo = SPAN("client.example"),
			     .recipients = buf_span(&list),
			     .n_recipients = (uint32_t)n};
	envelope_put(&out, &e);
	*bytes = (uint32_t)out.n;
	copy = span_dup(buf_span(&out));
	buf_release(&list);
	buf_release(&out);
	return copy;
}

static struct queue *
report_queue(uint32_t warning_after_s)
{
	struct queue_config config;
	struct queue *q = queue_make();

	config = q->config;
	config.warning_after_s = warning_after_s;
	config.relay_recipients_max = 1000;
	config.active_max = 100000;
	queue_configure(q, &config, NOW);
	return q;
}

static void
load(struct queue *q, const char *sender, const struct rcpt *rcpts, size_t n,
     uint32_t now_s)
{
	struct queue_load l;
	uint32_t bytes;
	char *envelope = envelope_with(sender, rcpts, n, &bytes);

	assert_true(queue_next_load(q, now_s, &l));
	queue_loaded(q, l.ref, (uint64_t)NOW * 1000000, envelope, now_s);
}

static void
start(struct queue *q, const char *sender, const struct rcpt *rcpts, size_t n)
{
	uint32_t bytes;
	struct place p = {.offset = 1024, .content_bytes = 10, .segment = 1};

	free(envelope_with(sender, rcpts, n, &bytes));
	p.envelope_bytes = bytes;
	assert_true(queue_add(q, 1, &p, 0, NOW));
	load(q, sender, rcpts, n, NOW);
}

/* All jobs for local and remote end so. */
static void
all_end(struct queue *q, enum delivery_outcome outcome, uint8_t flags, uint32_t now_s)
{
	static const uint16_t codes[] = {250, 451, 550};
	struct relay_result like = {
	    .outcome = (uint8_t)outcome,
	    .flags = flags,
	    .code = codes[outcome],
	    .enhanced = {codes[outcome] / 100, 1, 1},
	    .text = SPAN("words"),
	    .host = SPAN("mx.example[192.0.2.1]")
        };
	struct queue_relay r;
	struct queue_job job;
	uint32_t instance;

	for (uint32_t i = 0; i < 2; i++)
		while (queue_next_job(q, i, &job))
			queue_delivered(q, i, job.job, outcome, SPAN("5.1.1 words"),
					now_s);
	while (relay_take(q, &r, &instance, now_s))
		relay_end(q, instance, &r, RELAY_TALKED, &like, now_s);
}

/* "failure t0-a@x b@x", "" for none; the report is not answered yet. Its job, which is
 * 0 only when it is the first of all. */
static uint64_t
next_report(struct queue *q, uint32_t now_s, struct buf *out, struct dsn_row *first)
{
	static const char *const kinds[] = {"failure", "delay", "success"};
	static const char *const actions[] = {"", "", "", ":relayed", ":expanded"};
	struct queue_report report;
	struct dsn_request r;
	struct dsn_row row;

	buf_reset(out);
	if (!queue_next_report(q, 0, now_s, &report))
		return 0;
	assert_int_equal(report.id, 1);
	assert_true(dsn_request_parse(report.request, &r));
	assert_true(span_equal(r.envid, SPAN("QQ")));
	assert_int_equal(r.ret, ENVELOPE_RET_FULL);
	assert_int_equal(r.arrived_us, (uint64_t)NOW * 1000000);
	assert_int_equal(r.until_us > 0, r.kind == DSN_DELAY);
	buf_put_str(out, kinds[r.kind]);
	for (struct cursor c = cursor_make(r.rows); dsn_row_next(&c, &row);) {
		if (out->n < 10 && first)
			*first = row;
		buf_putf(out, " %.*s%s", SPAN_ARG(row.final), actions[row.action]);
		assert_true(span_equal(row.orcpt, SPAN("rfc822;o@x")));
	}
	return report.job;
}

/* --- who hears of what ---------------------------------------------------- */

#define NEVER   ENVELOPE_NOTIFY_NEVER
#define SUCCESS ENVELOPE_NOTIFY_SUCCESS
#define FAILURE ENVELOPE_NOTIFY_FAILURE
#define DELAY   ENVELOPE_NOTIFY_DELAY

static const struct told_row {
	const char *name, *sender;
	struct rcpt rcpt;
	enum delivery_outcome outcome;
	uint8_t flags;
	const char *want; /* the report */
} told_rows[] = {
    {"failed",		     "s@x", {"a@x", 0, 1},                         DELIVERY_FAILED,   0,              "failure t0-a@x"       },
    {"failed, here",               "s@x", {"a@x", 0, 0},                         DELIVERY_FAILED,   0,              "failure a@x"          },
    {"failed, null sender",        "",    {"a@x", 0, 1},                         DELIVERY_FAILED,   0,              ""                     },
    {"failed, NEVER",              "s@x", {"a@x", NEVER, 1},                     DELIVERY_FAILED,   0,              ""                     },
    {"failed, FAILURE",
     "s@x",			       {"a@x", FAILURE, 1},
     DELIVERY_FAILED,									       0,
     "failure t0-a@x"														      },
    {"failed, all",
     "s@x",			       {"a@x", SUCCESS | FAILURE | DELAY, 1},
     DELIVERY_FAILED,									       0,
     "failure t0-a@x"														      },
    {"failed, SUCCESS",            "s@x", {"a@x", SUCCESS, 1},                   DELIVERY_FAILED,   0,              ""                     },
    {"failed, DELAY",              "s@x", {"a@x", DELAY, 1},                     DELIVERY_FAILED,   0,              ""                     },
    {"failed alias",               "s@x", {"a@x", 0, 2},                         DELIVERY_FAILED,   0,              "failure t0-a@x t1-a@x"},
    {"failed alias, SUCCESS",      "s@x", {"a@x", SUCCESS, 2},                   DELIVERY_FAILED,   0,              ""                     },
    {"done",		       "s@x", {"a@x", 0, 1},                         DELIVERY_DONE,     0,              ""                     },
    {"done, FAILURE",              "s@x", {"a@x", FAILURE, 1},                   DELIVERY_DONE,     0,              ""                     },
    {"done, SUCCESS",
     "s@x",			       {"a@x", SUCCESS, 1},
     DELIVERY_DONE,										 0,
     "success t0-a@x:relayed"													      },
    {"done, SUCCESS, here",
     "s@x",			       {"a@x", SUCCESS, 0},
     DELIVERY_DONE,										 0,
     "success a@x"															 },
    {"done, SUCCESS, LMTP",
     "s@x",			       {"a@x", SUCCESS, 1},
     DELIVERY_DONE,										 RELAY_LMTP,
     "success t0-a@x"														      },
    {"done, SUCCESS, with DSN",
     "s@x",			       {"a@x", SUCCESS, 1},
     DELIVERY_DONE,										 RELAY_NOTIFIES,
     ""																    },
    {"done, SUCCESS, null sender", "",    {"a@x", SUCCESS, 1},                   DELIVERY_DONE,     0,              ""                     },
    {"done alias, SUCCESS",
     "s@x",			       {"a@x", SUCCESS, 2},
     DELIVERY_DONE,										 RELAY_NOTIFIES,
     "success a@x:expanded"														},
    {"done alias",                 "s@x", {"a@x", 0, 2},                         DELIVERY_DONE,     0,              ""                     },
    {"deferred",		   "s@x", {"a@x", SUCCESS | FAILURE, 1},         DELIVERY_DEFERRED, 0,              ""                     },
};

static void
test_sender_hears_what_it_wants_to_hear(void **state)
{
	struct buf told = buf_make(4096);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(told_rows); i++) {
		const struct told_row *row = &told_rows[i];
		struct queue *q = report_queue(0);
		uint64_t job;

		queue_instance_up(q, JOB_BOUNCE, 0);
		start(q, row->sender, &row->rcpt, 1);
		all_end(q, row->outcome, row->flags, NOW);
		job = next_report(q, NOW, &told, NULL);
		if (!span_equal(buf_span(&told), span_str(row->want)))
			fail_msg("%s: %.*s", row->name, (int)told.n, told.at);
		if (job != 0)
			assert_true(queue_reported(q, 0, job, REPORT_MADE, NOW));
		assert_int_equal(queue_find(q, 1) != NULL,
				 row->outcome == DELIVERY_DEFERRED);
		queue_free(&q);
	}
	buf_release(&told);
}

/* What is late: (sender, NOTIFY, seconds after arrival) -> told? */
static const struct {
	const char *name, *sender;
	uint8_t notify;
	uint32_t warning_s, after_s;
	bool want;
} late_rows[] = {
    {"in time",           "s@x", 0,               3600, 3599, false},
    {"late",	      "s@x", 0,               3600, 3600, true },
    {"late, DELAY",       "s@x", DELAY,           3600, 3600, true },
    {"late, FAILURE",     "s@x", FAILURE,         3600, 3600, false},
    {"late, NEVER",       "s@x", NEVER,           3600, 3600, false},
    {"late, all",         "s@x", FAILURE | DELAY, 3600, 3600, true },
    {"late, null sender", "",    0,               3600, 3600, false},
    {"never",             "s@x", 0,               0,    7200, false},
};

static void
test_late_message_is_told_where_it_is_wanted(void **state)
{
	struct buf told = buf_make(4096);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(late_rows); i++) {
		struct rcpt rcpt = {"a@x", late_rows[i].notify, 1};
		struct queue *q = report_queue(late_rows[i].warning_s);
		uint32_t now_s = NOW + late_rows[i].after_s;

		queue_instance_up(q, JOB_BOUNCE, 0);
		start(q, late_rows[i].sender, &rcpt, 1);
		all_end(q, DELIVERY_DEFERRED, 0, now_s);
		(void)next_report(q, now_s, &told, NULL);
		if ((told.n > 0) != late_rows[i].want)
			fail_msg("%s: %.*s", late_rows[i].name, (int)told.n, told.at);
		queue_free(&q);
	}
	buf_release(&told);
}

static void
test_late_message_is_tried_when_it_is_to_be_told_and_told_once(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(400);
	const struct entry *e;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_DEFERRED, 0, NOW + 200);
	e = queue_find(q, 1);
	assert_int_equal(e->due_s, NOW + 400); /* not in five minutes */
	load(q, "s@x", &rcpt, 1, NOW + 400);
	all_end(q, DELIVERY_DEFERRED, 0, NOW + 400);
	assert_true(queue_reported(q, 0, next_report(q, NOW + 400, &told, NULL),
				   REPORT_MADE, NOW + 400));
	assert_true(span_equal(buf_span(&told), SPAN("delay t0-a@x")));
	assert_int_equal(e->state, ENTRY_WAITING);
	assert_true(e->due_s > NOW + 600);
	load(q, "s@x", &rcpt, 1, e->due_s);
	all_end(q, DELIVERY_DEFERRED, 0, NOW + 2000);
	assert_int_equal(next_report(q, NOW + 2000, &told, NULL), 0);
	queue_free(&q);
	buf_release(&told);
}

/* --- several reports ------------------------------------------------------ */

static void
test_try_with_all_kinds_of_ends_has_a_report_for_each(void **state)
{
	static const struct rcpt rcpts[] = {
	    {"a@x", 0,                 1},
            {"b@x", SUCCESS | FAILURE, 0},
            {"c@y", DELAY,             1}
        };
	static const char *const wanted[] = {"failure t0-a@x", "delay t0-c@y",
					     "success b@x"};
	struct relay_result failed = {.outcome = DELIVERY_FAILED, .code = 550};
	struct relay_result later = {.outcome = DELIVERY_DEFERRED, .code = 451};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(1);
	struct queue_relay r;
	struct queue_job job;
	uint32_t instance, now_s = NOW + 10;
	bool seen[3] = {false};

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", rcpts, 3);
	while (relay_take(q, &r, &instance, now_s))
		relay_end(q, instance, &r, RELAY_TALKED,
			  span_equal(r.domain, SPAN("x")) ? &failed : &later, now_s);
	assert_true(queue_next_job(q, 1, &job) || queue_next_job(q, 0, &job));
	assert_true(queue_delivered(q, 1, job.job, DELIVERY_DONE, SPAN(""), now_s) ||
		    queue_delivered(q, 0, job.job, DELIVERY_DONE, SPAN(""), now_s));
	for (int i = 0; i < 3; i++) {
		uint64_t number = next_report(q, now_s, &told, NULL);

		for (int k = 0; k < 3; k++)
			seen[k] |= span_equal(buf_span(&told), span_str(wanted[k]));
		assert_true(queue_reported(q, 0, number, REPORT_MADE, now_s));
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	assert_int_equal(next_report(q, now_s, &told, NULL), 0);
	assert_int_equal(entry_count(queue_find(q, 1), TARGET_DONE), 2);
	queue_free(&q);
	buf_release(&told);
}

/* More than fits one request: every target in exactly one report. */
static void
test_many_failures_are_split(void **state)
{
	enum {
		N = 1500
	};
	struct rcpt rcpts[] = {
	    {"a@x", 0, N}
        };
	struct buf told = buf_make(1u << 20);
	struct queue *q = report_queue(0);
	size_t reports = 0, rows = 0;
	uint64_t job;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", rcpts, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	for (; (job = next_report(q, NOW, &told, NULL)) != 0; reports++) {
		struct span s = buf_span(&told);
		char first[64];

		snprintf(first, sizeof(first), "failure t%zu-a@x ", rows);
		assert_true(span_starts(s, span_str(first)) || rows == N - 1);
		while (s.n > 0 && span_find(s, ' ') < s.n) {
			(void)span_cut(&s, ' ');
			rows++;
		}
		assert_true(queue_reported(q, 0, job, REPORT_MADE, NOW));
	}
	assert_int_equal(rows, N);
	assert_true(reports > 1 && reports < 10);
	assert_null(queue_find(q, 1));
	queue_free(&q);
	buf_release(&told);
}

/* --- when it cannot be told ----------------------------------------------- */

static void
test_failure_waits_for_a_bounce_that_is_away(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(0);
	struct dsn_row row = {0};
	const struct entry *e;

	(void)state;
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	e = queue_find(q, 1);
	assert_int_equal(e->state, ENTRY_WAITING);
	assert_int_equal(entry_target(e, 0), TARGET_FAILED);
	assert_true(e->due_s <= NOW + QUEUE_AWAY_MAX_S);
	queue_instance_up(q, JOB_BOUNCE, 0);
	load(q, "s@x", &rcpt, 1, e->due_s);
	assert_true(
	    queue_reported(q, 0, next_report(q, NOW, &told, &row), REPORT_MADE, NOW));
	assert_true(span_equal(buf_span(&told), SPAN("failure t0-a@x")));
	assert_null(queue_find(q, 1));
	queue_free(&q);
	buf_release(&told);
}

static void
test_failure_is_reported_again_after_later(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(0);
	struct dsn_row row;
	const struct entry *e;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	assert_true(
	    queue_reported(q, 0, next_report(q, NOW, &told, &row), REPORT_LATER, NOW));
	assert_int_equal(row.code, 550);
	assert_true(span_equal(row.text, SPAN("words")));
	e = queue_find(q, 1);
	assert_int_equal(e->due_s, NOW + REPORT_AGAIN_S);
	assert_int_equal(e->tries, 0);
	load(q, "s@x", &rcpt, 1, e->due_s);
	/* What the server said is known by the message's reason. */
	assert_true(
	    queue_reported(q, 0, next_report(q, NOW, &told, &row), REPORT_NOBODY, NOW));
	assert_int_equal(row.code, 550);
	assert_null(queue_find(q, 1));
	queue_free(&q);
	buf_release(&told);
}

static void
test_bounce_that_dies_is_asked_again(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(0);
	uint64_t job;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	job = next_report(q, NOW, &told, NULL);
	queue_instance_down(q, JOB_BOUNCE, 0, NOW);
	assert_false(queue_reported(q, 0, job, REPORT_MADE, NOW));
	queue_instance_up(q, JOB_BOUNCE, 0);
	load(q, "s@x", &rcpt, 1, queue_find(q, 1)->due_s);
	assert_true(
	    queue_reported(q, 0, next_report(q, NOW, &told, NULL), REPORT_MADE, NOW));
	assert_null(queue_find(q, 1));
	queue_free(&q);
	buf_release(&told);
}

/* The state log alone: what failed is told after a restart, in the reason's words. */
static void
test_failure_is_told_after_a_restart(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096), notes = buf_make(65536);
	struct queue *q = report_queue(0);
	struct dsn_row row = {0};
	struct cursor c;
	struct note n;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	buf_put(&notes, buf_span(&q->notes));
	queue_free(&q);
	q = report_queue(0);
	c = cursor_make(buf_span(&notes));
	while (note_next(&c, &n))
		queue_restore(q, &n, NOW + 5);
	queue_restored(q);
	queue_instance_up(q, JOB_BOUNCE, 0);
	load(q, "s@x", &rcpt, 1, NOW + 5);
	(void)next_report(q, NOW + 5, &told, &row);
	assert_true(span_equal(buf_span(&told), SPAN("failure t0-a@x")));
	assert_true(span_equal(row.text, SPAN("words")));
	assert_true(span_equal(row.host, SPAN("mx.example[192.0.2.1]")));
	assert_int_equal(row.code, 550);
	assert_int_equal(row.enhanced[1], 1);
	queue_free(&q);
	buf_release(&told);
	buf_release(&notes);
}

/* --- given up ------------------------------------------------------------- */

static void
test_expired_and_given_up_are_told_apart(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);

	(void)state;
	for (int by_operator = 0; by_operator < 2; by_operator++) {
		struct queue *q = report_queue(0);
		uint32_t now_s = NOW + (by_operator ? 10 : 86401);
		struct dsn_row row = {0};

		queue_instance_up(q, JOB_BOUNCE, 0);
		start(q, "s@x", &rcpt, 1);
		if (by_operator)
			assert_true(queue_command(q, 1, QUEUE_BOUNCE, now_s));
		all_end(q, DELIVERY_DEFERRED, 0, now_s);
		if (by_operator && queue_find(q, 1)->state == ENTRY_WAITING)
			load(q, "s@x", &rcpt, 1, now_s);
		assert_int_not_equal(next_report(q, now_s, &told, &row), 0);
		assert_int_equal(row.flags, by_operator ? DSN_OPERATOR : DSN_EXPIRED);
		queue_free(&q);
	}
	buf_release(&told);
}

static void
test_operator_removes_a_message_whose_report_is_made(void **state)
{
	static const struct rcpt rcpt = {"a@x", 0, 1};
	struct buf told = buf_make(4096);
	struct queue *q = report_queue(0);
	uint64_t job;

	(void)state;
	queue_instance_up(q, JOB_BOUNCE, 0);
	start(q, "s@x", &rcpt, 1);
	all_end(q, DELIVERY_FAILED, 0, NOW);
	job = next_report(q, NOW, &told, NULL);
	assert_true(queue_command(q, 1, QUEUE_REMOVE, NOW));
	assert_non_null(queue_find(q, 1));
	assert_true(queue_reported(q, 0, job, REPORT_LATER, NOW));
	assert_null(queue_find(q, 1));
	queue_free(&q);
	buf_release(&told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sender_hears_what_it_wants_to_hear),
	    cmocka_unit_test(test_late_message_is_told_where_it_is_wanted),
	    cmocka_unit_test(
		test_late_message_is_tried_when_it_is_to_be_told_and_told_once),
	    cmocka_unit_test(test_try_with_all_kinds_of_ends_has_a_report_for_each),
	    cmocka_unit_test(test_many_failures_are_split),
	    cmocka_unit_test(test_failure_waits_for_a_bounce_that_is_away),
	    cmocka_unit_test(test_failure_is_reported_again_after_later),
	    cmocka_unit_test(test_bounce_that_dies_is_asked_again),
	    cmocka_unit_test(test_failure_is_told_after_a_restart),
	    cmocka_unit_test(test_expired_and_given_up_are_told_apart),
	    cmocka_unit_test(test_operator_removes_a_message_whose_report_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
