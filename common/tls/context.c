#include "common/tls/internal.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <signal.h>
#include <time.h>

/* Forward secrecy and AEAD first; CBC only for servers older than that. */
#define CIPHERS                                                                        \
	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:!aNULL:!eNULL:!MD5:!"   \
	"DSS"
#define TICKET_KEYS_BYTES 80 /* name, HMAC key and cipher key, as OpenSSL cuts them */

const char *
tls_reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	return text ? text : "no reason given";
}

int
tls_global_init(struct err *err)
{
	uint8_t seed[16];
	SSL_CTX *warm;

	/* A peer that is gone must not end the process; SSL_write() cannot be
	 * told so by a flag. */
	signal(SIGPIPE, SIG_IGN);
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return err_set(err, "OpenSSL does not start: %s", tls_reason());
	if (RAND_bytes(seed, sizeof(seed)) != 1)
		return err_set(err, "OpenSSL has no random numbers: %s", tls_reason());
	/* Fetches every algorithm of the built-in provider once. */
	warm = SSL_CTX_new(TLS_server_method());
	if (!warm)
		return err_set(err, "OpenSSL has no TLS: %s", tls_reason());
	SSL_CTX_free(warm);
	return 0;
}

int
tls_no_passphrase(char *at, int n, int writing, void *context)
{
	(void)at;
	(void)n;
	(void)writing;
	(void)context;
	return 0;
}

BIO *
tls_bio_of(struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.at, text.n > INT_MAX ? 0 : (int)text.n);

	ASSERT(bio);
	return bio;
}

static int64_t
time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

static int
read_chain(struct tls_context *c, BIO *bio, struct err *err)
{
	X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, tls_no_passphrase, NULL), *issuer;

	if (!leaf)
		return err_set(err, "no certificate in PEM form: %s", tls_reason());
	c->expires = time_of(X509_get0_notAfter(leaf));
	if (SSL_CTX_use_certificate(c->ssl, leaf) != 1) {
		X509_free(leaf);
		return err_set(err, "the certificate is of no use: %s", tls_reason());
	}
	X509_free(leaf);
	while ((issuer = PEM_read_bio_X509(bio, NULL, tls_no_passphrase, NULL))) {
		if (SSL_CTX_add0_chain_cert(c->ssl, issuer) == 1)
			continue;
		X509_free(issuer);
		return err_set(err, "bad certificate chain: %s", tls_reason());
	}
	/* Ends with "no start line", the end of the text. */
	ERR_clear_error();
	return 0;
}

static int
read_key(struct tls_context *c, BIO *bio, struct err *err)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_passphrase, NULL);
	int used;

	if (!key)
		return err_set(err, "no key in PEM form without a passphrase: %s",
			       tls_reason());
	used = SSL_CTX_use_PrivateKey(c->ssl, key);
	EVP_PKEY_free(key);
	if (used != 1 || SSL_CTX_check_private_key(c->ssl) != 1)
		return err_set(err, "key and certificate do not belong together: %s",
			       tls_reason());
	return 0;
}

void
tls_configure(SSL_CTX *ssl, const char *ciphers)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	ASSERT(SSL_CTX_set_cipher_list(ssl, ciphers) == 1);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	/* One read of the socket brings a whole record, header and all. */
	SSL_CTX_set_read_ahead(ssl, 1);
}

static void
configure(SSL_CTX *ssl)
{
	tls_configure(ssl, CIPHERS);
	SSL_CTX_set_options(ssl,
			    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	/* Tickets only: a cache would be of no use to the other processes. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	/* With TLS 1.3 a session offers its one itself, when it is due. */
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"postroad", 8);
}

static int
context_fill(struct tls_context *c, struct span certificates, struct span key,
	     struct err *err)
{
	BIO *chain = tls_bio_of(certificates), *secret = tls_bio_of(key);
	int result = read_chain(c, chain, err);

	if (result == 0)
		result = read_key(c, secret, err);
	BIO_free(chain);
	BIO_free(secret);
	return result;
}

int
tls_context_new(struct span certificates, struct span key, struct tls_context **out,
		struct err *err)
{
	struct tls_context *c;

	if (tls_global_init(err) != 0)
		return -1;
	ERR_clear_error();
	c = memory_new(1, sizeof(*c));
	c->ssl = SSL_CTX_new(TLS_server_method());
	ASSERT(c->ssl);
	configure(c->ssl);
	if (context_fill(c, certificates, key, err) != 0) {
		tls_context_free(&c);
		return -1;
	}
	*out = c;
	return 0;
}

void
tls_context_free(struct tls_context **c)
{
	if (!*c)
		return;
	SSL_CTX_free((*c)->ssl);
	free(*c);
	*c = NULL;
}

int64_t
tls_context_expires(const struct tls_context *c)
{
	return c->expires;
}

void
tls_context_rotate(struct tls_context *c)
{
	uint8_t keys[TICKET_KEYS_BYTES];

	/* Without randomness the old keys are better than guessable ones. */
	if (RAND_bytes(keys, sizeof(keys)) == 1)
		SSL_CTX_set_tlsext_ticket_keys(c->ssl, keys, sizeof(keys));
	OPENSSL_cleanse(keys, sizeof(keys));
}
