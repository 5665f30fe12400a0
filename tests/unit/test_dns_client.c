#include "common/dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>
#include <event2/event.h>

/* The client, and a resolved of the test's that answers when it is told to. */

static uint64_t now_ms;

static uint64_t
clock_ms(void)
{
	return now_ms;
}

struct bench {
	struct event_base *base;
	struct dns_client *client;
	struct ipc_peer *mine, *theirs;
	unsigned asked; /* that resolved got */
	uint64_t last_tag;
	char last_name[300];
	bool bad; /* the client refused an answer */
};

struct heard {
	struct bench *bench;
	unsigned n;
	enum dns_outcome outcome;
	enum sts_mode mode;
	size_t bytes;
	bool ask_again;
};

static void
at_resolved(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct bench *b = context;
	struct span name =
	    m->number == IPC_NUMBER_dns_ask ? m->dns_ask.name : m->sts_ask.domain;

	(void)peer, (void)fd;
	b->asked++;
	b->last_tag = m->number == IPC_NUMBER_dns_ask ? m->dns_ask.tag : m->sts_ask.tag;
	assert_true(span_copy(name, b->last_name, sizeof(b->last_name)));
}

static void
at_client(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct bench *b = context;

	(void)peer, (void)fd;
	b->bad = !dns_client_message(b->client, m);
}

static void
run(struct bench *b)
{
	for (int i = 0; i < 10; i++) {
		ipc_flush_all();
		event_base_loop(b->base, EVLOOP_NONBLOCK);
	}
}

static void
connect_both(struct bench *b)
{
	static const struct ipc_callbacks client = {NULL, at_client, NULL};
	static const struct ipc_callbacks resolved = {NULL, at_resolved, NULL};
	struct err err;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &err), 0);
	b->mine = ipc_peer_new(b->base, fds[0], IPC_KIND_REMOTE, 0, &client, b);
	b->theirs = ipc_peer_new(b->base, fds[1], IPC_KIND_RESOLVED, 0, &resolved, b);
	run(b);
	assert_true(ipc_peer_is_up(b->mine));
	dns_client_set_peer(b->client, b->mine);
	run(b);
}

static void
disconnect(struct bench *b)
{
	dns_client_set_peer(b->client, NULL);
	ipc_peer_free(&b->mine);
	ipc_peer_free(&b->theirs);
}

static void
bench_init(struct bench *b)
{
	*b = (struct bench){.base = event_base_new()};
	now_ms = 1000000;
	b->client = dns_client_new(b->base, clock_ms);
	connect_both(b);
}

static void
bench_end(struct bench *b)
{
	disconnect(b);
	dns_client_free(&b->client);
	event_base_free(b->base);
}

static void
on_dns(void *context, const struct dns_answer *answer)
{
	struct heard *h = context;
	struct dns_ask *ask;

	h->n++;
	h->outcome = answer->outcome;
	h->bytes = answer->records.n;
	if (!h->ask_again)
		return;
	h->ask_again = false;
	ask = dns_client_ask(h->bench->client, DNS_A, SPAN("a.example"), on_dns, h);
	assert_non_null(ask);
}

static void
on_sts(void *context, const struct sts_answer *answer)
{
	struct heard *h = context;

	h->n++;
	h->mode = answer->mode;
	h->bytes = answer->hosts.n;
}

static struct dns_ask *
ask(struct bench *b, const char *name, struct heard *h)
{
	h->bench = b;
	return dns_client_ask(b->client, DNS_A, span_str(name), on_dns, h);
}

static void
answer(struct bench *b, uint64_t tag, enum dns_outcome outcome, uint32_t ttl_s)
{
	static const struct dns_record address = {
	    .type = DNS_A, .data = {"\xc0\0\2\1", 4}
        };
	struct buf list = buf_make(1000);
	struct ipc_dns_answer m = {.tag = tag,
				   .outcome = (uint8_t)outcome,
				   .security = DNS_SECURE,
				   .ttl_s = ttl_s,
				   .name = SPAN("a.example"),
				   .records = SPAN(""),
				   .text = SPAN("")};

	if (outcome == DNS_OK)
		dns_record_put(&list, &address);
	m.records = buf_span(&list);
	ipc_send_dns_answer(b->theirs, &m);
	run(b);
	buf_release(&list);
}

