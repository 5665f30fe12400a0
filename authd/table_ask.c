/* authd/table_ask.c - the operator asks lookup tables */
#include "authd/access.h"

struct table_asking {
	struct errand errand; /* parked while it waits */
	struct lookup *lookup;
	uint64_t tag;
	struct span table, key; /* point behind this struct */
	char text[];
};

static void
asking_free(struct table_asking *q)
{
	errand_cancel(&q->errand);
	lookup_free(&q->lookup);
	free(q);
}

static void
drop(struct errand *e)
{
	asking_free((struct table_asking *)e);
}

/* No directory is asked. */
static const struct errand_kind asking = {.drop = drop};

static void
ask(void *context)
{
	struct table_asking *q = context;
	struct ipc_table_done m = {.tag = q->tag};
	enum table_result result;
	struct span value = {0};
	struct err err;

	result = lookup_get(q->lookup, q->table, q->key, false, &value, &err);
	if (result == TABLE_WAIT)
		return;
	m.outcome = (uint8_t)result;
	m.text = result == TABLE_FAULT ? span_str(err.text) : value;
	ipc_send_table_done(q->errand.peer, &m);
	asking_free(q);
}

static void
tell_all(struct authd *a, struct ipc_peer *peer, uint64_t tag)
{
	for (size_t i = 0; i < lookups_count(a->lookups); i++) {
		struct lookup_state s;

		lookups_state(a->lookups, i, &s);
		ipc_send_table_row(
		    peer, &(struct ipc_table_row){.tag = tag,
						  .name = span_str(s.name),
						  .kind = (uint8_t)s.kind,
						  .file = span_str(s.file),
						  .ready = s.ready,
						  .entries = s.entries,
						  .asked = s.asked,
						  .found = s.found,
						  .faults = s.faults,
						  .fault = span_str(s.fault.text)});
	}
	ipc_send_table_done(peer, &(struct ipc_table_done){.tag = tag});
}

void
table_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_table_ask *m)
{
	struct table_asking *q;

	if (m->table.n == 0) {
		tell_all(a, peer, m->tag);
		return;
	}
	q = memory_new(1, sizeof(*q) + m->table.n + m->key.n);
	q->errand = (struct errand){.kind = &asking, .authd = a, .peer = peer};
	q->tag = m->tag;
	memcpy(q->text, m->table.at, m->table.n);
	if (m->key.n > 0)
		memcpy(q->text + m->table.n, m->key.at, m->key.n);
	q->table = span_make(q->text, m->table.n);
	q->key = span_make(q->text + m->table.n, m->key.n);
	q->lookup = lookup_new(a->lookups, ask, q);
	errand_park(&q->errand);
	ask(q);
}
