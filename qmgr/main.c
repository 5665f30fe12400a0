/* qmgr/main.c - what waits, and when and where each recipient is tried
 *
 * What    is told by spoold where messages are, hands jobs to local with a
 *         read-only descriptor of the segment, keeps the state log.
 * Trust   reads envelopes, never message bodies; knows no network.
 */
#include "qmgr/qmgr.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <errno.h>
#include <unistd.h>

#define QMGR_THREADS    4
#define MOVE_INTERVAL_S 60
#define MOVES_A_TURN    2000 /* messages looked at */
#define FULL_A_TURN     5000

uint32_t
qmgr_now_s(void)
{
	return (uint32_t)(proc_now_us() / 1000000);
}

void
qmgr_again(struct qmgr *m)
{
	event_active(m->again, EV_TIMEOUT, 0);
}

static void
again(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static void
second(int fd, short what, void *context)
{
	struct qmgr *m = context;
	uint32_t now_s = qmgr_now_s();

	(void)fd;
	(void)what;
	state_second(m);
	search_second(m);
	if (now_s - m->move_s >= MOVE_INTERVAL_S) {
		m->move_s = now_s;
		queue_empty_start(m->queue, now_s);
	}
}

static void
events_start(struct qmgr *m)
{
	struct timeval every = {.tv_sec = 1};

	m->again = event_new(proc_base(m->proc), -1, 0, again, m);
	m->second = event_new(proc_base(m->proc), -1, EV_PERSIST, second, m);
	ASSERT(m->again && m->second && event_add(m->second, &every) == 0);
}

static uint32_t
instances_of(const struct proc *p, enum ipc_kind kind)
{
	uint32_t n = proc_count(p, kind);

	return n < QUEUE_INSTANCES_MAX ? n : QUEUE_INSTANCES_MAX;
}

static struct queue_config
config_make(struct proc *p)
{
	const struct settings *set = proc_settings(p);
	struct queue_config c = {
	    .active_max = set->queue_active_max,
	    .instances = {[JOB_LOCAL] = instances_of(p, IPC_KIND_LOCAL),
			  [JOB_REMOTE] = instances_of(p,                                                     IPC_KIND_REMOTE),
			  [JOB_BOUNCE] = instances_of(p, IPC_KIND_BOUNCE)},
	    .retry_min_s = (uint32_t)set->queue_retry_min,
	    .retry_max_s = (uint32_t)set->queue_retry_max,
	    .lifetime_s = (uint32_t)set->queue_lifetime,
	    .warning_after_s = (uint32_t)set->queue_warning_after,
	    .relay_recipients_max = (uint32_t)set->relay_recipients_max,
	    .connections_first = (uint32_t)set->remote_connections_first,
	    .connections_max = (uint32_t)set->remote_connections_max,
	    .per_minute_max = (uint32_t)set->remote_messages_per_minute_max,
	    .limits = {[LIMIT_MESSAGES_HOUR] = set->submission_messages_per_hour_max,
			  [LIMIT_MESSAGES_DAY] = set->submission_messages_per_day_max,
			  [LIMIT_RECIPIENTS_HOUR] =
			   set->submission_recipients_per_hour_max,
			  [LIMIT_RECIPIENTS_DAY] = set->submission_recipients_per_day_max                                        },
	    .route = route_get,
	    .route_context = p
        };

	if (getrandom(&c.seed, sizeof(c.seed), 0) != sizeof(c.seed))
		c.seed = proc_now_us();
	return c;
}

static int
directories_open(struct qmgr *m, int spool_fd, struct err *err)
{
	if (mkdirat(spool_fd, "seg", 0700) != 0 && errno != EEXIST)
		return err_sys(err, "spool/seg");
	m->seg_fd = openat(spool_fd, "seg", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->seg_fd < 0)
		return err_sys(err, "spool/seg");
	m->seg = (struct log_dir){&log_io_real, m->seg_fd, "", SPOOL_SEGMENT_KIND};
	return state_start(m, spool_fd, err);
}

static int
start(struct proc *p, struct err *err)
{
	const char *directory = proc_settings(p)->spool_directory;
	struct qmgr *m = memory_new(1, sizeof(*m));
	struct queue_config config = config_make(p);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return err_sys(err, "%s", directory);
	m->proc = p;
	m->queue = queue_new(&config);
	m->search.first = true;
	m->start_s = m->move_s = qmgr_now_s();
	proc_set_context(p, m);
	proc_set_threads(p, QMGR_THREADS);
	events_start(m);
	result = directories_open(m, fd, err);
	close(fd);
	return result;
}

static void
reload(struct proc *p)
{
	struct qmgr *m = proc_context(p);
	struct queue_config c = config_make(p);

	queue_configure(m->queue, &c, qmgr_now_s());
}

/* --- peers ---------------------------------------------------------------- */

static void
peer_up(struct proc *p, struct ipc_peer *peer)
{
	struct qmgr *m = proc_context(p);
	enum job_kind kind;

	if (ipc_peer_kind(peer) == IPC_KIND_SPOOLD)
		m->spoold_fresh = true;
	if (job_kind_of(ipc_peer_kind(peer), &kind))
		queue_instance_up(m->queue, kind, ipc_peer_instance(peer));
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct qmgr *m = proc_context(p);
	uint32_t instance = ipc_peer_instance(peer);
	enum job_kind kind;

	if (job_kind_of(ipc_peer_kind(peer), &kind) &&
	    instance < m->queue->config.instances[kind]) {
		segment_fds_instance_down(m, kind, instance);
		queue_instance_down(m->queue, kind, instance, qmgr_now_s());
	}
	if (ipc_peer_kind(peer) == IPC_KIND_ADMIN)
		admin_peer_down(m, peer);
}

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *msg, int fd)
{
	struct qmgr *m = proc_context(p);

	(void)fd;
	switch (msg->number) {
	case IPC_NUMBER_queue_state:
		search_state(m, &msg->queue_state);
		break;
	case IPC_NUMBER_queue_add:
		search_add(m, &msg->queue_add);
		break;
	case IPC_NUMBER_delivered:
		deliver_answer(m, ipc_peer_instance(peer), &msg->delivered);
		break;
	case IPC_NUMBER_relayed:
		relay_answer(m, ipc_peer_instance(peer), &msg->relayed);
		break;
	case IPC_NUMBER_reported:
		report_answer(m, ipc_peer_instance(peer), &msg->reported);
		break;
	case IPC_NUMBER_queue_ask:
		admin_ask(m, peer, &msg->queue_ask);
		break;
	default:
		break;
	}
}

