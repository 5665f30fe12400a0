#include "master/master.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_FIRST_MS 100
#define RESTART_MIN_MS   1000
/* One that lived for less is in trouble: each such life doubles the wait. */
#define LIFE_SHORT_MS   5000
#define LIFE_HEALTHY_MS 60000
/* Recovery at the start may take longer than an answer to a ping. */
#define START_PATIENCE 20

/* The only place that changes p->state: what a state does not keep is gone. */
static void
enter(struct process *p, enum process_state to)
{
	if (to == PROCESS_DOWN || to == PROCESS_STOPPED) {
		ipc_peer_free(&p->peer);
		p->pid = 0;
		p->lost = NULL;
	}
	if (to == PROCESS_STARTING)
		event_del(p->restart);
	p->state = to;
}

bool
process_alive(const struct process *p)
{
	return p->pid != 0;
}

static void
log_process(enum logline_level level, const char *event, const struct process *p)
{
	logline(level, event, L_STR("name", service_name(p->service)),
		L_U64("instance", p->instance), L_I64("pid", p->pid));
}

static uint64_t
restart_delay_ms(const struct process *p)
{
	uint64_t max = p->master->settings.restart_pause_max_s * 1000;
	uint64_t delay = RESTART_MIN_MS;

	if (p->failures == 0)
		return RESTART_FIRST_MS;
	for (unsigned i = 1; i < p->failures && delay < max; i++)
		delay *= 2;
	return delay < max ? delay : max;
}

static void
restart_plan(struct process *p)
{
	uint64_t lived_ms = proc_ticks_ms() - p->started_ms;
	uint64_t delay;
	struct timeval wait;

	if (lived_ms >= LIFE_HEALTHY_MS)
		p->failures = 0;
	delay = restart_delay_ms(p);
	if (lived_ms < LIFE_SHORT_MS)
		p->failures++;
	wait = (struct timeval){(time_t)(delay / 1000),
				(suseconds_t)(delay % 1000) * 1000};
	ASSERT(event_add(p->restart, &wait) == 0);
}

static void
all_ready(struct master *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].state != PROCESS_RUNNING)
			return;
	if (!m->ready)
		notify_ready(m);
	m->ready = true;
}

static void
on_ready(struct process *p, const struct ipc_ctl_ready *m)
{
	if (!m->ok) {
		logline(LOGLINE_ERROR, "process.refused",
			L_STR("name", service_name(p->service)),
			L_U64("instance", p->instance), L_SPAN("error", m->text));
		return;
	}
	p->asked_ms = 0;
	if (p->state != PROCESS_STARTING)
		return;
	enter(p, PROCESS_RUNNING);
	log_process(LOGLINE_INFO, "process.ready", p);
	all_ready(p->master);
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct process *p = context;

	(void)peer;
	if (m->number == IPC_NUMBER_ctl_ready)
		on_ready(p, &m->ctl_ready);
	else if (m->number == IPC_NUMBER_ctl_pong)
		p->asked_ms = 0;
	else if (m->number == IPC_NUMBER_ctl_lost)
		channels_lost(p, &m->ctl_lost);
	else if (m->number == IPC_NUMBER_status)
		control_status(p->master, p, m->status.tag, m->status.lines);
	if (fd >= 0)
		close(fd);
}

/* Most often the program is dying, and SIGCHLD says so next. One that lives on
 * without its channel is found by the next ping. */
static void
on_down(struct ipc_peer *peer, void *context)
{
	struct process *p = context;
	bool broken;
	const char *fault = ipc_peer_fault(peer, &broken);

	ipc_peer_free(&p->peer);
	if (broken)
		process_kill(p, fault);
}

static const struct ipc_callbacks callbacks = {NULL, on_message, on_down};

static int
fork_it(struct process *p, int log, struct err *err)
{
	struct master *m = p->master;
	char instance[16];
	const char *arguments[] = {instance, NULL};
	struct spawn s = {
	    service_name(p->service), arguments, {-1, -1, log, -1, m->life_fd}
        };
	int pair[2];

	snprintf(instance, sizeof(instance), "%u", p->instance);
	if (ipc_pair(pair, err) != 0)
		return -1;
	s.fds[3] = pair[1];
	p->pid = spawn(m, &s, err);
	close(pair[1]);
	if (p->pid < 0) {
		close(pair[0]);
		p->pid = 0;
		return -1;
	}
	p->peer = ipc_peer_new(m->base, pair[0], IPC_KIND_MASTER, 0, &callbacks, p);
	ipc_peer_expect(p->peer, p->service->kind, p->instance);
	wiring_send_log(p, log);
	return 0;
}

static int
fork_with_log(struct process *p, struct err *err)
{
	int log, result;

	/* Somebody must have the last lines of the one before. */
	logger_watch(p->master);
	log = logger_socket(&p->master->logs, &p->log, err);
	if (log < 0)
		return -1;
	result = fork_it(p, log, err);
	close(log);
	return result;
}

