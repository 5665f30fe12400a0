#include "common/pgsql/internal.h"

#include <time.h>

uint64_t
pgsql_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct timeval
after_ms(uint64_t ms)
{
	return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

void
pool_kick(struct pgsql *p)
{
	event_active(&p->kick, EV_TIMEOUT, 0);
}

static unsigned
count_working(const struct pgsql *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += connection_works(&p->connections[i]);
	return n;
}

static unsigned
count_connecting(const struct pgsql *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += p->connections[i].state != CONNECTION_CLOSED &&
		     !connection_works(&p->connections[i]);
	return n;
}

/* ---- who waits */

static void
waiting_add(struct pgsql *p, struct pgsql_request *r, bool first)
{
	r->state = REQUEST_WAITING;
	if (first)
		TAILQ_INSERT_HEAD(&p->waiting, r, link);
	else
		TAILQ_INSERT_TAIL(&p->waiting, r, link);
	p->n_waiting++;
}

static void
waiting_take(struct pgsql *p, struct pgsql_request *r)
{
	TAILQ_REMOVE(&p->waiting, r, link);
	p->n_waiting--;
}

/* All have the same timeout, so that who came first is due first. */
static void
waiting_tick(struct pgsql *p)
{
	struct pgsql_request *r = TAILQ_FIRST(&p->waiting);
	uint64_t now = pgsql_now_ms();
	struct timeval wait;

	event_del(&p->tick);
	if (!r)
		return;
	wait = after_ms(r->due_ms > now ? r->due_ms - now : 0);
	evtimer_add(&p->tick, &wait);
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	struct pgsql *p = context;
	uint64_t now = pgsql_now_ms();
	struct pgsql_request *r;
	struct err err;

	(void)fd, (void)what;
	err_set(&err, "database %.32s: no connection in time", p->name);
	while ((r = TAILQ_FIRST(&p->waiting)) && r->due_ms <= now) {
		waiting_take(p, r);
		request_end(r, PGSQL_DOWN, &err);
	}
	waiting_tick(p);
}

static void
waiting_refuse(struct pgsql *p)
{
	struct pgsql_request *r;

	while ((r = TAILQ_FIRST(&p->waiting))) {
		waiting_take(p, r);
		request_end(r, PGSQL_DOWN, &p->fault);
	}
}

/* ---- what connections tell */

static void
try_again_later(struct pgsql *p)
{
	struct timeval wait;

	p->pause_ms = p->pause_ms ? 2 * p->pause_ms : PAUSE_MIN_MS;
	if (p->pause_ms > PGSQL_PAUSE_MAX_MS)
		p->pause_ms = PGSQL_PAUSE_MAX_MS;
	wait = after_ms(p->pause_ms);
	evtimer_add(&p->again, &wait);
}

void
pool_connected(struct pgsql *p)
{
	if (count_working(p) == 1)
		logline(LOGLINE_INFO, "pgsql.up", L_STR("pool", p->name));
	p->down = false;
	p->failures = 0;
	p->pause_ms = 0;
	p->fault = (struct err){0};
	pool_kick(p);
}

/* Told once for each reason, not for each try. */
static void
tell_down(const struct pgsql *p, const struct err *err)
{
	if (!p->down || strcmp(p->fault.text, err->text) != 0)
		logline(LOGLINE_ERROR, "pgsql.down", L_STR("pool", p->name),
			L_ERR(err));
}

void
pool_connect_failed(struct pgsql *p, const struct err *err)
{
	p->tries++;
	if (!evtimer_pending(&p->again, NULL))
		try_again_later(p);
	if (count_working(p) > 0) {
		logline(LOGLINE_WARNING, "pgsql.fewer", L_STR("pool", p->name),
			L_ERR(err));
		return;
	}
	/* A restart of the server may just have met this one try. */
	if (++p->failures < FAILURES_DOWN)
		return;
	tell_down(p, err);
	p->down = true;
	p->fault = *err;
	waiting_refuse(p);
	pool_kick(p);
}

void
pool_lost(struct pgsql *p, const struct err *err)
{
	p->lost++;
	logline(LOGLINE_WARNING, "pgsql.lost", L_STR("pool", p->name), L_ERR(err));
	for (unsigned i = 0; i < p->n; i++)
		if (p->connections[i].state == CONNECTION_IDLE)
			connection_close(&p->connections[i]);
	pool_kick(p);
}

/* ---- handing out */

static struct pgsql_connection *
find_connection(struct pgsql *p, enum connection_state state)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->connections[i].state == state)
			return &p->connections[i];
	return NULL;
}

