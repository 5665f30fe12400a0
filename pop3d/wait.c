/* who waits for the lock of an account
 *
 * Not in a worker: those are few, and a compaction may hold the lock for minutes. A job
 * that finds the lock held ends, and begins anew in some ms.
 */
#include "pop3d/pop3d.h"

#include <event2/event.h>

#define RETRY_MS 50

static void
retry_soon(struct pop3d *d)
{
	const struct timeval in = {0, RETRY_MS * 1000};

	if (!evtimer_pending(d->retry, NULL))
		evtimer_add(d->retry, &in);
}

/* A job for which there is no room is tried again, too. */
static void
on_retry(evutil_socket_t fd, short what, void *context)
{
	struct pop3d *d = context;
	struct visit *v, *last = TAILQ_LAST(&d->waiting, waiting), *next;

	(void)fd;
	(void)what;
	for (v = TAILQ_FIRST(&d->waiting); v; v = next) {
		next = v == last ? NULL : TAILQ_NEXT(v, waits);
		if (proc_work(d->proc, &v->job))
			TAILQ_REMOVE(&d->waiting, v, waits);
	}
	if (!TAILQ_EMPTY(&d->waiting))
		retry_soon(d);
}

void
waiting_init(struct pop3d *d)
{
	TAILQ_INIT(&d->waiting);
	d->retry = evtimer_new(proc_base(d->proc), on_retry, d);
	ASSERT(d->retry);
}

bool
visit_wait(struct visit *v, uint64_t limit_ms)
{
	uint64_t now = proc_ticks_ms();

	if (v->busy_since_ms == 0)
		v->busy_since_ms = now;
	if (now - v->busy_since_ms >= limit_ms) {
		v->busy_since_ms = 0;
		return false;
	}
	v->working = true;
	TAILQ_INSERT_TAIL(&v->pop3d->waiting, v, waits);
	retry_soon(v->pop3d);
	return true;
}
