#include "common/lookup/internal.h"

#include <event2/event.h>
#include <time.h>

#define LOCKED_AGAIN_MS 20

/* What a database said of a key, or its question that is under way. */
struct answer {
	TAILQ_ENTRY(answer) link;
	struct lookup *lookup;
	struct opened *source; /* while the question is under way; else null */
	uint64_t id;           /* of the source */
	struct span key;       /* in the lookup's arena */
	struct database_request *request;
	enum table_result result;
	struct span value; /* in the arena */
	struct err err;
};

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct lookups *lookups;
	lookup_again *again;
	void *context;
	struct arena arena;  /* keys and values of `answers` */
	struct arena values; /* that were there at once, since lookup_begin() */
	struct answer_list answers;
	size_t n;
	struct event *timer; /* to call again */
	uint64_t started_ms;
	uint64_t locked_since_ms; /* a table is locked since then; 0 none */
};

uint64_t
lookup_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- who asks -----------------------------------------------------------------------
 */

static void
on_timer(int fd, short what, void *context)
{
	struct lookup *l = context;

	(void)fd, (void)what;
	l->again(l->context);
}

struct lookup *
lookup_new(struct lookups *ls, lookup_again *again, void *context)
{
	struct lookup *l = memory_new(1, sizeof(*l));

	l->lookups = ls;
	l->again = again;
	l->context = context;
	l->started_ms = lookup_now_ms();
	arena_init(&l->arena, LOOKUP_BYTES_MAX);
	arena_init(&l->values, LOOKUP_BYTES_MAX);
	TAILQ_INIT(&l->answers);
	TAILQ_INSERT_TAIL(&ls->all, l, link);
	return l;
}

void
lookup_free(struct lookup **l)
{
	struct answer *a;

	if (!*l)
		return;
	while ((a = TAILQ_FIRST(&(*l)->answers))) {
		TAILQ_REMOVE(&(*l)->answers, a, link);
		database_cancel(&a->request);
		free(a);
	}
	if ((*l)->timer)
		event_free((*l)->timer);
	arena_release(&(*l)->arena);
	arena_release(&(*l)->values);
	TAILQ_REMOVE(&(*l)->lookups->all, *l, link);
	free(*l);
	*l = NULL;
}

void
lookup_begin(struct lookup *l)
{
	arena_release(&l->values);
	arena_init(&l->values, LOOKUP_BYTES_MAX);
}

static void
call_later(struct lookup *l, unsigned ms)
{
	const struct timeval after = {0, (suseconds_t)ms * 1000};

	if (!l->timer)
		l->timer = evtimer_new(l->lookups->base, on_timer, l);
	ASSERT(l->timer);
	evtimer_add(l->timer, &after);
}

/* --- tables that answer later
 * ---------------------------------------------------------- */

static struct answer *
answer_find(struct lookup *l, uint64_t id, struct span key)
{
	struct answer *a;

	TAILQ_FOREACH(a, &l->answers, link)
	if (a->id == id && span_equal(a->key, key))
		return a;
	return NULL;
}

static void
answer_set(struct answer *a, enum table_result result, struct span value,
	   const struct err *err)
{
	a->source->found += result == TABLE_FOUND;
	a->source->faults += result == TABLE_FAULT;
	a->source = NULL;
	a->request = NULL;
	a->result = result;
	if (err)
		a->err = *err;
	if (result == TABLE_FOUND && !arena_copy(&a->lookup->arena, value, &a->value))
		a->result = (enum table_result)err_set(&a->err, "too many values");
}

static void
on_answer(void *context, enum table_result result, struct span value,
	  const struct err *err)
{
	struct answer *a = context;
	struct lookup *l = a->lookup;

	answer_set(a, result, value, err);
	l->again(l->context);
}

static enum table_result
database_get(struct lookup *l, struct opened *s, struct span key, struct span *value,
	     struct err *err)
{
	struct answer *a = answer_find(l, s->id, key);
	struct span kept;

