/* common/tls/internal.h - shared by the files of this room only */
#pragma once

#include "common/tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/queue.h>

struct tls_context {
	SSL_CTX *ssl;
	int64_t expires; /* seconds since 1970 */
};

struct tls_session {
	SSL *ssl;
	struct tls_wish *wish; /* as the client */
	bool answered;         /* something was written: the ticket went along */
	char *fault;           /* null: none yet */
};

/* One line into *text, in place of what was there. */
void tls_say(char **text, const char *format, ...) PRINTF(2, 3);
/* Takes the oldest of OpenSSL's queued reasons, and empties the queue. */
const char *tls_reason(void);
/* Both sides: versions, buffers, ways of ending. */
void tls_configure(SSL_CTX *ssl, const char *ciphers);
/* To read PEM from. */
BIO *tls_bio_of(struct span text);
/* For OpenSSL's PEM readers: refuses instead of asking on a terminal. */
int tls_no_passphrase(char *at, int n, int writing, void *context);

/* --- as the client -------------------------------------------------------- */

#define TLS_KEY_BYTES 32 /* a SHA-256 */

struct tls_kept;
TAILQ_HEAD(tls_kept_list, tls_kept);

struct tls_client {
	SSL_CTX *ssl; /* its app data is this, until tls_client_free() */
	size_t authorities;
	struct tls_client_limits limits;
	struct tls_kept_list *chains; /* by key */
	size_t chain_mask;
	struct tls_kept_list by_age; /* oldest first */
	size_t n_kept;
};

/* What we ask of the server of a session, and what we found. */
struct tls_wish {
	uint8_t key[TLS_KEY_BYTES]; /* of what may resume it */
	uint64_t verified_s;        /* when its server was; of a resumed one: earlier */
	enum tls_verify verify;
	enum tls_verify found;
	bool unusable; /* DANE was asked for, but none of its records is of use */
	bool named;    /* the certificate is compared with a name */
	char *name;    /* of the server, for texts */
	char *trouble; /* why the certificate does not do; null: nothing known */
};

/* verify.c */

void tls_wish_free(struct tls_wish **w);
/* Has OpenSSL ask for what the policy asks for; false when that cannot be, and
 * then the fault says why. */
MUST_USE bool tls_wish_apply(struct tls_session *t, const struct tls_client_policy *p);
/* After the handshake: what was found. */
void tls_wish_done(struct tls_session *t);
/* After a handshake that failed: whether that was for the certificate; then the
 * fault says so. */
void tls_wish_failed(struct tls_session *t);

/* resume.c */

void tls_resume_init(struct tls_client *c);
void tls_resume_release(struct tls_client *c);
/* What a session of this policy may be resumed by. */
void tls_resume_key(const struct tls_client_policy *p, uint8_t key[TLS_KEY_BYTES]);
/* Offers the server what is kept. */
void tls_resume_offer(struct tls_client *c, struct tls_session *t);
/* What was offered is of no use. */
void tls_resume_forget(struct tls_session *t);
