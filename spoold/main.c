/* spoold/main.c - the one writer of the message log
 *
 * What    takes messages from every smtpd, and reports from bounce, appends them to
 *         spool/seg, and says "stored" once a sync has covered them; tells qmgr where
 *         they are.
 * Trust   smtpd faces strangers: a message with an id it was not granted, or out
 *         of order, drops its channel.
 */
#include "spoold/start.h"
#include "spoold/stream.h"

#include <event2/event.h>
#include <time.h>

#define SMTPD_MAX        64
#define CLIENT_BOUNCE    SMTPD_MAX /* behind all smtpd: one bounce */
#define CLIENTS_MAX      (SMTPD_MAX + 1)
#define QMGR_BACKLOG_MAX (4u << 20) /* bytes queued for qmgr that pause intake */
#define SPOOL_THREADS    6

struct spoold {
	struct proc *proc;
	struct store store;
	struct client *clients[CLIENTS_MAX]; /* origin.instance is the place here */
	bool paused[CLIENTS_MAX];
	uint32_t generation;
	uint64_t next_id;
	int spool_fd;
	bool qmgr_told; /* it has had its queue_state */
	struct event *second, *soon;
};

static bool
work(void *context, struct proc_job *job)
{
	const struct spoold *d = context;

	return proc_work(d->proc, job);
}

static int
reserve(void *context, uint32_t end, struct err *err)
{
	const struct spoold *d = context;

	return spool_numbers_reserve(d->spool_fd, end, err);
}

static uint64_t
ticks_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Only ends the wait of the loop; turn() does the rest. */
static void
soon(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static void
second(int fd, short what, void *context)
{
	struct spoold *d = context;

	(void)fd;
	(void)what;
	store_second(&d->store);
}

static void
timers_start(struct spoold *d)
{
	struct timeval every = {.tv_sec = 1};

	d->second = event_new(proc_base(d->proc), -1, EV_PERSIST, second, d);
	d->soon = evtimer_new(proc_base(d->proc), soon, d);
	ASSERT(d->second && d->soon && event_add(d->second, &every) == 0);
}

static int
start(struct proc *p, struct err *err)
{
	const struct settings *set = proc_settings(p);
	struct spoold *d = memory_new(1, sizeof(*d));
	struct spool_start found = {0};
	struct store_setup setup = {.io = &log_io_real,
				    .segment_bytes = set->spool_segment_bytes,
				    .reserve_bytes = set->spool_reserve_bytes,
				    .reserve = reserve,
				    .work = work,
				    .now_us = ticks_us,
				    .context = d};

	d->proc = p;
	proc_set_context(p, d);
	proc_set_threads(p, SPOOL_THREADS);
	if (spool_start(set->spool_directory, proc_now_us() / 1000000, &found, err) !=
	    0)
		return -1;
	d->next_id = found.first_id;
	d->spool_fd = found.spool_fd;
	setup.dir_fd = found.dir_fd;
	store_init(&d->store, &setup, found.next_number, found.numbers_end);
	store_recover(&d->store, &found.numbers);
	timers_start(d);
	return 0;
}

/* --- who hands in messages ------------------------------------------------ */

/* The place of a peer among the clients; CLIENTS_MAX for others. */
static uint32_t
client_place(const struct ipc_peer *peer)
{
	uint32_t instance = ipc_peer_instance(peer);

	if (ipc_peer_kind(peer) == IPC_KIND_BOUNCE)
		return CLIENT_BOUNCE;
	if (ipc_peer_kind(peer) == IPC_KIND_SMTPD && instance < SMTPD_MAX)
		return instance;
	return CLIENTS_MAX;
}

static struct ipc_peer *
client_peer(const struct spoold *d, uint32_t place)
{
	if (place == CLIENT_BOUNCE)
		return proc_peer(d->proc, IPC_KIND_BOUNCE, 0);
	return proc_peer(d->proc, IPC_KIND_SMTPD, place);
}

/* --- to the peers --------------------------------------------------------- */

static void
grant(struct spoold *d, struct ipc_peer *peer, struct client *c)
{
	struct ipc_id_grant m = {.first = d->next_id, .count = QUEUE_ID_BLOCK};

	id_grants_add(&c->grants, d->next_id);
	d->next_id += QUEUE_ID_BLOCK;
	ipc_send_id_grant(peer, &m);
}

/* The first waits until what is said of segments holds for all of them: a sync, no
 * more. */
static bool
queue_state_due(struct spoold *d)
{
	if (!d->store.recovered)
		return false;
	return d->qmgr_told ? store_state_due(&d->store) : store_complete(&d->store);
}

static void
queue_state_send(struct spoold *d, struct ipc_peer *qmgr)
{
	struct buf open = buf_make(4 * (STORE_OWN_MAX + 8));
	struct ipc_queue_state m = {.next = d->store.next_number};

	store_state(&d->store, &m.segment, &m.offset);
	store_open_put(&d->store, &open);
	ASSERT(!open.full);
	m.open = buf_span(&open);
	ipc_send_queue_state(qmgr, &m);
	buf_release(&open);
	d->qmgr_told = true;
}

static void
answer_send(struct spoold *d, const struct store_result *r)
{
	struct ipc_peer *peer = client_peer(d, r->origin.instance);
	const struct client *c = d->clients[r->origin.instance];
	struct ipc_spool_done m = {.id = r->id, .outcome = (uint8_t)r->outcome};

	if (peer && c && c->origin.generation == r->origin.generation)
		ipc_send_spool_done(peer, &m);
}

static void
added_send(struct spoold *d, const struct store_result *r)
{
	struct ipc_peer *qmgr = proc_peer(d->proc, IPC_KIND_QMGR, 0);
	struct ipc_queue_add m = {.id = r->id,
				  .segment = r->segment,
				  .offset = r->offset,
				  .envelope_bytes = r->envelope_bytes,
				  .content_bytes = r->content_bytes,
				  .moved = r->moved};

	if (qmgr && d->qmgr_told)
		ipc_send_queue_add(qmgr, &m);
}

static void
results_send(struct spoold *d)
{
	struct store_result r;

	while (store_next(&d->store, &r)) {
		if (r.kind == STORE_ANSWER)
			answer_send(d, &r);
		else
			added_send(d, &r);
	}
}

/* --- from the peers ------------------------------------------------------- */

static void
peer_up(struct proc *p, struct ipc_peer *peer)
{
	struct spoold *d = proc_context(p);
	uint32_t place = client_place(peer);

	if (ipc_peer_kind(peer) == IPC_KIND_QMGR)
		d->qmgr_told = false; /* turn() sends it the state */
	if (place == CLIENTS_MAX)
		return;
	client_free(&d->clients[place]);
	d->clients[place] =
	    client_new(&d->store, (struct origin){place, ++d->generation});
	d->paused[place] = false;
	grant(d, peer, d->clients[place]);
}

static void
peer_down(struct proc *p, struct ipc_peer *peer)
{
	struct spoold *d = proc_context(p);
	uint32_t place = client_place(peer);

	if (ipc_peer_kind(peer) == IPC_KIND_QMGR)
		d->qmgr_told = false;
	if (place < CLIENTS_MAX)
		client_free(&d->clients[place]);
}

/* False when the client broke the rules. */
static bool
take_message(struct client *c, const struct ipc_message *m, uint64_t now_us)
{
	switch (m->number) {
	case IPC_NUMBER_spool_put:
		return client_put(c, m->spool_put.id, m->spool_put.envelope_bytes,
				  m->spool_put.bytes, now_us);
	case IPC_NUMBER_spool_begin:
		return client_begin(c, m->spool_begin.id, m->spool_begin.envelope_bytes,
				    m->spool_begin.size_hint, m->spool_begin.bytes,
				    now_us);
	case IPC_NUMBER_spool_piece:
		return client_piece(c, m->spool_piece.id, m->spool_piece.bytes);
	case IPC_NUMBER_spool_end:
		return client_end(c, m->spool_end.id);
	case IPC_NUMBER_spool_abort:
		return client_abort(c, m->spool_abort.id);
	default:
		return false;
	}
}

static void
message_client(struct spoold *d, struct ipc_peer *peer, const struct ipc_message *m)
{
	struct client *c = d->clients[client_place(peer)];

	if (!c)
		return;
	if (!take_message(c, m, proc_now_us())) {
		ipc_peer_drop(peer, "a queue id that was not granted, or out of order");
		return;
	}
	if (id_grants_low(&c->grants))
		grant(d, peer, c);
}

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	struct spoold *d = proc_context(p);

	(void)fd;
	if (client_place(peer) < CLIENTS_MAX)
		message_client(d, peer, m);
	else if (m->number == IPC_NUMBER_segment_free)
		store_let_go(&d->store, m->segment_free.segment);
	else if (m->number == IPC_NUMBER_queue_move)
		store_move(&d->store, m->queue_move.id, m->queue_move.segment,
			   m->queue_move.offset);
}

