/* tests/unit/test_remote.c - connections, hosts and drops of the real remote
 *
 * JOBS= and CONNECTIONS= make the last test a load, TLS=1 one under TLS; it tells what
 * it cost.
 */
#include "tests/unit/remote_house.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void
test_remote_delivers_and_keeps_the_connection(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "route.example", "joe ann");
	house_check(&house, "DD");
	assert_int_equal(house.connection, RELAY_TALKED);
	assert_int_equal(house.told[0].code, 250);
	assert_string_equal(house.told[0].text, "taken");
	assert_string_equal(house.told[0].host, "[127.0.0.1]");
	assert_true(span_equal(buf_span(&house.sink.content), SPAN(MAIL)));
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.sink.connections, 1);
	assert_int_equal(house.sink.messages, 2);
	assert_int_equal(house.sink.recipients, 3);
	house_close(&house);
}

static void
test_remote_opens_connections_side_by_side(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.offers = "250-PIPELINING\r\n250-CHUNKING\r\n";
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			house_relay(&house, "route.example", "joe");
		house_wait_all(&house);
	}
	assert_int_equal(house.sink.connections, 5);
	assert_int_equal(house.sink.messages, 15);
	assert_true(span_equal(buf_span(&house.sink.content), SPAN(MAIL)));
	house_close(&house);
}

static void
test_remote_closes_after_its_last_transaction_and_its_rest(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "remote_transactions_max = 2\nremote_idle_s = 1\n");
	for (int i = 0; i < 5; i++)
		house_relay_and_wait(&house, "route.example", "joe");
	assert_int_equal(house.sink.messages, 5);
	assert_int_equal(house.sink.connections, 3);
	hosted_until(&house.h, house_all_closed, &house);
	assert_int_equal(house.sink.quits, 3);
	house_close(&house);
}

/* A kept connection that the server has closed costs nothing but another one. */
static void
test_remote_does_not_trip_over_a_connection_that_has_ended(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "route.example", "joe");
	house_relay(&house, "route.example", "joe"); /* it is on its way when */
	ipc_flush_all();
	sink_drop_all(&house.sink);
	house_wait_all(&house);
	assert_int_equal(house.sink.messages, 2);
	assert_int_equal(house.sink.connections, 2);
	house_close(&house);
}

static const char *
timeout_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	return c->messages == 1 && span_starts(line, SPAN("MAIL"))
		   ? "421 4.4.2 idle for too long\r\n"
		   : NULL;
}

static void
test_remote_takes_421_on_a_kept_connection_as_its_end(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = timeout_reply;
	house_relay_and_wait(&house, "route.example", "joe");
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.sink.connections, 2);
	house_close(&house);
}

/* --- hosts ---------------------------------------------------------------- */

static void
test_remote_finds_servers_by_mx(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "two.example", "joe");
	house_check(&house, "D");
	assert_string_equal(house.told[0].host, "mx1.two.example[127.0.0.1]");
	assert_string_equal(house.provider, "two.example");
	assert_int_equal(house.sink.messages, 1);
	house_relay_and_wait(&house, "none.example", "joe ann");
	house_check(&house, "FF");
	assert_int_equal(house.told[1].enhanced[1], 1);
	assert_int_equal(house.connection, RELAY_UNTRIED);
	house_close(&house);
}

static void
test_remote_goes_on_to_the_next_host(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "bad.example", "joe");
	house_check(&house, "D");
	assert_string_equal(house.told[0].host, "mx1.two.example[127.0.0.1]");
	house_close(&house);
}

static void
test_remote_tells_each_recipient_what_it_got(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = house_mixed_reply;
	house_relay_and_wait(&house, "route.example", "joe never later ann");
	house_check(&house, "DFXD");
	assert_int_equal(house.told[1].code, 550);
	assert_int_equal(house.told[2].code, 451);
	assert_string_equal(house.told[2].text, "come again");
	assert_int_equal(house.sink.recipients, 2);
	/* Another host may take who was only put off; what it says counts. */
	house_relay_and_wait(&house, "two.example", "joe never later ann");
	house_check(&house, "DFDD");
	assert_string_equal(house.told[2].host, "mx2.two.example[127.0.0.2]");
	house.other.reply = house_mixed_reply;
	house_relay_and_wait(&house, "two.example", "later never joe");
	house_check(&house, "XFD");
	assert_string_equal(house.told[0].host, "mx2.two.example[127.0.0.2]");
	assert_int_equal(house.results, 11);
	house_close(&house);
}

static const char *
few_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	return span_starts(line, SPAN("RCPT")) && c->recipients == 2
		   ? "452 4.5.3 too many recipients\r\n"
		   : NULL;
}

static void
test_remote_sends_again_at_once_what_was_too_many(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = few_reply;
	house_relay_and_wait(&house, "route.example", "a b c d e");
	house_check(&house, "DDDDD");
	assert_int_equal(house.sink.messages, 3);
	assert_int_equal(house.sink.connections, 1);
	house_close(&house);
}

static const char *
no_greeting(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return line.n == 0 ? "554 5.7.1 not for you\r\n" : NULL;
}

static const char *
busy_greeting(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return line.n == 0 ? "421 4.3.2 busy\r\n" : NULL;
}

