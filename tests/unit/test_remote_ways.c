/* tests/unit/test_remote_ways.c - LMTP, logins and TLS of the real remote, and how it
 * gets on with the other programs
 */
#include "tests/unit/remote_house.h"

#include <stdio.h>
#include <unistd.h>

/* --- LMTP, AUTH, TLS ------------------------------------------------------ */

static const char *
lmtp_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)c;
	if (!span_equal(line, SPAN(".")))
		return house_mixed_reply(s, c, line);
	return s->wanted++ == 1 ? "452 4.2.2 full\r\n" : NULL;
}

static void
test_remote_speaks_lmtp(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.lmtp = true;
	house.sink.reply = lmtp_reply;
	house_relay_and_wait(&house, "lmtp.example", "joe full never ann");
	house_check(&house, "DXFD");
	assert_int_equal(house.told[1].code, 452);
	assert_true(span_starts(buf_span(&house.sink.commands), SPAN("LHLO ")));
	house_close(&house);
}

static void
test_remote_logs_in(void **state)
{
	struct house house;
	struct span said;

	(void)state;
	house_open(&house, "");
	house.sink.offers = "250-AUTH PLAIN\r\n";
	house.sink.login = true;
	house_relay_and_wait(&house, "login.example", "joe");
	house_check(&house, "D");
	said = buf_span(&house.sink.commands);
	assert_true(span_find_span(said, SPAN("AUTH PLAIN AHUAcA==")) < said.n);
	house_close(&house);
}

/* The route's own server would be at 127.0.0.1; its password stays with it. */
static void
test_remote_goes_by_the_next_hop_of_a_job(void **state)
{
	struct house house;
	struct span said;
	char hop[64];

	(void)state;
	house_open(&house, "");
	house.sink.offers = house.other.offers = "250-AUTH PLAIN\r\n";
	house.sink.login = house.other.login = true;
	snprintf(hop, sizeof(hop), "[127.0.0.2]:%u", house.sink.port);
	house.next_hop = hop;
	house_relay_and_wait(&house, "login.example", "joe");
	assert_int_equal(house.sink.commands.n, 0);
	said = buf_span(&house.other.commands);
	assert_true(said.n > 0 && span_find_span(said, SPAN("AUTH")) == said.n);

	house.next_hop = "[127.0.0.1]"; /* as the route has it */
	house_relay_and_wait(&house, "login.example", "joe");
	house_check(&house, "D");
	said = buf_span(&house.sink.commands);
	assert_true(span_find_span(said, SPAN("AUTH PLAIN AHUAcA==")) < said.n);

	house.results = 0;
	house.next_hop = "mx:[192.0.2.1]";
	house_relay_and_wait(&house, "login.example", "joe");
	assert_int_equal(house.results, 0);
	assert_string_equal(house.text, "the next hop makes no sense");
	house_close(&house);
}

static void
test_remote_does_tls_as_it_must(void **state)
{
	struct identity id = identity_ecdsa();
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "must.example", "joe");
	house_check(&house, "X");
	assert_int_equal(house.told[0].enhanced[1], 7);
	house.sink.tls = context_of(&id);
	house_relay_and_wait(&house, "must.example", "joe");
	house_check(&house, "D");
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.sink.secured, 2);
	house_relay_and_wait(&house, "must.example", "joe");
	house_relay_and_wait(&house, "route.example", "joe");
	assert_int_equal(house.sink.secured, 2);
	house_relay_and_wait(&house, "verify.example", "joe");
	house_check(&house, "X");
	assert_int_equal(house.told[0].enhanced[2], 5);
	assert_int_equal(house.sink.messages, 4);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	house_close(&house);
}

