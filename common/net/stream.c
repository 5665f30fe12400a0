#include "common/net/internal.h"

#include <time.h>
#include <unistd.h>

#define FAULT_MAX     160u /* bytes of a text */
#define LINGERING_MAX 512u /* closed streams that may wait for their peers */

static size_t lingering;

static const struct net_callbacks no_callbacks;

static uint64_t
ticks_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
net_stream_enter(struct net_stream *s, enum net_state to)
{
	ASSERT(s->state != NET_S_LINGERING);
	if (to == NET_S_LINGERING) {
		s->callbacks = &no_callbacks;
		s->held = s->resumed = false;
		s->shutting = true;
		lingering++;
	}
	s->state = to;
}

void
net_stream_broken(struct net_stream *s, const char *why)
{
	if (!s->fault)
		s->fault = span_dup(span_first(span_str(why), FAULT_MAX));
	if (s->state == NET_S_LINGERING)
		s->dead = true;
	else
		net_stream_enter(s, NET_S_BROKEN);
}

/* --- the timer ------------------------------------------------------------ */

static void
timer_arm(struct net_stream *s, uint64_t at_ms, uint64_t now_ms)
{
	uint64_t wait = at_ms > now_ms ? at_ms - now_ms : 0;
	struct timeval tv = {(time_t)(wait / 1000), (suseconds_t)(wait % 1000 * 1000)};

	if (s->timer_ms != 0 && s->timer_ms <= at_ms)
		return;
	s->timer_ms = at_ms;
	event_add(&s->timer, &tv);
}

/* Work is left, but the other streams come first: a timer of no time fires in
 * the next turn, where event_active() would still run in this one. */
static void
next_turn(struct net_stream *s)
{
	s->again = true;
	timer_arm(s, 1, 1);
}

void
net_stream_deadline(struct net_stream *s, uint64_t ms)
{
	uint64_t now = ms ? ticks_ms() : 0;

	s->deadline_ms = ms ? now + ms : 0;
	if (ms)
		timer_arm(s, s->deadline_ms, now);
}

/* --- input ---------------------------------------------------------------- */

struct span
net_stream_input(const struct net_stream *s)
{
	return s->input;
}

void
net_stream_take(struct net_stream *s, size_t n)
{
	ASSERT(n <= s->input.n);
	s->input = span_after(s->input, n);
	if (!s->busy)
		net_stream_flush(s);
}

static void
call_input(struct net_stream *s)
{
	if (!s->resumed || s->state == NET_S_BEFORE_TLS || s->state == NET_S_HANDSHAKE)
		return;
	s->resumed = false;
	if (s->callbacks->input)
		s->callbacks->input(s, s->context);
}

void
net_stream_hold(struct net_stream *s, bool hold)
{
	s->held = hold;
	if (!s->busy)
		net_stream_flush(s);
}

void
net_stream_resume(struct net_stream *s)
{
	s->resumed = true;
	next_turn(s);
}

/* --- output --------------------------------------------------------------- */

size_t
net_stream_unsent(const struct net_stream *s)
{
	return s->out.n;
}

bool
net_stream_full(const struct net_stream *s)
{
	return net_stream_unsent(s) >= s->sizes.output_high;
}

struct buf *
net_stream_output(struct net_stream *s)
{
	return &s->out;
}

void
net_stream_flush(struct net_stream *s)
{
	if (!s->busy)
		event_active(&s->writable, EV_WRITE, 0);
}

void
net_stream_write(struct net_stream *s, struct span bytes)
{
	buf_put(&s->out, bytes);
	net_stream_flush(s);
}

void
net_stream_shutdown(struct net_stream *s)
{
	s->shutting = true;
	net_stream_flush(s);
}

/* --- TLS ------------------------------------------------------------------ */

static void
secure(struct net_stream *s, struct tls_session *t)
{
	s->tls = t;
	net_stream_enter(s, NET_S_BEFORE_TLS);
	net_stream_flush(s);
}

void
net_stream_secure(struct net_stream *s, struct tls_context *c)
{
	ASSERT(s->state == NET_S_PLAIN && s->input.n == 0);
	secure(s, tls_session_new(c, s->fd));
}

