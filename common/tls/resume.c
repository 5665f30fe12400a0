#include "common/tls/internal.h"

#include <openssl/evp.h>
#include <time.h>

#define SESSION_BYTES_MAX 8192 /* certificate and ticket; larger ones are not kept */

/* A finished session, as bytes: with its chain of certificates parsed it would be
 * several times as large. */
struct tls_kept {
	TAILQ_ENTRY(tls_kept) chain, age;
	uint8_t key[TLS_KEY_BYTES];
	uint64_t verified_s;
	int n;
	unsigned char bytes[];
};

static uint64_t
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec;
}

/* --- the key -------------------------------------------------------------- */

static void
add(EVP_MD_CTX *sum, const void *at, size_t n)
{
	ASSERT(EVP_DigestUpdate(sum, &n, sizeof(n)) == 1 &&
	       EVP_DigestUpdate(sum, at, n) == 1);
}

/* Whatever a policy asks for is in the key, so that a session can only be resumed
 * by one that would have verified the same. */
void
tls_resume_key(const struct tls_client_policy *p, uint8_t key[TLS_KEY_BYTES])
{
	EVP_MD_CTX *sum = EVP_MD_CTX_new();

	ASSERT(sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1);
	add(sum, p->key.at, p->key.n);
	add(sum, p->sni.at, p->sni.n);
	add(sum, &p->verify, sizeof(p->verify));
	add(sum, &p->n_names, sizeof(p->n_names));
	for (size_t i = 0; i < p->n_names; i++)
		add(sum, p->names[i].at, p->names[i].n);
	for (size_t i = 0; i < p->n_tlsa; i++) {
		const struct tls_tlsa *r = &p->tlsa[i];
		const uint8_t head[] = {r->usage, r->selector, r->matching};

		add(sum, head, sizeof(head));
		add(sum, r->data.at, r->data.n);
	}
	ASSERT(EVP_DigestFinal_ex(sum, key, NULL) == 1);
	EVP_MD_CTX_free(sum);
}

/* --- what is kept --------------------------------------------------------- */

static struct tls_kept_list *
chain_of(struct tls_client *c, const uint8_t *key)
{
	size_t at;

	memcpy(&at, key, sizeof(at));
	return &c->chains[at & c->chain_mask];
}

static struct tls_kept *
find(struct tls_client *c, const uint8_t *key)
{
	struct tls_kept *k;

	TAILQ_FOREACH(k, chain_of(c, key), chain)
	if (memcmp(k->key, key, TLS_KEY_BYTES) == 0)
		return k;
	return NULL;
}

static void
drop(struct tls_client *c, struct tls_kept *k)
{
	TAILQ_REMOVE(chain_of(c, k->key), k, chain);
	TAILQ_REMOVE(&c->by_age, k, age);
	c->n_kept--;
	OPENSSL_cleanse(k->bytes, (size_t)k->n);
	free(k);
}

static void
keep(struct tls_client *c, const struct tls_wish *w, SSL_SESSION *session)
{
	int n = i2d_SSL_SESSION(session, NULL);
	struct tls_kept *k = find(c, w->key);
	unsigned char *at;

	if (k)
		drop(c, k);
	if (n <= 0 || n > SESSION_BYTES_MAX)
		return;
	if (c->n_kept == c->limits.sessions_max)
		drop(c, TAILQ_FIRST(&c->by_age));
	k = memory_new(1, sizeof(*k) + (size_t)n);
	memcpy(k->key, w->key, TLS_KEY_BYTES);
	k->verified_s = w->verified_s;
	k->n = n;
	at = k->bytes;
	i2d_SSL_SESSION(session, &at);
	TAILQ_INSERT_HEAD(chain_of(c, k->key), k, chain);
	TAILQ_INSERT_TAIL(&c->by_age, k, age);
	c->n_kept++;
}

/* The server has given something to resume by: with TLS 1.2 at the end of the
 * handshake, with 1.3 at any time after it. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct tls_session *t = SSL_get_app_data(ssl);

	if (!c || !SSL_SESSION_is_resumable(session))
		return 0;
	/* A chain of resumptions does not make the proof any younger. */
	if (SSL_session_reused(ssl) != 1 || t->wish->verified_s == 0)
		t->wish->verified_s = seconds();
	keep(c, t->wish, session);
	return 0;
}

void
tls_resume_offer(struct tls_client *c, struct tls_session *t)
{
	struct tls_kept *k = c->chains ? find(c, t->wish->key) : NULL;
	SSL_SESSION *session;
	const unsigned char *at;

	if (!k)
		return;
	if (seconds() - k->verified_s >= c->limits.session_s) {
		drop(c, k);
		return;
	}
	at = k->bytes;
	session = d2i_SSL_SESSION(NULL, &at, k->n);
	if (session && SSL_set_session(t->ssl, session) == 1)
		t->wish->verified_s = k->verified_s;
	SSL_SESSION_free(session);
	ERR_clear_error();
}

void
tls_resume_forget(struct tls_session *t)
{
	struct tls_client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(t->ssl));
	struct tls_kept *k = c && c->chains ? find(c, t->wish->key) : NULL;

	if (k)
		drop(c, k);
}

/* --- life ----------------------------------------------------------------- */

void
tls_resume_init(struct tls_client *c)
{
	size_t n = 1;

	TAILQ_INIT(&c->by_age);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	if (c->limits.sessions_max == 0 || c->limits.session_s == 0)
		return;
	while (n < c->limits.sessions_max)
		n *= 2;
	c->chains = memory_new(n, sizeof(*c->chains));
	c->chain_mask = n - 1;
	for (size_t i = 0; i < n; i++)
		TAILQ_INIT(&c->chains[i]);
	SSL_CTX_set_app_data(c->ssl, c);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_CLIENT |
						   SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ssl, on_session);
}

void
tls_resume_release(struct tls_client *c)
{
	SSL_CTX_set_app_data(c->ssl, NULL);
	while (!TAILQ_EMPTY(&c->by_age))
		drop(c, TAILQ_FIRST(&c->by_age));
	free(c->chains);
}

size_t
tls_client_sessions(const struct tls_client *c)
{
	return c->n_kept;
}
