/* a job goes from address to address until its recipients have their answers */
#include "delivery/remote/remote.h"

/* --- why a try failed ----------------------------------------------------- */

static void
why_set(struct job *job, const struct relay_result *why)
{
	free((char *)job->why.text.at);
	free((char *)job->why.host.at);
	job->why = *why;
	job->why.text = span_first(why->text, RELAY_TEXT_MAX);
	job->why.text = span_make(span_dup(job->why.text), job->why.text.n);
	job->why.host = span_make(span_dup(why->host), why->host.n);
}

/* What is told is the last reason to try again, or the last one. */
static void
why_add(struct job *job, const struct relay_result *why)
{
	bool forever = why->outcome == DELIVERY_FAILED;

	job->n_failed++;
	job->n_failed_forever += forever;
	if (forever && job->why.outcome == DELIVERY_DEFERRED && job->n_failed > 1)
		return;
	why_set(job, why);
}

/* --- the end -------------------------------------------------------------- */

/* Of the last server that was tried, or of the first there is. */
static struct span
provider_of(const struct job *job)
{
	const struct way *w = job->way ? job->way : job->destination->way;
	const struct hop_host *hosts;

	if (job->next_try > 0)
		return hop_provider(job->tries[job->next_try - 1].host->name);
	if (!w || hop_plan_hosts(w->plan, &hosts) == 0)
		return SPAN("");
	return hop_provider(hosts[0].name);
}

static void
report_one(struct remote *r, const struct job *job,
	   const struct relay_recipient *recipient, const struct relay_result *why)
{
	struct relay_result result = *why;

	result.ordinal = recipient->ordinal;
	report_result(r, job, recipient->address, &result, "");
}

static struct span
address_of(const struct job *job, uint32_t ordinal)
{
	for (size_t i = 0; i < job->n; i++)
		if (job->recipients[i].ordinal == ordinal)
			return job->recipients[i].address;
	return SPAN("");
}

/* What servers said that others might have bettered. */
static void
report_pending(struct remote *r, struct job *job)
{
	struct cursor c = cursor_make(buf_span(&job->pending));
	struct relay_result result;

	while (relay_result_next(&c, &result))
		report_result(r, job, address_of(job, result.ordinal), &result,
			      job->pending_tls);
}

static enum relay_connection
connection_of(const struct job *job)
{
	if (job->busy)
		return RELAY_BUSY;
	return job->talks > 0 ? RELAY_TALKED : RELAY_UNREACHABLE;
}

void
job_give_up(struct remote *r, struct job *job)
{
	size_t answered = job->n_later > job->n_covered ? job->n_later : job->n_covered;
	char text[256] = "";

	/* Some servers would take it later: not all said never. */
	if (job->n_failed_forever < job->n_failed &&
	    job->why.outcome == DELIVERY_FAILED)
		job->why.outcome = DELIVERY_DEFERRED;
	if (job->n > answered && job->why.text.n == 0)
		why_set(job, &(struct relay_result){
				 .outcome = DELIVERY_DEFERRED,
				 .enhanced = {4, 4, 0},
				 .text = SPAN("no server took the message")
                });
	for (size_t i = 0; i + answered < job->n; i++)
		report_one(r, job, &job->recipients[i], &job->why);
	report_pending(r, job);
	if (!span_copy(span_first(job->why.text, sizeof(text) - 1), text, sizeof(text)))
		text[0] = '\0';
	report_end(r, job, connection_of(job), provider_of(job), text);
}

void
job_fail(struct remote *r, struct job *job, const struct hop_failure *f)
{
	struct relay_result why = {
	    .outcome = f->forever ? DELIVERY_FAILED : DELIVERY_DEFERRED,
	    .code = f->code,
	    .enhanced = {f->enhanced[0], f->enhanced[1], f->enhanced[2]},
	    .text = span_str(f->text),
	};

	for (size_t i = 0; i < job->n; i++)
		report_one(r, job, &job->recipients[i], &why);
	report_end(r, job, RELAY_UNTRIED, SPAN(""), f->text);
}

void
job_give_back(struct remote *r, struct job *job, const char *text)
{
	report_end(r, job, RELAY_UNTRIED, SPAN(""), text);
}

/* --- the next address ----------------------------------------------------- */

static bool
same_host(const struct hop_try *a, const struct hop_try *b)
{
	return span_equal_nocase(a->host->name, b->host->name) &&
	       (a->host->name.n > 0 || net_address_equal(&a->address, &b->address));
}

/* The order is made once for a job, when it needs its first connection. */
static void
tries_make(struct remote *r, struct job *job)
{
	if (job->has_tries)
		return;
	way_unref(&job->way);
	job->way = way_ref(job->destination->way);
	job->n_tries = hop_plan_order(job->way->plan, r->health, proc_ticks_ms() / 1000,
				      remote_random(r), job->tries);
	job->next_try = 0;
	job->has_tries = true;
}

static bool
way_is_fresh(const struct destination *d)
{
	return d->way && proc_ticks_ms() < d->way->fresh_until_ms;
}

static void
try_next(struct remote *r, struct job *job)
{
	if (r->draining)
		job_give_back(r, job, "this server stops");
	else if (job->next_try == job->n_tries)
		job_give_up(r, job);
	else
		connection_open(r, job, &job->tries[job->next_try++]);
}

void
job_start(struct remote *r, struct job *job)
{
	struct destination *d = job->destination;
	struct connection *c = job->unshared ? NULL : connection_find(d, job);

	if (c) {
		connection_give(c, job);
		return;
	}
	if (!connection_room(r)) {
		job_give_back(r, job, "too many connections");
		return;
	}
	if (job->has_tries || way_is_fresh(d)) {
		tries_make(r, job);
		try_next(r, job);
		return;
	}
	if (d->retired) {
		job_give_back(r, job, "the settings have changed");
		return;
	}
	TAILQ_INSERT_TAIL(&d->waiting, job, link);
	job->waits = true;
	resolve_start(r, d);
}

void
job_once_more(struct remote *r, struct job *job)
{
	if (!job->has_tries) { /* it had a connection that was kept */
		job_start(r, job);
		return;
	}
	job->next_try--;
	try_next(r, job);
}

void
job_again_plain(struct remote *r, struct job *job)
{
	job->plain = true;
	job_once_more(r, job);
}

void
job_next(struct remote *r, struct job *job, const struct relay_result *why, bool busy)
{
	why_add(job, why);
	job->busy |= busy;
	job->plain = false;
	try_next(r, job);
}

/* Other addresses of a host that has answered are not asked again. */
static void
drop_host(struct job *job, const struct hop_try *t)
{
	size_t n = job->next_try;

	for (size_t i = job->next_try; i < job->n_tries; i++)
		if (!same_host(&job->tries[i], t))
			job->tries[n++] = job->tries[i];
	job->n_tries = n;
}

bool
job_may_go_on(const struct job *job, const struct hop_try *t)
{
	if (job->talks >= TALKS_MAX)
		return false;
	if (!job->has_tries) /* it had a connection that was kept */
		return job->destination->way != NULL;
	for (size_t i = job->next_try; i < job->n_tries; i++)
		if (!same_host(&job->tries[i], t))
			return true;
	return false;
}

void
job_elsewhere(struct remote *r, struct job *job, const struct hop_try *t)
{
	job->n_covered = job->n_later;
	job->n_later = 0;
	job->plain = false;
	if (!job->destination->way) {
		job_give_up(r, job);
		return;
	}
	tries_make(r, job);
	drop_host(job, t);
	try_next(r, job);
}