void
net_stream_secure_client(struct net_stream *s, struct tls_client *c,
			 const struct tls_client_policy *policy)
{
	ASSERT(s->state == NET_S_PLAIN && s->input.n == 0);
	secure(s, tls_session_new_client(c, s->fd, policy));
}

const struct tls_session *
net_stream_tls(const struct net_stream *s)
{
	return s->state == NET_S_TLS ? s->tls : NULL;
}

/* --- the turn of one stream ----------------------------------------------- */

static void
destroy(struct net_stream *s)
{
	if (s->state == NET_S_LINGERING)
		lingering--;
	event_del(&s->readable);
	event_del(&s->writable);
	event_del(&s->timer);
	tls_session_free(&s->tls);
	if (s->fd >= 0)
		close(s->fd);
	buf_release(&s->in);
	buf_release(&s->out);
	free(s->fault);
	free(s);
}

static void
call_ended(struct net_stream *s)
{
	enum net_end how = s->overflow ? NET_END_OVERFLOW : NET_END_FAULT;

	if (s->state == NET_S_BROKEN && !s->broken_told)
		s->broken_told = true;
	else if (s->state != NET_S_BROKEN && s->ended_in && !s->closed_told)
		how = NET_END_CLOSED, s->closed_told = true;
	else
		return;
	if (s->callbacks->ended)
		s->callbacks->ended(s, how, s->context);
}

static void
call_drained(struct net_stream *s)
{
	if (!s->was_full || s->state == NET_S_BROKEN ||
	    net_stream_unsent(s) > s->sizes.output_low)
		return;
	s->was_full = false;
	if (s->callbacks->drained)
		s->callbacks->drained(s, s->context);
	/* What it wrote goes out in the next turn, so that one fast reader does
	 * not keep the loop for itself. */
	if (net_stream_unsent(s) > 0)
		next_turn(s);
}

static void
arm_reading(struct net_stream *s)
{
	bool want = !s->held && !s->ended_in && s->state != NET_S_BEFORE_TLS &&
		    s->state != NET_S_BROKEN && s->input.n < s->sizes.input_max;

	if (want != s->reading) {
		s->reading = want;
		if (want)
			event_add(&s->readable, NULL);
		else
			event_del(&s->readable);
	}
	if (want && s->tls_waiting && s->state == NET_S_TLS)
		next_turn(s);
}

static void
arm_writing(struct net_stream *s)
{
	bool output =
	    net_stream_unsent(s) > 0 && s->state != NET_S_HANDSHAKE && !s->write_waits;

	if (s->state != NET_S_BROKEN && !s->again && (output || s->tls_blocked))
		event_add(&s->writable, NULL);
}

static void
step_handshake(struct net_stream *s)
{
	if (net_handshake(s) && s->callbacks->secured)
		s->callbacks->secured(s, s->context);
}

/* Everything that is due, in the order in which a peer should see it. */
static void
work(struct net_stream *s, bool readable)
{
	if (s->state == NET_S_HANDSHAKE)
		step_handshake(s);
	if (!s->dead && s->state == NET_S_LINGERING && readable)
		net_discard(s);
	if (!s->dead && (s->state == NET_S_PLAIN || s->state == NET_S_TLS) &&
	    (readable || s->tls_waiting))
		net_read(s);
	if (!s->dead)
		call_input(s);
	if (!s->dead)
		net_write(s);
	if (!s->dead && s->state == NET_S_BEFORE_TLS && net_stream_unsent(s) == 0) {
		net_stream_enter(s, NET_S_HANDSHAKE);
		step_handshake(s);
	}
	if (!s->dead)
		call_drained(s);
	if (!s->dead)
		call_ended(s);
	if (!s->dead)
		net_write_end(s);
}

static void
leave(struct net_stream *s)
{
	if (!s->dead) {
		net_settle_input(s);
		arm_reading(s);
		arm_writing(s);
	}
	s->busy = false;
	if (s->dead)
		destroy(s);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct net_stream *s = context;

	(void)fd;
	(void)what;
	s->busy = true;
	work(s, true);
	leave(s);
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
	struct net_stream *s = context;

	(void)fd;
	(void)what;
	s->busy = true;
	work(s, s->tls_blocked);
	leave(s);
}

