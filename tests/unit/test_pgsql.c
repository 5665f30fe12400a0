/* Pools on a real server where POSTROAD_POSTGRESQL names one (tests/postgres.py);
 * what needs none runs always. */
#include "common/pgsql/pgsql.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT_MS  5000
#define PATIENCE_MS 60000 /* where no test waits for it */

static struct event_base *base;

static const char *
server(void)
{
	const char *connection = getenv("POSTROAD_POSTGRESQL");

	if (!connection)
		skip();
	return connection;
}

/* ---- what an answer said */

struct heard {
	bool told;
	enum pgsql_outcome outcome;
	char value[200], error[300], state[6];
	size_t rows;
	uint64_t touched;
	unsigned number; /* as how manieth of all */
};

static unsigned told_so_far;

static void
hear(void *context, enum pgsql_outcome outcome, const struct pgsql_answer *answer,
     const struct err *err)
{
	struct heard *h = context;

	assert_false(h->told);
	h->told = true;
	h->number = told_so_far++;
	h->outcome = outcome;
	if (err)
		snprintf(h->error, sizeof(h->error), "%s", err->text);
	if (!answer)
		return;
	h->rows = pgsql_rows(answer, 0);
	h->touched = pgsql_touched(answer, 0);
	snprintf(h->state, sizeof(h->state), "%s", pgsql_answer_sqlstate(answer));
	assert_true(
	    span_copy(pgsql_value(answer, 0, 0, 0), h->value, sizeof(h->value)));
}

static void
wait_for(const struct heard *h)
{
	while (!h->told)
		assert_true(event_base_loop(base, EVLOOP_ONCE) == 0);
}

static struct pgsql *
pool_new_within(const char *connection, unsigned connections, uint64_t timeout_ms)
{
	struct pgsql_options options = {.name = "test",
					.connection = connection,
					.connections = connections,
					.timeout_ms = timeout_ms};
	struct pgsql *p = NULL;
	struct err err;

	assert_int_equal(pgsql_new(base, &options, &p, &err), 0);
	return p;
}

static struct pgsql *
pool_new(const char *connection, unsigned connections)
{
	return pool_new_within(connection, connections, PATIENCE_MS);
}

static struct pgsql_request *
ask(struct pgsql *p, struct pgsql_session *s, const char *text, const char *value,
    struct heard *h)
{
	struct span values[] = {span_str(value)};
	struct pgsql_query query = {pgsql_statement(p, text), values, value != NULL};

	*h = (struct heard){0};
	return pgsql_ask(p, s, &query, 1, hear, h);
}

static enum pgsql_outcome
ask_now(struct pgsql *p, struct pgsql_session *s, const char *text, const char *value,
	struct heard *h)
{
	(void)ask(p, s, text, value, h);
	wait_for(h);
	return h->outcome;
}

/* ---- without a server */

static void
test_array_comes_back_as_it_went(void **state)
{
	static const char *const elements[] = {"a",       "",    "b c",
					       "x\"y\\z", "{},", "NULL"};
	struct buf text = buf_make(1000), one = buf_make(1000);
	struct span rest;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(elements); i++)
		pgsql_array_put(&text, span_str(elements[i]));
	pgsql_array_end(&text);
	rest = buf_span(&text);
	for (size_t i = 0; i < N_ELEMS(elements); i++) {
		assert_int_equal(pgsql_array_next(&rest, &one), 1);
		assert_true(span_equal(buf_span(&one), span_str(elements[i])));
	}
	assert_int_equal(pgsql_array_next(&rest, &one), 0);
	buf_release(&text);
	buf_release(&one);
}

static void
test_array_that_is_none_is_refused(void **state)
{
	static const char *const rows[] = {
	    "", "a", "{", "{a", "{a,", "{a,}", "{\"a}", "{{a}}", "{a\"b\"}", "{\"a\\"};
	struct buf one = buf_make(100);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span rest = span_str(rows[i]);
		int r;

		while ((r = pgsql_array_next(&rest, &one)) > 0)
			;
		if (r == 0)
			fail_msg("taken: %s", rows[i]);
	}
	buf_release(&one);
}

static void
test_bytes_come_back(void **state)
{
	struct buf text = buf_make(100), back = buf_make(100);

	(void)state;
	pgsql_bytes_put(&text, span_make("\0\xff\x10", 3));
	assert_true(span_equal(buf_span(&text), SPAN("\\x00ff10")));
	assert_true(pgsql_bytes_get(buf_span(&text), &back));
	assert_int_equal(back.n, 3);
	assert_false(pgsql_bytes_get(SPAN("00"), &back));
	assert_false(pgsql_bytes_get(SPAN("\\x0"), &back));
	buf_release(&text);
	buf_release(&back);
}

