#include "pop3d/pop3d.h"

#include <stddef.h>
#include <stdio.h>

#define INPUT_MAX  4096u
#define OUTPUT_LOW (32u << 10)
#define OUTPUT_MAX (1u << 20)
#define LINGER_MS  5000

static void visit_free(struct visit *v);

static const char away[] = "-ERR [SYS/TEMP] the mailbox is away, try again later\r\n";

static const char in_use[] = "-ERR [IN-USE] the mailbox is in use, try again later\r\n";

/* --- states --------------------------------------------------------------- */

static uint64_t
idle_ms(const struct visit *v)
{
	return proc_settings(v->pop3d->proc)->pop3_idle_timeout_s * 1000;
}

/* The only place that changes the state, and sets how long it may take. */
static void
enter(struct visit *v, enum visit_state to)
{
	static const uint64_t no_limit = 0;

	v->state = to;
	if (v->stream)
		net_stream_deadline(v->stream,
				    to == VISIT_SERVING ? idle_ms(v) : no_limit);
}

static void
log_logout(const struct visit *v)
{
	struct pop3_totals totals = pop3_totals(v->session);
	char text[NET_ADDRESS_TEXT_MAX];

	v->pop3d->retrieved += totals.retrieved;
	v->pop3d->deleted += totals.deleted;
	v->pop3d->bytes += totals.bytes;
	logline(LOGLINE_INFO, "pop3.logout", L_U64("account", v->account),
		L_STR("address", v->address),
		L_STR("client", net_address_text(&v->client, text)),
		L_STR("reason", v->reason), L_U64("retrieved", totals.retrieved),
		L_U64("deleted", totals.deleted), L_U64("bytes", totals.bytes));
}

/* --- the worker ----------------------------------------------------------- */

static struct visit *
visit_of(struct proc_job *job)
{
	return (struct visit *)(void *)((char *)job - offsetof(struct visit, job));
}

static bool
start_job(struct visit *v, void (*work)(struct proc_job *),
	  void (*done)(struct proc_job *))
{
	v->mailbox.now_us = (int64_t)proc_now_us();
	v->job.work = work;
	v->job.done = done;
	v->working = proc_work(v->pop3d->proc, &v->job);
	return v->working;
}

static void
close_work(struct proc_job *job)
{
	mailbox_close(&visit_of(job)->mailbox);
}

static void
close_done(struct proc_job *job)
{
	visit_free(visit_of(job));
}

/* --- the end -------------------------------------------------------------- */

static void
visit_free(struct visit *v)
{
	LIST_REMOVE(v, all);
	v->pop3d->n_visits--;
	net_stream_free(&v->stream);
	pop3_free(&v->session);
	mailbox_close(&v->mailbox);
	free(v->root);
	free(v);
}

/* The connection is gone; the mailbox goes with it. */
static void
leave(struct visit *v)
{
	enter(v, VISIT_CLOSING);
	if (!v->mailbox.store || !start_job(v, close_work, close_done))
		visit_free(v);
}

void
visit_close(struct visit *v, const char *reason, bool abort)
{
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
	if (abort)
		net_stream_free(&v->stream);
	else
		net_stream_close(&v->stream, LINGER_MS);
	if (v->working)
		return; /* its done() goes on */
	if (v->session)
		log_logout(v);
	leave(v);
}

static void
log_refused(struct pop3d *d, uint64_t account, const char *address,
	    const struct net_address *client, const char *reason)
{
	char text[NET_ADDRESS_TEXT_MAX];

	d->refused++;
	logline(LOGLINE_WARNING, "pop3.refused", L_U64("account", account),
		L_STR("address", address),
		L_STR("client", net_address_text(client, text)),
		L_STR("reason", reason));
}

/* Before there is a session. */
static void
refuse(struct visit *v, const char *reply, const char *reason)
{
	log_refused(v->pop3d, v->account, v->address, &v->client, reason);
	if (v->stream) {
		net_stream_write(v->stream, span_str(reply));
		net_stream_close(&v->stream, LINGER_MS);
	}
	leave(v);
}

