#include "common/arrival/arrival.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUCKETS    256u
#define REDEEM_MS  10000 /* as long as a ticket lives */
#define LINGER_MS  5000
#define LAST_WORDS 4096u

struct guest {
	TAILQ_ENTRY(guest) all; /* by age */
	LIST_ENTRY(guest) chain;
	struct arrival arrival;
	uint64_t tag, due_ms;
	char bytes[]; /* what the spans point to */
};

LIST_HEAD(guest_chain, guest);

struct arrivals {
	struct proc *proc;
	enum auth_service service;
	const struct arrival_callbacks *callbacks;
	void *context;
	TAILQ_HEAD(, guest) guests;
	struct guest_chain by_tag[BUCKETS];
	size_t n;
	uint64_t next_tag;
	struct event *timer; /* of the oldest */
	bool stopped;
};

/* --- the end of waiting --------------------------------------------------- */

static void
forget(struct arrivals *all, struct guest *g)
{
	TAILQ_REMOVE(&all->guests, g, all);
	LIST_REMOVE(g, chain);
	all->n--;
	free(g);
}

static void
refuse(struct arrivals *all, struct guest *g, const char *reason)
{
	static const struct net_sizes sizes = {
	    .input_max = 1, .output_high = LAST_WORDS, .output_max = LAST_WORDS};
	static const struct net_callbacks nobody;
	struct net_stream *s =
	    net_stream_new(proc_base(all->proc), g->arrival.fd, &sizes, &nobody, NULL);

	all->callbacks->refused(all->context, &g->arrival, reason,
				net_stream_output(s));
	net_stream_close(&s, LINGER_MS);
	forget(all, g);
}

static void
timer_set(struct arrivals *all)
{
	const struct guest *oldest = TAILQ_FIRST(&all->guests);
	uint64_t now = proc_ticks_ms(), left;
	struct timeval in;

	if (!oldest)
		return;
	left = oldest->due_ms > now ? oldest->due_ms - now : 1;
	in = (struct timeval){(time_t)(left / 1000), (suseconds_t)(left % 1000 * 1000)};
	evtimer_add(all->timer, &in);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct arrivals *all = context;
	struct guest *g;

	(void)fd;
	(void)what;
	while ((g = TAILQ_FIRST(&all->guests)) && g->due_ms <= proc_ticks_ms())
		refuse(all, g, "no answer from authd");
	timer_set(all);
}

static void
refuse_all(struct arrivals *all, const char *reason)
{
	struct guest *g;

	while ((g = TAILQ_FIRST(&all->guests)))
		refuse(all, g, reason);
}

/* --- coming --------------------------------------------------------------- */

static bool
is_stream(int fd)
{
	socklen_t size = sizeof(int);
	int type = 0, flags = fcntl(fd, F_GETFL);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_STREAM && flags >= 0 &&
	       fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static struct span
keep(char **at, struct span s)
{
	char *copy = *at;

	if (s.n > 0)
		memcpy(copy, s.at, s.n);
	*at += s.n;
	return span_make(copy, s.n);
}

static struct guest *
guest_new(struct arrivals *all, const struct ipc_session_open *m, int fd)
{
	struct guest *g = memory_new(1, sizeof(*g) + m->pending.n + m->tag.n);
	struct arrival *a = &g->arrival;
	char *at = g->bytes;

	a->fd = fd;
	a->account = m->account;
	a->tls = m->tls;
	a->pending = keep(&at, m->pending);
	a->tag = keep(&at, m->tag);
	memcpy(a->client.ip, m->client.at, sizeof(a->client.ip));
	g->tag = ++all->next_tag;
	g->due_ms = proc_ticks_ms() + REDEEM_MS;
	TAILQ_INSERT_TAIL(&all->guests, g, all);
	LIST_INSERT_HEAD(&all->by_tag[g->tag % BUCKETS], g, chain);
	if (all->n++ == 0)
		timer_set(all);
	return g;
}

static void
open_session(struct arrivals *all, const struct ipc_session_open *m, int fd)
{
	struct ipc_peer *authd = proc_peer(all->proc, IPC_KIND_AUTHD, 0);
	struct ipc_ticket_redeem ask = {.service = (uint8_t)all->service,
					.ticket = m->ticket};
	struct guest *g;

	if (m->client.n != sizeof(g->arrival.client.ip) || !is_stream(fd)) {
		logline(LOGLINE_WARNING, "session.refused",
			L_STR("reason", "gate sent what is no connection"));
		close(fd);
		return;
	}
	g = guest_new(all, m, fd);
	if (!authd || all->stopped) {
		refuse(all, g, authd ? "stopping" : "authd is away");
		return;
	}
	ask.tag = g->tag;
	ipc_send_ticket_redeem(authd, &ask);
}

/* --- the answer ----------------------------------------------------------- */

static struct guest *
find(struct arrivals *all, uint64_t tag)
{
	struct guest *g;

	LIST_FOREACH(g, &all->by_tag[tag % BUCKETS], chain)
	if (g->tag == tag)
		return g;
	return NULL;
}

static void
redeemed(struct arrivals *all, const struct ipc_ticket_redeemed *m)
{
	struct guest *g = find(all, m->tag);

	if (!g)
		return;
	if (!m->ok || m->account != g->arrival.account ||
	    !span_copy(m->address, g->arrival.address, sizeof(g->arrival.address))) {
		refuse(all, g, "the ticket is worth nothing");
		return;
	}
	g->arrival.quota_bytes = m->quota_bytes;
	g->arrival.domain = m->domain;
	g->arrival.domain_quota_bytes = m->domain_quota_bytes;
	all->callbacks->taken(all->context, &g->arrival);
	forget(all, g);
}

/* --- the door ------------------------------------------------------------- */

struct arrivals *
arrivals_new(struct proc *p, enum auth_service service,
	     const struct arrival_callbacks *callbacks, void *context)
{
	struct arrivals *all = memory_new(1, sizeof(*all));

	all->proc = p;
	all->service = service;
	all->callbacks = callbacks;
	all->context = context;
	TAILQ_INIT(&all->guests);
	all->timer = evtimer_new(proc_base(p), on_timer, all);
	ASSERT(all->timer);
	return all;
}

void
arrivals_message(struct arrivals *all, const struct ipc_message *m, int fd)
{
	if (m->number == IPC_NUMBER_session_open)
		open_session(all, &m->session_open, fd);
	else if (m->number == IPC_NUMBER_ticket_redeemed)
		redeemed(all, &m->ticket_redeemed);
}

void
arrivals_unredeemed(struct arrivals *all)
{
	refuse_all(all, "authd is away");
}

void
arrivals_stop(struct arrivals *all)
{
	all->stopped = true;
	refuse_all(all, "stopping");
}

size_t
arrivals_waiting(const struct arrivals *all)
{
	return all->n;
}
