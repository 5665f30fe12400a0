/* Questions to qmgr, and messages out of the rows of its answers. */
#include "admin/queue.h"

#include <arpa/inet.h>

struct reading {
	queue_take *take;
	void *context;
	struct queue_answer *answer;
	struct queue_message message; /* its rows may go on */
	bool has_message;
	uint64_t n; /* messages so far */
};

static void
message_release(struct queue_message *m)
{
	for (size_t i = 0; i < m->n_recipients; i++) {
		free(m->recipients[i].address);
		free(m->recipients[i].given);
		free(m->recipients[i].next_hop);
	}
	free(m->recipients);
	free(m->sender);
	free(m->login);
	free(m->helo);
	free(m->protocol);
	free(m->message_id);
	free(m->envid);
	free(m->reason);
	free(m->headers);
	*m = (struct queue_message){0};
}

static void
message_end(struct reading *r)
{
	if (!r->has_message)
		return;
	r->take(r->context, &r->message);
	r->n++;
	message_release(&r->message);
	r->has_message = false;
}

static void
client_format(struct span client, char *out, size_t size)
{
	static const char mapped[12] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
	bool ipv4 = client.n == 16 && memcmp(client.at, mapped, 12) == 0;

	*out = '\0';
	if (client.n == 16 &&
	    !inet_ntop(ipv4 ? AF_INET : AF_INET6, client.at + (ipv4 ? 12 : 0), out,
		       (socklen_t)size))
		*out = '\0';
}

/* What all its rows have. */
static void
message_begin(struct reading *r, const struct ipc_queue_row *row,
	      const struct detail *detail)
{
	struct queue_message *m = &r->message;
	struct envelope e = {0};

	m->readable = envelope_parse(row->envelope, &e);
	queue_id_format(row->id, m->id);
	m->number = row->id;
	m->status = row->status;
	m->arrived_us = row->arrived_us;
	m->next_try_us = row->next_try_us;
	m->tries = row->tries;
	m->bytes = row->content_bytes;
	m->sender = span_dup(e.sender);
	m->login = span_dup(e.login);
	m->helo = span_dup(e.helo);
	m->protocol = span_dup(e.protocol);
	m->message_id = span_dup(e.message_id);
	m->envid = span_dup(e.envid);
	m->reason = span_dup(detail->reason);
	m->headers = span_dup(detail->headers);
	client_format(e.client, m->client, sizeof(m->client));
	r->has_message = true;
}

static void
recipient_add(struct queue_message *m, const struct envelope_recipient *given,
	      const struct target *t, char state)
{
	if ((m->n_recipients & (m->n_recipients - 1)) == 0)
		m->recipients = memory_resize(m->recipients, m->n_recipients * 2 + 1,
					      sizeof(*m->recipients));
	m->recipients[m->n_recipients++] =
	    (struct queue_recipient){.address = span_dup(t->address),
				     .given = span_dup(given->address),
				     .next_hop = span_dup(t->next_hop),
				     .answer = t->kind == TARGET_REPLY,
				     .state = state};
	m->n_answers += t->kind == TARGET_REPLY;
}

static void
recipients_add(struct queue_message *m, struct span bytes, struct span states)
{
	struct envelope_recipient recipient;
	struct envelope envelope;
	struct target t;
	size_t i = 0;

	if (!envelope_parse(bytes, &envelope))
		return;
	for (struct cursor c = cursor_make(envelope.recipients);
	     recipient_next(&c, &recipient);)
		for (struct cursor k = cursor_make(recipient.targets);
		     target_next(&k, &t); i++)
			recipient_add(m, &recipient, &t,
				      i < states.n ? states.at[i] : DETAIL_OPEN);
}

/* --- what is no message --------------------------------------------------- */

bool
queue_answer_take_pause(struct queue_answer *a, const struct ipc_queue_row *row)
{
	if (row->id != 0)
		return false;
	a->paused = memory_resize(a->paused, a->n_paused + 1, sizeof(*a->paused));
	a->paused[a->n_paused++] = span_dup(row->reason);
	return true;
}

