#include "authd/access.h"
#include "authd/office.h"
#include "authd/opening.h"

#include <event2/event.h>
#include <sys/random.h>
#include <unistd.h>

struct directory_policy
authd_policy(const struct authd *a)
{
	const struct settings *s = proc_settings(a->proc);

	return (struct directory_policy){.delimiters = span_str(s->recipient_delimiter),
					 .postmaster = span_str(s->postmaster),
					 .now = proc_now_us() / 1000000};
}

/* ---- time */

static bool
anything_waits(const struct authd *a)
{
	return a->n_exchanges > 0 || a->n_questions > 0 || a->n_shows > 0 ||
	       a->n_domain_uses > 0 || logins_wait(a->logins) || office_open(a->office);
}

void
authd_tick_later(struct authd *a)
{
	const struct timeval after = {0, TICK_MS * 1000};

	if (!evtimer_pending(a->tick, NULL))
		evtimer_add(a->tick, &after);
}

static void
on_tick(int fd, short what, void *context)
{
	struct authd *a = context;
	uint64_t now_ms = proc_ticks_ms();

	(void)fd;
	(void)what;
	exchanges_tick(a, now_ms);
	resolve_tick(a, now_ms);
	shows_tick(a, now_ms);
	domain_uses_tick(a, now_ms);
	logins_tick(a->logins, now_ms);
	office_tick(a->office, now_ms);
	if (anything_waits(a))
		authd_tick_later(a);
}

/* ---- start */

static unsigned
thread_count(const struct settings *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (s->authd_threads > 0)
		return (unsigned)s->authd_threads;
	return cores > 0 ? (unsigned)cores : 1;
}

int
authd_start(struct proc *p, struct err *err)
{
	struct authd *a = memory_new(1, sizeof(*a));
	uint8_t random[40];
	uint64_t seed;

	proc_set_context(p, a);
	a->proc = p;
	LIST_INIT(&a->exchanges);
	TAILQ_INIT(&a->questions);
	TAILQ_INIT(&a->errands);
	TAILQ_INIT(&a->shows);
	TAILQ_INIT(&a->domain_uses);
	TAILQ_INIT(&a->parked);
	tickets_init(&a->tickets);
	a->usages = usages_new();
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, "getrandom");
	memcpy(&seed, random + 32, sizeof(seed));
	a->penalties = penalties_new(seed);
	a->good = good_new(random);
	explicit_bzero(random, sizeof(random));
	a->tick = evtimer_new(proc_base(p), on_tick, a);
	ASSERT(a->tick);
	count_init(a);
	a->logins = logins_new(a);
	a->notices = notices_new();
	a->cleaning = cleaning_new(a);
	a->office = office_new(a);
	proc_set_threads(p, thread_count(proc_settings(p)));
	if (opening_start(a, err) != 0 ||
	    rewriting_read(&a->rewriting, proc_settings(p)->directory_directory, err) !=
		0)
		return -1;
	a->lookups = lookups_new(proc_base(p), access_check, a);
	lookups_set(a->lookups, &proc_settings(p)->tables);
	return 0;
}

/* A file that cannot be read leaves the keys as they were. */
void
authd_reload(struct proc *p)
{
	struct authd *a = proc_context(p);
	struct err err;

	if (rewriting_read(&a->rewriting, proc_settings(p)->directory_directory,
			   &err) != 0)
		logline(LOGLINE_ERROR, "resolve.keys", L_ERR(&err));
	opening_again(a);
	lookups_set(a->lookups, &proc_settings(p)->tables);
}

/* ---- messages */