/* --- asking --------------------------------------------------------------- */

static void
test_dns_client_asks_equal_questions_once(void **state)
{
	struct bench b;
	struct heard h[3] = {0};

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h[0]);
	(void)!ask(&b, "A.Example", &h[1]);
	run(&b);
	assert_int_equal(b.asked, 1);
	assert_string_equal(b.last_name, "a.example");
	answer(&b, b.last_tag, DNS_OK, 60);
	assert_int_equal(h[0].n, 1);
	assert_int_equal(h[1].n, 1);
	assert_int_equal(h[1].bytes, 6);
	(void)!ask(&b, "a.example", &h[2]);
	assert_int_equal(h[2].n, 0); /* never from within the call */
	run(&b);
	assert_int_equal(h[2].n, 1);
	assert_int_equal(b.asked, 1);
	assert_int_equal(dns_client_count(b.client).shared, 1);
	assert_int_equal(dns_client_count(b.client).cached, 1);
	bench_end(&b);
}

static void
test_dns_client_keeps_an_answer_for_its_ttl(void **state)
{
	static const struct {
		enum dns_outcome outcome;
		uint32_t ttl_s, kept_s;
	} rows[] = {
	    {DNS_OK,      60,     60                  },
	    {DNS_NO_NAME, 30,     30                  },
	    {DNS_NO_DATA, 0,      0                   },
	    {DNS_OK,      999999, DNS_CLIENT_TTL_MAX_S},
	    {DNS_LATER,   999999, DNS_CLIENT_LATER_S  },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct bench b;
		struct heard h = {0};

		bench_init(&b);
		(void)!ask(&b, "a.example", &h);
		run(&b);
		answer(&b, b.last_tag, rows[i].outcome, rows[i].ttl_s);
		assert_int_equal(h.outcome, rows[i].outcome);
		now_ms += rows[i].kept_s * 1000;
		if (rows[i].kept_s > 0) {
			now_ms--;
			(void)!ask(&b, "a.example", &h);
			run(&b);
			assert_int_equal(b.asked, 1);
			now_ms++;
		}
		(void)!ask(&b, "a.example", &h);
		run(&b);
		assert_int_equal(b.asked, 2);
		bench_end(&b);
	}
}

static void
test_dns_client_canceled_question_calls_nobody(void **state)
{
	struct bench b;
	struct heard h = {0}, other = {0};
	struct dns_ask *open, *known, *none = NULL;

	(void)state;
	bench_init(&b);
	open = ask(&b, "a.example", &h);
	(void)!ask(&b, "a.example", &other);
	run(&b);
	dns_client_cancel(&open);
	assert_null(open);
	answer(&b, b.last_tag, DNS_OK, 60);
	known = ask(&b, "a.example", &h);
	dns_client_cancel(&known);
	dns_client_cancel(&none);
	run(&b);
	assert_int_equal(h.n, 0);
	assert_int_equal(other.n, 1);
	bench_end(&b);
}

static void
test_dns_client_callback_may_ask_again(void **state)
{
	struct bench b;
	struct heard h = {.ask_again = true};

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h);
	run(&b);
	answer(&b, b.last_tag, DNS_OK, 60);
	assert_int_equal(h.n, 2);
	bench_end(&b);
}

static void
test_dns_client_name_that_is_none_does_not_exist(void **state)
{
	struct bench b;
	struct heard h = {0};

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a..example", &h);
	run(&b);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.outcome, DNS_NO_NAME);
	assert_int_equal(b.asked, 0);
	bench_end(&b);
}

/* --- resolved goes away --------------------------------------------------- */

