/* How fast a destination is served, and how it is learnt. */
#include "qmgr/queue/internal.h"

#define ONE           256u /* of window_256 */
#define TOKEN         60u
#define TOKENS_SAVE_S 6u /* unused ones are kept for so long */

static struct destination *
lead_of(const struct queue *q, uint32_t destination)
{
	return &q->destinations.at[q->destinations.at[destination].lead];
}

void
pace_init(struct pace *p, uint32_t window, uint32_t window_max, uint32_t per_minute_max)
{
	*p = (struct pace){.window_max = window_max ? window_max : 1,
			   .per_minute_max = per_minute_max,
			   .tokens = TOKEN,
			   .first = ENTRY_NONE,
			   .last = ENTRY_NONE};
	window = window ? window : 1;
	p->window_256 = (window < p->window_max ? window : p->window_max) * ONE;
}

/* --- tokens --------------------------------------------------------------- */

static void
tokens_count(struct pace *p, uint32_t now_s)
{
	uint64_t save = (uint64_t)p->per_minute_max * TOKENS_SAVE_S, tokens;
	uint32_t passed_s = now_s > p->tokens_s ? now_s - p->tokens_s : 0;

	p->tokens_s = now_s;
	tokens = p->tokens + (uint64_t)passed_s * p->per_minute_max;
	if (save < TOKEN)
		save = TOKEN;
	p->tokens = (uint32_t)(tokens < save ? tokens : save);
}

/* How many transactions may start now. */
static uint32_t
pace_room(struct pace *p, uint32_t now_s)
{
	uint32_t window = p->window_256 / ONE, room;

	room = window > p->n_sent ? window - p->n_sent : 0;
	if (p->per_minute_max == 0 || room == 0)
		return room;
	tokens_count(p, now_s);
	return room < p->tokens / TOKEN ? room : p->tokens / TOKEN;
}

/* --- lists of destinations ------------------------------------------------ */

static void
list_add(struct queue *q, uint32_t *first, uint32_t *last, uint32_t destination)
{
	struct destination *d = &q->destinations.at[destination];

	d->before = *last;
	d->behind = ENTRY_NONE;
	if (*last == ENTRY_NONE)
		*first = destination;
	else
		q->destinations.at[*last].behind = destination;
	*last = destination;
}

static void
list_remove(struct queue *q, uint32_t *first, uint32_t *last, uint32_t destination)
{
	struct destination *d = &q->destinations.at[destination];

	if (d->before == ENTRY_NONE)
		*first = d->behind;
	else
		q->destinations.at[d->before].behind = d->behind;
	if (d->behind == ENTRY_NONE)
		*last = d->before;
	else
		q->destinations.at[d->behind].before = d->before;
}

/* The only place that changes where a destination stands. */
static void
destination_enter(struct queue *q, uint32_t destination, enum destination_place to)
{
	struct destination *d = &q->destinations.at[destination];
	struct instance *at =
	    &q->instances[JOB_REMOTE][destination_instance(q, destination)];
	struct pace *p = &lead_of(q, destination)->pace;

	if (d->place == DESTINATION_READY)
		list_remove(q, &at->first, &at->last, destination);
	if (d->place == DESTINATION_WAITING)
		list_remove(q, &p->first, &p->last, destination);
	d->place = (uint8_t)to;
	if (to == DESTINATION_READY)
		list_add(q, &at->first, &at->last, destination);
	if (to == DESTINATION_WAITING)
		list_add(q, &p->first, &p->last, destination);
}

void
pace_line_changed(struct queue *q, uint32_t destination)
{
	struct destination *d = &q->destinations.at[destination];

	if (d->line.n == 0)
		destination_enter(q, destination, DESTINATION_NOWHERE);
	else if (d->place == DESTINATION_NOWHERE)
		destination_enter(q, destination, DESTINATION_READY);
}

/* --- waiting for the pace ------------------------------------------------- */

static void
rated_add(struct queue *q, uint32_t lead)
{
	struct destinations *all = &q->destinations;

	if (all->at[lead].pace.rated)
		return;
	all->at[lead].pace.rated = true;
	if (all->n_rated == all->size_rated) {
		all->size_rated = all->size_rated ? all->size_rated * 2 : 16;
		all->rated =
		    memory_resize(all->rated, all->size_rated, sizeof(uint32_t));
	}
	all->rated[all->n_rated++] = lead;
}

/* As many of those that wait as there is room for are ready. */
static void
pace_wake(struct queue *q, uint32_t lead, uint32_t now_s)
{
	struct pace *p = &q->destinations.at[lead].pace;

	for (uint32_t n = p->first == ENTRY_NONE ? 0 : pace_room(p, now_s);
	     n > 0 && p->first != ENTRY_NONE; n--)
		destination_enter(q, p->first, DESTINATION_READY);
}

void
pace_tick(struct queue *q, uint32_t now_s)
{
	struct destinations *all = &q->destinations;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < all->n_rated; i++) {
		struct pace *p = &all->at[all->rated[i]].pace;

		pace_wake(q, all->rated[i], now_s);
		p->rated = p->first != ENTRY_NONE;
		if (p->rated)
			all->rated[kept++] = all->rated[i];
	}
	all->n_rated = kept;
}

