/* common/tls/client.h - TLS towards the servers that we connect to
 *
 * What    a context for outgoing connections, and what one of them asks of its
 *         server: nothing, a name under a known authority, or a TLSA record.
 * RFC     [RFC7672] DANE for SMTP, [RFC8461 4.1] MTA-STS, [RFC6125 6.4] names,
 *         [RFC6066 3] the server's name in the greeting.
 * Trust   certificates are the peer's. TLSA records and names are what a caller
 *         has verified (DNSSEC, a policy fetched over HTTPS, the configuration).
 * Memory  an idle session costs about 20 KB when it was resumed; else the server's
 *         certificates come on top, 2 to 4 KB each. The context keeps at most
 *         sessions_max finished sessions, 1 to 3 KB each, to resume.
 */
#pragma once

#include "common/base/base.h"

struct tls_client;
struct tls_session;

/* How a server proved who it is, and what a policy asks for. */
enum tls_verify {
	TLS_VERIFY_NONE,  /* anybody could be at the other end */
	TLS_VERIFY_NAMES, /* a certificate of one of the names, by a known authority */
	TLS_VERIFY_DANE,  /* a certificate that a TLSA record names */
};

/* The fields of a TLSA record [RFC6698 2.1]. */
struct tls_tlsa {
	uint8_t usage;
	uint8_t selector;
	uint8_t matching;
	struct span data;
};

/* What one connection asks for; only read during the call that takes it. Names are
 * of ASCII (A-labels [RFC5890 2.3.2.1]), a dot at their end does not count. */
struct tls_client_policy {
	struct span key; /* whose sessions may be resumed: host and port, say */
	struct span sni; /* the name the server is greeted by; empty: by none */
	enum tls_verify verify;
	/* One of these is the certificate's: in a DNS-ID, where `*` stands for one
	 * whole leftmost label [RFC8461 4.1]. An IP address is possible, alone. Not
	 * asked for by NONE (but looked at), nor by a record of usage 3. Of a DANE
	 * policy the first one is the TLSA base domain. A name that is none fails
	 * every policy but NONE. */
	const struct span *names;
	size_t n_names;
	const struct tls_tlsa *tlsa; /* for DANE */
	size_t n_tlsa;
};

/* How many of the records can be used: usage 2 or 3 [RFC7672 3.1.3], a selector
 * and a matching type that we know, and data of the right form. When none can, a
 * DANE policy still asks for TLS but authenticates nobody [RFC7672 2.2]: the
 * session says NONE. Who wants no such connection asks here first. */
MUST_USE size_t tls_tlsa_usable(const struct tls_tlsa *records, size_t n);

struct tls_client_limits {
	size_t sessions_max; /* kept for resumption; 0: none */
	uint32_t session_s;  /* how long after its server was verified; 0: never */
};

/* authorities is PEM of any number of certificates, or empty: then no name can be
 * verified. Reads nothing else, so that it can be called before a jail. */
MUST_USE int
tls_client_new(struct span authorities, const struct tls_client_limits *limits,
	       struct tls_client **out, struct err *err);
/* May go before its sessions. */
void tls_client_free(struct tls_client **c);

/* Authorities known, and sessions kept now. */
size_t tls_client_authorities(const struct tls_client *c);
size_t tls_client_sessions(const struct tls_client *c);

/* As tls_session_new(), for our side as the client. When the server cannot be
 * verified as the policy asks, tls_handshake() says TLS_FAULT and the fault is
 * "certificate of mx.example.org: expired" or the like. */
MUST_USE struct tls_session *
tls_session_new_client(struct tls_client *c, int fd,
		       const struct tls_client_policy *policy);

/* What was found, after the handshake. A NONE policy too is told NAMES when the
 * certificate would have done for its names. A resumed session says what was found
 * when it was made, under the same policy. */
MUST_USE enum tls_verify tls_session_verified(const struct tls_session *t);
/* Why that is NONE: "certificate of mx.example.org: self-signed"; else "". */
const char *tls_session_peer_fault(const struct tls_session *t);
