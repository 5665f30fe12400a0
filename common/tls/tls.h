/* common/tls/tls.h - the one header in front of OpenSSL's TLS
 *
 * What    TLS over a socket that does not block. Here the server's side: a context
 *         of certificate and key; sessions of either side, channel bindings, and
 *         names for logs and Received headers. The client's side is client.h.
 * RFC     [RFC8446] TLS 1.3, [RFC5246] TLS 1.2, nothing older [RFC8996];
 *         [RFC9266] tls-exporter, [RFC5929 4] tls-server-end-point.
 * Trust   every byte of a session is the peer's; nothing here asserts on one.
 * Memory  an idle session costs about 16 KB: its buffers are given back between
 *         records. A context may be freed while sessions of it live on.
 */
#pragma once

#include "common/base/base.h"
#include "common/tls/client.h"

struct tls_context;
struct tls_session;

#define TLS_BINDING_MAX 64

/* Everything OpenSSL could want from the disk is had by this call; it reads no
 * configuration file. Programs call it at their start, before their jail where
 * they can. A second call does nothing. */
MUST_USE int tls_global_init(struct err *err);

/* From PEM: the certificate with its chain behind it, and its unencrypted key
 * (ECDSA, Ed25519 or RSA). Fails when they do not belong together. A certificate
 * that is past its time is taken: see tls_context_expires(). */
MUST_USE int tls_context_new(struct span certificates, struct span key,
			     struct tls_context **out, struct err *err);
void tls_context_free(struct tls_context **c);

/* When the certificate ends, in seconds since 1970. */
int64_t tls_context_expires(const struct tls_context *c);

/* Forgets the key that session tickets are sealed with; called every few hours.
 * Clients with an older ticket make a whole handshake. */
void tls_context_rotate(struct tls_context *c);

enum tls_io {
	TLS_DONE,
	TLS_WANT_READ,  /* call again when the socket is readable */
	TLS_WANT_WRITE, /* call again when it is writable */
	TLS_CLOSED,     /* the peer said so, or just closed */
	TLS_FAULT,      /* see tls_session_fault() */
};

/* A session on fd, which stays the caller's. Nothing is sent before the first
 * tls_handshake(). */
MUST_USE struct tls_session *tls_session_new(struct tls_context *c, int fd);
/* Sends nothing; tls_goodbye() before it is polite. */
void tls_session_free(struct tls_session **t);

MUST_USE enum tls_io tls_handshake(struct tls_session *t);
/* Up to n bytes; *got is set with TLS_DONE. More may be waiting inside, so read
 * until TLS_WANT_READ. */
MUST_USE enum tls_io tls_read(struct tls_session *t, char *at, size_t n, size_t *got);
/* *sent may be less than n. After a WANT the same bytes come first again, but
 * may have moved in memory. */
MUST_USE enum tls_io tls_write(struct tls_session *t, struct span bytes, size_t *sent);
/* Tries once to send close_notify. */
void tls_goodbye(struct tls_session *t);

/* One line on what went wrong; "" when nothing did. */
const char *tls_session_fault(const struct tls_session *t);
/* "TLSv1.3" and "TLS_AES_256_GCM_SHA384"; after the handshake. */
const char *tls_session_version(const struct tls_session *t);
const char *tls_session_cipher(const struct tls_session *t);
/* Secret bits of the cipher. */
unsigned tls_session_bits(const struct tls_session *t);
bool tls_session_resumed(const struct tls_session *t);

enum tls_binding {
	TLS_BINDING_NONE,
	TLS_BINDING_EXPORTER,         /* "tls-exporter" */
	TLS_BINDING_SERVER_END_POINT, /* "tls-server-end-point" */
};

/* The bytes of a channel binding into out, TLS_BINDING_MAX bytes long; how many,
 * or 0 when this session has no such binding (tls-exporter on a TLS 1.2 session
 * without extended master secret; an end point whose signature names no hash). */
MUST_USE size_t tls_session_binding(const struct tls_session *t, enum tls_binding type,
				    uint8_t *out);

/* The binding that a SCRAM client names in the gs2-header of its first message:
 * "p=tls-server-end-point,..." [RFC5802 7]. NONE when it names none we know. */
MUST_USE enum tls_binding tls_binding_named(struct span client_first);
