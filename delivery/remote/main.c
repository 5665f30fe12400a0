/* delivery/remote/main.c - the program that sends mail to other servers */
#include "delivery/remote/remote.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/random.h>

#define CA_BYTES_MAX   (16u << 20)
#define SESSIONS_MAX   4096u /* TLS sessions kept to be resumed */
#define SESSION_KEPT_S 3600u

static struct remote *
remote_of(const struct proc *p)
{
	return proc_context(p);
}

uint64_t
remote_random(struct remote *r)
{
	uint64_t x = r->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* --- before the jail ------------------------------------------------------ */

/* No file is no fault: then no authority is known, and what must be verified by one
 * is deferred. */
static int
authorities_read(const char *path, struct buf *out, struct err *err)
{
	int fd = path[0] ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 && path[0])
		logline(LOGLINE_WARNING, "remote.authorities", L_STR("file", path),
			L_STR("error", strerror(errno)));
	return fd < 0 ? 0 : proc_read_fd(fd, out, err);
}

static int
tls_make(struct remote *r, struct err *err)
{
	static const struct tls_client_limits limits = {SESSIONS_MAX, SESSION_KEPT_S};
	struct buf pem = buf_make(CA_BYTES_MAX);
	int result = authorities_read(proc_settings(r->proc)->tls_ca_file, &pem, err);

	if (result == 0)
		result = tls_client_new(buf_span(&pem), &limits, &r->tls, err);
	buf_release(&pem);
	return result;
}

static void
interfaces_read(struct remote *r)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) != 0)
		return;
	for (struct ifaddrs *at = all; at; at = at->ifa_next)
		if (at->ifa_addr && r->n_interfaces < OWN_ADDRESSES_MAX &&
		    net_address_from_sockaddr(at->ifa_addr,
					      &r->interfaces[r->n_interfaces]))
			r->n_interfaces++;
	freeifaddrs(all);
}

static int
remote_prepare(struct proc *p, struct err *err)
{
	struct remote *r = memory_new(1, sizeof(*r));

	r->proc = p;
	proc_set_context(p, r);
	interfaces_read(r);
	return tls_global_init(err) == 0 ? tls_make(r, err) : -1;
}

/* --- the start ------------------------------------------------------------ */

static void
own_add(struct remote *r, const struct net_address *a, uint16_t port)
{
	if (r->n_own == OWN_ADDRESSES_MAX)
		return;
	r->own[r->n_own] = *a;
	r->own[r->n_own++].port = port;
}

/* Where mail comes in here: an MX that leads there leads to ourselves. */
static void
own_collect(struct remote *r)
{
	const struct conf_list *list = &proc_settings(r->proc)->smtp_listen;
	struct conf_listen at;

	r->n_own = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct net_address a = {0};

		if (!conf_listen_parse(span_str(list->at[i]), &at))
			continue;
		memcpy(a.ip, at.address, sizeof(a.ip));
		if (!at.any)
			own_add(r, &a, at.port);
		for (size_t k = 0; at.any && k < r->n_interfaces; k++)
			own_add(r, &r->interfaces[k], at.port);
	}
}

static void
wake_nothing(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context; /* the turn that follows does the work */
}

static void
on_patience_end(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	jobs_drop(context, true);
}

static int
remote_start(struct proc *p, struct err *err)
{
	struct remote *r = remote_of(p);

	if (getrandom(&r->random, sizeof(r->random), 0) != sizeof(r->random))
		return err_sys(err, "no random numbers");
	r->epoch = 1;
	r->dns = dns_client_new(proc_base(p), proc_ticks_ms);
	r->health = hop_health_new();
	destinations_init(&r->destinations);
	LIST_INIT(&r->connections);
	own_collect(r);
	buf_init(&r->results, IPC_PACKET_MAX);
	r->piece = memory_new(PIECE_BYTES, 1);
	r->wake = event_new(proc_base(p), -1, 0, wake_nothing, r);
	r->patience = evtimer_new(proc_base(p), on_patience_end, r);
	ASSERT(r->wake && r->patience);
	return 0;
}

static void
remote_reload(struct proc *p)
{
	struct remote *r = remote_of(p);

	own_collect(r);
	destinations_retire(r);
}

/* --- messages ------------------------------------------------------------- */

static void
relay_refuse(struct ipc_peer *qmgr, uint64_t job, const char *why)
{
	const struct ipc_relayed m = {
	    .job = job, .last = 1, .connection = RELAY_UNTRIED, .text = span_str(why)};

	ipc_send_relayed(qmgr, &m);
}

