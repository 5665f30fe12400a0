#include "gate/gate.h"

#include <sys/random.h>

#define TLS_PEM_MAX      (1u << 20)
#define TICKET_KEYS_MS   (6u * 3600 * 1000)
#define LIMITS_TABLE_MAX 65536u
#define MINUTE_MS        60000u
#define EXPIRY_WARNING_S (14 * 86400)

static struct gate *
gate_of(const struct proc *p)
{
	return proc_context(p);
}

/* --- settings ------------------------------------------------------------------ */

uint32_t
gate_share(const struct proc *p, uint64_t all)
{
	uint32_t n = proc_count(p, IPC_KIND_GATE);
	uint64_t mine = (all + n - 1) / n;

	return mine < UINT32_MAX ? (uint32_t)mine : UINT32_MAX;
}

static struct net_limits_config
limits_config(const struct proc *p)
{
	const struct settings *s = proc_settings(p);
	struct net_limits_config config = {
	    .clients_max = LIMITS_TABLE_MAX,
	    .connections_max = gate_share(p, s->client_connections_max),
	};

	config.rates[NET_EVENT_CONNECTION] = (struct net_rate){
	    gate_share(p, s->client_connections_per_minute_max), MINUTE_MS};
	return config;
}

static void
configure(struct gate *g)
{
	const struct settings *s = proc_settings(g->proc);
	struct net_limits_config limits = limits_config(g->proc);

	free(g->host_name);
	g->host_name = span_dup(span_str(s->hostname));
	for (size_t i = 0; i < GATE_SERVICES; i++) {
		struct login_policy *policy = &g->policies[i];

		*policy = (struct login_policy){
		    .protocol = gate_services[i].protocol,
		    .limits = login_limits_default,
		    .host_name = span_str(g->host_name),
		    .mechanisms_tls =
			SPAN("SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"),
		    .mechanisms_plain = s->auth_without_tls
					    ? SPAN("SCRAM-SHA-256 PLAIN LOGIN")
					    : SPAN("SCRAM-SHA-256"),
		    .starttls = g->tls && !gate_services[i].implicit_tls,
		    .auth_without_tls = s->auth_without_tls,
		};
		policy->limits.failures_max = (unsigned)s->auth_failures_max;
	}
	if (g->limits)
		net_limits_configure(g->limits, &limits);
}

static int
prepare(struct proc *p, struct err *err)
{
	(void)p;
	return tls_global_init(err);
}

static int
start(struct proc *p, struct err *err)
{
	struct gate *g = memory_new(1, sizeof(*g));
	struct net_limits_config limits = limits_config(p);
	uint64_t random[3];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "no random numbers");
	proc_set_context(p, g);
	g->proc = p;
	g->next_sid = random[0];
	limits.seed = random[1];
	/* For the choice of who is refused in a crowd, nothing secret. */
	srand((unsigned)random[2]);
	buf_init(&g->certificate, TLS_PEM_MAX);
	buf_init(&g->key, TLS_PEM_MAX);
	LIST_INIT(&g->listeners);
	LIST_INIT(&g->clients);
	g->limits = net_limits_new(&limits);
	configure(g);
	return 0;
}

static void
reload(struct proc *p)
{
	configure(gate_of(p));
}

/* --- certificate ----------------------------------------------------------------- */

static void
tls_loaded(struct gate *g, struct tls_context *fresh)
{
	int64_t left = tls_context_expires(fresh) - (int64_t)(proc_now_us() / 1000000);

	logline(left < EXPIRY_WARNING_S ? LOGLINE_WARNING : LOGLINE_INFO,
		"gate.certificate", L_I64("days_left", left / 86400));
	tls_context_free(&g->tls);
	g->tls = fresh;
	g->tickets_ms = proc_ticks_ms();
	configure(g);
}

static void
wipe(struct buf *b)
{
	if (b->at)
		explicit_bzero(b->at, b->size);
	buf_release(b);
}

