#include "master/master.h"

/* Most channels are lost with one of their programs, whose end is soon known. */
#define LOST_FOR_MS 1000

static struct process *
find(struct master *m, uint32_t kind, uint32_t instance)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->processes[i].service->kind == kind &&
		    m->processes[i].instance == instance)
			return &m->processes[i];
	return NULL;
}

void
channels_lost(struct process *p, const struct ipc_ctl_lost *m)
{
	struct process *other = find(p->master, m->kind, m->instance);

	if (!other || p->lost || (p->service->peers & 1u << m->kind) == 0)
		return;
	p->lost = other;
	p->lost_start = m->start;
	p->lost_ms = proc_ticks_ms();
}

static bool
both_live(const struct process *p)
{
	return p->state == PROCESS_RUNNING && p->lost->state == PROCESS_RUNNING &&
	       p->lost->starts == p->lost_start;
}

/* The one nearer to the network ends: less is lost with it, and it cannot have
 * another killed by closing a channel. */
static void
judge(struct process *p)
{
	struct process *other = p->lost;
	bool is_mine = p->service->stop_order <= other->service->stop_order;

	if (both_live(p))
		process_kill(is_mine ? p : other, "a channel of it is gone");
	if (other->lost == p)
		other->lost = NULL;
	p->lost = NULL;
}

void
channels_judge(struct master *m, uint64_t now_ms)
{
	for (size_t i = 0; i < m->n; i++) {
		struct process *p = &m->processes[i];

		if (p->lost && now_ms - p->lost_ms >= LOST_FOR_MS)
			judge(p);
	}
}