static void
test_settings_that_are_wrong_are_told_without_secrets(void **state)
{
	static const char *const rows[] = {"host=/a password=hunter2",
					   "host=/a passfile=/x",
					   "service=x",
					   "hunter2",
					   "host=a,b port=1,2,3",
					   "postgresql://u:hunter2@h/x"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct pgsql_options options = {.name = "test",
						.connection = rows[i],
						.connections = 1,
						.timeout_ms = 100};
		struct pgsql *p;
		struct err err;

		assert_int_equal(pgsql_new(base, &options, &p, &err), -1);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void
test_database_that_is_not_there_fails_at_once(void **state)
{
	struct pgsql *p = pool_new("host=/nonexistent dbname=x", 2);
	struct heard h, late;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DOWN);
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &late), PGSQL_DOWN);
	assert_non_null(strstr(h.error, "database test: "));
	pgsql_free(&p);
}

static void
test_name_that_does_not_exist_is_down(void **state)
{
	struct pgsql *p = pool_new("host=nobody.invalid dbname=x", 1);
	struct heard h;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DOWN);
	pgsql_free(&p);
}

static void
test_pool_goes_while_it_looks_up_a_name(void **state)
{
	struct pgsql *p = pool_new("host=nobody.invalid dbname=x", 1);

	(void)state;
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	pgsql_free(&p);
}

static void
test_value_that_is_no_text_is_told(void **state)
{
	struct pgsql *p = pool_new("host=/nonexistent dbname=x", 1);
	struct heard h;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT $1", "\xff", &h), PGSQL_BAD_VALUE);
	pgsql_free(&p);
}

/* ---- with one */

static void
test_statement_is_answered_again_and_again(void **state)
{
	struct pgsql *p = pool_new(server(), 2);
	struct heard h;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(
		    ask_now(p, NULL, "SELECT $1::text || '!'", "a'\\b", &h),
		    PGSQL_DONE);
		assert_string_equal(h.value, "a'\\b!");
		assert_int_equal(h.rows, 1);
	}
	pgsql_free(&p);
}

static void
test_null_and_empty_differ(void **state)
{
	struct pgsql *p = pool_new(server(), 1);
	struct span values[] = {
	    {NULL, 0},
            SPAN("")
        };
	struct pgsql_query query = {
	    pgsql_statement(p,
			    "SELECT ($1::text IS NULL)::text || ($2::text = '')::text"),
	    values, 2};
	struct heard h = {0};

	(void)state;
	assert_non_null(pgsql_ask(p, NULL, &query, 1, hear, &h));
	wait_for(&h);
	assert_string_equal(h.value, "truetrue");
	pgsql_free(&p);
}

static void
test_questions_in_one_go_stop_at_the_first_error(void **state)
{
	struct pgsql *p = pool_new(server(), 1);
	struct pgsql_query queries[] = {
	    {pgsql_statement(p, "SELECT 1"),       NULL, 0},
	    {pgsql_statement(p, "SELECT 1/0"),     NULL, 0},
	    {pgsql_statement(p, "SELECT nothing"), NULL, 0},
	};
	struct heard h = {0}, after;

	(void)state;
	assert_non_null(pgsql_ask(p, NULL, queries, N_ELEMS(queries), hear, &h));
	wait_for(&h);
	assert_int_equal(h.outcome, PGSQL_REFUSED);
	assert_string_equal(h.state, "22012");
	assert_string_equal(h.value, "1");
	assert_int_equal(ask_now(p, NULL, "SELECT 2", NULL, &after), PGSQL_DONE);
	pgsql_free(&p);
}

static void
test_slow_statement_is_ended_by_the_server(void **state)
{
	struct pgsql *p = pool_new_within(server(), 1, TIMEOUT_MS);
	struct pgsql_state now;
	struct heard h;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT pg_sleep(30)", NULL, &h),
			 PGSQL_TIMEOUT);
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DONE);
	pgsql_state(p, &now);
	assert_int_equal(now.lost, 0);
	pgsql_free(&p);
}

static void
test_slow_statement_does_not_delay_another(void **state)
{
	struct pgsql *p = pool_new(server(), 2);
	struct heard slow, quick;

	(void)state;
	(void)ask(p, NULL, "SELECT pg_sleep(3)", NULL, &slow);
	(void)ask(p, NULL, "SELECT 1", NULL, &quick);
	wait_for(&slow);
	assert_true(quick.told && quick.number < slow.number);
	pgsql_free(&p);
}

