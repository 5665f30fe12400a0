/* resolver/main.c - the program that asks the DNS, for all the others */
#include "resolver/resolver.h"
#include "resolver/fetch.h"
#include "resolver/sts.h"

#include <event2/event.h>
#include <unistd.h>

#define TICK_MS 250

static void
on_tick(int fd, short what, void *context)
{
	struct resolver *r = context;

	(void)fd, (void)what;
	lookups_tick(&r->lookups);
}

/* --- life ----------------------------------------------------------------- */

/* All that libunbound, libcurl and OpenSSL read from files is read here. */
static int
resolver_prepare(struct proc *p, struct err *err)
{
	const struct settings *settings = proc_settings(p);
	struct resolver *r = memory_new(1, sizeof(*r));
	struct ub_ctx *ctx = servers_context(proc_base(p), settings, err);
	struct fetcher *fetcher;

	if (!ctx)
		return -1;
	fetcher = fetcher_new(proc_base(p), settings->tls_ca_file, err);
	if (!fetcher)
		return -1;
	r->proc = p;
	lookups_init(&r->lookups, ctx, proc_ticks_ms);
	LIST_INIT(&r->asks);
	r->sts = sts_new(&r->lookups, fetcher, proc_ticks_ms);
	proc_set_context(p, r);
	return 0;
}

static int
resolver_start(struct proc *p, struct err *err)
{
	static const struct timeval period = {0, TICK_MS * 1000};
	struct resolver *r = proc_context(p);

	r->tick = event_new(proc_base(p), -1, EV_PERSIST, on_tick, r);
	if (!r->tick || event_add(r->tick, &period) != 0)
		return err_set(err, "no timer can be had");
	return 0;
}

static void
resolver_file(struct proc *p, struct span name, int fd)
{
	struct resolver *r = proc_context(p);

	if (span_equal(name, SPAN("sts.policies")))
		sts_keep(r->sts, fd, proc_now_us);
	else
		close(fd);
}

static void
resolver_message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m,
		 int fd)
{
	struct resolver *r = proc_context(p);

	(void)fd;
	if (m->number == IPC_NUMBER_dns_ask)
		ask_dns(r, peer, &m->dns_ask);
	else if (m->number == IPC_NUMBER_sts_ask)
		ask_sts(r, peer, &m->sts_ask);
}

static void
resolver_peer_down(struct proc *p, struct ipc_peer *peer)
{
	ask_drop_peer(proc_context(p), peer);
}

static void
resolver_turn(struct proc *p)
{
	struct resolver *r = proc_context(p);

	lookups_turn(&r->lookups);
}

/* Those who ask have ended before, by the order of the service table. */
static void
resolver_drain(struct proc *p, bool now)
{
	(void)now;
	proc_drained(p);
}

static void
resolver_status(struct proc *p, struct buf *out)
{
	struct resolver *r = proc_context(p);
	struct sts_count sts = sts_count(r->sts);
	const struct figure rows[] = {
	    {"asked",        r->count.asked           },
	    {"refused",      r->count.refused         },
	    {"open",         r->n_asks                },
	    {"lookups",      r->lookups.count.started },
	    {"lookups_open", r->lookups.n             },
	    {"secure",       r->lookups.count.secure  },
	    {"insecure",     r->lookups.count.insecure},
	    {"bogus",        r->lookups.count.bogus   },
	    {"failed",       r->lookups.count.failed  },
	    {"late",         r->lookups.count.late    },
	    {"sts_asked",    sts.asked                },
	    {"sts_known",    sts.known                },
	    {"sts_fetched",  sts.fetched              },
	    {"sts_failed",   sts.failed               },
	    {"sts_policies", sts.policies             },
	    {"sts_kept",     sts.kept                 },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_RESOLVED,
    .prepare = resolver_prepare,
    .start = resolver_start,
    .file = resolver_file,
    .message = resolver_message,
    .peer_down = resolver_peer_down,
    .turn = resolver_turn,
    .drain = resolver_drain,
    .status = resolver_status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
