#include "master/master.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUERY_SLOT_BITS 8

static void
send_done(struct ipc_peer *peer, uint64_t tag, bool ok, struct span text)
{
	struct ipc_admin_done m = {tag, ok, text};

	ipc_send_admin_done(peer, &m);
}

/* --- asking the programs -------------------------------------------------- */

static void
query_release(struct query *q)
{
	event_free(q->timeout);
	free(q->waiting);
	*q = (struct query){0};
}

static void
send_row(const struct query *q, const struct process *p, struct span lines)
{
	struct ipc_admin_process m = {
	    .tag = q->tag,
	    .kind = p->service->kind,
	    .instance = p->instance,
	    .pid = (uint32_t)p->pid,
	    .state = (uint8_t)p->state,
	    .restarts = p->starts > 0 ? p->starts - 1 : 0,
	    .uptime_ms = p->pid ? proc_ticks_ms() - p->started_ms : 0,
	    .lines = lines,
	};

	ipc_send_admin_process(q->asker, &m);
}

static bool
query_waits(const struct query *q)
{
	for (size_t i = 0; i < q->master->n; i++)
		if (q->waiting[i])
			return true;
	return false;
}

static void
query_go_on(struct query *q)
{
	if (query_waits(q))
		return;
	send_done(q->asker, q->tag, true, SPAN(""));
	query_release(q);
}

/* Who has not answered by now is shown without lines. */
static void
on_timeout(int fd, short what, void *context)
{
	struct query *q = context;

	(void)fd, (void)what;
	for (size_t i = 0; i < q->master->n; i++)
		if (q->waiting[i]) {
			q->waiting[i] = false;
			send_row(q, &q->master->processes[i], SPAN(""));
		}
	query_go_on(q);
}

static void
send_own_row(struct master *m, const struct query *q)
{
	struct buf lines = buf_make(IPC_PACKET_MAX / 2);
	struct ipc_admin_process row = {
	    .tag = q->tag,
	    .kind = IPC_KIND_MASTER,
	    .pid = (uint32_t)getpid(),
	    .state = m->stopping ? PROCESS_STOPPING : PROCESS_RUNNING,
	    .uptime_ms = proc_ticks_ms() - m->started_ms,
	};

	buf_putf(&lines, "ready %d\n", m->ready);
	for (size_t i = 0; i < m->listeners.n; i++) {
		buf_putf(&lines, "listen.%s ", m->listeners.at[i].name);
		listener_address(&m->listeners.at[i], &lines);
		buf_put_char(&lines, '\n');
	}
	row.lines = buf_span(&lines);
	ipc_send_admin_process(q->asker, &row);
	buf_release(&lines);
}

static void
ask_all(struct master *m, struct query *q)
{
	struct ipc_status_ask ask = {q->id};

	for (size_t i = 0; i < m->n; i++) {
		struct process *p = &m->processes[i];

		if (p->peer && p->state == PROCESS_RUNNING) {
			q->waiting[i] = true;
			ipc_send_status_ask(p->peer, &ask);
		} else {
			send_row(q, p, SPAN(""));
		}
	}
}

static void
take_status_ask(struct master *m, struct ipc_peer *peer, uint64_t tag)
{
	struct timeval patience = {QUERY_TIMEOUT_MS / 1000,
				   QUERY_TIMEOUT_MS % 1000 * 1000};
	struct query *q = NULL;

	for (size_t i = 0; i < QUERIES_MAX && !q; i++)
		if (!m->queries[i].asker)
			q = &m->queries[i];
	if (!q) {
		send_done(peer, tag, false, SPAN("too many questions at once"));
		return;
	}
	*q = (struct query){.master = m,
			    .asker = peer,
			    .tag = tag,
			    .id = ++m->queries_asked << QUERY_SLOT_BITS |
				  (uint64_t)(q - m->queries),
			    .timeout = evtimer_new(m->base, on_timeout, q),
			    .waiting = memory_new(m->n, sizeof(bool))};
	ASSERT(q->timeout && event_add(q->timeout, &patience) == 0);
	send_own_row(m, q);
	ask_all(m, q);
	query_go_on(q);
}

static void
answer(struct query *q, struct process *p, struct span lines)
{
	size_t i = (size_t)(p - q->master->processes);

	if (!q->waiting[i])
		return;
	q->waiting[i] = false;
	send_row(q, p, lines);
	query_go_on(q);
}

void
control_status(struct master *m, struct process *p, uint64_t tag, struct span lines)
{
	size_t slot = tag & ((1u << QUERY_SLOT_BITS) - 1);

	if (slot < QUERIES_MAX && m->queries[slot].asker && m->queries[slot].id == tag)
		answer(&m->queries[slot], p, lines);
}

void
control_gone(struct master *m, struct process *p)
{
	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (m->queries[i].asker)
			answer(&m->queries[i], p, SPAN(""));
}

/* --- what the admin command says ------------------------------------------ */

static void
take_reload(struct master *m, struct ipc_peer *peer, uint64_t tag)
{
	struct buf told = buf_make(IPC_PACKET_MAX / 2);
	bool ok = reload(m, &told) == 0;

	send_done(peer, tag, ok, buf_span(&told));
	buf_release(&told);
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *msg, int fd)
{
	struct master *m = context;

	if (msg->number == IPC_NUMBER_status_ask) {
		take_status_ask(m, peer, msg->status_ask.tag);
	} else if (msg->number == IPC_NUMBER_admin_reload) {
		take_reload(m, peer, msg->admin_reload.tag);
	} else if (msg->number == IPC_NUMBER_admin_stop) {
		send_done(peer, msg->admin_stop.tag, true, SPAN(""));
		stop_begin(m, false);
	}
	if (fd >= 0)
		close(fd);
}

static void
on_down(struct ipc_peer *peer, void *context)
{
	struct master *m = context;

	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (m->queries[i].asker == peer)
			query_release(&m->queries[i]);
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		if (m->controls[i] == peer)
			m->controls[i] = NULL;
	ipc_peer_free(&peer);
}

static const struct ipc_callbacks callbacks = {NULL, on_message, on_down};

static void
on_connection(int listener, short what, void *context)
{
	struct master *m = context;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (fd < 0)
		return;
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		if (!m->controls[i]) {
			m->controls[i] = ipc_peer_new(m->base, fd, IPC_KIND_MASTER, 0,
						      &callbacks, m);
			ipc_peer_expect_kind(m->controls[i], IPC_KIND_ADMIN);
			return;
		}
	close(fd);
}

int
control_open(struct master *m, struct err *err)
{
	for (size_t i = 0; i < m->listeners.n; i++)
		if (m->listeners.at[i].kind == IPC_KIND_MASTER) {
			m->control_event =
			    event_new(m->base, m->listeners.at[i].fd,
				      EV_READ | EV_PERSIST, on_connection, m);
			ASSERT(m->control_event &&
			       event_add(m->control_event, NULL) == 0);
			return 0;
		}
	return err_set(err, "there is no control socket");
}

void
control_close(struct master *m)
{
	for (size_t i = 0; i < QUERIES_MAX; i++)
		if (m->queries[i].asker)
			query_release(&m->queries[i]);
	for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
		ipc_peer_free(&m->controls[i]);
	if (m->control_event)
		event_free(m->control_event);
	m->control_event = NULL;
}
