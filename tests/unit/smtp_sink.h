/* tests/unit/smtp_sink.h - an SMTP or LMTP server in the event loop of a test
 *
 * It takes everything, unless the test's own reply() says otherwise.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/net/net.h"
#include "common/tls/tls.h"

#include <sys/queue.h>

struct event_base;
struct sink;

struct sink_client {
	LIST_ENTRY(sink_client) link;
	struct sink *sink;
	struct net_stream *stream;
	size_t messages, recipients;
	bool in_data;
	uint64_t chunk_left; /* of a BDAT command */
	bool chunk_last;
	char class;  /* of the last reply: '2' and so on */
	bool greets; /* comes with a ClientHello, and gets something else */
	bool quits;  /* closes when its output is sent */
	struct buf content;
};

struct sink {
	struct event_base *base;
	struct net_listener *listener;
	struct tls_context *tls; /* null: STARTTLS is not offered */
	uint16_t port;
	bool lmtp;
	const char *offers; /* "250-PIPELINING\r\n" and so on */
	bool login;         /* AUTH is answered with 235 */
	bool broken_tls;    /* what comes behind STARTTLS is no TLS */
	/* The reply to a command ("" at the greeting, "." at the end of a message):
	 * null for the usual one, "" to close the connection without one. */
	const char *(*reply)(struct sink *s, struct sink_client *c, struct span line);

	LIST_HEAD(, sink_client) clients;
	size_t connections, messages, recipients, secured, quits;
	size_t open;
	size_t wanted;       /* the test's own */
	struct buf content;  /* of the last message */
	struct buf commands; /* all lines, each ended by '\n' */
};

/* Listens on an address; port 0: any. */
void
sink_start(struct sink *s, struct event_base *base, const char *address, uint16_t port);
/* Closes all connections, and the socket. */
void sink_stop(struct sink *s);
/* Closes the connections. */
void sink_drop_all(struct sink *s);
