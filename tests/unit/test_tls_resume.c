/* tests/unit/test_tls_resume.c - sessions taken up again by the client, and what an
 * idle one costs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"
#include "tests/unit/memory.h"

#include <unistd.h>

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct lab_issued root, leaf;
static unsigned char digests[2][2048];
static struct tls_tlsa records[2];
static const struct span names[] = {SPAN("mx.example.org"), SPAN("example.org")};

static int
make_all(void **state)
{
	const struct lab_order authority = {.cn = "Root", .authority = true};
	const struct lab_order server = {
	    .cn = "mx.example.org", .san = "DNS:mx.example.org", .issuer = &root};

	(void)state;
	root = lab_issue(&authority);
	leaf = lab_issue(&server);
	records[0] = lab_tlsa(&leaf, 3, 1, 1, digests[0]);
	records[1] = lab_tlsa(&leaf, 3, 0, 1, digests[1]);
	return 0;
}

static int
release_all(void **state)
{
	(void)state;
	lab_issued_release(&leaf);
	lab_issued_release(&root);
	return 0;
}

static void
begin(struct lab *l, int version, const struct tls_client_limits *limits)
{
	lab_init(l, &leaf, NULL);
	SSL_CTX_set_max_proto_version(l->server_context, version);
	lab_trust(l, &root, limits);
}

/* One connection from start to end; whether it was resumed. */
static bool
visit(struct lab *l, const struct tls_client_policy *policy, enum tls_verify want)
{
	const struct tls_session *t;
	bool resumed;

	lab_connect(l);
	lab_shake(l, policy);
	assert_int_equal(l->secured, 1);
	t = net_stream_tls(l->stream);
	assert_int_equal(tls_session_verified(t), want);
	resumed = tls_session_resumed(t);
	assert_int_equal(resumed, SSL_session_reused(l->server));
	lab_server_says(l, "220 mx.example.org ESMTP\r\n");
	lab_disconnect(l);
	return resumed;
}

static const struct tls_client_policy by_name = {.key = SPAN("mx.example.org:25"),
						 .sni = SPAN("mx.example.org"),
						 .verify = TLS_VERIFY_NAMES,
						 .names = names,
						 .n_names = 1};

static void
test_resume_same_host_and_policy(void **state)
{
	(void)state;
	for (size_t v = 0; v < N_ELEMS(versions); v++) {
		struct lab l;

		begin(&l, versions[v], NULL);
		assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
		assert_int_equal(tls_client_sessions(l.client), 1);
		for (int i = 0; i < 3; i++)
			assert_true(visit(&l, &by_name, TLS_VERIFY_NAMES));
		assert_int_equal(tls_client_sessions(l.client), 1);
		lab_release(&l);
	}
}

static void
test_resume_is_not_shared_between_policies(void **state)
{
	struct tls_client_policy p[7];
	enum tls_verify want[N_ELEMS(p)];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(p); i++) {
		p[i] = by_name;
		want[i] = TLS_VERIFY_NAMES;
	}
	p[1].verify = TLS_VERIFY_NONE;
	p[2].n_names = 2;
	p[3].sni = SPAN("mx2.example.org");
	p[4].key = SPAN("mx.example.org:26");
	p[5].verify = p[6].verify = TLS_VERIFY_DANE;
	want[5] = want[6] = TLS_VERIFY_DANE;
	p[5].tlsa = p[6].tlsa = records;
	p[5].n_tlsa = 1;
	p[6].n_tlsa = 2;
	for (size_t v = 0; v < N_ELEMS(versions); v++) {
		struct lab l;

		begin(&l, versions[v], NULL);
		for (size_t i = 0; i < N_ELEMS(p); i++)
			assert_false(visit(&l, &p[i], want[i]));
		assert_int_equal(tls_client_sessions(l.client), N_ELEMS(p));
		for (size_t i = 0; i < N_ELEMS(p); i++)
			assert_true(visit(&l, &p[i], want[i]));
		lab_release(&l);
	}
}

/* A certificate that would not do stays so when its session is taken up again. */
static void
test_resume_keeps_what_was_found(void **state)
{
	static const struct span other = SPAN("b.example");
	struct tls_client_policy policy = {
	    .key = SPAN("b"), .names = &other, .n_names = 1};
	struct lab l;

	(void)state;
	begin(&l, TLS1_3_VERSION, NULL);
	assert_false(visit(&l, &policy, TLS_VERIFY_NONE));
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_true(tls_session_resumed(net_stream_tls(l.stream)));
	assert_int_equal(tls_session_verified(net_stream_tls(l.stream)),
			 TLS_VERIFY_NONE);
	assert_string_equal(tls_session_peer_fault(net_stream_tls(l.stream)),
			    "certificate of b.example: hostname mismatch");
	lab_release(&l);
}