void
authd_message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m,
	      int fd)
{
	struct authd *a = proc_context(p);

	(void)fd;
	switch (m->number) {
	case IPC_NUMBER_resolve:
		resolve_ask(a, peer, &m->resolve);
		break;
	case IPC_NUMBER_sender_check:
		sender_ask(a, peer, &m->sender_check);
		break;
	case IPC_NUMBER_usage:
		usage_take(a, &m->usage);
		break;
	case IPC_NUMBER_domain_use_ask:
		domain_use_ask(a, peer, &m->domain_use_ask);
		break;
	case IPC_NUMBER_reply_ask:
		reply_ask(a, peer, &m->reply_ask);
		break;
	case IPC_NUMBER_noticed:
		notice_done(a, peer, &m->noticed);
		break;
	case IPC_NUMBER_auth_start:
		exchange_start(a, peer, &m->auth_start);
		break;
	case IPC_NUMBER_auth_step:
		exchange_step(a, peer, &m->auth_step);
		break;
	case IPC_NUMBER_auth_cancel:
		exchange_cancel(a, peer, &m->auth_cancel);
		break;
	case IPC_NUMBER_ticket_redeem:
		ticket_redeem(a, peer, &m->ticket_redeem);
		break;
	case IPC_NUMBER_table_ask:
		table_ask(a, peer, &m->table_ask);
		break;
	case IPC_NUMBER_account_replaced:
		closing_replaced(a, peer, &m->account_replaced);
		break;
	case IPC_NUMBER_directory_ask:
		operate(a, peer, 0, &m->directory_ask);
		break;
	default:
		ipc_peer_drop(peer, "a message that is not for authd");
	}
}

void
authd_listener(struct proc *p, struct span name, int fd)
{
	const struct authd *a = proc_context(p);

	if (span_equal(name, SPAN("administrators")))
		office_listen(a->office, fd);
	else
		close(fd);
}

void
authd_unlisten(struct proc *p, struct span name)
{
	const struct authd *a = proc_context(p);

	if (span_equal(name, SPAN("administrators")))
		office_unlisten(a->office);
}

void
authd_peer_up(struct proc *p, struct ipc_peer *peer)
{
	struct authd *a = proc_context(p);

	/* What a new local has to say may have changed while it was away. */
	if (ipc_peer_kind(peer) == IPC_KIND_LOCAL)
		usages_forget_all(a->usages);
}

void
authd_peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct authd *a = proc_context(p);

	errands_drop_peer(a, peer);
	exchanges_drop_peer(a, peer);
	resolve_drop_peer(a, peer);
	shows_drop_peer(a, peer);
	domain_uses_drop_peer(a, peer);
	if (ipc_peer_kind(peer) == IPC_KIND_BOUNCE)
		notices_lost(a);
}

static void
put_status(const struct authd *a, const struct directory_state *database,
	   struct buf *out)
{
	const struct figure rows[] = {
	    {"auth.logins",          a->count.logins        },
	    {"auth.failures",        a->count.failures      },
	    {"auth.cached",          a->count.cached        },
	    {"auth.checks",          a->count.checks        },
	    {"auth.checks.waiting",  a->n_checks            },
	    {"auth.upgrades",        a->count.upgrades      },
	    {"auth.exchanges",       a->n_exchanges         },
	    {"auth.tickets",         a->tickets.n           },
	    {"resolve.answered",     a->count.resolves      },
	    {"resolve.waiting",      a->n_questions         },
	    {"resolve.usages",       usages_count(a->usages)},
	    {"directory.waiting",    a->n_errands           },
	    {"directory.waits",      a->count.waits         },
	    {"quota.notices",        a->count.notices       },
	    {"reply.sent",           a->count.replies       },
	    {"directory.operations", a->count.operations    },
	    {"database.up",          database->up           },
	    {"database.connections", database->connections  },
	    {"database.waiting",     database->waiting      },
	    {"database.asked",       database->asked        },
	    {"database.failed",      database->failed       },
	    {"database.conflicts",   database->conflicts    },
	    {"database.lost",        database->lost         },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static void
put_tables_status(const struct lookup_sums *sums, struct buf *out)
{
	const struct figure rows[] = {
	    {"tables.ready",   sums->ready  },
            {"tables.asked",   sums->asked  },
	    {"tables.found",   sums->found  },
            {"tables.faults",  sums->faults },
	    {"tables.waiting", sums->waiting},
	};

	figures_put(rows, N_ELEMS(rows), out);
}

void
authd_status(struct proc *p, struct buf *out)
{
	const struct authd *a = proc_context(p);
	struct directory_state database;
	struct lookup_sums sums;

	directory_state(a->directory, &database);
	put_status(a, &database, out);
	lookups_sums(a->lookups, &sums);
	put_tables_status(&sums, out);
}
