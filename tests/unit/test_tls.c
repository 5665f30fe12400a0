/* tests/unit/test_tls.c - certificates, and streams under TLS against OpenSSL's client
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/net/net.h"

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a certificate -------------------------------------------------------- */

struct identity {
	struct buf certificate;
	struct buf key;
};

static void
put_bio(struct buf *out, BIO *bio)
{
	char *at = NULL;
	long n = BIO_get_mem_data(bio, &at);

	*out = buf_make(16384);
	buf_put(out, span_make(at, (size_t)n));
	BIO_free(bio);
}

static struct identity
identity_make(EVP_PKEY *key, const EVP_MD *hash, long seconds)
{
	X509 *x = X509_new();
	BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	struct identity id;

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), seconds);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"mail.example.org", -1, -1,
				   0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, hash) > 0);
	assert_int_equal(PEM_write_bio_X509(certificate, x), 1);
	assert_int_equal(
	    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL), 1);
	put_bio(&id.certificate, certificate);
	put_bio(&id.key, secret);
	X509_free(x);
	EVP_PKEY_free(key);
	return id;
}

static void
identity_release(struct identity *id)
{
	buf_release(&id->certificate);
	buf_release(&id->key);
}

static struct tls_context *
context_of(const struct identity *id)
{
	struct tls_context *c = NULL;
	struct err err = {0};

	assert_int_equal(
	    tls_context_new(buf_span(&id->certificate), buf_span(&id->key), &c, &err),
	    0);
	return c;
}

static struct identity
ecdsa(void)
{
	return identity_make(EVP_EC_gen("P-256"), EVP_sha256(), 86400);
}

static void
test_context_takes_every_kind_of_key(void **state)
{
	struct identity ids[] = {
	    ecdsa(),
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
	struct identity a = ecdsa(), b = ecdsa();
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

struct fixture {
	struct identity id;
	struct tls_context *context;
	struct event_base *base;
	struct net_stream *stream;
	struct buf input;
	size_t secured, faults, closed, drained;
	int peer;
	SSL_CTX *client_context;
	SSL *client;
};

static void
on_input(struct net_stream *s, void *context)
{
	struct fixture *f = context;

	buf_put(&f->input, net_stream_input(s));
	net_stream_take(s, net_stream_input(s).n);
}

static void
on_drained(struct net_stream *s, void *context)
{
	(void)s;
	((struct fixture *)context)->drained++;
}

static void
on_secured(struct net_stream *s, void *context)
{
	(void)s;
	((struct fixture *)context)->secured++;
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct fixture *f = context;

	(void)s;
	f->faults += how == NET_END_FAULT;
	f->closed += how == NET_END_CLOSED;
}

static const struct net_callbacks callbacks = {on_input, on_drained, on_secured, NULL,
					       on_ended};
static const struct net_sizes sizes = {.input_max = 4096,
				       .output_high = 65536,
				       .output_low = 1000,
				       .output_max = 8u << 20};

static void
turns(struct fixture *f, int n)
{
	while (n-- > 0)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
connect_both(struct fixture *f)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f->stream = net_stream_new(f->base, pair[0], &sizes, &callbacks, f);
	f->peer = pair[1];
	f->client = SSL_new(f->client_context);
	assert_int_equal(SSL_set_fd(f->client, f->peer), 1);
	SSL_set_connect_state(f->client);
}

static void
set_up_with(struct fixture *f, struct identity id)
{
	*f = (struct fixture){.id = id, .base = event_base_new()};
	f->input = buf_make(8u << 20);
	f->context = context_of(&f->id);
	f->client_context = SSL_CTX_new(TLS_client_method());
	connect_both(f);
}

static void
set_up(struct fixture *f)
{
	set_up_with(f, ecdsa());
}

static void
disconnect(struct fixture *f)
{
	net_stream_free(&f->stream);
	/* Else the client would not offer its session again. */
	SSL_set_shutdown(f->client, SSL_SENT_SHUTDOWN);
	SSL_free(f->client);
	if (f->peer >= 0)
		close(f->peer);
}

static void
tear_down(struct fixture *f)
{
	disconnect(f);
	turns(f, 3);
	SSL_CTX_free(f->client_context);
	tls_context_free(&f->context);
	event_base_free(f->base);
	buf_release(&f->input);
	identity_release(&f->id);
}

static void
shake_hands(struct fixture *f)
{
	int result = 0;

	for (int i = 0; i < 100 && (result != 1 || f->secured == 0); i++) {
		result = SSL_do_handshake(f->client);
		turns(f, 1);
	}
	assert_int_equal(result, 1);
	assert_int_equal(f->secured, 1);
}

static void
client_expects(struct fixture *f, const char *want)
{
	char bytes[64];
	int n = 0;

	for (int i = 0; i < 20 && n <= 0; i++) {
		turns(f, 1);
		n = SSL_read(f->client, bytes, sizeof(bytes));
	}
	assert_true(n > 0 && span_equal(span_make(bytes, (size_t)n), span_str(want)));
}

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
test_bindings_are_those_of_the_client(void **state)
{
	static const struct {
		const char *name;
		int version;
	} rows[] = {
	    {"TLS 1.3", TLS1_3_VERSION},
            {"TLS 1.2", TLS1_2_VERSION}
        };
	uint8_t ours[TLS_BINDING_MAX], theirs[32], digest[32];
	struct fixture f;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		set_up(&f);
		SSL_set_max_proto_version(f.client, rows[i].version);
		net_stream_secure(f.stream, f.context);
		shake_hands(&f);
		assert_int_equal(
		    SSL_export_keying_material(f.client, theirs, sizeof(theirs),
					       "EXPORTER-Channel-Binding", 24,
					       (const unsigned char *)"", 0, 1),
		    1);
		assert_int_equal(tls_session_binding(net_stream_tls(f.stream),
						     TLS_BINDING_EXPORTER, ours),
				 32);
		assert_memory_equal(ours, theirs, 32);
		X509 *leaf = SSL_get1_peer_certificate(f.client);
		assert_int_equal(X509_digest(leaf, EVP_sha256(), digest, &n), 1);
		X509_free(leaf);
		assert_int_equal(tls_session_binding(net_stream_tls(f.stream),
						     TLS_BINDING_SERVER_END_POINT,
						     ours),
				 32);
		assert_memory_equal(ours, digest, 32);
		assert_int_equal(tls_session_binding(net_stream_tls(f.stream),
						     TLS_BINDING_NONE, ours),
				 0);
		tear_down(&f);
	}
}

static void
test_end_point_binding_follows_the_signature_hash(void **state)
{
	static const struct {
		const char *name, *key;
		size_t want;
	} rows[] = {
	    {"SHA-384",            NULL,      48},
            {"no hash in Ed25519", "ED25519", 0 }
        };
	uint8_t out[TLS_BINDING_MAX];
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		set_up_with(
		    &f, rows[i].key
			    ? identity_make(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
					    NULL, 86400)
			    : identity_make(EVP_EC_gen("P-384"), EVP_sha384(), 86400));
		net_stream_secure(f.stream, f.context);
		shake_hands(&f);
		assert_int_equal(tls_session_binding(net_stream_tls(f.stream),
						     TLS_BINDING_SERVER_END_POINT, out),
				 rows[i].want);
		tear_down(&f);
	}
}

