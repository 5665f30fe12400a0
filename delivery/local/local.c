/* delivery/local/local.c - the program that writes to mailboxes */
#include "delivery/local/local.h"

#include <event2/event.h>

#define PREFIX_ROOM (STORE_PREFIX_MAX + 1024)

static void
wake_nothing(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context; /* the turn that follows does the work */
}

static int
local_start(struct proc *p, struct err *err)
{
	const struct store_settings settings = {.summarize = true};
	const struct settings *s = proc_settings(p);
	struct store *store = store_new(s->mail_directory, &settings, err);
	struct local *l;

	if (!store)
		return -1;
	l = memory_new(1, sizeof(*l));
	l->proc = p;
	l->store = store;
	l->epoch = 1;
	slots_init(&l->slots, s->local_accounts_max);
	jobs_init(&l->queue);
	l->prefix = buf_make(PREFIX_ROOM);
	l->wake = event_new(proc_base(p), -1, 0, wake_nothing, l);
	l->timer = evtimer_new(proc_base(p), wake_nothing, l);
	ASSERT(l->wake && l->timer);
	proc_set_threads(p, 1);
	proc_set_context(p, l);
	return 0;
}

static void
take_deliver(struct local *l, const struct ipc_deliver *m)
{
	struct job *job = job_new(m, l->epoch);

	if (m->content_bytes > STORE_MESSAGE_MAX ||
	    m->offset > UINT64_MAX - m->content_bytes)
		report_failed(l, job, "5.3.4 the message is too large");
	else
		jobs_add(&l->queue, job);
}

/* As of now, whoever wrote to it last. */
static enum store_result
usage_look(struct local *l, struct slot *s, struct err *err)
{
	enum store_result result;

	if (!s->account)
		return store_account_open(l->store, s->id,
					  STORE_MUST_EXIST | STORE_NO_WAIT,
					  (int64_t)proc_now_us(), &s->account, err);
	result = store_batch_begin(s->account, false, err);
	if (result == STORE_OK)
		store_batch_cancel(s->account);
	return result;
}

static void
take_usage_ask(struct local *l, struct ipc_peer *peer, const struct ipc_usage_ask *m)
{
	struct slot *s = slots_get(&l->slots, m->account);
	struct ipc_usage answer = {.account = m->account};
	struct err err;
	enum store_result result = usage_look(l, s, &err);

	if (result == STORE_FAULT)
		logline(LOGLINE_ERROR, "local.fault", L_U64("account", m->account),
			L_ERR(&err));
	if (result != STORE_OK && result != STORE_NONE)
		return; /* not known now; authd asks again */
	if (s->account) {
		answer.bytes = store_usage(s->account).bytes;
		answer.messages = store_usage(s->account).messages;
		answer.modseq = store_position(s->account);
	}
	ipc_send_usage(peer, &answer);
}

static void
local_message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m,
	      int fd)
{
	struct local *l = proc_context(p);

	if (segments_message(&l->segments, m, fd))
		return;
	switch (m->number) {
	case IPC_NUMBER_deliver:
		take_deliver(l, &m->deliver);
		break;
	case IPC_NUMBER_account_watch:
		watches_set(&l->watches, m->account_watch.account, m->account_watch.on);
		break;
	case IPC_NUMBER_account_closed:
		slots_close(&l->slots, m->account_closed.account);
		break;
	case IPC_NUMBER_usage_ask:
		take_usage_ask(l, peer, &m->usage_ask);
		break;
	default:
		break;
	}
}

/* A new qmgr asks again for all that the old one was not told. */
static void
local_peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct local *l = proc_context(p);

	if (ipc_peer_kind(peer) == IPC_KIND_IMAPD)
		watches_forget(&l->watches, ipc_peer_instance(peer),
			       proc_count(p, IPC_KIND_IMAPD));
	if (ipc_peer_kind(peer) != IPC_KIND_QMGR)
		return;
	l->epoch++;
	jobs_free(&l->queue);
	segments_release(&l->segments);
}

static void
local_turn(struct proc *p)
{
	struct local *l = proc_context(p);

	turn_run(l);
	sync_maybe(l);
	if (l->draining && !l->queue.first && sync_idle(l))
		proc_drained(p);
}

static void
local_drain(struct proc *p, bool now)
{
	struct local *l = proc_context(p);

	l->draining = true;
	if (now) {
		/* What is only queued is asked for again at the next start. */
		jobs_free(&l->queue);
		if (l->dirty)
			sync_now(l);
		proc_drained(p);
		return;
	}
	turn_again(l);
}

static void
local_status(struct proc *p, struct buf *out)
{
	const struct local *l = proc_context(p);
	const struct figure rows[] = {
	    {"delivered",     l->count.delivered  },
            {"known",         l->count.known      },
	    {"deferred",      l->count.deferred   },
            {"failed",        l->count.failed     },
	    {"syncs",         l->count.syncs      },
            {"sync_faults",   l->count.sync_faults},
	    {"batches",       l->count.turns      },
            {"queued",        l->queue.n          },
	    {"unsynced",      l->n_written        },
            {"accounts_open", l->slots.n          },
	    {"segments_open", l->segments.n       },
            {"watched",       l->watches.n        },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_LOCAL,
    .start = local_start,
    .message = local_message,
    .peer_down = local_peer_down,
    .turn = local_turn,
    .drain = local_drain,
    .status = local_status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
