/* tests/unit/tls_server.h - a stream of ours as the server, and OpenSSL's client
 */
#pragma once

#include "common/net/net.h"

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* A certificate of mail.example.org, and its key, as PEM. */
struct identity {
	struct buf certificate;
	struct buf key;
};

/* Signed by itself, for so many seconds from now; takes the key. */
struct identity identity_make(EVP_PKEY *key, const EVP_MD *hash, long seconds);
/* A P-256 key, for a day. */
struct identity identity_ecdsa(void);
void identity_release(struct identity *id);
struct tls_context *context_of(const struct identity *id);

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

void set_up(struct fixture *f);
void set_up_with(struct fixture *f, struct identity id);
void tear_down(struct fixture *f);
/* One more connection, plain so far, and its end. */
void connect_both(struct fixture *f);
void disconnect(struct fixture *f);
void turns(struct fixture *f, int n);
void shake_hands(struct fixture *f);
void client_expects(struct fixture *f, const char *want);