struct job *
pace_next(struct queue *q, uint32_t instance, uint32_t now_s)
{
	struct instance *at = &q->instances[JOB_REMOTE][instance];

	while (at->up && at->first != ENTRY_NONE) {
		uint32_t i = at->first;
		struct destination *d = &q->destinations.at[i];
		struct pace *p = &lead_of(q, i)->pace;
		struct job *j;

		if (pace_room(p, now_s) == 0) {
			destination_enter(q, i, DESTINATION_WAITING);
			if (p->per_minute_max > 0)
				rated_add(q, d->lead);
			continue;
		}
		if (p->per_minute_max > 0)
			p->tokens -= TOKEN;
		p->n_sent++;
		d->n_sent++;
		j = line_take(q, &d->line);
		destination_enter(q, i, DESTINATION_NOWHERE); /* to the end */
		pace_line_changed(q, i);
		return j;
	}
	return NULL;
}

static void
ended_count(struct destination *d, uint32_t now_s)
{
	uint32_t passed_s = now_s - d->ended_s;

	if (passed_s == 0)
		return;
	d->per_s = (d->per_s + d->ended) / 2;
	d->per_s = passed_s > 16 ? 0 : d->per_s >> (passed_s - 1);
	d->ended = 0;
	d->ended_s = now_s;
}

uint32_t
pace_jobs_max(const struct queue *q, struct destination *d, uint32_t now_s)
{
	uint64_t share = q->config.active_max / DESTINATION_SHARE, n;

	ended_count(d, now_s);
	n = (uint64_t)d->per_s * DESTINATION_JOBS_S + DESTINATION_JOBS_MIN;
	if (n < 2 * (uint64_t)d->pace.window_max)
		n = 2 * (uint64_t)d->pace.window_max;
	if (n > share)
		n = share;
	return n > 0 ? (uint32_t)n : 1;
}

void
pace_sent_ended(struct queue *q, uint32_t destination, uint32_t now_s)
{
	struct destination *d = &q->destinations.at[destination];

	lead_of(q, destination)->pace.n_sent--;
	d->n_sent--;
	ended_count(d, now_s);
	d->ended++;
	pace_wake(q, d->lead, now_s);
}

/* --- feedback ------------------------------------------------------------- */

static void
window_grow(struct pace *p)
{
	p->window_256 += ONE / (p->window_256 / ONE);
	if (p->window_256 > p->window_max * ONE)
		p->window_256 = p->window_max * ONE;
}

static void
window_shrink(struct pace *p)
{
	p->window_256 = p->window_256 / 2 > ONE ? p->window_256 / 2 : ONE;
}

static void
alive(struct queue *q, uint32_t destination)
{
	struct destination *d = &q->destinations.at[destination];

	d->failures = 0;
	d->backoff_s = 0;
	if (!d->dead)
		return;
	d->dead = false;
	q->destinations.n_dead--;
	queue_event_put(q, &(struct queue_event){.kind = QUEUE_EVENT_ALIVE}, SPAN(""),
			destination_key(d));
	lead_of(q, destination)->pace.window_256 =
	    q->config.connections_first * ONE > d->pace.window_max * ONE
		? d->pace.window_max * ONE
		: q->config.connections_first * ONE;
	queue_wake(q, d->reason);
	word_drop(&q->words, &d->reason);
}

static void
failed(struct queue *q, uint32_t destination, struct span reason, uint32_t now_s)
{
	struct destination *d = &q->destinations.at[destination];

	if (++d->failures < DESTINATION_FAILURES)
		return;
	d->failures = DESTINATION_FAILURES;
	if (d->dead && now_s < d->dead_until_s)
		return; /* it was on its way when the others failed */
	q->destinations.n_dead += !d->dead;
	d->dead = true;
	d->backoff_s = d->backoff_s ? d->backoff_s * 2 : DESTINATION_DEAD_S;
	if (d->backoff_s > DESTINATION_DEAD_MAX_S)
		d->backoff_s = DESTINATION_DEAD_MAX_S;
	d->dead_until_s = now_s + d->backoff_s;
	if (d->reason == 0)
		d->reason = word_take(&q->words, reason);
	queue_event_put(
	    q,
	    &(struct queue_event){.kind = QUEUE_EVENT_DEAD, .due_s = d->dead_until_s},
	    word_text(&q->words, d->reason), destination_key(d));
	park_destination_dead(q, destination, now_s);
}

void
pace_feedback(struct queue *q, uint32_t destination, enum relay_connection how,
	      bool deferred, struct span reason, uint32_t now_s)
{
	struct pace *p = &lead_of(q, destination)->pace; /* not after failed() */
	bool least = p->window_256 == ONE;

	switch (how) {
	case RELAY_TALKED:
		alive(q, destination);
		window_grow(p);
		break;
	case RELAY_BUSY:
		window_shrink(p);
		if (least)
			failed(q, destination, reason, now_s);
		else
			alive(q, destination);
		break;
	case RELAY_UNREACHABLE:
		p->window_256 = ONE;
		failed(q, destination, reason, now_s);
		break;
	case RELAY_UNTRIED:
		if (deferred)
			failed(q, destination, reason, now_s);
		break;
	}
	pace_wake(q, q->destinations.at[destination].lead, now_s);
}

/* --- providers ------------------------------------------------------------ */

void
pace_follow(struct queue *q, uint32_t destination, uint32_t lead)
{
	struct destinations *all = &q->destinations;
	struct destination *d = &all->at[destination];
	enum destination_place place = d->place;

	if (d->lead == lead)
		return;
	destination_enter(q, destination, DESTINATION_NOWHERE);
	lead_of(q, destination)->pace.n_sent -= d->n_sent;
	if (d->lead != destination)
		all->at[d->lead].n_followers--;
	else if (all->at[lead].n_followers == 0)
		all->at[lead].pace.window_256 = d->pace.window_256;
	d->lead = lead;
	all->at[lead].n_followers++;
	all->at[lead].pace.n_sent += d->n_sent;
	if (place != DESTINATION_NOWHERE)
		destination_enter(q, destination, DESTINATION_READY);
}