/* --- what the stream says ------------------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	struct visit *v = context;

	if (v->state != VISIT_SERVING)
		return;
	net_stream_deadline(s, idle_ms(v));
	visit_serve(v);
}

static void
on_deadline(struct net_stream *s, void *context)
{
	struct visit *v = context;

	if (v->state == VISIT_SERVING) {
		pop3_timeout(v->session, net_stream_output(s));
		visit_serve(v);
	}
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct visit *v = context;

	v->client_ended = true;
	if (how != NET_END_CLOSED)
		visit_close(v, net_stream_fault(s), true);
	else if (v->state == VISIT_SERVING)
		visit_serve(v);
}

static const struct net_callbacks callbacks = {on_input, on_input, NULL, on_deadline,
					       on_ended};

/* --- beginning ------------------------------------------------------------ */

static struct visit *
visit_new(struct pop3d *d, const struct arrival *a)
{
	const struct net_sizes sizes = {.input_max = INPUT_MAX,
					.output_high = pop3_limits_default.output_high,
					.output_low = OUTPUT_LOW,
					.output_max = OUTPUT_MAX};
	struct visit *v = memory_new(1, sizeof(*v));

	v->pop3d = d;
	v->stream = net_stream_new(proc_base(d->proc), a->fd, &sizes, &callbacks, v);
	v->account = a->account;
	v->tls = a->tls;
	v->client = a->client;
	memcpy(v->address, a->address, sizeof(v->address));
	net_stream_preload(v->stream, a->pending);
	LIST_INSERT_HEAD(&d->visits, v, all);
	d->n_visits++;
	return v;
}

static size_t
sessions_like(const struct visit *v)
{
	struct net_key mine = net_key_client(&v->client);
	const struct visit *other;
	size_t n = 0;

	LIST_FOREACH(other, &v->pop3d->visits, all)
	{
		struct net_key key = net_key_client(&other->client);

		n += other->account == v->account && other->stream &&
		     memcmp(&key, &mine, sizeof(key)) == 0;
	}
	return n;
}

static void
open_work(struct proc_job *job)
{
	struct visit *v = visit_of(job);

	mailbox_open(&v->mailbox, v->root, v->account);
}

static void
begin_session(struct visit *v)
{
	char text[NET_ADDRESS_TEXT_MAX];
	uint64_t bytes;
	size_t n;

	v->session = pop3_new(&pop3_limits_default, v->mailbox.messages, v->mailbox.n);
	v->mailbox.messages = NULL;
	n = pop3_messages(v->session, &bytes);
	logline(LOGLINE_INFO, "pop3.login", L_U64("account", v->account),
		L_STR("address", v->address),
		L_STR("client", net_address_text(&v->client, text)),
		L_STR("tls", v->tls ? "yes" : "no"), L_U64("messages", n),
		L_U64("bytes", bytes));
	v->pop3d->logins++;
	enter(v, VISIT_SERVING);
	pop3_open(v->session, net_stream_output(v->stream));
	if (v->pop3d->draining)
		pop3_stop(v->session, net_stream_output(v->stream));
	if (v->barred)
		pop3_bar(v->session, net_stream_output(v->stream));
	visit_serve(v);
}

static void
open_done(struct proc_job *job)
{
	struct visit *v = visit_of(job);

	v->working = false;
	if (v->mailbox.in_use && v->stream && !v->pop3d->draining &&
	    visit_wait(v, BUSY_LOGIN_MS))
		return;
	v->busy_since_ms = 0;
	if (v->mailbox.in_use) {
		refuse(v, in_use, "the mailbox is in use");
	} else if (!v->mailbox.ok) {
		logline(LOGLINE_ERROR, "pop3.unopened", L_U64("account", v->account),
			L_ERR(&v->mailbox.err));
		refuse(v, away, "the mailbox cannot be opened");
	} else if (v->stream) {
		begin_session(v);
	} else {
		leave(v);
	}
}

static void
taken(void *context, const struct arrival *a)
{
	struct pop3d *d = context;
	const struct settings *s = proc_settings(d->proc);
	struct visit *v = visit_new(d, a);

	enter(v, VISIT_OPENING);
	if (d->n_visits > s->connections_max) {
		refuse(v, away, "too many sessions");
		return;
	}
	if (sessions_like(v) > s->account_connections_max) {
		refuse(v, "-ERR [IN-USE] too many sessions of this account\r\n",
		       "too many sessions of this account");
		return;
	}
	v->root = span_dup(span_str(s->mail_directory));
	if (!start_job(v, open_work, open_done))
		refuse(v, away, "too busy");
}