/* The tick runs a few times a second; only the clock of the client is ours. */
static void
wait_for(struct bench *b, struct heard *h)
{
	for (int i = 0; i < 100 && h->n == 0; i++) {
		struct timeval soon = {0, 50000};

		event_base_loopexit(b->base, &soon);
		event_base_loop(b->base, EVLOOP_ONCE);
	}
}

static void
test_dns_client_asks_again_when_resolved_is_back(void **state)
{
	struct bench b;
	struct heard h = {0};

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h);
	run(&b);
	disconnect(&b);
	run(&b);
	assert_int_equal(h.n, 0);
	connect_both(&b);
	assert_int_equal(b.asked, 2);
	answer(&b, b.last_tag, DNS_OK, 60);
	assert_int_equal(h.outcome, DNS_OK);
	bench_end(&b);
}

static void
test_dns_client_gives_up_at_the_deadline(void **state)
{
	struct bench b;
	struct heard h = {0}, policy = {0};
	uint64_t tag;

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h);
	run(&b);
	tag = b.last_tag;
	(void)!dns_client_ask_sts(b.client, SPAN("a.example"), on_sts, &policy);
	disconnect(&b);
	now_ms += DNS_CLIENT_DNS_MS;
	wait_for(&b, &h);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.outcome, DNS_LATER);
	assert_int_equal(policy.n, 0);
	now_ms += DNS_CLIENT_STS_MS - DNS_CLIENT_DNS_MS;
	wait_for(&b, &policy);
	assert_int_equal(policy.mode, STS_LATER);
	assert_int_equal(dns_client_count(b.client).open, 0);
	connect_both(&b);
	b.bad = true;
	answer(&b, tag, DNS_OK, 60); /* late: nobody waits, nobody is to blame */
	assert_false(b.bad);
	bench_end(&b);
}

/* --- what resolved may not say -------------------------------------------- */

static void
test_dns_client_refuses_answers_that_break_the_rules(void **state)
{
	static const struct {
		const char *name;
		unsigned tag_add, outcome, security;
		struct span records;
	} rows[] = {
	    {"no such question",   1, DNS_NO_NAME,       0,                  {"", 0}             },
	    {"no such outcome",    0, DNS_OUTCOME_COUNT, 0,                  {"", 0}             },
	    {"no such security",   0, DNS_NO_NAME,       DNS_SECURITY_COUNT, {"", 0}             },
	    {"OK without records", 0, DNS_OK,            0,                  {"", 0}             },
	    {"records with NO",    0, DNS_NO_DATA,       0,                  {"\1\0abcd", 6}     },
	    {"damaged records",    0, DNS_OK,            0,                  {"\1\0abc", 5}      },
	    {"other records",      0, DNS_OK,            0,                  {"\20\0\0\0\0\0", 6}},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct bench b;
		struct heard h = {0};
		struct ipc_dns_answer m = {.outcome = (uint8_t)rows[i].outcome,
					   .security = (uint8_t)rows[i].security,
					   .records = rows[i].records};

		print_message("%s\n", rows[i].name);
		bench_init(&b);
		(void)!ask(&b, "a.example", &h);
		run(&b);
		m.tag = b.last_tag + rows[i].tag_add;
		m.name = m.text = SPAN("");
		ipc_send_dns_answer(b.theirs, &m);
		run(&b);
		assert_true(b.bad);
		assert_int_equal(h.n, 0);
		bench_end(&b);
	}
}

/* --- policies, limits ----------------------------------------------------- */

