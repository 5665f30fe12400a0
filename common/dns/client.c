#include "common/dns/client.h"
#include "common/dns/question.h"

#include <event2/event.h>
#include <inttypes.h>

#define TICK_MS 250

struct dns_ask {
	TAILQ_ENTRY(dns_ask) link; /* of the question's asks, or of the ready ones */
	struct dns_client *client;
	struct dns_question *question;
	dns_done *dns;
	sts_done *sts;
	void *context;
};

struct dns_client {
	uint64_t (*clock_ms)(void);
	struct ipc_peer *peer;
	struct dns_table table;
	struct dns_ask_list ready;
	struct event *due;  /* there are ready ones */
	struct event *tick; /* while questions are under way */
	uint64_t last_tag;
	bool busy; /* in callbacks */
	struct dns_client_count count;
};

/* --- telling those who asked ---------------------------------------------- */

static void
tell(const struct dns_ask *ask, const struct dns_question *q)
{
	if (ask->dns)
		ask->dns(ask->context, &q->dns);
	else
		ask->sts(ask->context, &q->sts);
}

/* Those who ask from within a callback are told in the next round. */
static void
on_due(int fd, short what, void *context)
{
	struct dns_client *c = context;
	struct dns_ask *ask, end = {0};

	(void)fd, (void)what;
	TAILQ_INSERT_TAIL(&c->ready, &end, link);
	c->busy = true;
	while ((ask = TAILQ_FIRST(&c->ready)) != &end) {
		struct dns_question *q = ask->question;
		struct dns_ask copy = *ask;

		TAILQ_REMOVE(&c->ready, ask, link);
		free(ask);
		tell(&copy, q);
		dns_question_leave(q);
	}
	c->busy = false;
	TAILQ_REMOVE(&c->ready, &end, link);
	if (!TAILQ_EMPTY(&c->ready))
		event_active(c->due, EV_TIMEOUT, 0);
}

static void
ready_add(struct dns_client *c, struct dns_ask *ask)
{
	TAILQ_INSERT_TAIL(&c->ready, ask, link);
	event_active(c->due, EV_TIMEOUT, 0);
}

static void
answered(struct dns_client *c, struct dns_question *q, uint64_t keep_s)
{
	struct dns_ask *ask;

	while ((ask = TAILQ_FIRST(&q->asks))) {
		TAILQ_REMOVE(&q->asks, ask, link);
		ready_add(c, ask);
	}
	dns_table_close(&c->table, q, c->clock_ms() + keep_s * 1000);
	if (c->table.n_open == 0)
		event_del(c->tick);
}

/* --- asking --------------------------------------------------------------- */

static void
question_send(struct dns_client *c, const struct dns_question *q)
{
	struct ipc_dns_ask dns = {q->tag, (uint16_t)q->key.type, q->key.name};
	struct ipc_sts_ask sts = {q->tag, q->key.name};

	if (!c->peer)
		return;
	c->count.asked++;
	if (q->key.type == DNS_KEY_STS)
		ipc_send_sts_ask(c->peer, &sts);
	else
		ipc_send_dns_ask(c->peer, &dns);
}

static void
question_later(struct dns_question *q, const char *why)
{
	struct dns_answer dns = {.outcome = DNS_LATER,
				 .name = q->key.name,
				 .records = SPAN(""),
				 .text = span_str(why)};
	struct sts_answer sts = {STS_LATER, SPAN(""), SPAN(""), span_str(why)};

	if (q->key.type == DNS_KEY_STS)
		dns_question_set_sts(q, &sts);
	else
		dns_question_set_dns(q, &dns);
}

static void
on_tick(int fd, short what, void *context)
{
	struct dns_client *c = context;
	uint64_t now_ms = c->clock_ms();
	struct dns_question *q;

	(void)fd, (void)what;
	while ((q = dns_table_late(&c->table, now_ms))) {
		c->count.late++;
		question_later(q, c->peer ? "the resolver did not answer in time"
					  : "the resolver is not running");
		answered(c, q, DNS_CLIENT_LATER_S);
	}
}

static void
question_open(struct dns_client *c, struct dns_question *q)
{
	static const struct timeval period = {0, TICK_MS * 1000};
	uint64_t patience_ms =
	    q->key.type == DNS_KEY_STS ? DNS_CLIENT_STS_MS : DNS_CLIENT_DNS_MS;

	if (c->table.n_open == 0)
		event_add(c->tick, &period);
	dns_table_open(&c->table, q, ++c->last_tag, c->clock_ms() + patience_ms);
	question_send(c, q);
}

/* Not worth a question; it is known to nobody else. */
static struct dns_question *
question_refused(struct dns_key key)
{
	struct dns_question *q = dns_question_new(key);
	struct dns_answer none = {.outcome = DNS_NO_NAME,
				  .name = SPAN(""),
				  .records = SPAN(""),
				  .text = SPAN("this is no name of a domain")};
	struct sts_answer nothing = {
	    .mode = STS_NONE, .id = SPAN(""), .hosts = SPAN(""), .text = none.text};

	if (dns_name_valid(key.name))
		question_later(q, "too many questions at once");
	else if (key.type == DNS_KEY_STS)
		dns_question_set_sts(q, &nothing);
	else
		dns_question_set_dns(q, &none);
	return q;
}

static struct dns_question *
question_for(struct dns_client *c, struct dns_key key)
{
	struct dns_question *q = dns_table_find(&c->table, key, c->clock_ms());

	if (q && q->known)
		c->count.cached++;
	else if (q)
		c->count.shared++;
	if (q)
		return q;
	if (!dns_name_valid(key.name) || c->table.n_open >= DNS_CLIENT_OPEN_MAX)
		return question_refused(key);
	q = dns_question_new(key);
	question_open(c, q);
	return q;
}