/* --- the turn ------------------------------------------------------------- */

/* Of a message: its id alone, or what was tried and what is next. */
static void
message_log(const struct queue *q, const struct queue_event *e)
{
	static const char *const names[] = {[QUEUE_EVENT_DONE] = "queue.done",
					    [QUEUE_EVENT_DEFERRED] = "queue.deferred",
					    [QUEUE_EVENT_HELD] = "queue.held",
					    [QUEUE_EVENT_REMOVED] = "queue.removed",
					    [QUEUE_EVENT_DROPPED] = "queue.dropped"};
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(e->id, id);
	if (e->kind == QUEUE_EVENT_DONE || e->kind == QUEUE_EVENT_REMOVED)
		logline(LOGLINE_INFO, names[e->kind], L_STR("id", id));
	else
		logline(LOGLINE_INFO, names[e->kind], L_STR("id", id),
			L_SPAN("rcpt", queue_event_recipient(q, e)),
			L_SPAN("reason", queue_event_reason(q, e)),
			L_U64("tries", e->tries), L_U64("next", e->due_s));
}

static void
given_up_log(const struct queue *q, const struct queue_event *e)
{
	bool bounced = e->kind == QUEUE_EVENT_BOUNCED;
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(e->id, id);
	logline(LOGLINE_INFO, "queue.given_up", L_STR("id", id),
		L_SPAN("rcpt", queue_event_recipient(q, e)),
		L_STR("by", bounced ? "operator" : "time"),
		L_SPAN("reason", queue_event_reason(q, e)), L_U64("tries", e->tries));
}

static void
limited_log(const struct queue *q, const struct queue_event *e)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(e->id, id);
	logline(LOGLINE_WARNING, "queue.limited", L_STR("id", id),
		L_SPAN("login", queue_event_recipient(q, e)),
		L_SPAN("reason", queue_event_reason(q, e)));
}