static void
test_binding_named_by_the_client(void **state)
{
	static const struct {
		const char *text;
		enum tls_binding want;
	} rows[] = {
	    {"p=tls-exporter,,n=a,r=b",     TLS_BINDING_EXPORTER        },
	    {"p=tls-server-end-point,,n=a", TLS_BINDING_SERVER_END_POINT},
	    {"p=tls-unique,,n=a",           TLS_BINDING_NONE            },
	    {"n,,n=a",                      TLS_BINDING_NONE            },
	    {"y,,n=a",                      TLS_BINDING_NONE            },
	    {"p=tls-exporterx,",            TLS_BINDING_NONE            },
	    {"",			    TLS_BINDING_NONE            },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(tls_binding_named(span_str(rows[i].text)),
				 rows[i].want);
}

/* One connection that offers the ticket of an earlier one. */
static bool
resumes(struct fixture *f, SSL_SESSION *session, int version)
{
	bool resumed;

	disconnect(f);
	turns(f, 2);
	f->secured = 0;
	connect_both(f);
	SSL_set_max_proto_version(f->client, version);
	assert_int_equal(SSL_set_session(f->client, session), 1);
	net_stream_secure(f->stream, f->context);
	shake_hands(f);
	resumed = tls_session_resumed(net_stream_tls(f->stream));
	assert_int_equal(resumed, SSL_session_reused(f->client));
	return resumed;
}

static void
test_ticket_resumes_until_the_keys_rotate(void **state)
{
	struct fixture f;
	SSL_SESSION *session;

	(void)state;
	set_up(&f);
	SSL_set_max_proto_version(f.client, TLS1_2_VERSION);
	net_stream_secure(f.stream, f.context);
	shake_hands(&f);
	session = SSL_get1_session(f.client);
	assert_true(resumes(&f, session, TLS1_2_VERSION));
	tls_context_rotate(f.context);
	assert_false(resumes(&f, session, TLS1_2_VERSION));
	SSL_SESSION_free(session);
	tear_down(&f);
}

/* A client that reads in one thread while it writes its first command in another must
 * find nothing to read. */
static void
test_ticket_waits_for_the_first_answer(void **state)
{
	struct fixture f;
	SSL_SESSION *session;
	char byte;

	(void)state;
	set_up(&f);
	net_stream_secure(f.stream, f.context);
	shake_hands(&f);
	turns(&f, 5);
	assert_int_equal(recv(f.peer, &byte, 1, MSG_PEEK), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(SSL_write(f.client, "CAPA\r\n", 6), 6);
	turns(&f, 5);
	assert_int_equal(recv(f.peer, &byte, 1, MSG_PEEK), -1);
	net_stream_write(f.stream, SPAN("+OK\r\n"));
	client_expects(&f, "+OK\r\n");
	session = SSL_get1_session(f.client);
	assert_true(SSL_SESSION_is_resumable(session));
	assert_true(resumes(&f, session, TLS1_3_VERSION));
	SSL_SESSION_free(session);
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

/* The sanitizer's count where its allocator replaces the C library's. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
memory_in_use(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
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
	    cmocka_unit_test(test_bindings_are_those_of_the_client),
	    cmocka_unit_test(test_end_point_binding_follows_the_signature_hash),
	    cmocka_unit_test(test_binding_named_by_the_client),
	    cmocka_unit_test(test_ticket_resumes_until_the_keys_rotate),
	    cmocka_unit_test(test_ticket_waits_for_the_first_answer),
	    cmocka_unit_test(test_context_may_go_before_its_sessions),
	    cmocka_unit_test(test_stream_idle_under_tls_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
