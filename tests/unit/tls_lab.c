#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- certificates --------------------------------------------------------- */

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

struct lab_issued
lab_issue(const struct lab_order *o)
{
	static long serial = 1;
	struct lab_issued i = {X509_new(), o->rsa_bits
					       ? EVP_RSA_gen((unsigned)o->rsa_bits)
					       : EVP_EC_gen("P-256")};
	const struct lab_issued *by = o->issuer ? o->issuer : &i;
	bool dated = o->from_s || o->until_s;

	assert_non_null(i.key);
	X509_set_version(i.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(i.x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(i.x), dated ? o->from_s : -3600);
	X509_gmtime_adj(X509_getm_notAfter(i.x), dated ? o->until_s : 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(i.x), "CN", MBSTRING_ASC,
				   (const unsigned char *)o->cn, -1, -1, 0);
	X509_set_issuer_name(i.x, X509_get_subject_name(by->x));
	X509_set_pubkey(i.x, i.key);
	if (o->authority)
		extend(i.x, NID_basic_constraints, "critical,CA:TRUE");
	if (o->san)
		extend(i.x, NID_subject_alt_name, o->san);
	assert_true(X509_sign(i.x, by->key, EVP_sha256()) > 0);
	return i;
}

void
lab_issued_release(struct lab_issued *i)
{
	X509_free(i->x);
	EVP_PKEY_free(i->key);
	*i = (struct lab_issued){0};
}

void
lab_put_pem(struct buf *out, const struct lab_issued *i)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at = NULL;
	long n;

	assert_int_equal(PEM_write_bio_X509(bio, i->x), 1);
	n = BIO_get_mem_data(bio, &at);
	buf_put(out, span_make(at, (size_t)n));
	BIO_free(bio);
}

struct tls_tlsa
lab_tlsa(const struct lab_issued *i, unsigned usage, unsigned selector,
	 unsigned matching, unsigned char *at)
{
	unsigned char whole[2048], *to = whole;
	int n = selector == 0 ? i2d_X509(i->x, &to) : i2d_PUBKEY(i->key, &to);
	const EVP_MD *hash = matching == 2 ? EVP_sha512() : EVP_sha256();
	unsigned size = (unsigned)n;

	assert_true(n > 0 && (size_t)n < sizeof(whole));
	if (matching == 0)
		memcpy(at, whole, size);
	else
		assert_int_equal(EVP_Digest(whole, size, at, &size, hash, NULL), 1);
	return (struct tls_tlsa){(uint8_t)usage, (uint8_t)selector, (uint8_t)matching,
				 span_make(at, size)};
}

/* --- a stream and OpenSSL's server ---------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	struct lab *l = context;

	buf_put(&l->input, net_stream_input(s));
	net_stream_take(s, net_stream_input(s).n);
}

static void
on_secured(struct net_stream *s, void *context)
{
	(void)s;
	((struct lab *)context)->secured++;
}

static void
on_deadline(struct net_stream *s, void *context)
{
	(void)s;
	((struct lab *)context)->deadlines++;
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct lab *l = context;

	(void)s;
	l->faults += how == NET_END_FAULT;
	l->closed += how == NET_END_CLOSED;
}

static const struct net_callbacks callbacks = {on_input, NULL, on_secured, on_deadline,
					       on_ended};
static const struct net_sizes sizes = {.input_max = 4096,
				       .output_high = 65536,
				       .output_low = 1000,
				       .output_max = 1u << 20};

void
lab_init(struct lab *l, const struct lab_issued *leaf, const struct lab_issued *chain)
{
	*l = (struct lab){.base = event_base_new(), .peer = -1};
	l->input = buf_make(1u << 20);
	l->server_context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(l->server_context, 0);
	assert_int_equal(SSL_CTX_use_certificate(l->server_context, leaf->x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(l->server_context, leaf->key), 1);
	if (chain)
		assert_int_equal(SSL_CTX_add1_chain_cert(l->server_context, chain->x),
				 1);
}

void
lab_release(struct lab *l)
{
	lab_disconnect(l);
	tls_client_free(&l->client);
	SSL_CTX_free(l->server_context);
	event_base_free(l->base);
	buf_release(&l->input);
}

void
lab_trust(struct lab *l, const struct lab_issued *root,
	  const struct tls_client_limits *limits)
{
	static const struct tls_client_limits usual = {100, 3600};
	struct buf pem = buf_make(65536);
	struct err err = {0};

	if (root)
		lab_put_pem(&pem, root);
	assert_int_equal(
	    tls_client_new(buf_span(&pem), limits ? limits : &usual, &l->client, &err),
	    0);
	buf_release(&pem);
}

void
lab_connect(struct lab *l)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	l->secured = l->faults = l->closed = l->deadlines = 0;
	buf_reset(&l->input);
	l->stream = net_stream_new(l->base, pair[0], &sizes, &callbacks, l);
	l->peer = pair[1];
	l->server = SSL_new(l->server_context);
	assert_int_equal(SSL_set_fd(l->server, l->peer), 1);
	SSL_set_accept_state(l->server);
}

void
lab_disconnect(struct lab *l)
{
	net_stream_free(&l->stream);
	SSL_free(l->server);
	l->server = NULL;
	if (l->peer >= 0)
		close(l->peer);
	l->peer = -1;
	lab_turns(l, 2);
}

void
lab_turns(struct lab *l, int n)
{
	while (n-- > 0)
		event_base_loop(l->base, EVLOOP_NONBLOCK);
}

void
lab_shake(struct lab *l, const struct tls_client_policy *policy)
{
	int result = 0;

	net_stream_secure_client(l->stream, l->client, policy);
	for (int i = 0; i < 20 && l->faults == 0 && (result != 1 || l->secured == 0);
	     i++) {
		lab_turns(l, 1);
		result = SSL_do_handshake(l->server);
	}
	ERR_clear_error();
	assert_int_equal(l->secured + l->faults, 1);
}

void
lab_server_says(struct lab *l, const char *text)
{
	size_t n = strlen(text), before = l->input.n;

	assert_int_equal(SSL_write(l->server, text, (int)n), (int)n);
	lab_turns(l, 5);
	assert_int_equal(l->input.n - before, n);
}