/* Who sends faster than the disk takes is not read from for a while. */
static void
pause_or_not(struct spoold *d)
{
	struct ipc_peer *qmgr = proc_peer(d->proc, IPC_KIND_QMGR, 0);
	bool all = store_full(&d->store) ||
		   (qmgr && ipc_queued_bytes(qmgr) > QMGR_BACKLOG_MAX);

	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct ipc_peer *peer;
		bool pause;

		if (!d->clients[i])
			continue;
		pause = all || client_full(d->clients[i]);
		if (pause == d->paused[i])
			continue;
		peer = client_peer(d, i);
		if (peer)
			ipc_peer_pause(peer, pause);
		d->paused[i] = pause;
	}
}

static void
turn(struct proc *p)
{
	const struct timeval gather = {.tv_usec = SEGMENT_GATHER_US};
	struct spoold *d = proc_context(p);
	struct ipc_peer *qmgr;

	if (store_turn(&d->store) && !event_pending(d->soon, EV_TIMEOUT, NULL))
		event_add(d->soon, &gather);
	results_send(d);
	qmgr = proc_peer(p, IPC_KIND_QMGR, 0);
	if (qmgr && queue_state_due(d))
		queue_state_send(d, qmgr);
	pause_or_not(d);
	if (proc_draining(p) && store_idle(&d->store))
		proc_drained(p);
}

static void
drain(struct proc *p, bool now)
{
	/* What was acknowledged is synced already; the rest is finished by turn(). */
	if (now)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct spoold *d = proc_context(p);
	const struct store *s = &d->store;
	const struct figure rows[] = {
	    {"spool_stored",        s->n_stored                     },
	    {"spool_refused",       s->n_refused                    },
	    {"spool_syncs",         s->n_syncs                      },
	    {"spool_faults",        s->n_faults                     },
	    {"spool_waiting_bytes", s->waiting_bytes + s->held_bytes},
	    {"spool_own_segments",  s->n_own                        },
	    {"spool_intake",        s->current || !s->refusing      },
	};

	figures_put(rows, N_ELEMS(rows), out);
}

static const struct proc_program program = {
    .kind = IPC_KIND_SPOOLD,
    .start = start,
    .peer_up = peer_up,
    .peer_down = peer_down,
    .message = message,
    .turn = turn,
    .drain = drain,
    .status = status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