void
queue_answer_take_done(struct queue_answer *a, const struct ipc_message *m)
{
	a->failed = m->number != IPC_NUMBER_queue_done || !m->queue_done.ok;
	if (m->number != IPC_NUMBER_queue_done)
		return;
	a->count = m->queue_done.count;
	if (m->queue_done.text.n > 0 && !a->partial)
		admin_complain("%.*s", SPAN_ARG(m->queue_done.text));
	a->partial = a->partial || (!a->failed && m->queue_done.text.n > 0);
}

void
queue_answer_release(struct queue_answer *a)
{
	for (size_t i = 0; i < a->n_paused; i++)
		free(a->paused[i]);
	free(a->paused);
	*a = (struct queue_answer){0};
}

enum exit_status
queue_answer_status(const struct queue_answer *a)
{
	return a->failed ? EXIT_FAILED : a->partial ? EXIT_LATER : EXIT_DONE;
}

void
queue_answer_tell_paused(const struct queue_answer *a, FILE *out)
{
	for (size_t i = 0; i < a->n_paused; i++) {
		fputs(*a->paused[i] ? "mail to " : "outgoing mail", out);
		queue_print_text(out, a->paused[i]);
		fputs(" is paused\n", out);
	}
}

json_t *
queue_answer_paused_json(const struct queue_answer *a)
{
	json_t *array = json_array();

	for (size_t i = 0; i < a->n_paused; i++)
		json_array_append_new(
		    array, queue_json_text(*a->paused[i] ? a->paused[i] : "*"));
	return array;
}

/* --- asking --------------------------------------------------------------- */

static bool
take_row(void *context, const struct ipc_message *m)
{
	const struct ipc_queue_row *row = &m->queue_row;
	struct reading *r = context;
	struct detail detail = {0};

	if (m->number != IPC_NUMBER_queue_row) {
		message_end(r);
		queue_answer_take_done(r->answer, m);
		return false;
	}
	if (queue_answer_take_pause(r->answer, row))
		return true;
	if (!detail_parse(row->reason, &detail))
		detail.reason = SPAN("?");
	if (!r->has_message || r->message.number != row->id) {
		message_end(r);
		message_begin(r, row, &detail);
	}
	recipients_add(&r->message, row->envelope, detail.states);
	return true;
}

static enum exit_status
read_page(struct admin *admin, struct reading *r, const struct ipc_queue_ask *ask)
{
	struct ipc_message m = {.number = IPC_NUMBER_queue_ask, .queue_ask = *ask};
	enum exit_status status;

	queue_answer_release(r->answer);
	status = control_ask(admin, "qmgr", &m, take_row, r);
	if (r->has_message)
		message_release(&r->message);
	r->has_message = false;
	return status;
}

struct counting {
	queue_take *take;
	void *context;
	uint64_t last; /* id, where the next page begins */
};

static void
count_message(void *context, const struct queue_message *m)
{
	struct counting *c = context;

	c->last = m->number;
	c->take(c->context, m);
}

enum exit_status
queue_read(struct admin *admin, const struct ipc_queue_ask *ask, uint64_t limit,
	   queue_take *take, void *context, struct queue_answer *answer)
{
	struct counting counting = {.take = take, .context = context};
	struct reading r = {
	    .take = count_message, .context = &counting, .answer = answer};
	struct ipc_queue_ask page = *ask;
	bool partial = false;
	enum exit_status status;
	uint64_t before;

	do {
		before = r.n;
		page.after = counting.last;
		page.limit = QUEUE_PAGE;
		if (limit != 0 && limit - before < QUEUE_PAGE)
			page.limit = (uint32_t)(limit - before);
		status = read_page(admin, &r, &page);
		partial = partial || answer->partial;
	} while (status == EXIT_DONE && !answer->failed && ask->id == 0 &&
		 r.n - before == QUEUE_PAGE && r.n != limit);
	answer->partial = partial;
	return status;
}