static void
test_dns_client_keeps_a_policy_for_a_minute(void **state)
{
	struct bench b;
	struct heard h = {0};
	struct ipc_sts_answer m = {.mode = STS_ENFORCE,
				   .id = SPAN("1"),
				   .hosts = SPAN("mx.example\n"),
				   .text = SPAN("")};

	(void)state;
	bench_init(&b);
	(void)!dns_client_ask_sts(b.client, SPAN("Example.org"), on_sts, &h);
	run(&b);
	assert_string_equal(b.last_name, "example.org");
	m.tag = b.last_tag;
	ipc_send_sts_answer(b.theirs, &m);
	run(&b);
	assert_int_equal(h.mode, STS_ENFORCE);
	assert_int_equal(h.bytes, 11);
	now_ms += DNS_CLIENT_STS_S * 1000 - 1;
	(void)!dns_client_ask_sts(b.client, SPAN("example.org"), on_sts, &h);
	run(&b);
	assert_int_equal(h.n, 2);
	assert_int_equal(b.asked, 1);
	now_ms++;
	(void)!dns_client_ask_sts(b.client, SPAN("example.org"), on_sts, &h);
	run(&b);
	assert_int_equal(b.asked, 2);
	bench_end(&b);
}

static void
test_dns_client_cache_has_a_limit_and_forgets_the_oldest(void **state)
{
	struct bench b;
	struct heard h = {0};

	(void)state;
	bench_init(&b);
	for (unsigned i = 0; i < DNS_CLIENT_CACHE_MAX + 10; i++) {
		char name[40];

		snprintf(name, sizeof(name), "n%u.example", i);
		(void)!ask(&b, name, &h);
		run(&b);
		answer(&b, b.last_tag, DNS_NO_NAME, 3600);
	}
	assert_int_equal(dns_client_count(b.client).answers, DNS_CLIENT_CACHE_MAX);
	b.asked = 0;
	(void)!ask(&b, "n10.example", &h);
	run(&b);
	assert_int_equal(b.asked, 0);
	(void)!ask(&b, "n9.example", &h);
	run(&b);
	assert_int_equal(b.asked, 1);
	bench_end(&b);
}

static void
test_dns_client_freed_with_open_questions_calls_nobody(void **state)
{
	struct bench b;
	struct heard h = {0};

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h);
	(void)!ask(&b, "a..example", &h);
	disconnect(&b);
	dns_client_free(&b.client);
	run(&b);
	assert_int_equal(h.n, 0);
	event_base_free(b.base);
}

/* What a delivery to a domain that is known costs: printed, and held far below
 * what could hurt. */
static void
test_dns_client_known_answers_cost_next_to_nothing(void **state)
{
	enum {
		N = 20000
	};
	struct bench b;
	struct heard h = {0};
	struct timespec from, to;
	double us;

	(void)state;
	bench_init(&b);
	(void)!ask(&b, "a.example", &h);
	run(&b);
	answer(&b, b.last_tag, DNS_OK, 3600);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned i = 0; i < N; i++) {
		(void)!ask(&b, "a.example", &h);
		event_base_loop(b.base, EVLOOP_NONBLOCK);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	us = ((double)(to.tv_sec - from.tv_sec) * 1e6 +
	      (double)(to.tv_nsec - from.tv_nsec) / 1e3) /
	     N;
	print_message("a known answer, with a turn of the loop: %.2f us of CPU\n", us);
	assert_int_equal(h.n, N + 1);
	assert_int_equal(b.asked, 1);
	assert_true(us < 200);
	bench_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns_client_asks_equal_questions_once),
	    cmocka_unit_test(test_dns_client_keeps_an_answer_for_its_ttl),
	    cmocka_unit_test(test_dns_client_canceled_question_calls_nobody),
	    cmocka_unit_test(test_dns_client_callback_may_ask_again),
	    cmocka_unit_test(test_dns_client_name_that_is_none_does_not_exist),
	    cmocka_unit_test(test_dns_client_asks_again_when_resolved_is_back),
	    cmocka_unit_test(test_dns_client_gives_up_at_the_deadline),
	    cmocka_unit_test(test_dns_client_refuses_answers_that_break_the_rules),
	    cmocka_unit_test(test_dns_client_keeps_a_policy_for_a_minute),
	    cmocka_unit_test(test_dns_client_cache_has_a_limit_and_forgets_the_oldest),
	    cmocka_unit_test(test_dns_client_freed_with_open_questions_calls_nobody),
	    cmocka_unit_test(test_dns_client_known_answers_cost_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
