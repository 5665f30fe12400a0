/* tests/unit/test_tls_session.c - channel bindings and tickets of the server's side */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_server.h"

#include <errno.h>
#include <openssl/x509.h>
#include <sys/socket.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bindings_are_those_of_the_client),
	    cmocka_unit_test(test_end_point_binding_follows_the_signature_hash),
	    cmocka_unit_test(test_binding_named_by_the_client),
	    cmocka_unit_test(test_ticket_resumes_until_the_keys_rotate),
	    cmocka_unit_test(test_ticket_waits_for_the_first_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
