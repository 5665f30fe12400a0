#include "common/pgsql/internal.h"

/* ---- notices */

/* NOTICE and WARNING of the server, one line each. */
static void
on_notice(void *context, const PGresult *result)
{
	const struct pgsql_connection *c = context;
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity =
	    PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	logline(LOGLINE_INFO, "pgsql.notice", L_STR("pool", c->pool->name),
		L_STR("severity", severity ? severity : ""),
		L_STR("text", text ? text : ""));
}

/* ---- states and events */

static void on_io(evutil_socket_t fd, short what, void *context);
static void on_deadline(evutil_socket_t fd, short what, void *context);

static void
enter(struct pgsql_connection *c, enum connection_state to)
{
	if (to == CONNECTION_CLOSED) {
		hosts_lookup_free(&c->lookup);
		if (c->fd >= 0) {
			event_del(&c->io);
			event_del(&c->out);
		}
		c->fd = -1;
		if (c->pq)
			PQfinish(c->pq);
		c->pq = NULL;
		memset(c->prepared, 0, sizeof(c->prepared));
		c->going = false;
	}
	if (to == CONNECTION_CLOSED || to == CONNECTION_IDLE)
		event_del(&c->deadline);
	c->state = to;
}

void
connection_init(struct pgsql_connection *c, struct pgsql *pool)
{
	c->pool = pool;
	c->fd = -1;
	evtimer_assign(&c->deadline, pool->base, on_deadline, c);
}

static void
set_deadline(struct pgsql_connection *c, uint64_t after_ms)
{
	struct timeval after = {(time_t)(after_ms / 1000),
				(suseconds_t)(after_ms % 1000 * 1000)};

	evtimer_add(&c->deadline, &after);
}

bool
connection_works(const struct pgsql_connection *c)
{
	return c->state >= CONNECTION_IDLE;
}

/* libpq may change its socket while it tries one server after the other. */
static void
listen_to_socket(struct pgsql_connection *c)
{
	int fd = PQsocket(c->pq);

	if (c->fd >= 0) {
		event_del(&c->io);
		event_del(&c->out);
	}
	c->fd = fd;
	if (fd < 0)
		return;
	event_assign(&c->io, c->pool->base, fd, EV_READ | EV_PERSIST, on_io, c);
	event_assign(&c->out, c->pool->base, fd, EV_WRITE, on_io, c);
}

static void
watch(struct pgsql_connection *c)
{
	int left = PQflush(c->pq);

	if (left > 0)
		event_add(&c->out, NULL);
	/* A flush that fails is heard of by reading, after what came before. */
	event_add(&c->io, NULL);
}

/* ---- failing */

void
connection_fail(struct pgsql_connection *c, enum pgsql_outcome outcome,
		const struct err *err)
{
	struct pgsql_request *r = c->request;
	struct pgsql_session *s = c->session;
	bool worked = connection_works(c);

	c->request = NULL;
	c->session = NULL;
	enter(c, CONNECTION_CLOSED);
	if (s) {
		s->connection = NULL;
		s->dead = true;
	}
	if (c->check)
		request_free(c->check);
	else if (r)
		request_lost(r, outcome, err);
	c->check = NULL;
	if (worked)
		pool_lost(c->pool, err);
	else
		pool_connect_failed(c->pool, err);
}

void
connection_close(struct pgsql_connection *c)
{
	enter(c, CONNECTION_CLOSED);
}

void
connection_free(struct pgsql_connection *c)
{
	ASSERT(!c->session && (!c->request || c->check || c->request->orphan));
	if (c->request)
		request_free(c->request);
	c->request = c->check = NULL;
	enter(c, CONNECTION_CLOSED);
	free(c->expects);
}

static void
fail_with_libpq(struct pgsql_connection *c)
{
	struct err err;

	verdict_text(&err, c->pool->name, PQerrorMessage(c->pq));
	connection_fail(c, PGSQL_LOST, &err);
}

static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct pgsql_connection *c = context;
	struct err err;

	(void)fd, (void)what;
	err_set(&err, "database %.32s: %s", c->pool->name,
		connection_works(c) ? "no answer in time" : "no connection in time");
	connection_fail(c, PGSQL_TIMEOUT, &err);
}

/* ---- connecting */

static void
accepted(struct pgsql_connection *c)
{
	enter(c, CONNECTION_IDLE);
	pool_connected(c->pool);
}

/* Before anything else is asked: is that the database we want? */
static void
check(struct pgsql_connection *c)
{
	struct err err;

	enter(c, CONNECTION_CHECKING);
	c->request = c->check = request_plain(c->pool, c->pool->check);
	if (talk_send(c, c->request, &err) != 0)
		connection_fail(c, PGSQL_LOST, &err);
	else
		watch(c);
}

static void
checked(struct pgsql_connection *c)
{
	struct pgsql *p = c->pool;
	const struct pgsql_request *r = c->check;
	struct err err = r->err;

	if (c->going ||
	    p->judge(p->context, r->outcome == PGSQL_DONE ? &r->answer : NULL, &err) !=
		0) {
		connection_fail(c, PGSQL_DOWN, &err);
		return;
	}
	c->request = NULL;
	request_free(c->check);
	c->check = NULL;
	accepted(c);
}

static void
connected(struct pgsql_connection *c)
{
	if (PQsetnonblocking(c->pq, 1) != 0 || PQenterPipelineMode(c->pq) != 1) {
		fail_with_libpq(c);
		return;
	}
	PQsetNoticeReceiver(c->pq, on_notice, c);
	listen_to_socket(c);
	event_add(&c->io, NULL);
	if (c->pool->has_check)
		check(c);
	else
		accepted(c);
}