/* [RFC9422] One message a connection, and two recipients a message. */
static void
test_remote_comes_again_where_a_connection_takes_no_more(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.offers = "250-LIMITS MAILMAX=1 RCPTMAX=2\r\n";
	house_relay_and_wait(&house, "route.example", "a b c d e");
	house_check(&house, "DDDDD");
	assert_int_equal(house.sink.messages, 3);
	assert_int_equal(house.sink.connections, 3);
	house_close(&house);
}

static void
test_remote_goes_by_the_greeting(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = no_greeting;
	house_relay_and_wait(&house, "two.example", "joe");
	house_check(&house, "D");
	house.other.reply = busy_greeting;
	sink_drop_all(&house.other);
	house_relay_and_wait(&house, "two.example", "joe");
	house_check(&house, "X"); /* one of them may take it later */
	assert_int_equal(house.told[0].code, 421);
	assert_int_equal(house.connection, RELAY_BUSY);
	house.other.reply = no_greeting;
	house_relay_and_wait(&house, "two.example", "joe");
	house_check(&house, "F");
	assert_int_equal(house.told[0].code, 554);
	house_close(&house);
}

static void
test_remote_says_why_nobody_could_be_reached(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	sink_drop_all(&house.sink);
	net_listener_free(&house.sink.listener);
	house_relay_and_wait(&house, "route.example", "joe ann");
	house_check(&house, "XX");
	assert_int_equal(house.connection, RELAY_UNREACHABLE);
	assert_non_null(strstr(house.told[0].text, "connect to [127.0.0.1]:"));
	assert_non_null(strstr(house.told[0].text, "Connection refused"));
	assert_string_equal(house.text, house.told[0].text);
	house_close(&house);
}

/* --- drops ---------------------------------------------------------------- */

static const char *drop_at;

static const char *
drop_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return span_starts(line, span_str(drop_at)) ? "" : NULL;
}

static void
test_remote_survives_a_drop_anywhere(void **state)
{
	static const char *const places[] = {"MAIL", "RCPT", "DATA", ".", "EHLO"};
	struct house house;

	(void)state;
	house_open(&house, "");
	for (size_t i = 0; i < N_ELEMS(places); i++) {
		size_t before = house.other.messages;

		drop_at = places[i];
		house.sink.reply = drop_reply;
		house_relay_and_wait(&house, "route.example", "joe ann");
		house_check(&house, "XX");
		/* The other host gets it, but when the first may have it. */
		house.sink.reply = drop_reply;
		house_relay_and_wait(&house, "two.example", "joe ann");
		house_check(&house, i == 3 ? "XX" : "DD");
		assert_int_equal(house.other.messages, before + (i != 3));
	}
	house_close(&house);
}

/* --- load ----------------------------------------------------------------- */

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && number_parse(span_str(text), UINT64_MAX, &n) ? n : otherwise;
}

static void
mail_of_4k(struct buf *out)
{
	buf_put_str(out, MAIL);
	while (out->n < 4096)
		buf_put_str(out,
			    "A line of text that is as long as lines usually are.\r\n");
}

/* Of the programs that have ended. */
static double
processor_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void
test_remote_takes_many(void **state)
{
	uint64_t jobs = number_from("JOBS", 500),
		 at_once = number_from("CONNECTIONS", 16);
	struct buf mail = buf_make(1 << 14);
	struct identity id = identity_ecdsa();
	struct timespec start, end;
	struct house house;
	double seconds, cpu = processor_seconds();

	(void)state;
	house_open(&house, "remote_transactions_max = 1000000\n");
	house.sink.offers = "250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n";
	if (number_from("TLS", 0) > 0)
		house.sink.tls = context_of(&id);
	mail_of_4k(&mail);
	house_segment_send(&house, buf_span(&mail));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint64_t i = 0; i < jobs; i++) {
		house_relay(&house, "route.example", "joe");
		while (house.wanted - house.ended >= at_once) {
			ipc_flush_all();
			event_base_loop(house.h.base, EVLOOP_ONCE);
		}
	}
	house_wait_all(&house);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(house.sink.messages, jobs);
	assert_true(house.sink.connections <= at_once);
	house_close(&house);
	cpu = processor_seconds() - cpu;
	seconds = (double)(end.tv_sec - start.tv_sec) +
		  (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("%llu jobs in %.2f s, %.1f us of processor each\n",
		      (unsigned long long)jobs, seconds, cpu * 1e6 / (double)jobs);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	buf_release(&mail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_remote_delivers_and_keeps_the_connection),
	    cmocka_unit_test(test_remote_opens_connections_side_by_side),
	    cmocka_unit_test(
		test_remote_closes_after_its_last_transaction_and_its_rest),
	    cmocka_unit_test(
		test_remote_does_not_trip_over_a_connection_that_has_ended),
	    cmocka_unit_test(test_remote_takes_421_on_a_kept_connection_as_its_end),
	    cmocka_unit_test(test_remote_finds_servers_by_mx),
	    cmocka_unit_test(test_remote_goes_on_to_the_next_host),
	    cmocka_unit_test(test_remote_tells_each_recipient_what_it_got),
	    cmocka_unit_test(test_remote_sends_again_at_once_what_was_too_many),
	    cmocka_unit_test(test_remote_comes_again_where_a_connection_takes_no_more),
	    cmocka_unit_test(test_remote_goes_by_the_greeting),
	    cmocka_unit_test(test_remote_says_why_nobody_could_be_reached),
	    cmocka_unit_test(test_remote_survives_a_drop_anywhere),
	    cmocka_unit_test(test_remote_takes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
