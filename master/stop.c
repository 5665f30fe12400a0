#include "master/master.h"

#define STOP_ORDER_MAX 8
/* After the time of an orderly stop: to finish in one call, then SIGKILL. */
#define LAST_CALL_S 3

static bool
any_of_order(const struct master *m, unsigned order)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].service->stop_order <= order &&
		    m->processes[i].state != PROCESS_STOPPED)
			return true;
	return false;
}

static void
drain_order(struct master *m, unsigned order)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].service->stop_order == order)
			process_drain(&m->processes[i], m->stop_now);
}

static void
timer_set(struct master *m, uint64_t seconds)
{
	struct timeval wait = {(time_t)seconds, 0};

	ASSERT(event_add(m->stop_timer, &wait) == 0);
}

void
stop_go_on(struct master *m)
{
	while (m->stop_order < STOP_ORDER_MAX && !any_of_order(m, m->stop_order))
		if (++m->stop_order < STOP_ORDER_MAX)
			drain_order(m, m->stop_order);
	m->done = m->stop_order == STOP_ORDER_MAX;
}

static void
drain_rest(struct master *m)
{
	m->stop_now = true;
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].state != PROCESS_STOPPED)
			process_drain(&m->processes[i], true);
	timer_set(m, LAST_CALL_S);
}

static void
on_timer(int fd, short what, void *context)
{
	struct master *m = context;

	(void)fd, (void)what;
	if (!m->stop_now) {
		logline(LOGLINE_WARNING, "master.stop_late",
			L_U64("seconds", m->settings.stop_timeout_s));
		drain_rest(m);
		stop_go_on(m);
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		process_kill(&m->processes[i], "it did not stop in time");
	timer_set(m, 1);
}

void
stop_begin(struct master *m, bool now)
{
	if (m->stopping) {
		if (now && !m->stop_now)
			drain_rest(m);
		return;
	}
	logline(LOGLINE_INFO, "master.stop");
	notify_stopping();
	m->stopping = true;
	m->stop_now = now;
	m->stop_timer = evtimer_new(m->base, on_timer, m);
	ASSERT(m->stop_timer);
	timer_set(m, now ? LAST_CALL_S : m->settings.stop_timeout_s);
	drain_order(m, 0);
	stop_go_on(m);
}