static void
event_log(const struct queue *q, const struct queue_event *e)
{
	switch (e->kind) {
	case QUEUE_EVENT_GIVEN_UP:
	case QUEUE_EVENT_BOUNCED:
		given_up_log(q, e);
		break;
	case QUEUE_EVENT_LIMITED:
		limited_log(q, e);
		break;
	case QUEUE_EVENT_DEAD:
		logline(LOGLINE_INFO, "queue.dead",
			L_SPAN("destination", queue_event_recipient(q, e)),
			L_SPAN("reason", queue_event_reason(q, e)),
			L_U64("next", e->due_s));
		break;
	case QUEUE_EVENT_ALIVE:
		logline(LOGLINE_INFO, "queue.alive",
			L_SPAN("destination", queue_event_recipient(q, e)));
		break;
	default:
		message_log(q, e);
		break;
	}
}

static void
events_log(struct queue *q)
{
	for (size_t i = 0; i < q->n_events; i++)
		event_log(q, &q->events[i]);
	queue_events_clear(q);
}

static void
moves_ask(struct qmgr *m)
{
	struct ipc_peer *spoold = proc_peer(m->proc, IPC_KIND_SPOOLD, 0);
	struct place p;
	uint64_t id;

	if (!spoold || m->search.running || !m->state.open)
		return;
	while (queue_next_move(m->queue, qmgr_now_s(), MOVES_A_TURN, &id, &p)) {
		struct ipc_queue_move move = {
		    .id = id, .segment = p.segment, .offset = p.offset};

		ipc_send_queue_move(spoold, &move);
	}
	if (m->queue->emptying && m->queue->n_moving < QUEUE_MOVES_MAX)
		qmgr_again(m);
}

static uint32_t
jobs_out(const struct qmgr *m)
{
	uint32_t n = 0;

	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		for (uint32_t i = 0; i < m->queue->config.instances[kind]; i++)
			n += queue_sent(m->queue, (enum job_kind)kind, i);
	return n;
}

static void
turn(struct proc *p)
{
	struct qmgr *m = proc_context(p);

	if (!proc_draining(p)) {
		queue_tick(m->queue, qmgr_now_s());
		if (queue_full_turn(m->queue, FULL_A_TURN, qmgr_now_s()) ||
		    queue_wake_turn(m->queue, FULL_A_TURN, qmgr_now_s()) ||
		    queue_clock_turn(m->queue, FULL_A_TURN, qmgr_now_s()))
			qmgr_again(m);
		load_turn(m);
		deliver_turn(m);
		relay_turn(m);
		report_turn(m);
		notice_turn(m);
		moves_ask(m);
	}
	admin_turn(m);
	events_log(m->queue);
	state_turn(m);
	if (proc_draining(p) && jobs_out(m) == 0 && !m->state.syncing &&
	    !m->state.creating) {
		state_finish(m);
		proc_drained(p);
	}
}

static void
drain(struct proc *p, bool now)
{
	struct qmgr *m = proc_context(p);

	if (!now)
		return; /* turn() waits for the answers */
	state_finish(m);
	proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct qmgr *m = proc_context(p);
	const struct queue *q = m->queue;
	const struct figure rows[] = {
	    {"queue_messages",     q->ids.n                         },
	    {"queue_held",         q->n_held                        },
	    {"queue_jobs",         q->n_jobs                        },
	    {"queue_done",         q->n_done                        },
	    {"queue_deferred",     q->n_deferred                    },
	    {"queue_segments",     q->segments.n                    },
	    {"queue_searching",    m->search.running                },
	    {"queue_relays",       q->n_relays                      },
	    {"queue_replays",      q->n_replays                     },
	    {"queue_reports",      q->n_reports                     },
	    {"queue_replies",      q->n_replies                     },
	    {"queue_paused",       q->n_pauses                      },
	    {"queue_destinations", q->destinations.n_used           },
	    {"queue_dead",         q->destinations.n_dead           },
	    {"queue_parked",       q->destinations.n_parked_messages},
	    {"queue_put_off",      q->n_put_off                     },
	    {"queue_pauses",       q->n_pauses                      },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_QMGR,
    .start = start,
    .peer_up = peer_up,
    .peer_down = peer_down,
    .message = message,
    .turn = turn,
    .reload = reload,
    .drain = drain,
    .status = status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
