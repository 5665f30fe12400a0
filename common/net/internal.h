/* common/net/internal.h - a stream from inside; for this room's files only */
#pragma once

#include "common/net/net.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#define NET_READ_MAX 65536u /* bytes taken from one socket a turn */
#define NET_KEPT_MAX 512u   /* a buffer up to this size is kept while idle */

enum net_state {
	NET_S_PLAIN,
	NET_S_BEFORE_TLS, /* the plain output goes first */
	NET_S_HANDSHAKE,
	NET_S_TLS,
	NET_S_BROKEN,
	NET_S_LINGERING, /* let go of by its owner */
};

struct net_stream {
	struct event readable;
	struct event writable; /* also made active by hand, to flush this turn */
	struct event timer;
	int fd;
	enum net_state state;

	bool busy;    /* inside one of our event handlers */
	bool dead;    /* freed while busy */
	bool reading; /* `readable` is armed */
	bool held;
	bool ended_in;    /* the peer's end was seen */
	bool tls_waiting; /* the session may hold input that epoll cannot see */
	bool tls_blocked; /* it wants to write before it can go on reading */
	bool write_waits; /* for input, inside the session */
	bool was_full;    /* `drained` is owed */
	bool resumed;     /* one more `input` is owed */
	bool shutting;    /* the end is to be sent behind the output */
	bool shut;        /* it was */
	bool closed_told;
	bool broken_told;
	bool overflow;

	const struct net_callbacks *callbacks;
	void *context;
	struct net_sizes sizes;
	struct tls_session *tls;

	struct span input; /* in `in`, or in the scratch during a callback */
	struct buf in;
	struct buf out;

	uint64_t deadline_ms; /* 0: none */
	uint64_t timer_ms;    /* when `timer` fires; 0: it is not set */
	bool again;           /* work is left for the next turn */

	uint64_t bytes_in;
	uint64_t bytes_out;
	size_t discarded;
	char *fault; /* null: none yet */
};

/* The only place that changes the state. */
void net_stream_enter(struct net_stream *s, enum net_state to);
/* The connection is of no more use; `ended` will say so. */
void net_stream_broken(struct net_stream *s, const char *why);

/* TCP without delay and with keepalive. */
void net_socket_options(int fd);

/* --- io.c: moving bytes; no callback is called from there ----------------- */

/* One read of at most input_max; sets `resumed` when something came. */
void net_read(struct net_stream *s);
/* Throws away what the peer of a closed stream still sends. */
void net_discard(struct net_stream *s);
/* Keeps what the owner left, gives back what nobody needs. */
void net_settle_input(struct net_stream *s);
/* As much output as the socket takes now. */
void net_write(struct net_stream *s);
/* Sends the end once everything else is sent. */
void net_write_end(struct net_stream *s);
/* A step of the handshake; true when it has just been finished. */
MUST_USE bool net_handshake(struct net_stream *s);