/* Both files come one after the other; the context is made of the pair. */
static void
file(struct proc *p, struct span name, int fd)
{
	struct gate *g = gate_of(p);
	bool is_key = span_equal(name, SPAN("tls.key"));
	struct buf *out = is_key ? &g->key : &g->certificate;
	struct tls_context *fresh = NULL;
	struct err err = {0};

	wipe(out);
	if (proc_read_fd(fd, out, &err) != 0) {
		logline(LOGLINE_ERROR, "gate.certificate.unread", L_SPAN("file", name),
			L_ERR(&err));
		return;
	}
	if (g->key.n == 0 || g->certificate.n == 0)
		return;
	if (tls_context_new(buf_span(&g->certificate), buf_span(&g->key), &fresh,
			    &err) == 0)
		tls_loaded(g, fresh);
	else
		logline(LOGLINE_ERROR, "gate.certificate.bad", L_ERR(&err));
	wipe(&g->certificate);
	wipe(&g->key);
}

/* --- listeners ------------------------------------------------------------------- */

static void
accepted(void *context, int fd, const struct net_peer *peer)
{
	client_accept(context, fd, peer);
}

static void
listener(struct proc *p, struct span name, int fd)
{
	struct gate *g = gate_of(p);
	const struct gate_service *service = gate_service_find(name);
	struct gate_listener *l;

	ASSERT(service);
	l = memory_new(1, sizeof(*l));
	l->gate = g;
	l->service = service;
	l->net = net_listener_new(proc_base(p), fd, accepted, l);
	LIST_INSERT_HEAD(&g->listeners, l, all);
}

static void
close_listeners(struct gate *g, const struct gate_service *only)
{
	struct gate_listener *l, *next;

	for (l = LIST_FIRST(&g->listeners); l; l = next) {
		next = LIST_NEXT(l, all);
		if (only && l->service != only)
			continue;
		LIST_REMOVE(l, all);
		net_listener_free(&l->net);
		free(l);
	}
}

static void
unlisten(struct proc *p, struct span name)
{
	const struct gate_service *service = gate_service_find(name);

	if (service)
		close_listeners(gate_of(p), service);
}

/* --- the other programs ------------------------------------------------------------
 */

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	(void)peer;
	(void)fd;
	exchange_message(gate_of(p), m);
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_AUTHD)
		exchanges_lost(gate_of(p));
}

/* --- the rest ----------------------------------------------------------------------
 */

static void
turn(struct proc *p)
{
	struct gate *g = gate_of(p);

	if (g->tls && proc_ticks_ms() - g->tickets_ms > TICKET_KEYS_MS) {
		tls_context_rotate(g->tls);
		g->tickets_ms = proc_ticks_ms();
	}
	if (g->draining && net_streams_lingering() == 0)
		proc_drained(p);
}

/* Nothing here is ever acknowledged, so nothing is waited for but last words. */
static void
drain(struct proc *p, bool now)
{
	struct gate *g = gate_of(p);
	struct client *c, *next;

	close_listeners(g, NULL);
	for (c = LIST_FIRST(&g->clients); c; c = next) {
		next = LIST_NEXT(c, all);
		client_end(c, LOGIN_STOPPING);
	}
	g->draining = true;
	if (now)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct gate *g = gate_of(p);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
	    {"connections",  g->connections               },
	    {"refused",      g->refused                   },
	    {"logins",       g->logins                    },
	    {"denied",       g->denials                   },
	    {"open",         g->n_clients                 },
	    {"before_login", g->n_before_login            },
	    {"pumped",       g->n_pumped                  },
	    {"pumped_bytes", g->pumped_bytes              },
	    {"clients",      net_limits_clients(g->limits)},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		buf_putf(out, "%s %llu\n", rows[i].name,
			 (unsigned long long)rows[i].value);
}

int
main(int argc, char **argv)
{
	static const struct proc_program program = {
	    .kind = IPC_KIND_GATE,
	    .prepare = prepare,
	    .start = start,
	    .listener = listener,
	    .unlisten = unlisten,
	    .file = file,
	    .peer_down = peer_down,
	    .message = message,
	    .turn = turn,
	    .reload = reload,
	    .drain = drain,
	    .status = status,
	};

	return proc_main(argc, argv, &program);
}
