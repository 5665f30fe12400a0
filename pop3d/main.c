#include "pop3d/pop3d.h"

#define THREADS 8 /* they mostly wait for the disk */

static struct pop3d *
pop3d_of(const struct proc *p)
{
	return proc_context(p);
}

static int
start(struct proc *p, struct err *err)
{
	struct pop3d *d = memory_new(1, sizeof(*d));

	(void)err;
	d->proc = p;
	d->arrivals = arrivals_new(p, AUTH_SERVICE_POP3, &visit_callbacks, d);
	LIST_INIT(&d->visits);
	waiting_init(d);
	proc_set_context(p, d);
	proc_set_threads(p, THREADS);
	return 0;
}

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	(void)peer;
	if (m->number == IPC_NUMBER_account_closed)
		visits_bar(pop3d_of(p), m->account_closed.account);
	else
		arrivals_message(pop3d_of(p)->arrivals, m, fd);
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	if (ipc_peer_kind(peer) == IPC_KIND_AUTHD)
		arrivals_unredeemed(pop3d_of(p)->arrivals);
}

static void
turn(struct proc *p)
{
	struct pop3d *d = pop3d_of(p);

	if (d->draining && d->n_visits == 0 && net_streams_lingering() == 0)
		proc_drained(p);
}

/* An update under way is finished: its client may be told that it was. */
static void
drain(struct proc *p, bool now)
{
	struct pop3d *d = pop3d_of(p);

	if (!d->draining)
		visits_stop(d);
	d->draining = true;
	if (now)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct pop3d *d = pop3d_of(p);
	const struct figure rows[] = {
	    {"sessions",  d->n_visits },
            {"logins",    d->logins   },
	    {"refused",   d->refused  },
            {"retrieved", d->retrieved},
	    {"deleted",   d->deleted  },
            {"bytes",     d->bytes    },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

int
main(int argc, char **argv)
{
	static const struct proc_program program = {
	    .kind = IPC_KIND_POP3D,
	    .start = start,
	    .peer_down = peer_down,
	    .message = message,
	    .turn = turn,
	    .drain = drain,
	    .status = status,
	};

	return proc_main(argc, argv, &program);
}
