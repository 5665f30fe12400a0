/* resolver/fetch.h - one small text by HTTPS, from addresses we looked up ourselves
 *
 * RFC     [RFC8461 3.3] TLS with a certificate for the very host, no redirects,
 *         text/plain, a limit on size and time.
 * Trust   the server is anyone's. libcurl may do HTTPS and nothing else; it asks no
 *         DNS, opens no file, keeps no connection.
 * Memory  at most FETCHES_AT_ONCE connections; others wait, within their time.
 */
#pragma once

#include "common/base/base.h"

struct event_base;
struct fetcher;
struct fetch;

#define FETCHES_AT_ONCE     64
#define FETCH_TIMEOUT_MS    60000 /* [RFC8461 3.3] suggests one minute */
#define FETCH_CONNECT_MS    20000
#define FETCH_ADDRESSES_MAX 8

/* Loads what TLS needs from files: to be called before the jail. ca_file: PEM. */
MUST_USE struct fetcher *
fetcher_new(struct event_base *base, const char *ca_file, struct err *err);
/* How many authorities there are to verify with. */
MUST_USE size_t fetcher_authorities(const struct fetcher *f);

struct fetch_target {
	const char *host; /* must be in the certificate */
	uint16_t port;
	const char *path;      /* "/x" */
	const char *addresses; /* "192.0.2.1,[2001:db8::1]" */
	size_t bytes_max;
};

/* error: null, or a text of ours; the body and it live until the callback returns.
 * Called from the loop. */
typedef void fetch_done(void *context, struct span body, const char *error);

MUST_USE struct fetch *fetch_start(struct fetcher *f, const struct fetch_target *target,
				   fetch_done *done, void *context);
/* No callback; null is allowed. */
void fetch_cancel(struct fetch **fetch);
