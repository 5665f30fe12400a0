#include "imapd/imapd.h"

#include "common/text/text.h"

#define THREADS     8 /* they mostly wait for the disk */
#define OUTPUT_HIGH 65536u

static struct imapd *
imapd_of(const struct proc *p)
{
	return proc_context(p);
}

/* --- settings ------------------------------------------------------------- */

static void
configure(struct imapd *d)
{
	const struct settings *s = proc_settings(d->proc);
	struct session_limits *l = &d->policy.limits;

	free(d->host_name);
	d->host_name = span_dup(span_str(s->hostname));
	d->policy.host_name = span_str(d->host_name);
	d->policy.temporary = d->temporary;
	d->policy.sync_flags = s->imap_flag_sync_interval_ms == 0;
	d->policy.compress = true;
	*l = session_limits_default;
	l->line_bytes_max = s->imap_line_bytes_max;
	l->literal_bytes_max = s->imap_literal_bytes_max;
	l->arguments_bytes_max = s->imap_command_bytes_max;
	l->message_bytes_max = s->message_bytes_max;
	l->output_high = OUTPUT_HIGH;
}

static int
start(struct proc *p, struct err *err)
{
	struct imapd *d = memory_new(1, sizeof(*d));

	d->proc = p;
	proc_set_context(p, d);
	proc_set_threads(p, THREADS);
	d->temporary = span_dup(span_str(proc_settings(p)->mail_directory));
	d->charsets = *text_charsets_mime(text_charsets_new());
	d->arrivals = arrivals_new(p, AUTH_SERVICE_IMAP, &connection_callbacks, d);
	configure(d);
	sync_init(d);
	notify_init(d);
	texts_init(d);
	return homes_init(d, err);
}

static void
reload(struct proc *p)
{
	configure(imapd_of(p));
}

/* --- the other programs --------------------------------------------------- */

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	struct imapd *d = imapd_of(p);

	(void)peer;
	if (m->number == IPC_NUMBER_account_changed)
		notify_changed(d, m->account_changed.account);
	else if (m->number == IPC_NUMBER_account_closed)
		home_end_sessions(d, m->account_closed.account);
	else if (m->number == IPC_NUMBER_account_quota)
		home_set_quota(d, m->account_quota.account,
			       m->account_quota.quota_bytes);
	else if (m->number == IPC_NUMBER_domain_quota)
		domain_set_quota(d, m->domain_quota.domain,
				 m->domain_quota.quota_bytes);
	else if (m->number == IPC_NUMBER_domain_use)
		domain_use_told(d, &m->domain_use);
	else
		arrivals_message(d->arrivals, m, fd);
}

static void
peer_up(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_LOCAL)
		notify_watch_all(imapd_of(p), ipc_peer_instance(peer));
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) != IPC_KIND_AUTHD)
		return;
	arrivals_unredeemed(imapd_of(p)->arrivals);
	domain_use_lost(imapd_of(p));
}

/* --- the rest ------------------------------------------------------------- */

static void
turn(struct proc *p)
{
	struct imapd *d = imapd_of(p);

	notify_turn(d);
	sync_turn(d);
	if (!d->draining)
		return;
	homes_look_after(d);
	if (d->n_connections == 0 && d->n_homes == 0 && sync_idle(d) &&
	    net_streams_lingering() == 0)
		proc_drained(p);
}

/* Flags that were changed and not synced yet are all that is owed. */
static void
drain(struct proc *p, bool now)
{
	struct imapd *d = imapd_of(p);

	if (!d->draining) {
		d->draining = true;
		arrivals_stop(d->arrivals);
		homes_end_all(d);
	}
	if (!now)
		return;
	sync_now(d);
	proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct imapd *d = imapd_of(p);
	const struct figure rows[] = {
	    {"sessions",      d->n_connections},
	    {"accounts_open", d->n_homes      },
	    {"logins",        d->logins       },
	    {"refused",       d->refused      },
	    {"commands",      d->commands     },
	    {"pushes",        d->pushes       },
	    {"syncs",         d->syncs        },
	    {"sync_faults",   d->sync_faults  },
	    {"text_steps",    d->text_steps   },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

int
main(int argc, char **argv)
{
	static const struct proc_program program = {
	    .kind = IPC_KIND_IMAPD,
	    .start = start,
	    .message = message,
	    .peer_up = peer_up,
	    .peer_down = peer_down,
	    .turn = turn,
	    .reload = reload,
	    .drain = drain,
	    .status = status,
	};

	return proc_main(argc, argv, &program);
}