	if (a) {
		*value = a->value;
		*err = a->err;
		return a->result;
	}
	if (!s->database)
		return (enum table_result)err_set(err, "%.200s", s->fault.text);
	if (lookup_now_ms() - l->started_ms > LOOKUP_TIME_MAX_MS)
		return (enum table_result)err_set(err, "answers came too slowly");
	if (l->n == LOOKUP_ANSWERS_MAX || !arena_copy(&l->arena, key, &kept))
		return (enum table_result)err_set(err, "too many questions");
	a = memory_new(1, sizeof(*a));
	*a = (struct answer){.lookup = l, .source = s, .id = s->id, .key = kept};
	s->asked++;
	a->result = database_ask(s->database, kept, on_answer, a, &a->request);
	TAILQ_INSERT_TAIL(&l->answers, a, link);
	l->n++;
	if (a->result != TABLE_WAIT)
		a->source = NULL;
	return a->result;
}

/* --- tables that answer at once
 * ---------------------------------------------------------- */

static enum table_result
locked(struct lookup *l, const struct opened *s, struct err *err)
{
	uint64_t now_ms = lookup_now_ms();

	if (l->locked_since_ms == 0)
		l->locked_since_ms = now_ms;
	if (now_ms - l->locked_since_ms >= LOOKUP_LOCKED_MS)
		return (enum table_result)err_set(err, "%.150s: is locked for too long",
						  s->path);
	call_later(l, LOCKED_AGAIN_MS);
	return TABLE_WAIT;
}

static enum table_result
memory_get(struct lookup *l, struct opened *s, struct span key, struct span *value,
	   struct err *err)
{
	struct buf found = buf_make(TABLE_VALUE_BYTES_MAX);
	enum table_result result;

	opened_look(s);
	result = opened_get(s, key, &found, err);
	if (result == TABLE_WAIT) {
		result = locked(l, s, err);
	} else {
		l->locked_since_ms = 0;
		s->asked++;
	}
	if (result == TABLE_FOUND && !arena_copy(&l->values, buf_span(&found), value))
		result = (enum table_result)err_set(err, "too many values");
	s->found += result == TABLE_FOUND;
	s->faults += result == TABLE_FAULT;
	buf_release(&found);
	return result;
}

/* --- both
 * ----------------------------------------------------------------------------- */

static struct opened *
source_find(const struct lookups *ls, struct span name)
{
	for (size_t i = 0; i < ls->n; i++)
		if (span_equal(span_str(ls->sources[i]->conf.name), name))
			return ls->sources[i];
	return NULL;
}

enum table_result
lookup_get(struct lookup *l, struct span table, struct span key, bool part,
	   struct span *value, struct err *err)
{
	struct opened *s = source_find(l->lookups, table);
	enum table_result result;
	struct err own;

	if (!s)
		return (enum table_result)err_set(err, "there is no table \"%.*s\"",
						  (int)(table.n < 60 ? table.n : 60),
						  table.at);
	if (part && !table_kind_parts(s->kind))
		return TABLE_NOT_FOUND;
	*value = (struct span){0};
	if (s->kind == TABLE_POSTGRESQL)
		result = database_get(l, s, key, value, &own);
	else
		result = memory_get(l, s, key, value, &own);
	if (result == TABLE_FAULT)
		err_set(err, "table \"%.60s\": %.160s", s->conf.name, own.text);
	return result;
}

enum table_result
lookup_first(struct lookup *l, struct span table, const struct table_keys *keys,
	     struct span *value, struct err *err)
{
	enum table_result result = TABLE_NOT_FOUND;

	for (size_t i = 0; i < keys->n && result == TABLE_NOT_FOUND; i++)
		result = lookup_get(l, table, keys->at[i].text, keys->at[i].part, value,
				    err);
	return result;
}

bool
lookup_of_networks(const struct lookup *l, struct span table)
{
	const struct opened *s = source_find(l->lookups, table);

	return s && s->kind == TABLE_CIDR;
}

/* --- without a loop
 * --------------------------------------------------------------------- */

static void
wake(void *context)
{
	*(bool *)context = true;
}

enum table_result
lookup_now(struct lookups *ls, struct event_base *base, struct span table,
	   struct span key, struct buf *value, struct err *err)
{
	bool again = false;
	struct lookup *l = lookup_new(ls, wake, &again);
	enum table_result result;
	struct span found;

