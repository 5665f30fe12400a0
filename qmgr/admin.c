/* What operators ask: lists and commands, a bounded piece of each in one turn. */
#include "qmgr/qmgr.h"

#include "qmgr/admin_filter.h"
#include "qmgr/admin_row.h"
#include "qmgr/admin_stats.h"

#define BACKLOG_BYTES_MAX (1u << 20) /* queued for one operator */
#define LOOKS_A_TURN      5000       /* messages */
#define READS_A_TURN      256        /* of these, envelopes read */
#define TURN_US           4000
#define ASKING_MAX        64
#define SPOOLD_WAIT_S     10 /* after the start, for spoold to come up */

struct asking {
	struct asking *next;
	struct ipc_peer *peer; /* null: gone */
	uint64_t tag;
	enum queue_verb verb;
	uint64_t id;    /* of the one message asked for; 0: many, by a walk */
	uint64_t after; /* how far the walk has come */
	uint64_t until; /* it ends here: what comes later is not meant */
	uint32_t limit; /* rows still wanted */
	uint64_t count;
	struct admin_filter filter;
	struct admin_stats *stats; /* of QUEUE_STATS */
};

static void
done_send(const struct asking *a, bool ok, uint64_t count, struct span text)
{
	struct ipc_queue_done d = {
	    .tag = a->tag, .ok = ok, .count = count, .text = text};

	ipc_send_queue_done(a->peer, &d);
}

/* Who changed what, for the log. */
static void
command_log(const struct asking *a)
{
	static const char *const verbs[] = {
	    [QUEUE_HOLD] = "hold",     [QUEUE_RELEASE] = "release",
	    [QUEUE_FLUSH] = "flush",   [QUEUE_REQUEUE] = "requeue",
	    [QUEUE_REMOVE] = "remove", [QUEUE_BOUNCE] = "bounce",
	    [QUEUE_PAUSE] = "pause",   [QUEUE_RESUME] = "resume",
	};
	char id[QUEUE_ID_TEXT_SIZE] = "";

	if (a->verb >= N_ELEMS(verbs) || !verbs[a->verb])
		return;
	if (a->id != 0)
		queue_id_format(a->id, id);
	logline(LOGLINE_INFO, "queue.command", L_STR("id", id),
		L_STR("verb", verbs[a->verb]), L_STR("to", a->filter.to),
		L_STR("from", a->filter.from), L_U64("status", a->filter.status),
		L_U64("count", a->count));
}

/* --- pauses --------------------------------------------------------------- */

static bool
is_paused(const struct queue *q, struct span domain)
{
	struct span one = {0};

	for (uint32_t i = 0; i < queue_paused(q, i, &one); i++)
		if (span_equal_nocase(one, domain))
			return true;
	return false;
}

/* A row with id 0 for each pause: `reason` is the domain, empty for all. */
static void
pauses_send(const struct queue *q, const struct asking *a)
{
	struct span domain = {0};

	for (uint32_t i = 0; i < queue_paused(q, i, &domain); i++) {
		struct ipc_queue_row row = {.tag = a->tag, .reason = domain};

		ipc_send_queue_row(a->peer, &row);
	}
}

/* What is so already is no fault, and counts as no change. */
static void
ask_pause(struct qmgr *m, struct asking *a)
{
	struct span domain = span_str(a->filter.to);
	bool before = is_paused(m->queue, domain);

	if (a->verb == QUEUE_PAUSE && !before)
		a->count = queue_pause(m->queue, domain, qmgr_now_s());
	if (a->verb == QUEUE_RESUME && before)
		a->count = queue_resume(m->queue, domain);
	if (is_paused(m->queue, domain) != (a->verb == QUEUE_PAUSE)) {
		done_send(a, false, 0, SPAN("too many domains are paused"));
		return;
	}
	command_log(a);
	done_send(a, true, a->count, SPAN(""));
}

/* --- one message ---------------------------------------------------------- */

/* The envelope, parsed; null, and *bytes too, when it cannot be read. *bytes is the
 * caller's to free. */
static const struct envelope *
envelope_read(struct qmgr *m, const struct entry *e, struct envelope *out, char **bytes)
{
	*bytes = load_envelope(m, e);
	if (*bytes && envelope_parse(span_make(*bytes, e->envelope_bytes), out))
		return out;
	free(*bytes);
	*bytes = NULL;
	return NULL;
}

static void
show(struct qmgr *m, const struct asking *a, const struct entry *e)
{
	struct envelope envelope;
	char *bytes;
	const struct envelope *read = envelope_read(m, e, &envelope, &bytes);

	if (a->verb == QUEUE_SHOW)
		admin_show_send(m, a->peer, a->tag, e, read);
	else
		admin_row_send(m, a->peer, a->tag, e, read);
	free(bytes);
}

static void
ask_one(struct qmgr *m, struct asking *a)
{
	const struct entry *e = queue_find(m->queue, a->id);

	if (!e) {
		done_send(a, false, 0, SPAN("no such message in the queue"));
		return;
	}
	if (a->verb == QUEUE_SHOW || a->verb == QUEUE_LIST) {
		show(m, a, e);
		a->count = 1;
	} else {
		a->count = queue_command(m->queue, a->id, a->verb, qmgr_now_s());
		command_log(a);
	}
	done_send(a, a->count == 1, a->count,
		  a->count == 1 ? SPAN("")
				: SPAN("the message is not in a state for that"));
}

/* --- many, by a walk ------------------------------------------------------ */

static uint64_t
last_id(const struct queue *q)
{
	const struct idmap_chunk *c =
	    q->ids.n_chunks ? q->ids.chunks[q->ids.n_chunks - 1] : NULL;

	return c ? c->ids[c->n - 1] : 0;
}

