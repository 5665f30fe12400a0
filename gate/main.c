#include "gate/gate.h"

#include <sys/random.h>

static struct gate *
gate_of(const struct proc *p)
{
	return proc_context(p);
}

/* --- settings ------------------------------------------------------------- */

static void
configure(struct gate *g)
{
	const struct settings *s = proc_settings(g->proc);
	struct net_limits_config limits = limits_of_clients(g->proc, IPC_KIND_GATE);

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
		    .starttls = g->certificate.tls && !gate_services[i].implicit_tls,
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

static void
accepted(void *owner, const void *service, int fd, const struct net_peer *peer)
{
	client_accept(owner, service, fd, peer);
}

static int
start(struct proc *p, struct err *err)
{
	struct gate *g = memory_new(1, sizeof(*g));
	struct net_limits_config limits = limits_of_clients(p, IPC_KIND_GATE);
	uint64_t random[3];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "no random numbers");
	proc_set_context(p, g);
	g->proc = p;
	g->next_sid = random[0];
	limits.seed = random[1];
	/* For the choice of who is refused in a crowd, nothing secret. */
	srand((unsigned)random[2]);
	certificate_init(&g->certificate);
	listeners_init(&g->listeners, proc_base(p), accepted, g);
	LIST_INIT(&g->clients);
	g->limits = net_limits_new(&limits);
	configure(g);
	return 0;
}

static void
reload(struct proc *p)
{
	struct gate *g = gate_of(p);

	if (!*proc_settings(p)->tls_certificate)
		certificate_forget(&g->certificate);
	configure(g);
}

static void
file(struct proc *p, struct span name, int fd)
{
	struct gate *g = gate_of(p);

	if (certificate_take(&g->certificate, name, fd))
		configure(g);
}

/* --- listeners ------------------------------------------------------------ */

static void
listener(struct proc *p, struct span name, int fd)
{
	const struct gate_service *service = gate_service_find(name);

	ASSERT(service);
	listeners_add(&gate_of(p)->listeners, service, fd);
}

static void
unlisten(struct proc *p, struct span name)
{
	const struct gate_service *service = gate_service_find(name);

	if (service)
		listeners_close(&gate_of(p)->listeners, service);
}

/* --- the other programs --------------------------------------------------- */

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

/* --- the rest ------------------------------------------------------------- */

static void
turn(struct proc *p)
{
	struct gate *g = gate_of(p);

	certificate_turn(&g->certificate);
	if (g->draining && net_streams_lingering() == 0)
		proc_drained(p);
}

/* Nothing here is ever acknowledged, so nothing is waited for but last words. */
static void
drain(struct proc *p, bool now)
{
	struct gate *g = gate_of(p);
	struct client *c, *next;

	listeners_close(&g->listeners, NULL);
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
	const struct figure rows[] = {
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

	figures_put(rows, N_ELEMS(rows), out);
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