	buf_reset(value);
	while ((result = lookup_get(l, table, key, false, &found, err)) == TABLE_WAIT) {
		again = false;
		while (!again)
			if (event_base_loop(base, EVLOOP_ONCE) != 0)
				break;
		if (!again) {
			result =
			    (enum table_result)err_set(err, "the event loop failed");
			break;
		}
	}
	if (result == TABLE_FOUND)
		buf_put(value, found);
	lookup_free(&l);
	return result;
}

/* --- the tables
 * ----------------------------------------------------------------------- */

struct lookups *
lookups_new(struct event_base *base, lookup_check *check, void *context)
{
	struct lookups *ls = memory_new(1, sizeof(*ls));

	ls->base = base;
	ls->check = check;
	ls->context = context;
	TAILQ_INIT(&ls->all);
	return ls;
}

/* Who waits for it gets a fault, and is called. */
static void
source_abandon(struct lookups *ls, const struct opened *s)
{
	struct err err;
	struct lookup *l;
	struct answer *a;

	err_set(&err, "the settings have changed");
	TAILQ_FOREACH(l, &ls->all, link)
	TAILQ_FOREACH(a, &l->answers, link)
	{
		if (a->source != s)
			continue;
		database_cancel(&a->request);
		answer_set(a, TABLE_FAULT, (struct span){0}, &err);
		call_later(l, 0);
	}
}

void
lookups_free(struct lookups **ls)
{
	if (!*ls)
		return;
	ASSERT(TAILQ_EMPTY(&(*ls)->all));
	for (size_t i = 0; i < (*ls)->n; i++)
		opened_free(&(*ls)->sources[i]);
	free((*ls)->sources);
	free(*ls);
	*ls = NULL;
}

/* The source of before, taken from the list, or null. */
static struct opened *
source_keep(struct lookups *ls, const struct conf_table *conf)
{
	for (size_t i = 0; i < ls->n; i++) {
		struct opened *s = ls->sources[i];

		if (!s || !opened_is(s, conf))
			continue;
		/* A file in the form of pgsql_table(5) is read at each reload. */
		if (s->kind == TABLE_POSTGRESQL && *conf->file)
			return NULL;
		ls->sources[i] = NULL;
		s->looked_ms = 0;
		s->stamped = false; /* what its values may be may have changed */
		return s;
	}
	return NULL;
}

void
lookups_set(struct lookups *ls, const struct conf_tables *tables)
{
	struct opened **fresh = memory_new(tables->n + 1, sizeof(struct opened *));

	for (size_t i = 0; i < tables->n; i++) {
		fresh[i] = source_keep(ls, &tables->at[i]);
		if (fresh[i])
			opened_look(fresh[i]);
		else
			fresh[i] = opened_new(&tables->at[i], ++ls->next_id, ls);
	}
	for (size_t i = 0; i < ls->n; i++) {
		if (!ls->sources[i])
			continue;
		source_abandon(ls, ls->sources[i]);
		opened_free(&ls->sources[i]);
	}
	free(ls->sources);
	ls->sources = fresh;
	ls->n = tables->n;
}

size_t
lookups_count(const struct lookups *ls)
{
	return ls->n;
}

void
lookups_state(const struct lookups *ls, size_t i, struct lookup_state *out)
{
	const struct opened *s = ls->sources[i];

	*out = (struct lookup_state){
	    .name = s->conf.name,
	    .kind = s->kind,
	    .file = s->path,
	    .ready = s->map || s->postmap || s->database,
	    .counted = s->map != NULL,
	    .entries = s->map ? table_map_count(s->map) : 0,
	    .asked = s->asked,
	    .found = s->found,
	    .faults = s->faults,
	    .fault = s->fault,
	    .problems = &s->problems,
	};
}

static bool
waits(const struct lookup *l)
{
	const struct answer *a;

	TAILQ_FOREACH(a, &l->answers, link)
	if (a->request)
		return true;
	return l->timer && evtimer_pending(l->timer, NULL);
}

void
lookups_sums(const struct lookups *ls, struct lookup_sums *out)
{
	const struct lookup *l;

	*out = (struct lookup_sums){0};
	for (size_t i = 0; i < ls->n; i++) {
		struct lookup_state s;

		lookups_state(ls, i, &s);
		out->ready += s.ready;
		out->asked += s.asked;
		out->found += s.found;
		out->faults += s.faults;
	}
	TAILQ_FOREACH(l, &ls->all, link)
	out->waiting += waits(l);
}