static void
digest_of(const struct identity *id, unsigned char out[32])
{
	BIO *bio = BIO_new_mem_buf(id->certificate.at, (int)id->certificate.n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	assert_true(n > 0);
	assert_int_equal(EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
}

static void
test_remote_holds_a_server_to_its_dane_records(void **state)
{
	struct identity id = identity_ecdsa();
	struct house house;

	(void)state;
	house_open(&house, "remote_idle_s = 0\n");
	digest_of(&id, house.key_digest);
	house_relay_and_wait(&house, "dane.example", "joe");
	house_check(&house, "X"); /* no STARTTLS at all */
	house.sink.tls = context_of(&id);
	house_relay_and_wait(&house, "dane.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.sink.secured, 1);
	house_relay_and_wait(&house, "bad.dane.example", "joe");
	house_check(&house, "X");
	assert_int_equal(house.told[0].enhanced[1], 7);
	assert_int_equal(house.sink.messages, 1);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	house_close(&house);
}

/* The handshake fails where TLS need not be: then without. */
static void
test_remote_goes_without_tls_where_it_may(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.broken_tls = true;
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.sink.connections, 2);
	house_relay_and_wait(&house, "must.example", "joe");
	house_check(&house, "X");
	house_close(&house);
}

/* --- what servers cannot do ------------------------------------------------ */

static void
test_remote_makes_8_bit_content_plain_for_a_server_without_8bitmime(void **state)
{
	static const char mail[] =
	    "xxxxSubject: x\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n";
	struct house house;
	struct span got;

	(void)state;
	house_open(&house, "");
	house_segment_send(&house, span_make(mail, sizeof(mail) - 1));
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	got = buf_span(&house.sink.content);
	assert_true(span_find_span(got, SPAN("\r\n\r\n=C3=A4")) < got.n);
	house.sink.offers = "250-8BITMIME\r\n";
	sink_drop_all(&house.sink);
	house_relay_and_wait(&house, "route.example", "joe");
	assert_true(span_equal(buf_span(&house.sink.content),
			       span_make(mail + 4, sizeof(mail) - 5)));
	house_close(&house);
}

static const char *silent_at; /* the command that is never answered */

static const char *
silent_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return span_starts(line, span_str(silent_at)) ? "250-half\r\n" : NULL;
}

static void
test_remote_does_not_wait_for_ever(void **state)
{
	static const char *const places[] = {"", "EHLO", "MAIL", "DATA", "."};
	struct house house;

	(void)state;
	house_open(&house, "remote_greeting_timeout_s = 1\n"
			   "remote_command_timeout_s = 1\nremote_data_timeout_s = 1\n");
	house.sink.reply = silent_reply;
	for (size_t i = 0; i < N_ELEMS(places); i++) {
		silent_at = places[i];
		house_relay(&house, "route.example", "joe");
		ipc_flush_all();
		house_relay_and_wait(&house, "route.example", "joe");
		house_check(&house, "X");
		assert_int_equal(house.told[0].code, 0);
	}
	house_close(&house);
}

/* --- the other programs --------------------------------------------------- */

static void
test_remote_defers_what_is_not_in_the_segment(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	ipc_send_segment_drop(house.qmgr, &(struct ipc_segment_drop){SEGMENT});
	house_relay_and_wait(&house, "route.example", "joe ann");
	house_check(&house, "XX");
	assert_string_equal(house.told[0].text, "segment of the spool not known");
	assert_int_equal(house.sink.messages, 0);
	house_close(&house);
}

static void
test_remote_gives_back_what_makes_no_sense(void **state)
{
	const struct ipc_relay rows[] = {
	    {.job = 1,			 .domain = SPAN("route.example")},
	    { .job = 2, .domain = SPAN("route.example"),         .recipients = SPAN("x")},
	    { .job = 3,            .offset = UINT64_MAX,              .content_bytes = 2},
	};
	struct house house;

	(void)state;
	house_open(&house, "");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		ipc_send_relay(house.qmgr, &rows[i]);
	house.wanted = N_ELEMS(rows);
	house_wait_all(&house);
	assert_int_equal(house.results, 0);
	house_close(&house);
}

/* A new qmgr has other jobs by the same numbers. */
static void
test_remote_forgets_the_jobs_of_a_qmgr_that_is_gone(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "remote_greeting_timeout_s = 60\n");
	house.sink.reply = silent_reply;
	silent_at = "";
	house_relay(&house, "route.example", "joe");
	ipc_flush_all();
	hosted_until(&house.h, house_has_come, &house);
	ipc_peer_free(&house.qmgr);
	house.qmgr =
	    hosted_peer(&house.h, IPC_KIND_QMGR, &house_qmgr_callbacks, &house);
	hosted_until(&house.h, house_is_up, house.qmgr);
	hosted_until(&house.h, house_all_closed, &house);
	house.sink.reply = NULL;
	house.wanted = 0;
	house_segment_send(&house, SPAN("xxxx" MAIL));
	house_relay_and_wait(&house, "route.example", "joe");
	house_check(&house, "D");
	assert_int_equal(house.ended, 1);
	house_close(&house);
}

