#include "common/directory/internal.h"

bool
directory_do(struct directory *d, enum directory_task_kind kind, directory_work *work,
	     directory_finished *finished, void *context, struct directory_task **task)
{
	if (d->backend->calls->begin)
		return d->backend->calls->begin(d->backend, d, kind, work, finished,
						context, task);
	work(d, context);
	return true;
}

void
directory_cancel(struct directory_task **task)
{
	struct directory_task *t = *task;

	*task = NULL;
	if (t)
		t->backend->calls->cancel(t);
}

void
directory_do_now(struct directory *d, enum directory_task_kind kind,
		 directory_work *work, void *context)
{
	if (d->backend->calls->wait)
		d->backend->calls->wait(d->backend, d, kind, work, context);
	else
		work(d, context);
}
