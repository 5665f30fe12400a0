#include "common/tls/internal.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

/* As the server's, and behind that what old servers offer at best: encryption that
 * can be broken later is more than none. */
#define CIPHERS                                                                        \
	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:DHE+AESGCM:DHE+AES256:" \
	"DHE+AES128:kRSA+AESGCM:kRSA+AES256:kRSA+AES128:!aNULL:!eNULL:!MD5:!DSS:!PSK:" \
	"!SRP:!CAMELLIA:!ARIA"

static int
read_authorities(struct tls_client *c, struct span text, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c->ssl);
	unsigned long end;
	BIO *bio;
	X509 *x;

	if (text.n == 0)
		return 0;
	bio = tls_bio_of(text);
	while ((x = PEM_read_bio_X509_AUX(bio, NULL, tls_no_passphrase, NULL))) {
		c->authorities += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	end = ERR_peek_last_error();
	if (ERR_GET_LIB(end) != ERR_LIB_PEM ||
	    ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
		return err_set(err, "certificate authority %zu is not readable: %s",
			       c->authorities + 1, tls_reason());
	ERR_clear_error();
	if (c->authorities == 0)
		return err_set(err, "no certificate authority in PEM form");
	return 0;
}

int
tls_client_new(struct span authorities, const struct tls_client_limits *limits,
	       struct tls_client **out, struct err *err)
{
	struct tls_client *c;

	if (tls_global_init(err) != 0)
		return -1;
	ERR_clear_error();
	c = memory_new(1, sizeof(*c));
	c->limits = *limits;
	c->ssl = SSL_CTX_new(TLS_client_method());
	ASSERT(c->ssl && SSL_CTX_dane_enable(c->ssl) == 1);
	tls_configure(c->ssl, CIPHERS);
	tls_resume_init(c);
	if (read_authorities(c, authorities, err) != 0) {
		tls_client_free(&c);
		return -1;
	}
	*out = c;
	return 0;
}

void
tls_client_free(struct tls_client **c)
{
	if (!*c)
		return;
	tls_resume_release(*c);
	SSL_CTX_free((*c)->ssl);
	free(*c);
	*c = NULL;
}

size_t
tls_client_authorities(const struct tls_client *c)
{
	return c->authorities;
}

struct tls_session *
tls_session_new_client(struct tls_client *c, int fd,
		       const struct tls_client_policy *policy)
{
	struct tls_session *t = memory_new(1, sizeof(*t));

	t->wish = memory_new(1, sizeof(*t->wish));
	t->ssl = SSL_new(c->ssl);
	ASSERT(t->ssl && SSL_set_fd(t->ssl, fd) == 1);
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	if (tls_wish_apply(t, policy)) {
		tls_resume_key(policy, t->wish->key);
		tls_resume_offer(c, t);
	}
	return t;
}
