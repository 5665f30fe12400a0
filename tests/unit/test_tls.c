/* tests/unit/test_tls.c - certificates, and streams under TLS against OpenSSL's client
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_server.h"
#include "tests/unit/memory.h"

#include <time.h>
#include <unistd.h>

/* --- a certificate -------------------------------------------------------- */

static void
test_context_takes_every_kind_of_key(void **state)
{
	struct identity ids[] = {
	    identity_ecdsa(),
	    identity_make(EVP_RSA_gen(2048), EVP_sha256(), 86400),
	    identity_make(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, 86400),
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(ids); i++) {
		struct tls_context *c = context_of(&ids[i]);
		int64_t left = tls_context_expires(c) - (int64_t)time(NULL);

		assert_true(left > 86000 && left <= 86400);
		tls_context_free(&c);
		identity_release(&ids[i]);
	}
}

static void
test_context_refuses_with_a_reason(void **state)
{
	struct identity a = identity_ecdsa(), b = identity_ecdsa();
	struct span cut = span_first(buf_span(&a.certificate), 200);
	const struct {
		const char *name, *want;
		struct span certificate, key;
	} rows[] = {
	    {"key of another",  "key and certificate do not belong together",
	     buf_span(&a.certificate),								  buf_span(&b.key)},
	    {"no certificate",  "no certificate in PEM form",                 SPAN(""),
	     buf_span(&a.key)											   },
	    {"cut certificate", "no certificate in PEM form",                 cut,                      buf_span(&a.key)},
	    {"no key",          "no key in PEM form",                         buf_span(&a.certificate), SPAN("x")       },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct tls_context *c = NULL;
		struct err err = {0};

		print_message("%s\n", rows[i].name);
		assert_int_equal(
		    tls_context_new(rows[i].certificate, rows[i].key, &c, &err), -1);
		assert_true(span_starts(span_str(err.text), span_str(rows[i].want)));
		assert_null(c);
	}
	identity_release(&a);
	identity_release(&b);
}

static void
test_context_says_when_it_expired(void **state)
{
	struct identity old = identity_make(EVP_EC_gen("P-256"), EVP_sha256(), -60);
	struct tls_context *c = context_of(&old);

	(void)state;
	assert_true(tls_context_expires(c) < (int64_t)time(NULL));
	tls_context_free(&c);
	identity_release(&old);
}

/* --- a stream and OpenSSL's client ---------------------------------------- */

static void
test_stream_upgrades_in_place(void **state)
{
	struct fixture f;
	char bytes[64];

	(void)state;
	set_up(&f);
	assert_null(net_stream_tls(f.stream));
	assert_int_equal(write(f.peer, "STLS\r\n", 6), 6);
	turns(&f, 2);
	assert_true(span_equal(buf_span(&f.input), SPAN("STLS\r\n")));
	net_stream_write(f.stream, SPAN("+OK\r\n"));
	net_stream_secure(f.stream, f.context);
	turns(&f, 2);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 5);
	shake_hands(&f);
	assert_string_equal(tls_session_version(net_stream_tls(f.stream)), "TLSv1.3");
	assert_true(tls_session_bits(net_stream_tls(f.stream)) >= 128);
	assert_int_equal(SSL_write(f.client, "CAPA\r\n", 6), 6);
	turns(&f, 2);
	assert_true(span_equal(buf_span(&f.input), SPAN("STLS\r\nCAPA\r\n")));
	net_stream_write(f.stream, SPAN("+OK\r\n.\r\n"));
	client_expects(&f, "+OK\r\n.\r\n");
	SSL_shutdown(f.client);
	turns(&f, 3);
	assert_int_equal(f.closed, 1);
	net_stream_close(&f.stream, 1000);
	tear_down(&f);
}

