/* authd/show.c - what an account holds, in the row that shows it
 *
 * local is asked, and the answer of the command waits for it a moment.
 */
#include "authd/operation.h"

#define SHOW_MS 2000 /* then the row goes without */

bool
show_wait(struct operation *o)
{
	struct cursor rows = cursor_make(buf_span(&o->rows));
	struct authd *a = o->errand.authd;
	struct directory_object row;

	if (o->request.verb != DIRECTORY_SHOW ||
	    o->request.object.kind != DIRECTORY_ACCOUNT || a->n_shows == SHOWS_MAX ||
	    !directory_row_get(wire_get_bytes(&rows), &row))
		return false;
	o->account = row.values[FIELD_ACCOUNT_ID].number;
	o->gives_up_ms = proc_ticks_ms() + SHOW_MS;
	TAILQ_INSERT_TAIL(&a->shows, o, shown);
	a->n_shows++;
	usage_ask(a, o->account);
	authd_tick_later(a);
	return true;
}

void
show_forget(struct operation *o)
{
	struct authd *a = o->errand.authd;

	if (o->gives_up_ms == 0)
		return;
	o->gives_up_ms = 0;
	TAILQ_REMOVE(&a->shows, o, shown);
	a->n_shows--;
}

static void
put_use(struct operation *o, const struct ipc_usage *m)
{
	struct cursor rows = cursor_make(buf_span(&o->rows));
	struct buf fresh = buf_make(DIRECTORY_REQUEST_MAX);
	struct directory_object row;

	if (directory_row_get(wire_get_bytes(&rows), &row)) {
		directory_put_number(&row, FIELD_ACCOUNT_USED_BYTES, m->bytes);
		directory_put_number(&row, FIELD_ACCOUNT_USED_MESSAGES, m->messages);
		directory_object_put(&row, &fresh);
		buf_reset(&o->rows);
		wire_put_bytes(&o->rows, buf_span(&fresh));
	}
	buf_release(&fresh);
}

void
shows_told(struct authd *a, const struct ipc_usage *m)
{
	struct operation *o, *next;

	for (o = TAILQ_FIRST(&a->shows); o; o = next) {
		next = TAILQ_NEXT(o, shown);
		if (o->account != m->account)
			continue;
		put_use(o, m);
		show_forget(o);
		operation_answer(o);
	}
}

void
shows_tick(struct authd *a, uint64_t now_ms)
{
	struct operation *o;

	while ((o = TAILQ_FIRST(&a->shows)) && o->gives_up_ms <= now_ms) {
		show_forget(o);
		operation_answer(o);
	}
}

void
shows_drop_peer(struct authd *a, const struct ipc_peer *peer)
{
	struct operation *o, *next;

	for (o = TAILQ_FIRST(&a->shows); o; o = next) {
		next = TAILQ_NEXT(o, shown);
		if (o->errand.peer == peer)
			operation_free(o);
	}
}
