/* smtpd/main.c - takes mail by SMTP and LMTP */
#include "smtpd/smtpd.h"

#include <sys/random.h>

static struct smtpd *
smtpd_of(const struct proc *p)
{
	return proc_context(p);
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
	struct smtpd *d = memory_new(1, sizeof(*d));
	struct net_limits_config limits;
	uint64_t random[3];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "no random numbers");
	proc_set_context(p, d);
	d->proc = p;
	listeners_init(&d->listeners, proc_base(p), accepted, d);
	d->next_sid = random[0];
	d->next_tag = random[1] >> 1; /* never 0 in any life of ours */
	d->host_name = span_dup(span_str(proc_settings(p)->hostname));
	certificate_init(&d->certificate);
	buf_init(&d->envelope, ENVELOPE_BYTES_MAX);
	buf_init(&d->recipients, ENVELOPE_BYTES_MAX);
	TAILQ_INIT(&d->for_id);
	TAILQ_INIT(&d->for_room);
	limits = limits_of_clients(p, IPC_KIND_SMTPD);
	limits.seed = random[2];
	d->limits = net_limits_new(&limits);
	d->dns = dns_client_new(proc_base(p), proc_ticks_ms);
	settings_apply(d);
	return 0;
}

static void
reload(struct proc *p)
{
	struct smtpd *d = smtpd_of(p);

	if (!*proc_settings(p)->tls_certificate)
		certificate_forget(&d->certificate);
	settings_apply(d);
}

static void
file(struct proc *p, struct span name, int fd)
{
	struct smtpd *d = smtpd_of(p);

	if (certificate_take(&d->certificate, name, fd))
		settings_apply(d);
}

/* --- listeners ------------------------------------------------------------ */

static void
listener(struct proc *p, struct span name, int fd)
{
	const struct smtpd_service *service = smtpd_service_find(name);

	ASSERT(service);
	listeners_add(&smtpd_of(p)->listeners, service, fd);
}

static void
unlisten(struct proc *p, struct span name)
{
	const struct smtpd_service *service = smtpd_service_find(name);

	if (service)
		listeners_close(&smtpd_of(p)->listeners, service);
}

/* --- the other programs --------------------------------------------------- */

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	(void)fd;
	if (ipc_peer_kind(peer) == IPC_KIND_SPOOLD)
		message_message(smtpd_of(p), peer, m);
	else if (ipc_peer_kind(peer) != IPC_KIND_RESOLVED)
		ask_message(smtpd_of(p), m);
	else if (!dns_client_message(smtpd_of(p)->dns, m))
		ipc_peer_drop(peer, "an answer that breaks the rules");
}

static void
peer_up(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_RESOLVED)
		dns_client_set_peer(smtpd_of(p)->dns, peer);
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_SPOOLD)
		message_lost(smtpd_of(p));
	if (ipc_peer_kind(peer) == IPC_KIND_AUTHD)
		ask_lost(smtpd_of(p));
	if (ipc_peer_kind(peer) == IPC_KIND_RESOLVED &&
	    proc_peer(p, IPC_KIND_RESOLVED, 0) == NULL)
		dns_client_set_peer(smtpd_of(p)->dns, NULL);
}

/* --- the rest ------------------------------------------------------------- */

static void
turn(struct proc *p)
{
	struct smtpd *d = smtpd_of(p);

	message_turn(d);
	certificate_turn(&d->certificate);
	if (d->draining && d->n_clients == 0 && net_streams_lingering() == 0)
		proc_drained(p);
}

/* A message whose end spoold has is waited for: its sender must hear of it. */
static void
drain(struct proc *p, bool now)
{
	struct smtpd *d = smtpd_of(p);
	struct client *c, *next;

	listeners_close(&d->listeners, NULL);
	d->draining = true;
	for (c = LIST_FIRST(&d->clients); c; c = next) {
		next = LIST_NEXT(c, all);
		client_stop(c);
	}
	if (now)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct smtpd *d = smtpd_of(p);
	const struct dns_client_count dns = dns_client_count(d->dns);
	const struct figure rows[] = {
	    {"connections",   d->count.connections         },
	    {"turned_away",   d->count.turned_away         },
	    {"open",          d->n_clients                 },
	    {"before_login",  d->n_before_login            },
	    {"logins",        d->count.logins              },
	    {"messages",      d->count.messages            },
	    {"message_bytes", d->count.message_bytes       },
	    {"recipients",    d->count.recipients          },
	    {"refused",       d->count.refused             },
	    {"clients",       net_limits_clients(d->limits)},
	    {"dns_asked",     dns.asked                    },
	    {"dns_late",      dns.late                     },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

int
main(int argc, char **argv)
{
	static const struct proc_program program = {
	    .kind = IPC_KIND_SMTPD,
	    .prepare = prepare,
	    .start = start,
	    .listener = listener,
	    .unlisten = unlisten,
	    .file = file,
	    .peer_up = peer_up,
	    .peer_down = peer_down,
	    .message = message,
	    .turn = turn,
	    .reload = reload,
	    .drain = drain,
	    .status = status,
	};

	return proc_main(argc, argv, &program);
}
