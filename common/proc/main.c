#include "common/proc/state.h"
#include "common/proc/sink.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MASTER_FD     3
#define LIFE_FD       4 /* tells that this process lives; see master/lock.c */
#define THREADS_USUAL 4
/* How long a drained program waits for its channels to take the last words. */
#define FAREWELL_MS 3000

void
proc_enter(struct proc *p, enum proc_state to)
{
	if (to > p->state)
		p->state = to;
}

static void
order_drain(struct proc *p, bool now)
{
	struct ipc_message drain = {.number = IPC_NUMBER_ctl_drain};

	drain.ctl_drain = (struct ipc_ctl_drain){now};
	orders_take(p->master, p, &drain, -1);
}

static void
on_patience_end(int fd, short what, void *context)
{
	(void)fd, (void)what;
	order_drain(context, true);
}

/* Without master nobody restarts the others or hands over channels: finish what
 * was acknowledged, within the time of an orderly stop, and go. */
static void
on_master_down(struct ipc_peer *peer, void *context)
{
	struct proc *p = context;
	struct timeval patience = {(time_t)p->settings.stop_timeout_s, 0};
	bool broken;

	logline(LOGLINE_WARNING, "master.gone",
		L_STR("why", ipc_peer_fault(peer, &broken)));
	ASSERT(event_base_once(p->base, -1, EV_TIMEOUT, on_patience_end, p,
			       &patience) == 0);
	order_drain(p, false);
}

static const struct ipc_callbacks master_callbacks = {NULL, orders_take,
						      on_master_down};

static void
signals_ignore(void)
{
	static const int numbers[] = {SIGPIPE, SIGINT,  SIGTERM,
				      SIGHUP,  SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < N_ELEMS(numbers); i++)
		signal(numbers[i], SIG_IGN);
}

static int
arguments_read(struct proc *p, int argc, char **argv)
{
	uint64_t instance;
	int type;
	socklen_t size = sizeof(type);

	if (argc != 2 ||
	    !number_parse(span_str(argv[1]), SERVICE_INSTANCES_MAX - 1, &instance) ||
	    getsockopt(MASTER_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr,
			"postroad-%s is started by postroad-master; "
			"see postroad(8)\n",
			service_name(p->service));
		return -1;
	}
	p->instance = (uint32_t)instance;
	return 0;
}

static void
proc_init(struct proc *p)
{
	/* Whatever else was inherited is no business of this program. */
	(void)close_range(LIFE_FD + 1, ~0u, 0);
	signals_ignore();
	sink_start(service_name(p->service));
	for (size_t i = 0; i < IPC_KIND_COUNT; i++)
		p->counts[i] = 1;
	p->threads = THREADS_USUAL;
	p->started_ms = proc_ticks_ms();
	p->base = event_base_new();
	ASSERT(p->base);
	p->master = ipc_peer_new(p->base, MASTER_FD, p->program->kind, p->instance,
				 &master_callbacks, p);
	ipc_peer_expect_kind(p->master, IPC_KIND_MASTER);
	ipc_flush_all();
}

static void
turn(struct proc *p, int flags)
{
	ASSERT(event_base_loop(p->base, flags) >= 0);
	if (p->program->turn && (p->state == PROC_RUNNING || p->state == PROC_DRAINING))
		p->program->turn(p);
	ipc_flush_all();
	sink_flush();
}

/* The last words go out before the process does. */
static void
farewell(struct proc *p)
{
	uint64_t until = proc_ticks_ms() + FAREWELL_MS;

	while (!(peers_sent_all(p) && ipc_queued_bytes(p->master) == 0) &&
	       proc_ticks_ms() < until) {
		struct timeval soon = {0, 100000};

		(void)event_base_loopexit(p->base, &soon);
		turn(p, EVLOOP_ONCE);
	}
}

int
proc_main(int argc, char **argv, const struct proc_program *program)
{
	struct proc *p = memory_new(1, sizeof(*p));

	p->program = program;
	p->service = service_find(program->kind);
	ASSERT(p->service);
	if (arguments_read(p, argc, argv) != 0)
		return 2;
	proc_init(p);
	while (p->state < PROC_DRAINED)
		turn(p, EVLOOP_ONCE);
	farewell(p);
	return p->state == PROC_DRAINED ? 0 : 1;
}

void
proc_drained(struct proc *p)
{
	proc_enter(p, PROC_DRAINED);
}

bool
proc_draining(const struct proc *p)
{
	return p->state >= PROC_DRAINING;
}

void
proc_answer_status(struct proc *p, struct ipc_peer *peer, uint64_t tag)
{
	struct buf lines = buf_make(STATUS_BYTES_MAX);
	struct ipc_status answer = {.tag = tag};

	buf_putf(&lines, "instance %" PRIu32 "\nuptime_ms %" PRIu64 "\ndraining %d\n",
		 p->instance, proc_ticks_ms() - p->started_ms, proc_draining(p));
	if (p->program->status)
		p->program->status(p, &lines);
	answer.lines = buf_span(&lines);
	ipc_send_status(peer, &answer);
	buf_release(&lines);
}

bool
proc_work(struct proc *p, struct proc_job *job)
{
	if (!p->workers)
		p->workers = workers_new(p->base, p->threads);
	return workers_add(p->workers, job);
}

void
proc_set_threads(struct proc *p, unsigned threads)
{
	p->threads = threads > 0 ? threads : 1;
	if (p->workers)
		workers_set_threads(p->workers, p->threads);
}

struct event_base *
proc_base(struct proc *p)
{
	return p->base;
}

const struct settings *
proc_settings(const struct proc *p)
{
	return &p->settings;
}

uint32_t
proc_instance(const struct proc *p)
{
	return p->instance;
}

uint32_t
proc_count(const struct proc *p, enum ipc_kind kind)
{
	return kind < IPC_KIND_COUNT ? p->counts[kind] : 1;
}

void *
proc_context(const struct proc *p)
{
	return p->context;
}

void
proc_set_context(struct proc *p, void *context)
{
	p->context = context;
}