void
process_start(struct process *p)
{
	struct err err;

	p->started_ms = proc_ticks_ms();
	p->asked_ms = 0;
	enter(p, PROCESS_STARTING);
	if (fork_with_log(p, &err) != 0) {
		logline(LOGLINE_ERROR, "process.start", L_ERR(&err));
		enter(p, PROCESS_DOWN);
		restart_plan(p);
		return;
	}
	p->starts++;
	log_process(LOGLINE_INFO, "process.start", p);
	wiring_tell_start(p);
	wiring_connect(p);
}

static void
on_restart(int fd, short what, void *context)
{
	(void)fd, (void)what;
	process_start(context);
}

static void
log_end(const struct process *p, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	logline(good ? LOGLINE_INFO : LOGLINE_ERROR, "process.end",
		L_STR("name", service_name(p->service)), L_U64("instance", p->instance),
		L_I64("pid", p->pid),
		L_I64(WIFSIGNALED(status) ? "signal" : "status",
		      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
}

void
process_ended(struct process *p, int status)
{
	log_end(p, status);
	control_gone(p->master, p);
	if (p->master->stopping) {
		enter(p, PROCESS_STOPPED);
		stop_go_on(p->master);
	} else {
		enter(p, PROCESS_DOWN);
		restart_plan(p);
	}
}

void
process_kill(struct process *p, const char *why)
{
	if (!process_alive(p))
		return;
	logline(LOGLINE_WARNING, "process.kill",
		L_STR("name", service_name(p->service)), L_U64("instance", p->instance),
		L_I64("pid", p->pid), L_STR("why", why));
	(void)kill(p->pid, SIGKILL);
}

void
process_drain(struct process *p, bool now)
{
	struct ipc_ctl_drain m = {now};

	if (!process_alive(p)) {
		event_del(p->restart);
		enter(p, PROCESS_STOPPED);
		return;
	}
	enter(p, PROCESS_STOPPING);
	if (p->peer)
		ipc_send_ctl_drain(p->peer, &m);
}

struct process *
process_by_pid(struct master *m, pid_t pid)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].pid == pid)
			return &m->processes[i];
	return NULL;
}

void
processes_reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *p = process_by_pid(m, pid);

		if (p)
			process_ended(p, status);
		else if (!logger_ended(m, pid, status))
			logline(LOGLINE_WARNING, "process.unknown", L_I64("pid", pid));
	}
}

/* Time in which nobody was asked, or no answer was read, is not held against it. */
static void
ping(struct process *p, uint64_t now_ms, bool late)
{
	struct ipc_ctl_ping m = {now_ms};
	uint64_t patience_ms = p->master->settings.ping_timeout_s * 1000;

	if (!process_alive(p))
		return;
	if (!p->peer) {
		process_kill(p, "it closed its control channel");
		return;
	}
	if (p->state == PROCESS_STARTING)
		patience_ms *= START_PATIENCE;
	if (p->asked_ms == 0 || late)
		p->asked_ms = now_ms;
	if (now_ms - p->asked_ms > patience_ms)
		process_kill(p, "it does not answer");
	else
		ipc_send_ctl_ping(p->peer, &m);
}

void
processes_ping(struct master *m)
{
	uint64_t now_ms = proc_ticks_ms();
	/* This process was stopped, or its machine was. */
	bool late = now_ms - m->pinged_ms > (uint64_t)2 * PING_EVERY_S * 1000;

	m->pinged_ms = now_ms;
	for (size_t i = 0; i < m->n; i++)
		ping(&m->processes[i], now_ms, late);
	channels_judge(m, now_ms);
}

static void
process_init(struct process *p, struct master *m, const struct service *service,
	     uint32_t instance)
{
	*p = (struct process){.master = m,
			      .service = service,
			      .instance = instance,
			      .state = PROCESS_DOWN,
			      .log = -1,
			      .restart = evtimer_new(m->base, on_restart, p)};
	ASSERT(p->restart);
}

void
processes_init(struct master *m, uint32_t cores)
{
	size_t n;
	const struct service *table = services(&n);

	m->processes = memory_new(n * SERVICE_INSTANCES_MAX, sizeof(*m->processes));
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0;
		     k < service_instances(table[i].kind, &m->settings, cores); k++)
			process_init(&m->processes[m->n++], m, &table[i], k);
}

void
processes_release(struct master *m)
{
	for (size_t i = 0; i < m->n; i++) {
		ipc_peer_free(&m->processes[i].peer);
		event_free(m->processes[i].restart);
		if (m->processes[i].log >= 0)
			close(m->processes[i].log);
	}
	free(m->processes);
	m->processes = NULL;
	m->n = 0;
}
