#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_server.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a certificate -------------------------------------------------------- */

static void
put_bio(struct buf *out, BIO *bio)
{
	char *at = NULL;
	long n = BIO_get_mem_data(bio, &at);

	*out = buf_make(16384);
	buf_put(out, span_make(at, (size_t)n));
	BIO_free(bio);
}

struct identity
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

void
identity_release(struct identity *id)
{
	buf_release(&id->certificate);
	buf_release(&id->key);
}

struct tls_context *
context_of(const struct identity *id)
{
	struct tls_context *c = NULL;
	struct err err = {0};

	assert_int_equal(
	    tls_context_new(buf_span(&id->certificate), buf_span(&id->key), &c, &err),
	    0);
	return c;
}

struct identity
identity_ecdsa(void)
{
	return identity_make(EVP_EC_gen("P-256"), EVP_sha256(), 86400);
}

/* --- a stream and OpenSSL's client ---------------------------------------- */

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

void
turns(struct fixture *f, int n)
{
	while (n-- > 0)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

void
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

void
set_up_with(struct fixture *f, struct identity id)
{
	*f = (struct fixture){.id = id, .base = event_base_new()};
	f->input = buf_make(8u << 20);
	f->context = context_of(&f->id);
	f->client_context = SSL_CTX_new(TLS_client_method());
	connect_both(f);
}

void
set_up(struct fixture *f)
{
	set_up_with(f, identity_ecdsa());
}

void
disconnect(struct fixture *f)
{
	net_stream_free(&f->stream);
	/* Else the client would not offer its session again. */
	SSL_set_shutdown(f->client, SSL_SENT_SHUTDOWN);
	SSL_free(f->client);
	if (f->peer >= 0)
		close(f->peer);
}

void
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

void
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

void
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