static void
refused(void *context, const struct arrival *a, const char *reason, struct buf *out)
{
	log_refused(context, a->account, a->address, &a->client, reason);
	buf_put_str(out, away);
}

const struct arrival_callbacks visit_callbacks = {taken, refused};

/* --- deleting ------------------------------------------------------------- */

/* What the session has marked, as ranges of uids. */
static void
collect(struct visit *v)
{
	struct mailbox *m = &v->mailbox;
	size_t at = 0, n = 0;
	uint32_t uid;

	while (pop3_next_deleted(v->session, &at, &uid))
		n++;
	free(m->ranges);
	m->ranges = memory_new(n + 1, sizeof(*m->ranges));
	m->n_ranges = 0;
	at = 0;
	while (pop3_next_deleted(v->session, &at, &uid)) {
		struct store_range *last = m->ranges + m->n_ranges;

		if (m->n_ranges > 0 && last[-1].last + 1 == uid)
			last[-1].last = uid;
		else
			m->ranges[m->n_ranges++] = (struct store_range){uid, uid};
	}
}

/* To authd what is left, to imapd that something went. */
static void
tell_update(const struct visit *v)
{
	struct proc *p = v->pop3d->proc;
	uint32_t imapds = proc_count(p, IPC_KIND_IMAPD);
	struct ipc_peer *authd = proc_peer(p, IPC_KIND_AUTHD, 0);
	struct ipc_peer *imapd =
	    proc_peer(p, IPC_KIND_IMAPD, (uint32_t)(v->account % imapds));
	struct ipc_usage usage = {.account = v->account,
				  .modseq = v->mailbox.modseq,
				  .bytes = v->mailbox.usage.bytes,
				  .messages = v->mailbox.usage.messages};
	struct ipc_account_changed changed = {.account = v->account,
					      .modseq = v->mailbox.modseq};

	if (authd)
		ipc_send_usage(authd, &usage);
	if (imapd)
		ipc_send_account_changed(imapd, &changed);
}

static void
update_work(struct proc_job *job)
{
	mailbox_update(&visit_of(job)->mailbox);
}

static void
answer_update(struct visit *v)
{
	struct buf nobody = buf_make(4096);

	enter(v, VISIT_SERVING);
	if (v->mailbox.ok)
		tell_update(v);
	else
		logline(LOGLINE_ERROR, "pop3.undeleted", L_U64("account", v->account),
			L_ERR(&v->mailbox.err));
	pop3_answer_update(v->session, v->mailbox.ok,
			   v->stream ? net_stream_output(v->stream) : &nobody);
	buf_release(&nobody);
}

static void
update_done(struct proc_job *job)
{
	struct visit *v = visit_of(job);

	v->working = false;
	if (v->mailbox.in_use && visit_wait(v, BUSY_QUIT_MS))
		return;
	v->busy_since_ms = 0;
	if (v->mailbox.in_use)
		(void)err_set(&v->mailbox.err, "somebody keeps the account's lock");
	answer_update(v);
	if (v->stream) {
		visit_serve(v);
	} else {
		log_logout(v);
		leave(v);
	}
}

void
visit_update(struct visit *v)
{
	collect(v);
	enter(v, VISIT_UPDATING);
	if (start_job(v, update_work, update_done))
		return;
	(void)err_set(&v->mailbox.err, "too many jobs wait");
	v->mailbox.ok = false;
	answer_update(v);
	net_stream_resume(v->stream);
}

void
visits_stop(struct pop3d *d)
{
	struct visit *v, *next;

	arrivals_stop(d->arrivals);
	for (v = LIST_FIRST(&d->visits); v; v = next) {
		next = LIST_NEXT(v, all);
		if (v->state != VISIT_SERVING)
			continue;
		pop3_stop(v->session, net_stream_output(v->stream));
		visit_serve(v);
	}
}

void
visits_bar(struct pop3d *d, uint64_t account)
{
	struct visit *v, *next;

	for (v = LIST_FIRST(&d->visits); v; v = next) {
		next = LIST_NEXT(v, all);
		if (v->account != account)
			continue;
		v->barred = true;
		if (v->state != VISIT_SERVING)
			continue;
		pop3_bar(v->session, net_stream_output(v->stream));
		visit_serve(v);
	}
}