static void
connect_step(struct pgsql_connection *c)
{
	PostgresPollingStatusType next = PQconnectPoll(c->pq);

	if (next == PGRES_POLLING_FAILED) {
		fail_with_libpq(c);
		return;
	}
	if (next == PGRES_POLLING_OK) {
		connected(c);
		return;
	}
	listen_to_socket(c);
	if (c->fd >= 0)
		event_add(next == PGRES_POLLING_READING ? &c->io : &c->out, NULL);
}

static void
begin_connecting(struct pgsql_connection *c, char *const addresses[HOSTS_MAX])
{
	struct err err;

	c->pq = where_connect(c->pool->where, addresses, c->pool->tries, &err);
	if (!c->pq) {
		connection_fail(c, PGSQL_DOWN, &err);
		return;
	}
	enter(c, CONNECTION_CONNECTING);
	if (PQstatus(c->pq) == CONNECTION_BAD) {
		fail_with_libpq(c);
		return;
	}
	PQsetNoticeReceiver(c->pq, on_notice, c);
	listen_to_socket(c);
	/* As if PQconnectPoll() had said PGRES_POLLING_WRITING. */
	if (c->fd >= 0)
		event_add(&c->out, NULL);
}

static void
looked_up(void *context, char *const addresses[HOSTS_MAX], const struct err *err)
{
	struct pgsql_connection *c = context;
	bool any = !err;

	for (size_t i = 0; i < HOSTS_MAX; i++)
		any = any || addresses[i];
	if (!any) {
		struct err why = *err;

		verdict_text(&why, c->pool->name, err->text);
		connection_fail(c, PGSQL_DOWN, &why);
		return;
	}
	begin_connecting(c, addresses);
	hosts_lookup_free(&c->lookup);
}

static bool
any_name(const char *const *hosts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hosts[i][0] != '\0')
			return true;
	return false;
}

void
connection_open(struct pgsql_connection *c)
{
	const char *hosts[HOSTS_MAX];
	size_t n = where_hosts(c->pool->where, hosts);
	uint64_t most = c->pool->timeout_ms;

	ASSERT(c->state == CONNECTION_CLOSED);
	set_deadline(c, most < PGSQL_CONNECT_MAX_MS ? most : PGSQL_CONNECT_MAX_MS);
	if (!any_name(hosts, n)) {
		begin_connecting(c, NULL);
		return;
	}
	enter(c, CONNECTION_LOOKING);
	c->lookup = hosts_lookup_new(c->pool->base, hosts, n, looked_up, c);
}

/* ---- working */

void
connection_run(struct pgsql_connection *c, struct pgsql_request *r)
{
	struct err err;

	ASSERT(c->state == CONNECTION_IDLE ||
	       (c->state == CONNECTION_BUSY && !c->request));
	enter(c, CONNECTION_BUSY);
	c->request = r;
	r->connection = c;
	r->state = REQUEST_RUNNING;
	set_deadline(c, c->pool->timeout_ms);
	if (talk_send(c, r, &err) != 0)
		connection_fail(c, PGSQL_LOST, &err);
	else
		watch(c);
}

/* Every result of a question is there. */
static void
ended(struct pgsql_connection *c)
{
	struct pgsql_request *r = c->request;
	struct err err = r->err;

	if (c->going) {
		connection_fail(c, PGSQL_LOST, &err);
		return;
	}
	event_del(&c->deadline);
	c->request = NULL;
	r->connection = NULL;
	request_end(r, r->outcome, &err);
	if (!c->session)
		connection_release(c);
}

static void
clean(struct pgsql_connection *c)
{
	struct err err;

	enter(c, CONNECTION_CLEANING);
	set_deadline(c, c->pool->timeout_ms);
	if (talk_send_rollback(c, &err) != 0)
		connection_fail(c, PGSQL_LOST, &err);
	else
		watch(c);
}

void
connection_release(struct pgsql_connection *c)
{
	c->session = NULL;
	if (c->request)
		return; /* when that has ended */
	if (PQtransactionStatus(c->pq) != PQTRANS_IDLE) {
		clean(c);
		return;
	}
	enter(c, CONNECTION_IDLE);
	pool_kick(c->pool);
}

static void
cleaned(struct pgsql_connection *c)
{
	struct err err;

	if (PQtransactionStatus(c->pq) == PQTRANS_IDLE) {
		enter(c, CONNECTION_IDLE);
		pool_kick(c->pool);
		return;
	}
	err_set(&err, "database %.32s: a transaction could not be rolled back",
		c->pool->name);
	connection_fail(c, PGSQL_LOST, &err);
}

static void
on_io(evutil_socket_t fd, short what, void *context)
{
	struct pgsql_connection *c = context;
	struct err err;
	int r;

	(void)fd, (void)what;
	if (c->state == CONNECTION_CONNECTING) {
		event_del(&c->io);
		connect_step(c);
		return;
	}
	r = talk_take(c, &err);
	if (r < 0)
		connection_fail(c, PGSQL_LOST, &err);
	else if (r > 0 && c->state == CONNECTION_CLEANING)
		cleaned(c);
	else if (r > 0 && c->state == CONNECTION_CHECKING)
		checked(c);
	else if (r > 0 && c->request)
		ended(c);
	else
		watch(c);
}