static void
test_stream_moves_much_both_ways(void **state)
{
	enum {
		BYTES = 1 << 20
	};
	struct fixture f;
	char *bytes = memory_new(1, BYTES);
	size_t up = 0, down = 0;

	(void)state;
	set_up(&f);
	net_stream_secure(f.stream, f.context);
	shake_hands(&f);
	memset(buf_extend(net_stream_output(f.stream), BYTES), 'd', BYTES);
	net_stream_flush(f.stream);
	for (int i = 0; i < 10000 && (down < BYTES || f.input.n < BYTES); i++) {
		int n = SSL_read(f.client, bytes, BYTES);

		down += n > 0 ? (size_t)n : 0;
		if (up < BYTES) {
			memset(bytes, 'u', 10000);
			n = SSL_write(f.client, bytes,
				      BYTES - up > 10000 ? 10000 : (int)(BYTES - up));
			up += n > 0 ? (size_t)n : 0;
		}
		turns(&f, 1);
	}
	assert_int_equal(down, BYTES);
	assert_int_equal(f.input.n, BYTES);
	assert_int_equal(f.drained, 1);
	free(bytes);
	tear_down(&f);
}

static void
test_stream_garbage_instead_of_a_handshake_is_a_fault(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_secure(f.stream, f.context);
	assert_int_equal(write(f.peer, "EHLO evil\r\n", 11), 11);
	turns(&f, 5);
	assert_int_equal(f.faults, 1);
	assert_int_equal(f.secured, 0);
	assert_true(net_stream_fault(f.stream)[0] != '\0');
	tear_down(&f);
}

static void
test_stream_refuses_tls_1_1(void **state)
{
	struct fixture f;
	int result = 0;

	(void)state;
	set_up(&f);
	SSL_set_min_proto_version(f.client, TLS1_VERSION);
	SSL_set_max_proto_version(f.client, TLS1_1_VERSION);
	SSL_set_cipher_list(f.client, "ALL:@SECLEVEL=0");
	net_stream_secure(f.stream, f.context);
	for (int i = 0; i < 5; i++) {
		result = SSL_do_handshake(f.client);
		turns(&f, 2);
	}
	ERR_clear_error();
	assert_int_not_equal(result, 1);
	assert_int_equal(f.faults, 1);
	tear_down(&f);
}

static void
test_context_may_go_before_its_sessions(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_secure(f.stream, f.context);
	shake_hands(&f);
	tls_context_free(&f.context);
	net_stream_write(f.stream, SPAN("still here"));
	client_expects(&f, "still here");
	tear_down(&f);
}

/* As test_stream_idle_costs_little for plain ones; the client's side is measured
 * with it and freed first. */
static void
test_stream_idle_under_tls_costs_little(void **state)
{
	enum {
		STREAMS = 20
	};
	struct fixture f, more[STREAMS];
	size_t before, each;

	(void)state;
	set_up(&f);
	net_stream_secure(f.stream, f.context);
	shake_hands(&f);
	before = memory_in_use();
	for (int i = 0; i < STREAMS; i++) {
		more[i] = f;
		more[i].secured = 0;
		more[i].input = buf_make(100);
		connect_both(&more[i]);
		net_stream_secure(more[i].stream, f.context);
		shake_hands(&more[i]);
		net_stream_write(more[i].stream, SPAN("+OK ready\r\n"));
		client_expects(&more[i], "+OK ready\r\n");
		assert_int_equal(SSL_write(more[i].client, "NOOP\r\n", 6), 6);
		turns(&more[i], 3);
		assert_int_equal(more[i].input.n, 6);
		buf_release(&more[i].input);
		SSL_free(more[i].client);
	}
	each = (memory_in_use() - before) / STREAMS;
	print_message("an idle stream under TLS costs %zu bytes\n", each);
	assert_true(each < 20480);
	for (int i = 0; i < STREAMS; i++) {
		net_stream_free(&more[i].stream);
		close(more[i].peer);
	}
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_context_takes_every_kind_of_key),
	    cmocka_unit_test(test_context_refuses_with_a_reason),
	    cmocka_unit_test(test_context_says_when_it_expired),
	    cmocka_unit_test(test_stream_upgrades_in_place),
	    cmocka_unit_test(test_stream_moves_much_both_ways),
	    cmocka_unit_test(test_stream_garbage_instead_of_a_handshake_is_a_fault),
	    cmocka_unit_test(test_stream_refuses_tls_1_1),
	    cmocka_unit_test(test_context_may_go_before_its_sessions),
	    cmocka_unit_test(test_stream_idle_under_tls_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