static void
test_cancelled_question_is_not_told(void **state)
{
	struct pgsql *p = pool_new(server(), 1);
	struct heard gone, waits, h;
	struct pgsql_request *running = ask(p, NULL, "SELECT 1", NULL, &gone);
	struct pgsql_request *waiting = ask(p, NULL, "SELECT 2", NULL, &waits);

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT 3", NULL, &h), PGSQL_DONE);
	running = ask(p, NULL, "SELECT pg_sleep(0.1)", NULL, &gone);
	assert_true(event_base_loop(base, EVLOOP_ONCE) == 0);
	waiting = ask(p, NULL, "SELECT 2", NULL, &waits);
	pgsql_cancel(&running);
	pgsql_cancel(&waiting);
	assert_null(running);
	assert_int_equal(ask_now(p, NULL, "SELECT 4", NULL, &h), PGSQL_DONE);
	assert_string_equal(h.value, "4");
	assert_false(gone.told || waits.told);
	pgsql_free(&p);
}

static void
test_session_that_goes_rolls_back(void **state)
{
	struct pgsql *p = pool_new(server(), 2);
	struct pgsql_session *s;
	struct heard h;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "DROP TABLE IF EXISTS trial", NULL, &h),
			 PGSQL_DONE);
	assert_int_equal(ask_now(p, NULL, "CREATE TABLE trial (n int)", NULL, &h),
			 PGSQL_DONE);
	s = pgsql_session_new(p);
	assert_int_equal(ask_now(p, s, "BEGIN", NULL, &h), PGSQL_DONE);
	assert_int_equal(ask_now(p, s, "INSERT INTO trial VALUES ($1)", "1", &h),
			 PGSQL_DONE);
	assert_int_equal(h.touched, 1);
	pgsql_session_free(&s);
	s = pgsql_session_new(p);
	assert_int_equal(ask_now(p, s, "BEGIN", NULL, &h), PGSQL_DONE);
	assert_int_equal(ask_now(p, s, "INSERT INTO trial VALUES ($1)", "2", &h),
			 PGSQL_DONE);
	assert_int_equal(ask_now(p, s, "COMMIT", NULL, &h), PGSQL_DONE);
	pgsql_session_free(&s);
	assert_int_equal(
	    ask_now(p, NULL, "SELECT string_agg(n::text, ',') FROM trial", NULL, &h),
	    PGSQL_DONE);
	assert_string_equal(h.value, "2");
	pgsql_free(&p);
}

/* Two transactions that each read what the other writes. */
static void
test_writers_that_meet_get_a_conflict(void **state)
{
	struct pgsql *p = pool_new(server(), 2);
	struct pgsql_session *a = pgsql_session_new(p), *b = pgsql_session_new(p);
	static const char begin[] = "BEGIN ISOLATION LEVEL SERIALIZABLE";
	struct pgsql_state now;
	struct heard h;

	(void)state;
	(void)ask_now(p, NULL, "DROP TABLE IF EXISTS meet", NULL, &h);
	(void)ask_now(p, NULL, "CREATE TABLE meet (n int)", NULL, &h);
	assert_int_equal(ask_now(p, a, begin, NULL, &h), PGSQL_DONE);
	assert_int_equal(ask_now(p, b, begin, NULL, &h), PGSQL_DONE);
	(void)ask_now(p, a, "SELECT count(*) FROM meet", NULL, &h);
	(void)ask_now(p, b, "SELECT count(*) FROM meet", NULL, &h);
	(void)ask_now(p, a, "INSERT INTO meet VALUES (1)", NULL, &h);
	assert_int_equal(ask_now(p, a, "COMMIT", NULL, &h), PGSQL_DONE);
	(void)ask_now(p, b, "INSERT INTO meet VALUES (2)", NULL, &h);
	if (h.outcome == PGSQL_DONE)
		(void)ask_now(p, b, "COMMIT", NULL, &h);
	assert_int_equal(h.outcome, PGSQL_CONFLICT);
	assert_string_equal(h.state, "40001");
	assert_int_equal(ask_now(p, b, "SELECT 1", NULL, &h), PGSQL_LOST);
	pgsql_state(p, &now);
	assert_int_equal(now.conflicts, 1);
	pgsql_session_free(&a);
	pgsql_session_free(&b);
	pgsql_free(&p);
}

static void
test_lost_connection_asks_once_more(void **state)
{
	struct pgsql *p = pool_new(server(), 1);
	static const char kill[] =
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
	    "pg_backend_pid() AND application_name = 'postroad test'";
	struct pgsql *killer = pool_new(server(), 1);
	struct heard h, killed;

	(void)state;
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DONE);
	(void)ask(p, NULL, "SELECT pg_sleep(0.3)::text || 'x'", NULL, &h);
	assert_true(event_base_loop(base, EVLOOP_ONCE) == 0);
	assert_int_equal(ask_now(killer, NULL, kill, NULL, &killed), PGSQL_DONE);
	wait_for(&h);
	assert_int_equal(h.outcome, PGSQL_DONE);
	assert_string_equal(h.value, "x");
	pgsql_free(&p);
	pgsql_free(&killer);
}

