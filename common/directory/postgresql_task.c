#include "common/directory/postgresql.h"

#include <errno.h>

static struct timeval
after_ms(uint64_t ms)
{
	return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- the end */

/* Whoever waits to change next; from the loop, so that the end of one task calls
 * nobody else. */
static void
on_next(evutil_socket_t fd, short what, void *context)
{
	struct postgresql *b = context;
	struct postgresql_task *t;

	(void)fd, (void)what;
	TAILQ_FOREACH(t, &b->tasks, link)
	if (t->queued)
		break;
	if (!t || b->changing >= b->changing_max)
		return;
	t->queued = false;
	b->changing++;
	event_active(&b->next, EV_TIMEOUT, 0);
	postgresql_run(t);
}

void
postgresql_tasks_init(struct postgresql *b)
{
	TAILQ_INIT(&b->tasks);
	event_assign(&b->next, b->base, -1, 0, on_next, b);
}

void
postgresql_leave(struct postgresql_task *t)
{
	pgsql_cancel(&t->request);
	pgsql_session_free(&t->session);
	t->begun = false;
}

static void
task_free(struct postgresql_task *t)
{
	struct postgresql *b = t->b;

	postgresql_leave(t);
	event_del(&t->deadline);
	event_del(&t->settle);
	TAILQ_REMOVE(&b->tasks, t, link);
	if (t->kind == DIRECTORY_CHANGES && !t->queued) {
		b->changing--;
		event_active(&b->next, EV_TIMEOUT, 0);
	}
	memo_release(&t->memo);
	free(t);
}

static void
finish(struct postgresql_task *t)
{
	directory_finished *finished = t->finished;
	void *context = t->context;

	task_free(t);
	finished(context);
}

/* ---- runs */

/* True when the work has all it needs. */
static bool
run(struct postgresql_task *t)
{
	struct postgresql *b = t->b;
	struct postgresql_task *before = b->current;

	t->waits = false;
	b->current = t;
	t->work(t->d, t->context);
	b->current = before;
	return !t->waits;
}

void
postgresql_run(struct postgresql_task *t)
{
	if (run(t) || t->failed)
		finish(t);
	else
		postgresql_ask(t);
}

void
postgresql_fail(struct postgresql_task *t, const struct err *why)
{
	postgresql_leave(t);
	event_del(&t->settle);
	t->fault = *why;
	if (t->fault.code == EAGAIN)
		t->fault.code = EIO;
	t->failed = true;
	postgresql_run(t);
}

static void
forget(struct postgresql_task *t)
{
	postgresql_leave(t);
	memo_release(&t->memo);
	memo_init(&t->memo);
	t->apply = APPLY_NONE;
	t->changes = NULL;
	t->n_changes = 0;
}

void
postgresql_again(struct postgresql_task *t, const struct err *why)
{
	if (++t->tries >= TRIES_MAX) {
		postgresql_fail(t, why);
		return;
	}
	t->why = *why;
	if (t->apply == APPLY_DONE)
		postgresql_leave(t); /* only what was read after it is read again */
	else
		forget(t);
	postgresql_run(t);
}

static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct postgresql_task *t = context;
	struct err err = t->why;

	(void)fd, (void)what;
	if (err.text[0] == '\0')
		err_set(&err, "database directory: no answer in time");
	if (t->apply == APPLY_SENT && !t->settles) {
		postgresql_settle(t);
		return;
	}
	if (t->apply == APPLY_SENT)
		err_set(&err, "database directory: the connection was lost; whether "
			      "the change was made is not known");
	postgresql_fail(t, &err);
}

/* ---- begin */

static struct postgresql_task *
task_new(struct postgresql *b, struct directory *d, enum directory_task_kind kind,
	 directory_work *work, directory_finished *finished, void *context)
{
	struct postgresql_task *t = memory_new(1, sizeof(*t));
	struct timeval wait = after_ms(b->timeout_ms);

	t->task.backend = &b->backend;
	t->b = b;
	t->d = d;
	t->kind = kind;
	t->work = work;
	t->finished = finished;
	t->context = context;
	memo_init(&t->memo);
	evtimer_assign(&t->deadline, b->base, on_deadline, t);
	postgresql_settle_init(t);
	evtimer_add(&t->deadline, &wait);
	TAILQ_INSERT_TAIL(&b->tasks, t, link);
	if (kind == DIRECTORY_CHANGES && b->changing >= b->changing_max)
		t->queued = true;
	else if (kind == DIRECTORY_CHANGES)
		b->changing++;
	return t;
}

bool
postgresql_begin(struct backend *backend, struct directory *d,
		 enum directory_task_kind kind, directory_work *work,
		 directory_finished *finished, void *context,
		 struct directory_task **task)
{
	struct postgresql *b = (struct postgresql *)backend;
	struct postgresql_task *t = task_new(b, d, kind, work, finished, context);

	if (!t->queued) {
		if (run(t)) {
			task_free(t);
			return true;
		}
		postgresql_ask(t);
	}
	*task = &t->task;
	return false;
}

void
postgresql_cancel(struct directory_task *task)
{
	task_free((struct postgresql_task *)task);
}

struct waiting {
	directory_work *work;
	void *context;
	bool ended;
};

static void
work_of_waiting(struct directory *d, void *context)
{
	const struct waiting *w = context;

	w->work(d, w->context);
}

static void
waiting_ended(void *context)
{
	((struct waiting *)context)->ended = true;
}

void
postgresql_wait(struct backend *backend, struct directory *d,
		enum directory_task_kind kind, directory_work *work, void *context)
{
	struct postgresql *b = (struct postgresql *)backend;
	struct waiting w = {work, context, false};
	struct directory_task *task;

	w.ended = postgresql_begin(backend, d, kind, work_of_waiting, waiting_ended, &w,
				   &task);
	while (!w.ended)
		ASSERT(event_base_loop(b->base, EVLOOP_ONCE) >= 0);
}