static void
call_deadline(struct net_stream *s, uint64_t now)
{
	if (s->deadline_ms == 0 || s->dead)
		return;
	if (now < s->deadline_ms) {
		timer_arm(s, s->deadline_ms, now);
		return;
	}
	s->deadline_ms = 0;
	if (s->state == NET_S_LINGERING)
		s->dead = true;
	else if (s->callbacks->deadline)
		s->callbacks->deadline(s, s->context);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct net_stream *s = context;

	(void)fd;
	(void)what;
	s->busy = true;
	s->timer_ms = 0;
	s->again = false;
	call_deadline(s, ticks_ms());
	if (!s->dead)
		work(s, false);
	leave(s);
}

/* --- life ----------------------------------------------------------------- */

struct net_stream *
net_stream_new(struct event_base *base, int fd, const struct net_sizes *sizes,
	       const struct net_callbacks *callbacks, void *context)
{
	struct net_stream *s = memory_new(1, sizeof(*s));

	s->fd = fd;
	s->callbacks = callbacks;
	s->context = context;
	net_stream_resize(s, sizes);
	event_assign(&s->readable, base, fd, EV_READ | EV_PERSIST, on_readable, s);
	event_assign(&s->writable, base, fd, EV_WRITE, on_writable, s);
	event_assign(&s->timer, base, -1, 0, on_timer, s);
	arm_reading(s);
	return s;
}

void
net_stream_resize(struct net_stream *s, const struct net_sizes *sizes)
{
	ASSERT(sizes->input_max > 0 && sizes->input_max <= NET_READ_MAX);
	ASSERT(sizes->output_low < sizes->output_high &&
	       sizes->output_high <= sizes->output_max);
	s->sizes = *sizes;
	s->in.max = NET_READ_MAX;
	s->out.max = sizes->output_max;
	if (s->input.n > 0 || s->out.n > 0)
		net_stream_flush(s);
}

void
net_stream_preload(struct net_stream *s, struct span bytes)
{
	ASSERT(s->input.n == 0 && bytes.n <= NET_READ_MAX);
	if (bytes.n == 0)
		return;
	buf_put(&s->in, bytes);
	s->input = buf_span(&s->in);
	net_stream_resume(s);
}

void
net_stream_free(struct net_stream **owner)
{
	struct net_stream *s = *owner;

	if (!s)
		return;
	*owner = NULL;
	s->callbacks = &no_callbacks;
	s->dead = true;
	if (!s->busy)
		destroy(s);
}

void
net_stream_close(struct net_stream **owner, uint32_t linger_ms)
{
	struct net_stream *s = *owner;

	if (!s)
		return;
	if (lingering >= LINGERING_MAX)
		net_write(s);
	if ((s->state != NET_S_PLAIN && s->state != NET_S_TLS) ||
	    lingering >= LINGERING_MAX) {
		net_stream_free(owner);
		return;
	}
	*owner = NULL;
	s->input = span_first(s->input, 0);
	net_stream_enter(s, NET_S_LINGERING);
	net_stream_deadline(s, linger_ms ? linger_ms : 1);
	net_stream_flush(s);
}

int
net_stream_detach(struct net_stream **owner, struct buf *pending)
{
	struct net_stream *s = *owner;
	int fd = s->fd;

	ASSERT(s->state == NET_S_PLAIN && net_stream_unsent(s) == 0);
	buf_put(pending, s->input);
	/* The event loop must forget the socket before it is given away. */
	event_del(&s->readable);
	event_del(&s->writable);
	s->fd = -1;
	net_stream_free(owner);
	return fd;
}

uint64_t
net_stream_bytes_in(const struct net_stream *s)
{
	return s->bytes_in;
}

uint64_t
net_stream_bytes_out(const struct net_stream *s)
{
	return s->bytes_out;
}

const char *
net_stream_fault(const struct net_stream *s)
{
	return s->fault ? s->fault : "";
}

size_t
net_streams_lingering(void)
{
	return lingering;
}