static void
test_remote_goes_by_new_settings(void **state)
{
	struct buf text = buf_make(10000);
	struct house house;

	(void)state;
	house_open(&house, "");
	house_relay_and_wait(&house, "route.example", "joe");
	house_settings_put(&house, "", "127.0.0.2", &text);
	hosted_reload(&house.h, text.at);
	hosted_until(&house.h, house_all_closed, &house);
	house_relay_and_wait(&house, "route.example", "joe");
	assert_string_equal(house.told[0].host, "[127.0.0.2]");
	assert_int_equal(house.other.messages, 1);
	buf_release(&text);
	house_close(&house);
}

static const char *
held_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)c;
	if (!span_equal(line, SPAN(".")))
		return NULL;
	s->wanted++;
	return "250-held\r\n"; /* half of a reply */
}

static bool
is_held(void *context)
{
	const struct house *house = context;

	return house->sink.wanted > 0;
}

/* In an orderly stop, what is at the end of its message has its answer awaited; what
 * is not goes back. */
static void
test_remote_stops_in_order(void **state)
{
	struct ipc_ctl_drain drain = {0};
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = held_reply;
	memset(house.told, 0xff, sizeof(house.told));
	house_relay(&house, "route.example", "joe");
	ipc_flush_all();
	hosted_until(&house.h, is_held, &house);
	house_relay(&house, "must.example", "ann");
	ipc_send_ctl_drain(house.h.master, &drain);
	house.wanted = 1;
	house_wait_all(&house);
	assert_int_equal(house.connection, RELAY_UNTRIED);
	house_check(&house, "-");
	house.wanted = 2;
	net_stream_write(LIST_FIRST(&house.sink.clients)->stream, SPAN("250 ok\r\n"));
	house_wait_all(&house);
	house_check(&house, "D");
	house_close(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_remote_speaks_lmtp),
	    cmocka_unit_test(test_remote_logs_in),
	    cmocka_unit_test(test_remote_goes_by_the_next_hop_of_a_job),
	    cmocka_unit_test(test_remote_does_tls_as_it_must),
	    cmocka_unit_test(test_remote_holds_a_server_to_its_dane_records),
	    cmocka_unit_test(test_remote_goes_without_tls_where_it_may),
	    cmocka_unit_test(
		test_remote_makes_8_bit_content_plain_for_a_server_without_8bitmime),
	    cmocka_unit_test(test_remote_does_not_wait_for_ever),
	    cmocka_unit_test(test_remote_defers_what_is_not_in_the_segment),
	    cmocka_unit_test(test_remote_gives_back_what_makes_no_sense),
	    cmocka_unit_test(test_remote_forgets_the_jobs_of_a_qmgr_that_is_gone),
	    cmocka_unit_test(test_remote_goes_by_new_settings),
	    cmocka_unit_test(test_remote_stops_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