static void
asking_new(struct qmgr *m, struct ipc_peer *peer, const struct ipc_queue_ask *ask)
{
	struct asking *a = memory_new(1, sizeof(*a)), **at = &m->asking;

	a->peer = peer;
	a->tag = ask->tag;
	a->verb = ask->verb;
	a->id = ask->id;
	a->after = ask->after;
	a->until = UINT64_MAX;
	a->limit = ask->limit ? ask->limit : UINT32_MAX;
	admin_filter_init(&a->filter, ask);
	if (a->verb == QUEUE_STATS)
		a->stats = memory_new(1, sizeof(*a->stats));
	while (*at)
		at = &(*at)->next;
	*at = a;
}

static void
asking_free(struct qmgr *m, struct asking **a)
{
	if ((*a)->stats)
		admin_stats_release((*a)->stats, m->queue);
	free((*a)->stats);
	admin_filter_release(&(*a)->filter);
	free(*a);
	*a = NULL;
}

void
admin_ask(struct qmgr *m, struct ipc_peer *peer, const struct ipc_queue_ask *ask)
{
	struct asking refused = {.peer = peer, .tag = ask->tag};
	size_t n = 0;

	for (const struct asking *a = m->asking; a; a = a->next)
		n++;
	if (ask->verb > QUEUE_RESUME || n >= ASKING_MAX)
		done_send(&refused, false, 0, SPAN("too much is being asked"));
	else
		asking_new(m, peer, ask);
	qmgr_again(m);
}

static void
walk_act(struct qmgr *m, struct asking *a, const struct entry *e,
	 const struct envelope *envelope)
{
	switch (a->verb) {
	case QUEUE_STATS:
		admin_stats_add(a->stats, m->queue, e, qmgr_now_s());
		a->count++;
		break;
	case QUEUE_LIST:
	case QUEUE_SHOW:
		admin_row_send(m, a->peer, a->tag, e, envelope);
		a->count++;
		a->limit--;
		break;
	default:
		a->count += queue_command(m->queue, e->id, a->verb, qmgr_now_s());
		break;
	}
}

/* One message of a walk. True when its envelope had to be read. */
static bool
walk_take(struct qmgr *m, struct asking *a, const struct entry *e)
{
	enum admin_match match = admin_filter_look(&a->filter, m->queue, e);
	bool rows = a->verb == QUEUE_LIST || a->verb == QUEUE_SHOW;
	const struct envelope *read;
	struct envelope envelope;
	char *bytes;

	if (match == ADMIN_MATCH_NO)
		return false;
	if (match == ADMIN_MATCH_YES && !rows) {
		walk_act(m, a, e, NULL);
		return false;
	}
	read = envelope_read(m, e, &envelope, &bytes);
	if (match == ADMIN_MATCH_YES ||
	    (read && admin_filter_read(&a->filter, e, read)))
		walk_act(m, a, e, read);
	free(bytes);
	return true;
}

/* Has it not read what it was told? */
static bool
is_slow(const struct asking *a)
{
	return a->peer && ipc_queued_bytes(a->peer) >= BACKLOG_BYTES_MAX;
}

/* True when the walk is over. */
static bool
walk_turn(struct qmgr *m, struct asking *a)
{
	size_t looks = LOOKS_A_TURN, reads = READS_A_TURN;
	uint64_t end_us = proc_now_us() + TURN_US;

	while (looks-- > 0 && !is_slow(a)) {
		const struct entry *e = queue_walk(m->queue, a->after);

		if (!e || e->id > a->until || a->limit == 0)
			return true;
		a->after = e->id;
		if (walk_take(m, a, e) && (--reads == 0 || proc_now_us() >= end_us))
			return false;
	}
	return false;
}

/* What an operator must know of an answer about the whole queue. */
static struct span
walk_remark(const struct qmgr *m)
{
	if (m->search.running || m->search.first)
		return SPAN("the spool has not been looked through: this is not all");
	return SPAN("");
}

static bool
ask_many(struct qmgr *m, struct asking *a)
{
	if (a->until == UINT64_MAX) {
		a->until = last_id(m->queue);
		if (a->verb == QUEUE_LIST || a->verb == QUEUE_STATS)
			pauses_send(m->queue, a);
	}
	if (!walk_turn(m, a))
		return false;
	if (a->verb == QUEUE_STATS)
		admin_stats_send(a->stats, m->queue, a->peer, a->tag);
	command_log(a);
	done_send(a, true, a->count, walk_remark(m));
	return true;
}

/* True when all has been answered. */
static bool
asking_turn(struct qmgr *m, struct asking *a)
{
	if (!a->peer)
		return true;
	if (a->verb == QUEUE_PAUSE || a->verb == QUEUE_RESUME) {
		ask_pause(m, a);
		return true;
	}
	if (a->id != 0) {
		ask_one(m, a);
		return true;
	}
	return ask_many(m, a);
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

/* One is served in a turn; what is left of it waits behind the others. */
void
admin_turn(struct qmgr *m)
{
	struct asking *a = m->asking, **at = &m->asking;

	if (!a || !is_complete(m))
		return;
	m->asking = a->next;
	a->next = NULL;
	if (asking_turn(m, a)) {
		asking_free(m, &a);
	} else {
		while (*at)
			at = &(*at)->next;
		*at = a;
	}
	if (m->asking && !is_slow(m->asking))
		qmgr_again(m);
}

void
admin_peer_down(struct qmgr *m, const struct ipc_peer *peer)
{
	for (struct asking *a = m->asking; a; a = a->next)
		if (a->peer == peer)
			a->peer = NULL;
}