static struct dns_ask *
ask_new(struct dns_client *c, struct dns_key key)
{
	struct dns_ask *ask = memory_new(1, sizeof(*ask));

	ask->client = c;
	ask->question = question_for(c, key);
	dns_question_join(ask->question);
	if (ask->question->known)
		ready_add(c, ask);
	else
		TAILQ_INSERT_TAIL(&ask->question->asks, ask, link);
	return ask;
}

struct dns_ask *
dns_client_ask(struct dns_client *c, enum dns_type type, struct span name,
	       dns_done *done, void *context)
{
	struct dns_ask *ask = ask_new(c, (struct dns_key){(uint32_t)type, name});

	ask->dns = done;
	ask->context = context;
	return ask;
}

struct dns_ask *
dns_client_ask_sts(struct dns_client *c, struct span domain, sts_done *done,
		   void *context)
{
	struct dns_ask *ask = ask_new(c, (struct dns_key){DNS_KEY_STS, domain});

	ask->sts = done;
	ask->context = context;
	return ask;
}

static void
ask_drop(struct dns_ask *ask)
{
	struct dns_client *c = ask->client;
	struct dns_question *q = ask->question;

	if (q->known)
		TAILQ_REMOVE(&c->ready, ask, link);
	else
		TAILQ_REMOVE(&q->asks, ask, link);
	dns_question_leave(q);
	free(ask);
}

void
dns_client_cancel(struct dns_ask **ask)
{
	if (*ask)
		ask_drop(*ask);
	*ask = NULL;
}

/* --- answers -------------------------------------------------------------- */

static bool
take_dns(struct dns_client *c, const struct ipc_dns_answer *m)
{
	struct dns_question *q = dns_table_find_open(&c->table, m->tag);
	struct dns_answer answer = {(enum dns_outcome)m->outcome,
				    (enum dns_security)m->security,
				    m->ttl_s,
				    m->name,
				    m->records,
				    m->text};
	uint32_t keep_s =
	    m->ttl_s < DNS_CLIENT_TTL_MAX_S ? m->ttl_s : DNS_CLIENT_TTL_MAX_S;

	if (!q)
		return m->tag <= c->last_tag; /* late */
	if (q->key.type == DNS_KEY_STS || m->outcome >= DNS_OUTCOME_COUNT ||
	    m->security >= DNS_SECURITY_COUNT || m->name.n > DNS_NAME_MAX ||
	    (m->outcome == DNS_OK) != (m->records.n > 0) ||
	    !dns_records_valid(m->records, (enum dns_type)q->key.type))
		return false;
	dns_question_set_dns(q, &answer);
	answered(c, q, m->outcome == DNS_LATER ? DNS_CLIENT_LATER_S : keep_s);
	return true;
}

static bool
take_sts(struct dns_client *c, const struct ipc_sts_answer *m)
{
	struct dns_question *q = dns_table_find_open(&c->table, m->tag);
	struct sts_answer answer = {(enum sts_mode)m->mode, m->id, m->hosts, m->text};

	if (!q)
		return m->tag <= c->last_tag;
	if (q->key.type != DNS_KEY_STS || m->mode >= STS_MODE_COUNT)
		return false;
	dns_question_set_sts(q, &answer);
	answered(c, q, m->mode == STS_LATER ? DNS_CLIENT_LATER_S : DNS_CLIENT_STS_S);
	return true;
}

bool
dns_client_message(struct dns_client *c, const struct ipc_message *m)
{
	switch ((int)m->number) {
	case IPC_NUMBER_dns_answer:
		return take_dns(c, &m->dns_answer);
	case IPC_NUMBER_sts_answer:
		return take_sts(c, &m->sts_answer);
	default:
		return false;
	}
}

/* --- life ----------------------------------------------------------------- */

void
dns_client_set_peer(struct dns_client *c, struct ipc_peer *peer)
{
	struct dns_question *q;

	c->peer = peer;
	for (size_t i = 0; i < N_ELEMS(c->table.open); i++)
		TAILQ_FOREACH(q, &c->table.open[i], order)
	question_send(c, q);
}

struct dns_client *
dns_client_new(struct event_base *base, uint64_t (*clock_ms)(void))
{
	struct dns_client *c = memory_new(1, sizeof(*c));

	c->clock_ms = clock_ms;
	TAILQ_INIT(&c->ready);
	dns_table_init(&c->table);
	c->due = event_new(base, -1, 0, on_due, c);
	c->tick = event_new(base, -1, EV_PERSIST, on_tick, c);
	ASSERT(c->due && c->tick);
	return c;
}

void
dns_client_free(struct dns_client **client)
{
	struct dns_client *c = *client;
	struct dns_question *q;
	struct dns_ask *ask;

	if (!c)
		return;
	ASSERT(!c->busy);
	while ((ask = TAILQ_FIRST(&c->ready)))
		ask_drop(ask);
	for (size_t i = 0; i < N_ELEMS(c->table.open); i++)
		TAILQ_FOREACH(q, &c->table.open[i], order)
	while ((ask = TAILQ_FIRST(&q->asks)))
		ask_drop(ask);
	dns_table_release(&c->table);
	event_free(c->due);
	event_free(c->tick);
	free(c);
	*client = NULL;
}

struct dns_client_count
dns_client_count(const struct dns_client *c)
{
	struct dns_client_count count = c->count;

	count.open = c->table.n_open;
	count.answers = c->table.n_known;
	return count;
}