/* One more when it would have something to do; one always. */
static void
open_more(struct pgsql *p)
{
	unsigned working = count_working(p), connecting = count_connecting(p);
	struct pgsql_connection *c;

	if (evtimer_pending(&p->again, NULL))
		return;
	/* Until it is known whether the first works, there is no second. */
	while (
	    (working + connecting == 0 || (working > 0 && p->n_waiting > connecting)) &&
	    (c = find_connection(p, CONNECTION_CLOSED))) {
		connecting++;
		connection_open(c);
		if (c->state == CONNECTION_CLOSED)
			return; /* it failed at once */
	}
}

static void
hand_out(struct pgsql *p)
{
	struct pgsql_connection *c;
	struct pgsql_request *r;

	while ((r = TAILQ_FIRST(&p->waiting)) &&
	       (c = find_connection(p, CONNECTION_IDLE))) {
		waiting_take(p, r);
		if (r->session) {
			r->session->connection = c;
			c->session = r->session;
		}
		connection_run(c, r);
	}
	open_more(p);
	waiting_tick(p);
}

/* No more than there were: whoever is told may ask again. */
static void
tell_ended(struct pgsql *p)
{
	struct pgsql_request *r, *last = TAILQ_LAST(&p->ended, request_list);
	bool done = !last;

	while (!done && (r = TAILQ_FIRST(&p->ended))) {
		bool ok = r->outcome == PGSQL_DONE;
		bool rows =
		    ok || r->outcome == PGSQL_CONFLICT || r->outcome == PGSQL_REFUSED;

		done = r == last;
		TAILQ_REMOVE(&p->ended, r, link);
		if (r->session)
			r->session->request = NULL;
		r->answered(r->context, r->outcome, rows ? &r->answer : NULL,
			    ok ? NULL : &r->err);
		request_free(r);
	}
	if (!TAILQ_EMPTY(&p->ended))
		pool_kick(p);
}

static void
on_kick(evutil_socket_t fd, short what, void *context)
{
	struct pgsql *p = context;

	(void)fd, (void)what;
	hand_out(p);
	tell_ended(p);
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	pool_kick(context);
}

/* ---- life */

int
pgsql_new(struct event_base *base, const struct pgsql_options *o, struct pgsql **out,
	  struct err *err)
{
	struct where *where;
	struct pgsql *p;

	ASSERT(o->connections > 0 && o->connections <= PGSQL_CONNECTIONS_MAX);
	ASSERT(o->timeout_ms > 0 && (!o->check || o->judge));
	if (where_new(o, &where, err) != 0)
		return -1;
	p = memory_new(1, sizeof(*p));
	p->base = base;
	p->where = where;
	p->name = span_dup(span_str(o->name));
	p->timeout_ms = o->timeout_ms;
	p->read_only = o->read_only;
	p->judge = o->judge;
	p->context = o->context;
	p->n = o->connections;
	p->connections = memory_new(p->n, sizeof(*p->connections));
	for (unsigned i = 0; i < p->n; i++)
		connection_init(&p->connections[i], p);
	TAILQ_INIT(&p->waiting);
	TAILQ_INIT(&p->ended);
	event_assign(&p->kick, base, -1, 0, on_kick, p);
	evtimer_assign(&p->tick, base, on_tick, p);
	evtimer_assign(&p->again, base, on_again, p);
	p->has_check = o->check != NULL;
	if (o->check)
		p->check = pgsql_statement(p, o->check);
	pool_kick(p);
	*out = p;
	return 0;
}

