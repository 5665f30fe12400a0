/* common/net/stream.h - one connection in the event loop, plain or under TLS
 *
 * Input is one contiguous span that the owner takes from; output is one buf that
 * the owner appends to and that is written once, at the end of the turn. Nothing
 * of either is kept while a stream is idle.
 *
 * Callbacks run from the event loop only, never inside a call of this header,
 * and may free the stream.
 */
#pragma once

#include "common/net/address.h"
#include "common/tls/tls.h"

struct event_base;
struct net_stream;

enum net_end {
	NET_END_CLOSED,   /* the peer sends no more; what came is still in the input,
			   * and output is still written */
	NET_END_FAULT,    /* broken; net_stream_fault() says why */
	NET_END_OVERFLOW, /* the owner wrote past output_max */
};

struct net_callbacks {
	/* More input than before, or net_stream_resume() was called. */
	void (*input)(struct net_stream *s, void *context);
	/* Output had reached output_high and is down at output_low. */
	void (*drained)(struct net_stream *s, void *context);
	/* The handshake that net_stream_secure() or net_stream_secure_client() asked
	 * for is done. */
	void (*secured)(struct net_stream *s, void *context);
	/* The time of net_stream_deadline() has come; it is set no more. */
	void (*deadline)(struct net_stream *s, void *context);
	/* At most once as CLOSED and once as another. The owner closes the stream. */
	void (*ended)(struct net_stream *s, enum net_end how, void *context);
};

struct net_sizes {
	size_t input_max;   /* reading stops while so much is waiting; up to 64 KiB */
	size_t output_high; /* net_stream_full() from here on */
	size_t output_low;
	size_t output_max; /* beyond it the stream is broken */
};

/* Owns fd, which does not block. */
MUST_USE struct net_stream *
net_stream_new(struct event_base *base, int fd, const struct net_sizes *sizes,
	       const struct net_callbacks *callbacks, void *context);
/* Input that somebody else has read already, at most 64 KiB; right after
 * net_stream_new(). */
void net_stream_preload(struct net_stream *s, struct span bytes);
/* Closes at once. */
void net_stream_free(struct net_stream **s);
/* Lets go of a stream: what was written is still sent, then the connection is
 * closed in order; all that for at most linger_ms. No callback comes any more. */
void net_stream_close(struct net_stream **s, uint32_t linger_ms);

/* --- input ---------------------------------------------------------------- */

/* What is waiting; valid until the callback returns or the next call. With this
 * an owner sees how many plaintext bytes stand behind a STARTTLS. */
MUST_USE struct span net_stream_input(const struct net_stream *s);
/* Takes n bytes off its front. */
void net_stream_take(struct net_stream *s, size_t n);
/* Asks for one more input callback in the next turn, with what is waiting. */
void net_stream_resume(struct net_stream *s);
/* Stops reading from the socket, or goes on. */
void net_stream_hold(struct net_stream *s, bool hold);

/* --- output --------------------------------------------------------------- */

void net_stream_write(struct net_stream *s, struct span bytes);
/* The unsent output itself, to append to; then net_stream_flush(). */
struct buf *net_stream_output(struct net_stream *s);
/* Has what was appended written at the end of this turn. */
void net_stream_flush(struct net_stream *s);
/* Bytes not yet with the kernel. */
MUST_USE size_t net_stream_unsent(const struct net_stream *s);
/* Time to stop writing until `drained`. */
MUST_USE bool net_stream_full(const struct net_stream *s);
/* Says to the peer that no more will come, behind what was written. */
void net_stream_shutdown(struct net_stream *s);

/* --- the rest ------------------------------------------------------------- */

/* One timer a stream: `deadline` is called once this long from now; 0 unsets it.
 * Setting it later again costs next to nothing. */
void net_stream_deadline(struct net_stream *s, uint64_t ms);

/* Begins TLS behind the output that is waiting. Input must be empty: the owner
 * has refused what a client sent behind its STARTTLS. */
void net_stream_secure(struct net_stream *s, struct tls_context *c);
/* The same on a connection that we made. A server that does not prove what the
 * policy asks for ends the stream as a fault. */
void net_stream_secure_client(struct net_stream *s, struct tls_client *c,
			      const struct tls_client_policy *policy);
/* Null on a plain stream and before `secured`. */
MUST_USE const struct tls_session *net_stream_tls(const struct net_stream *s);

/* Other marks and sizes from now on. */
void net_stream_resize(struct net_stream *s, const struct net_sizes *sizes);

/* Gives the socket away: its descriptor, with what was read and not taken put
 * behind `pending`. Only for a plain stream with nothing unsent. */
MUST_USE int net_stream_detach(struct net_stream **s, struct buf *pending);

uint64_t net_stream_bytes_in(const struct net_stream *s);
uint64_t net_stream_bytes_out(const struct net_stream *s);
const char *net_stream_fault(const struct net_stream *s);

/* Streams that were closed and are still sending. */
size_t net_streams_lingering(void);
