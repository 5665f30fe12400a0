#include "common/net/internal.h"

#include <errno.h>
#include <sys/socket.h>

#define DISCARD_MAX (1u << 20) /* what a closed stream reads and throws away */

/* One read goes here; only what its owner leaves is copied to the stream. */
static char scratch[NET_READ_MAX];

/* --- input ---------------------------------------------------------------- */

void
net_settle_input(struct net_stream *s)
{
	if (s->input.n == 0) {
		if (s->in.size > NET_KEPT_MAX)
			buf_release(&s->in);
		buf_reset(&s->in);
		s->input = buf_span(&s->in);
	} else if (s->input.at >= scratch && s->input.at < scratch + NET_READ_MAX) {
		buf_reset(&s->in);
		buf_put(&s->in, s->input);
		s->input = buf_span(&s->in);
	}
}

/* Where the next read goes, and how much of it: behind what is left, moved to
 * the front, or the scratch when nothing is. */
static char *
read_place(struct net_stream *s, size_t *room)
{
	size_t n = s->input.n;
	char *at;

	*room = s->sizes.input_max - n;
	if (n == 0)
		return scratch;
	buf_drop_front(&s->in, (size_t)(s->input.at - s->in.at));
	at = buf_extend(&s->in, *room);
	ASSERT(at);
	s->in.n = n;
	s->input = buf_span(&s->in);
	return at;
}

static void
read_done(struct net_stream *s, const char *at, size_t got)
{
	s->bytes_in += got;
	if (at == scratch) {
		s->input = span_make(scratch, got);
		return;
	}
	s->in.n += got;
	s->input = buf_span(&s->in);
}

/* Bytes into at: what came, 0 for nothing now or the end (then ended_in). No call
 * waits, whatever the flags say: who handed a socket over may still have it, and change
 * them. */
static size_t
read_plain(struct net_stream *s, char *at, size_t room)
{
	ssize_t got = recv(s->fd, at, room, MSG_DONTWAIT);

	if (got > 0)
		return (size_t)got;
	if (got == 0)
		s->ended_in = true;
	else if (errno != EAGAIN && errno != EINTR)
		net_stream_broken(s, strerror(errno));
	return 0;
}

static size_t
read_tls(struct net_stream *s, char *at, size_t room)
{
	size_t n = 0, got = 0;
	enum tls_io io = TLS_DONE;

	s->tls_waiting = s->tls_blocked = false;
	while (n < room && (io = tls_read(s->tls, at + n, room - n, &got)) == TLS_DONE)
		n += got;
	if (io == TLS_DONE)
		s->tls_waiting = true;
	else if (io == TLS_CLOSED)
		s->ended_in = true;
	else if (io == TLS_WANT_WRITE)
		s->tls_blocked = true;
	else if (io == TLS_FAULT)
		net_stream_broken(s, tls_session_fault(s->tls));
	return n;
}

void
net_discard(struct net_stream *s)
{
	ssize_t got = recv(s->fd, scratch, NET_READ_MAX, MSG_DONTWAIT);

	if (got > 0)
		s->discarded += (size_t)got;
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) ||
	    s->discarded > DISCARD_MAX)
		s->dead = true;
}

void
net_read(struct net_stream *s)
{
	size_t room, got;
	char *at;

	if (s->held || s->ended_in || s->input.n >= s->sizes.input_max)
		return;
	at = read_place(s, &room);
	got = s->state == NET_S_TLS ? read_tls(s, at, room) : read_plain(s, at, room);
	if (got == 0)
		return;
	read_done(s, at, got);
	s->resumed = true;
}

/* --- output --------------------------------------------------------------- */

/* One write; 0 when it has to wait. */
static size_t
write_some(struct net_stream *s, struct span bytes)
{
	ssize_t n;

	if (s->tls && s->state != NET_S_BEFORE_TLS) {
		size_t sent = 0;
		enum tls_io io = tls_write(s->tls, bytes, &sent);

		if (io == TLS_FAULT || io == TLS_CLOSED)
			net_stream_broken(s, io == TLS_FAULT ? tls_session_fault(s->tls)
							     : "closed while writing");
		s->write_waits = io == TLS_WANT_READ;
		return io == TLS_DONE ? sent : 0;
	}
	n = send(s->fd, bytes.at, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		net_stream_broken(s, strerror(errno));
	return n > 0 ? (size_t)n : 0;
}

/* Behind a write: what went is dropped, so that the owner sees the unsent only. */
static void
output_sent(struct net_stream *s, size_t n)
{
	s->bytes_out += n;
	buf_drop_front(&s->out, n);
	if (s->out.n == 0 && s->out.size > NET_KEPT_MAX) {
		bool full = s->out.full;

		buf_release(&s->out);
		s->out.full = full;
	}
}

void
net_write(struct net_stream *s)
{
	size_t sent = 0, n;

	if (s->out.full) {
		s->overflow = true;
		net_stream_broken(s, "more output than allowed");
	}
	if (s->state == NET_S_HANDSHAKE || s->state == NET_S_BROKEN)
		return;
	s->was_full |= net_stream_full(s);
	while (sent < s->out.n && s->state != NET_S_BROKEN && !s->dead) {
		n = write_some(s, span_after(buf_span(&s->out), sent));
		if (n == 0)
			break;
		sent += n;
	}
	output_sent(s, sent);
}

void
net_write_end(struct net_stream *s)
{
	if (!s->shutting || s->shut || net_stream_unsent(s) > 0 ||
	    s->state == NET_S_HANDSHAKE || s->state == NET_S_BEFORE_TLS ||
	    s->state == NET_S_BROKEN)
		return;
	if (s->tls)
		tls_goodbye(s->tls);
	if (shutdown(s->fd, SHUT_WR) != 0 && s->state == NET_S_LINGERING)
		s->dead = true;
	s->shut = true;
	if (s->state == NET_S_LINGERING && s->ended_in)
		s->dead = true;
}

/* --- TLS ------------------------------------------------------------------ */

bool
net_handshake(struct net_stream *s)
{
	enum tls_io io = tls_handshake(s->tls);

	s->tls_blocked = io == TLS_WANT_WRITE;
	switch (io) {
	case TLS_DONE:
		net_stream_enter(s, NET_S_TLS);
		s->tls_waiting = true;
		return true;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		break;
	case TLS_CLOSED:
		net_stream_broken(s, "closed during the handshake");
		break;
	case TLS_FAULT:
		net_stream_broken(s, tls_session_fault(s->tls));
		break;
	}
	return false;
}