void
pgsql_free(struct pgsql **owner)
{
	struct pgsql *p = *owner;

	*owner = NULL;
	if (!p)
		return;
	ASSERT(TAILQ_EMPTY(&p->waiting) && TAILQ_EMPTY(&p->ended));
	for (unsigned i = 0; i < p->n; i++)
		connection_free(&p->connections[i]);
	event_del(&p->kick);
	event_del(&p->tick);
	event_del(&p->again);
	for (unsigned i = 0; i < p->n_statements; i++)
		free(p->statements[i]);
	where_free(&p->where);
	free(p->connections);
	free(p->name);
	free(p);
}

unsigned
pgsql_statement(struct pgsql *p, const char *text)
{
	for (unsigned i = 0; i < p->n_statements; i++)
		if (strcmp(p->statements[i], text) == 0)
			return i;
	ASSERT(p->n_statements < PGSQL_STATEMENTS_MAX);
	p->statements[p->n_statements] = span_dup(span_str(text));
	return p->n_statements++;
}

void
pgsql_state(const struct pgsql *p, struct pgsql_state *out)
{
	*out = (struct pgsql_state){
	    .connections = count_working(p),
	    .waiting = p->n_waiting,
	    .asked = p->asked,
	    .failed = p->failed,
	    .conflicts = p->conflicts,
	    .lost = p->lost,
	    .fault = p->fault,
	};
	out->up = out->connections > 0;
}

/* ---- asking */

void
pool_take(struct pgsql *p, struct pgsql_request *r)
{
	struct pgsql_session *s = r->session;
	struct err err;

	p->asked++;
	r->due_ms = pgsql_now_ms() + p->timeout_ms;
	if (s && s->dead) {
		err_set(&err, "database %.32s: the transaction is lost", p->name);
		request_end(r, PGSQL_LOST, &err);
	} else if (s && s->connection) {
		connection_run(s->connection, r);
	} else if (p->down) {
		request_end(r, PGSQL_DOWN, &p->fault);
	} else if (p->n_waiting >= PGSQL_WAITING_MAX) {
		err_set(&err, "database %.32s: too many questions wait", p->name);
		request_end(r, PGSQL_DOWN, &err);
	} else {
		waiting_add(p, r, false);
		pool_kick(p);
	}
}

void
request_lost(struct pgsql_request *r, enum pgsql_outcome outcome, const struct err *err)
{
	struct pgsql *p = r->pool;

	r->connection = NULL;
	if (outcome != PGSQL_LOST || r->orphan || r->session || r->asked_twice ||
	    p->down || r->due_ms <= pgsql_now_ms()) {
		request_end(r, outcome, err);
		return;
	}
	request_forget(r);
	r->asked_twice = true;
	waiting_add(p, r, true);
	pool_kick(p);
}

void
request_end(struct pgsql_request *r, enum pgsql_outcome outcome, const struct err *err)
{
	struct pgsql *p = r->pool;

	if (r->orphan) {
		request_free(r);
		return;
	}
	p->conflicts += outcome == PGSQL_CONFLICT;
	p->failed += outcome != PGSQL_DONE && outcome != PGSQL_CONFLICT;
	if (r->session && outcome != PGSQL_DONE && outcome != PGSQL_REFUSED)
		r->session->dead = true;
	r->state = REQUEST_ENDED;
	r->outcome = outcome;
	r->err = *err;
	TAILQ_INSERT_TAIL(&p->ended, r, link);
	pool_kick(p);
}

void
pgsql_cancel(struct pgsql_request **owner)
{
	struct pgsql_request *r = *owner;

	*owner = NULL;
	if (!r)
		return;
	if (r->session)
		r->session->request = NULL;
	r->session = NULL;
	r->orphan = true;
	if (r->state == REQUEST_RUNNING)
		return; /* freed when its results have come */
	if (r->state == REQUEST_WAITING)
		waiting_take(r->pool, r);
	else
		TAILQ_REMOVE(&r->pool->ended, r, link);
	request_free(r);
}