static void
take_relay(struct remote *r, struct ipc_peer *qmgr, const struct ipc_relay *m)
{
	bool full = r->n_jobs >= JOBS_MAX;
	struct job *job = r->draining || full ? NULL : job_new(m, r->epoch);
	struct destination *d = NULL;

	if (job)
		d = destinations_get(r, m->domain, m->next_hop,
				     (m->flags & ENVELOPE_REQUIRETLS) != 0);
	if (!d) {
		relay_refuse(qmgr, m->job,
			     r->draining ? "this server stops"
			     : full      ? "too many messages are being sent"
			     : job       ? "the next hop makes no sense"
					 : "the job makes no sense");
		job_free(&job);
		return;
	}
	job->destination = d;
	d->n_jobs++;
	r->n_jobs++;
	job_start(r, job);
}

static void
remote_message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m,
	       int fd)
{
	struct remote *r = remote_of(p);

	if (segments_message(&r->segments, m, fd))
		return;
	switch (m->number) {
	case IPC_NUMBER_relay:
		take_relay(r, peer, &m->relay);
		break;
	case IPC_NUMBER_dns_answer:
	case IPC_NUMBER_sts_answer:
		if (!dns_client_message(r->dns, m))
			ipc_peer_drop(peer, "an answer that breaks the rules");
		break;
	default:
		break;
	}
}

static void
remote_peer_up(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_RESOLVED)
		dns_client_set_peer(remote_of(p)->dns, peer);
}

/* --- the others come and go, and the end -------------------------------- */

/* A new qmgr asks again for all that the old one was not told. What is at the end of
 * its message is let finish, so that the log at least has the answer. */
static void
remote_peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct remote *r = remote_of(p);

	if (ipc_peer_kind(peer) == IPC_KIND_RESOLVED &&
	    proc_peer(p, IPC_KIND_RESOLVED, 0) == NULL)
		dns_client_set_peer(r->dns, NULL);
	if (ipc_peer_kind(peer) != IPC_KIND_QMGR)
		return;
	r->epoch++;
	jobs_drop(r, false);
	segments_release(&r->segments);
}

static void
remote_turn(struct proc *p)
{
	const struct remote *r = remote_of(p);

	if (r->draining && r->n_connections == 0)
		proc_drained(p);
}

/* Half of the time of an orderly stop is for servers that have a whole message and do
 * not answer; the rest is for the programs that end later. */
static void
remote_drain(struct proc *p, bool now)
{
	struct remote *r = remote_of(p);
	const struct timeval patience = {
	    (time_t)(proc_settings(p)->stop_timeout_s + 1) / 2, 0};

	r->draining = true;
	jobs_drop(r, now);
	if (now)
		proc_drained(p);
	event_active(r->wake, EV_TIMEOUT, 0);
	evtimer_add(r->patience, &patience);
}

static void
remote_status(struct proc *p, struct buf *out)
{
	const struct remote *r = remote_of(p);
	const struct dns_client_count dns = dns_client_count(r->dns);
	const size_t unhealthy = hop_health_count(r->health, proc_ticks_ms() / 1000);
	const struct figure rows[] = {
	    {"delivered",           r->count.delivered   },
	    {"deferred",            r->count.deferred    },
	    {"failed",              r->count.failed      },
	    {"transactions",        r->count.transactions},
	    {"connects",            r->count.connects    },
	    {"unreachable",         r->count.unreachable },
	    {"reused",              r->count.reused      },
	    {"tls",                 r->count.tls         },
	    {"tls_verified",        r->count.verified    },
	    {"jobs",                r->n_jobs            },
	    {"connections",         r->n_connections     },
	    {"connections_at_rest", r->n_at_rest         },
	    {"destinations",        r->destinations.n    },
	    {"unhealthy",           unhealthy            },
	    {"segments_open",       r->segments.n        },
	    {"dns_asked",           dns.asked            },
	    {"dns_cached",          dns.cached           },
	    {"dns_late",            dns.late             },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_REMOTE,
    .prepare = remote_prepare,
    .start = remote_start,
    .message = remote_message,
    .peer_up = remote_peer_up,
    .peer_down = remote_peer_down,
    .reload = remote_reload,
    .turn = remote_turn,
    .drain = remote_drain,
    .status = remote_status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
