#include "authd/errand.h"
#include "authd/authd.h"

static void
work(struct directory *d, void *context)
{
	struct errand *e = context;

	e->kind->work(d, e);
}

/* From the loop: the answers that it waited for are here. */
static void
finished(void *context)
{
	struct errand *e = context;
	struct authd *a = e->authd;

	e->task = NULL;
	TAILQ_REMOVE(&a->errands, e, link);
	a->n_errands--;
	e->kind->done(e);
}

void
errand_park(struct errand *e)
{
	ASSERT(!e->task && !e->parked);
	TAILQ_INSERT_TAIL(&e->authd->parked, e, link);
	e->parked = true;
}

static void
unpark(struct errand *e)
{
	if (e->parked)
		TAILQ_REMOVE(&e->authd->parked, e, link);
	e->parked = false;
}

bool
errand_run(struct errand *e)
{
	struct authd *a = e->authd;

	ASSERT(!e->task);
	unpark(e);
	if (a->n_errands >= ERRANDS_MAX)
		return false;
	if (directory_do(a->directory, e->kind->task, work, finished, e, &e->task)) {
		e->task = NULL;
		e->kind->done(e);
		return true;
	}
	TAILQ_INSERT_TAIL(&a->errands, e, link);
	a->n_errands++;
	a->count.waits++;
	return true;
}

void
errand_cancel(struct errand *e)
{
	unpark(e);
	if (!e->task)
		return;
	directory_cancel(&e->task);
	TAILQ_REMOVE(&e->authd->errands, e, link);
	e->authd->n_errands--;
}

static void
drop_peer(struct errand_list *list, const struct ipc_peer *peer)
{
	struct errand *e, *next;

	for (e = TAILQ_FIRST(list); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->peer != peer)
			continue;
		errand_cancel(e);
		e->kind->drop(e);
	}
}

void
errands_drop_peer(struct authd *a, const struct ipc_peer *peer)
{
	drop_peer(&a->errands, peer);
	drop_peer(&a->parked, peer);
}