static void
test_resume_keeps_no_more_than_its_maximum(void **state)
{
	static const struct tls_client_limits limits = {3, 3600};
	struct tls_client_policy policy = by_name;
	static const char keys[] = "abcd";
	struct lab l;

	(void)state;
	begin(&l, TLS1_3_VERSION, &limits);
	for (size_t i = 0; i < 4; i++) {
		policy.key = span_make(&keys[i], 1);
		assert_false(visit(&l, &policy, TLS_VERIFY_NAMES));
		assert_int_equal(tls_client_sessions(l.client), i < 3 ? i + 1 : 3);
	}
	/* The oldest gave way. */
	for (size_t i = 3; i > 0; i--) {
		policy.key = span_make(&keys[i], 1);
		assert_true(visit(&l, &policy, TLS_VERIFY_NAMES));
	}
	policy.key = span_make(keys, 1);
	assert_false(visit(&l, &policy, TLS_VERIFY_NAMES));
	lab_release(&l);
}

static void
test_resume_can_be_turned_off(void **state)
{
	static const struct tls_client_limits rows[] = {
	    {0,  3600},
            {10, 0   }
        };
	struct lab l;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		begin(&l, TLS1_3_VERSION, &rows[i]);
		assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
		assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
		assert_int_equal(tls_client_sessions(l.client), 0);
		lab_release(&l);
	}
}

/* A server that has other keys by now asks for a whole handshake; one that hangs up
 * on what it is offered is not offered it again. */
static void
test_resume_session_that_the_server_does_not_take(void **state)
{
	unsigned char keys[80] = {1};
	struct lab l;

	(void)state;
	begin(&l, TLS1_3_VERSION, NULL);
	assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
	SSL_CTX_set_tlsext_ticket_keys(l.server_context, keys, sizeof(keys));
	assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
	assert_true(visit(&l, &by_name, TLS_VERIFY_NAMES));
	lab_connect(&l);
	close(l.peer);
	l.peer = -1;
	net_stream_secure_client(l.stream, l.client, &by_name);
	lab_turns(&l, 5);
	assert_int_equal(l.faults, 1);
	assert_int_equal(tls_client_sessions(l.client), 0);
	lab_disconnect(&l);
	assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
	lab_release(&l);
}

static void
test_client_may_go_before_its_sessions(void **state)
{
	struct lab l;

	(void)state;
	begin(&l, TLS1_3_VERSION, NULL);
	lab_connect(&l);
	lab_shake(&l, &by_name);
	tls_client_free(&l.client);
	/* With it comes the ticket, which nobody keeps now. */
	lab_server_says(&l, "220 mx.example.org ESMTP\r\n");
	lab_release(&l);
}

/* --- memory --------------------------------------------------------------- */

static void
talk(struct lab *l)
{
	char bytes[10];

	net_stream_write(l->stream, SPAN("RSET\r\n"));
	lab_turns(l, 2);
	assert_int_equal(SSL_read(l->server, bytes, sizeof(bytes)), 6);
	lab_server_says(l, "250 2.0.0 Ok\r\n");
}

/* Of one connection that has talked and waits; the server's side is freed before. A
 * ticket of TLS 1.3 makes OpenSSL hold a buffer of 16 KB until the next write. */
static size_t
idle_cost(int version, const struct tls_client_limits *limits)
{
	enum {
		STREAMS = 20
	};
	struct lab l, more[STREAMS];
	size_t before, each;

	begin(&l, version, limits);
	SSL_CTX_add1_chain_cert(l.server_context, root.x);
	assert_false(visit(&l, &by_name, TLS_VERIFY_NAMES));
	before = memory_in_use();
	for (size_t i = 0; i < STREAMS; i++) {
		more[i] = l;
		more[i].input = buf_make(100);
		lab_connect(&more[i]);
		lab_shake(&more[i], &by_name);
		talk(&more[i]);
		talk(&more[i]);
		buf_release(&more[i].input);
		SSL_free(more[i].server);
	}
	each = (memory_in_use() - before) / STREAMS;
	for (size_t i = 0; i < STREAMS; i++) {
		net_stream_free(&more[i].stream);
		close(more[i].peer);
	}
	lab_release(&l);
	return each;
}

static void
test_client_idle_costs_little(void **state)
{
	static const struct tls_client_limits whole = {0, 0}, resumed = {10, 3600};
	size_t cost;

	(void)state;
	for (size_t v = 0; v < N_ELEMS(versions); v++) {
		cost = idle_cost(versions[v], &resumed);
		print_message("TLS 1.%zu, resumed: %zu bytes\n", v + 2, cost);
		assert_true(cost < 21504);
		cost = idle_cost(versions[v], &whole);
		print_message("TLS 1.%zu, with two certificates: %zu bytes\n", v + 2,
			      cost);
		assert_true(cost < 28672);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resume_same_host_and_policy),
	    cmocka_unit_test(test_resume_is_not_shared_between_policies),
	    cmocka_unit_test(test_resume_keeps_what_was_found),
	    cmocka_unit_test(test_resume_keeps_no_more_than_its_maximum),
	    cmocka_unit_test(test_resume_can_be_turned_off),
	    cmocka_unit_test(test_resume_session_that_the_server_does_not_take),
	    cmocka_unit_test(test_client_may_go_before_its_sessions),
	    cmocka_unit_test(test_client_idle_costs_little),
	};

	return cmocka_run_group_tests(tests, make_all, release_all);
}
