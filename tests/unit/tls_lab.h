/* tests/unit/tls_lab.h - certificates made on the spot, and OpenSSL's server against a
 * stream of ours
 */
#pragma once

#include "common/net/net.h"

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* --- certificates --------------------------------------------------------- */

struct lab_issued {
	X509 *x;
	EVP_PKEY *key;
};

/* What to issue. */
struct lab_order {
	const char *cn;
	const char *san;                 /* "DNS:a.example,IP:127.0.0.1"; null: none */
	const struct lab_issued *issuer; /* null: itself */
	bool authority;
	long from_s, until_s; /* from now; both 0: an hour ago to in a day */
	int rsa_bits;         /* 0: a P-256 key */
};

struct lab_issued lab_issue(const struct lab_order *order);
void lab_issued_release(struct lab_issued *i);
/* Appends it as PEM. */
void lab_put_pem(struct buf *out, const struct lab_issued *i);
/* The association data of a TLSA record; at holds 2048 bytes. */
struct tls_tlsa lab_tlsa(const struct lab_issued *i, unsigned usage, unsigned selector,
			 unsigned matching, unsigned char *at);

/* --- a stream and OpenSSL's server ---------------------------------------- */

struct lab {
	struct event_base *base;
	struct tls_client *client;
	struct net_stream *stream;
	struct buf input;
	size_t secured, faults, closed, deadlines;
	SSL_CTX *server_context;
	SSL *server;
	int peer; /* the server's end */
};

/* The server shows `leaf`, and behind it `chain` where that is not null. */
void
lab_init(struct lab *l, const struct lab_issued *leaf, const struct lab_issued *chain);
void lab_release(struct lab *l);
/* The client that has no other authority than `root`, or none. */
void lab_trust(struct lab *l, const struct lab_issued *root,
	       const struct tls_client_limits *limits);
/* One more connection, plain so far. */
void lab_connect(struct lab *l);
void lab_disconnect(struct lab *l);
void lab_turns(struct lab *l, int n);
/* Turns until the stream is secured, or has failed. */
void lab_shake(struct lab *l, const struct tls_client_policy *policy);
/* The server sends, the stream gets all of it. */
void lab_server_says(struct lab *l, const char *text);
