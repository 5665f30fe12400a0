/* delivery/bounce/main.c - the program that writes Postroad's own mail */
#include "delivery/bounce/bounce.h"

static int
prepare(struct proc *p, struct err *err)
{
	struct bounce *b = memory_new(1, sizeof(*b));

	(void)err;
	b->proc = p;
	TAILQ_INIT(&b->reports);
	templates_load(b);
	proc_set_context(p, b);
	return 0;
}

static int
start(struct proc *p, struct err *err)
{
	const struct bounce *b = proc_context(p);

	(void)err;
	if (b->templates_fault.text[0] != '\0')
		logline(LOGLINE_ERROR, "bounce.templates", L_ERR(&b->templates_fault));
	return 0;
}

/* False when it cannot be. */
static bool
grant(struct bounce *b, const struct ipc_id_grant *m)
{
	if (b->grants.n == BOUNCE_GRANTS_MAX || m->first == 0 || m->count == 0 ||
	    m->first > UINT64_MAX - m->count)
		return false;
	b->grants.at[b->grants.n++] = (struct grant){m->first, m->count};
	return true;
}

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	struct bounce *b = proc_context(p);

	if (segments_message(&b->segments, m, fd))
		return;
	switch (m->number) {
	case IPC_NUMBER_report:
		if (!report_take(b, &m->report))
			ipc_peer_drop(peer, "a report that cannot be");
		break;
	case IPC_NUMBER_reply:
		if (!reply_take(b, &m->reply))
			ipc_peer_drop(peer, "an answer that cannot be");
		break;
	case IPC_NUMBER_notice:
		if (!notice_take(b, &m->notice))
			ipc_peer_drop(peer, "a notice that cannot be");
		break;
	case IPC_NUMBER_reply_answer:
		reply_answered(b, &m->reply_answer);
		break;
	case IPC_NUMBER_resolved:
		report_resolved(b, &m->resolved);
		break;
	case IPC_NUMBER_id_grant:
		if (!grant(b, &m->id_grant))
			ipc_peer_drop(peer, "a grant of ids that cannot be");
		break;
	case IPC_NUMBER_spool_done:
		report_stored(b, &m->spool_done);
		break;
	default:
		break;
	}
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct bounce *b = proc_context(p);

	switch (ipc_peer_kind(peer)) {
	case IPC_KIND_AUTHD:
		reports_authd_down(b);
		break;
	case IPC_KIND_SPOOLD:
		reports_spoold_down(b);
		break;
	case IPC_KIND_QMGR:
		reports_forget(b);
		segments_release(&b->segments);
		break;
	default:
		break;
	}
}

static void
turn(struct proc *p)
{
	struct bounce *b = proc_context(p);

	reports_send(b);
	if (b->draining && b->n_reports == 0)
		proc_drained(p);
}

static void
drain(struct proc *p, bool now)
{
	struct bounce *b = proc_context(p);

	b->draining = true;
	if (now || b->n_reports == 0)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct bounce *b = proc_context(p);
	const struct figure rows[] = {
	    {"reports_made",    b->count.made       },
            {"reports_double",  b->count.doubles    },
	    {"reports_copies",  b->count.copies     },
            {"reports_nobody",  b->count.nobody     },
	    {"reports_later",   b->count.later      },
            {"reports_dropped", b->count.dropped    },
	    {"replies_made",    b->count.replies    },
            {"replies_not",     b->count.replies_not},
	    {"notices_made",    b->count.notices    },
            {"reports_open",    b->n_reports        },
	    {"segments_open",   b->segments.n       },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_BOUNCE,
    .prepare = prepare,
    .start = start,
    .message = message,
    .peer_down = peer_down,
    .turn = turn,
    .drain = drain,
    .status = status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
