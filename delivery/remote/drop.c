/* jobs go back to qmgr without an answer */
#include "delivery/remote/remote.h"

static void
waiting_drop(struct remote *r, struct destination *d)
{
	struct job *job;

	d->n_jobs++; /* it stays until here */
	while ((job = TAILQ_FIRST(&d->waiting)))
		job_give_back(r, job, "this server stops");
	d->n_jobs--;
	destination_settle(r, d);
}

void
jobs_drop(struct remote *r, bool all)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&r->connections); c; c = next) {
		struct job *job = c->job;

		next = LIST_NEXT(c, all);
		if (!all && connection_awaits_end(c))
			continue;
		if (!job) {
			connection_quit(c);
			continue;
		}
		connection_take_job(c);
		connection_break(c);
		job_give_back(r, job, "this server stops");
	}
	destinations_each(r, waiting_drop);
}