/* One that takes connections and never says a word. */
static int
silent_server(char connection[100])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	snprintf(connection, 100, "hostaddr=127.0.0.1 port=%d dbname=x",
		 ntohs(address.sin_port));
	return fd;
}

static void
test_silent_database_of_one_pool_delays_no_other(void **state)
{
	struct pgsql *other = pool_new(server(), 1);
	char connection[100];
	int fd = silent_server(connection);
	struct pgsql *dead = pool_new_within(connection, 2, TIMEOUT_MS);
	struct heard never, quick;

	(void)state;
	(void)ask(dead, NULL, "SELECT 1", NULL, &never);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask_now(other, NULL, "SELECT 1", NULL, &quick),
				 PGSQL_DONE);
		assert_false(never.told);
	}
	wait_for(&never);
	assert_int_equal(never.outcome, PGSQL_DOWN);
	pgsql_free(&dead);
	pgsql_free(&other);
	close(fd);
}

static void
test_read_only_pool_changes_nothing(void **state)
{
	struct pgsql_options options = {.name = "test",
					.connection = server(),
					.connections = 1,
					.timeout_ms = PATIENCE_MS,
					.read_only = true};
	struct pgsql_state now;
	struct pgsql *p;
	struct heard h;
	struct err err;

	(void)state;
	assert_int_equal(pgsql_new(base, &options, &p, &err), 0);
	assert_int_equal(ask_now(p, NULL, "CREATE TABLE no (n int)", NULL, &h),
			 PGSQL_REFUSED);
	pgsql_state(p, &now);
	assert_int_equal(now.lost, 0);
	pgsql_free(&p);
}

static int judged;

static int
judge(void *context, const struct pgsql_answer *answer, struct err *err)
{
	(void)context;
	judged++;
	if (judged > 2)
		return 0;
	return err_set(err, "%s", answer ? "not this one" : "no answer");
}

static void
test_database_that_is_judged_wrong_stays_down_until_it_is_right(void **state)
{
	struct pgsql_options options = {.name = "test",
					.connection = server(),
					.connections = 1,
					.timeout_ms = PATIENCE_MS,
					.check = "SELECT 1",
					.judge = judge};
	struct pgsql *p;
	struct heard h;
	struct err err;

	(void)state;
	judged = 0;
	assert_int_equal(pgsql_new(base, &options, &p, &err), 0);
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DOWN);
	assert_string_equal(h.error, "not this one");
	while (judged < 3)
		assert_true(event_base_loop(base, EVLOOP_ONCE) == 0);
	assert_int_equal(ask_now(p, NULL, "SELECT 1", NULL, &h), PGSQL_DONE);
	pgsql_free(&p);
}

static void
test_thousand_questions_share_few_connections(void **state)
{
	static struct heard all[1000];
	struct pgsql *p = pool_new(server(), 3);
	struct pgsql_state now;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(all); i++)
		(void)ask(p, NULL, "SELECT $1", "x", &all[i]);
	for (size_t i = 0; i < N_ELEMS(all); i++) {
		wait_for(&all[i]);
		assert_int_equal(all[i].outcome, PGSQL_DONE);
	}
	pgsql_state(p, &now);
	assert_true(now.up && now.connections <= 3 && now.waiting == 0);
	assert_int_equal(now.asked, 1000);
	pgsql_free(&p);
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	return base ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_array_comes_back_as_it_went),
	    cmocka_unit_test(test_array_that_is_none_is_refused),
	    cmocka_unit_test(test_bytes_come_back),
	    cmocka_unit_test(test_settings_that_are_wrong_are_told_without_secrets),
	    cmocka_unit_test(test_database_that_is_not_there_fails_at_once),
	    cmocka_unit_test(test_name_that_does_not_exist_is_down),
	    cmocka_unit_test(test_pool_goes_while_it_looks_up_a_name),
	    cmocka_unit_test(test_value_that_is_no_text_is_told),
	    cmocka_unit_test(test_statement_is_answered_again_and_again),
	    cmocka_unit_test(test_null_and_empty_differ),
	    cmocka_unit_test(test_questions_in_one_go_stop_at_the_first_error),
	    cmocka_unit_test(test_slow_statement_is_ended_by_the_server),
	    cmocka_unit_test(test_slow_statement_does_not_delay_another),
	    cmocka_unit_test(test_cancelled_question_is_not_told),
	    cmocka_unit_test(test_session_that_goes_rolls_back),
	    cmocka_unit_test(test_writers_that_meet_get_a_conflict),
	    cmocka_unit_test(test_lost_connection_asks_once_more),
	    cmocka_unit_test(test_silent_database_of_one_pool_delays_no_other),
	    cmocka_unit_test(test_read_only_pool_changes_nothing),
	    cmocka_unit_test(
		test_database_that_is_judged_wrong_stays_down_until_it_is_right),
	    cmocka_unit_test(test_thousand_questions_share_few_connections),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
