#include "common/directory/postgresql.h"

#include <inttypes.h>

#define ASK_AGAIN_MS 100

static void ask_status(struct postgresql_task *t);

static void
ask_later(struct postgresql_task *t)
{
	const struct timeval wait = {0, ASK_AGAIN_MS * 1000};

	evtimer_add(&t->settle, &wait);
}

static void
settled(struct postgresql_task *t, bool committed)
{
	struct err why = t->why;

	t->settles = false;
	logline(LOGLINE_WARNING, "directory.settled", L_U64("transaction", t->txid),
		L_STR("outcome", committed ? "committed" : "aborted"));
	if (committed) {
		t->apply = APPLY_DONE;
		postgresql_run(t);
	} else {
		postgresql_again(t, &why);
	}
}

/* "committed", "aborted", "in progress", or NULL for one that is too long ago. */
static void
on_status(void *context, enum pgsql_outcome outcome, const struct pgsql_answer *answer,
	  const struct err *err)
{
	struct postgresql_task *t = context;
	struct span status = {0};

	(void)err;
	t->request = NULL;
	if (outcome == PGSQL_DONE)
		status = pgsql_value(answer, 0, 0, 0);
	if (span_equal(status, SPAN("committed")))
		settled(t, true);
	else if (span_equal(status, SPAN("aborted")))
		settled(t, false);
	else
		ask_later(t); /* the deadline ends this */
}

static void
ask_status(struct postgresql_task *t)
{
	struct buf text = buf_make(24);
	struct span value;
	struct pgsql_query query;

	buf_putf(&text, "%" PRIu64, t->txid);
	value = buf_span(&text);
	query = (struct pgsql_query){
	    pgsql_statement(t->b->pool, "SELECT txid_status($1::bigint)"), &value, 1};
	t->request = pgsql_ask(t->b->pool, NULL, &query, 1, on_status, t);
	buf_release(&text);
}

static void
on_settle(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	ask_status(context);
}

void
postgresql_settle_init(struct postgresql_task *t)
{
	evtimer_assign(&t->settle, t->b->base, on_settle, t);
}

/* With as much time again as the whole task had. */
void
postgresql_settle(struct postgresql_task *t)
{
	struct timeval wait = {
	    (time_t)(t->b->timeout_ms / 1000),
	    (suseconds_t)(t->b->timeout_ms % 1000 * 1000),
	};

	postgresql_leave(t);
	t->settles = true;
	evtimer_add(&t->deadline, &wait);
	ask_later(t);
}
