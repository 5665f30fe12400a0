/* What operators ask: lists and commands, a bounded piece of each in one turn. */
#include "qmgr/qmgr.h"

#include "qmgr/admin_row.h"

#define BACKLOG_BYTES_MAX (1u << 20) /* queued for one operator */
#define ROWS_A_TURN       64         /* messages whose envelope may be read */
#define STATS_A_TURN      5000
#define ASKING_MAX        64
#define SPOOLD_WAIT_S     10 /* after the start, for spoold to come up */

struct asking {
	struct asking *next;
	struct ipc_peer *peer; /* null: gone */
	uint64_t tag;
	enum queue_verb verb;
	uint64_t id;    /* of the one message asked for; 0: many, by a walk */
	uint64_t after; /* how far the walk has come */
	uint32_t limit; /* rows still wanted */
	uint64_t count;
	char *to; /* domain; null for all */
	struct admin_stats stats;
};

static void
done_send(struct ipc_peer *peer, uint64_t tag, bool ok, uint64_t count,
	  struct span text)
{
	struct ipc_queue_done d = {.tag = tag, .ok = ok, .count = count, .text = text};

	ipc_send_queue_done(peer, &d);
}

/* --- one message by its id ------------------------------------------------ */

static void
ask_one(struct qmgr *m, const struct asking *a)
{
	const struct entry *e = queue_find(m->queue, a->id);
	bool ok = true;

	if (!e) {
		done_send(a->peer, a->tag, false, 0,
			  SPAN("no such message in the queue"));
		return;
	}
	if (a->verb == QUEUE_SHOW || a->verb == QUEUE_LIST)
		admin_row_send(m, a->peer, a->tag, e, a->verb == QUEUE_SHOW);
	else
		ok = queue_command(m->queue, a->id, a->verb, qmgr_now_s());
	done_send(a->peer, a->tag, ok, ok,
		  ok ? SPAN("") : SPAN("the message is not in a state for that"));
}

/* --- many, by a walk ------------------------------------------------------ */

static void
asking_new(struct qmgr *m, struct ipc_peer *peer, const struct ipc_queue_ask *ask)
{
	struct asking *a = memory_new(1, sizeof(*a)), **at = &m->asking;

	a->peer = peer;
	a->tag = ask->tag;
	a->verb = ask->verb;
	a->id = ask->id;
	a->after = ask->after;
	a->limit = ask->limit ? ask->limit : UINT32_MAX;
	a->to = ask->to.n ? span_dup(ask->to) : NULL;
	while (*at)
		at = &(*at)->next;
	*at = a;
}

static void
asking_free(struct asking **a)
{
	admin_stats_release(&(*a)->stats);
	free((*a)->to);
	free(*a);
	*a = NULL;
}

void
admin_ask(struct qmgr *m, struct ipc_peer *peer, const struct ipc_queue_ask *ask)
{
	size_t n = 0;

	for (const struct asking *a = m->asking; a; a = a->next)
		n++;
	if (ask->verb > QUEUE_REMOVE || n >= ASKING_MAX)
		done_send(peer, ask->tag, false, 0, SPAN("too much is being asked"));
	else
		asking_new(m, peer, ask);
	qmgr_again(m);
}

/* One message of a walk. */
static void
asking_take(struct qmgr *m, struct asking *a, const struct entry *e)
{
	if (a->verb == QUEUE_STATS) {
		admin_stats_add(&a->stats, m->queue, e);
		a->count++;
		return;
	}
	if (a->to && !admin_domain_match(m, e, span_str(a->to)))
		return;
	if (a->verb == QUEUE_LIST || a->verb == QUEUE_SHOW) {
		admin_row_send(m, a->peer, a->tag, e, a->verb == QUEUE_SHOW);
		a->count++;
		a->limit--;
	} else {
		a->count += queue_command(m->queue, e->id, a->verb, qmgr_now_s());
	}
}

/* True when the walk is over. */
static bool
walk_turn(struct qmgr *m, struct asking *a)
{
	size_t n = a->verb == QUEUE_STATS ? STATS_A_TURN : ROWS_A_TURN;
	const struct entry *e;

	while (n-- > 0 && a->limit > 0 &&
	       ipc_queued_bytes(a->peer) < BACKLOG_BYTES_MAX) {
		e = queue_walk(m->queue, a->after);
		if (!e)
			break;
		a->after = e->id;
		asking_take(m, a, e);
	}
	return a->limit == 0 || !queue_walk(m->queue, a->after);
}

/* What an operator must know of an answer about the whole queue. */
static struct span
walk_remark(const struct qmgr *m)
{
	if (m->search.running || m->search.first)
		return SPAN("the spool has not been looked through: this is not all");
	return SPAN("");
}

/* True when all has been answered. */
static bool
asking_turn(struct qmgr *m, struct asking *a)
{
	if (!a->peer)
		return true;
	if (a->id != 0) {
		ask_one(m, a);
		return true;
	}
	if (!walk_turn(m, a))
		return false;
	if (a->verb == QUEUE_STATS)
		admin_stats_send(&a->stats, m->queue, a->peer, a->tag);
	done_send(a->peer, a->tag, true, a->count, walk_remark(m));
	return true;
}

/* While segments are searched the queue is not all there, and any answer would be
 * wrong; but an operator must be able to ask when spoold cannot run. */
static bool
is_complete(const struct qmgr *m)
{
	if (m->search.running)
		return false;
	return !m->search.first || qmgr_now_s() - m->start_s > SPOOLD_WAIT_S;
}

void
admin_turn(struct qmgr *m)
{
	struct asking **at = &m->asking, *a;

	if (!m->asking || !is_complete(m))
		return;
	while ((a = *at)) {
		if (asking_turn(m, a)) {
			*at = a->next;
			asking_free(&a);
		} else {
			at = &a->next;
		}
	}
	if (m->asking)
		qmgr_again(m);
}

void
admin_peer_down(struct qmgr *m, const struct ipc_peer *peer)
{
	for (struct asking *a = m->asking; a; a = a->next)
		if (a->peer == peer)
			a->peer = NULL;
}
