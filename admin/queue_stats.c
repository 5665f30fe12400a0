/* postroad queue stats: how many messages wait for which domain, by age */
#include <inttypes.h>

#include "admin/listing.h"
#include "admin/queue.h"

#define AGES 5

struct domain {
	char *name;
	uint64_t total, n[AGES];
	uint64_t oldest_us;
};

struct stats {
	struct domain *at;
	size_t n;
	struct queue_answer answer;
};

/* The rows of one domain come one behind another. */
static struct domain *
domain_find(struct stats *s, struct span name)
{
	if (s->n > 0 && span_equal(span_str(s->at[s->n - 1].name), name))
		return &s->at[s->n - 1];
	s->at = memory_resize(s->at, s->n + 1, sizeof(*s->at));
	s->at[s->n] = (struct domain){.name = span_dup(name)};
	return &s->at[s->n++];
}

static void
domain_add(struct domain *d, uint32_t age, uint64_t n, uint64_t oldest_us)
{
	d->total += n;
	if (age < AGES)
		d->n[age] += n;
	if (d->oldest_us == 0 || oldest_us < d->oldest_us)
		d->oldest_us = oldest_us;
}

/* A row for each domain and age: `reason` is the domain, `tries` the age, `id` the
 * count, `arrived_us` when the oldest came. */
static bool
take_row(void *context, const struct ipc_message *m)
{
	const struct ipc_queue_row *row = &m->queue_row;
	struct stats *s = context;

	if (m->number != IPC_NUMBER_queue_row) {
		queue_answer_take_done(&s->answer, m);
		return false;
	}
	if (!queue_answer_take_pause(&s->answer, row))
		domain_add(domain_find(s, row->reason), row->tries, row->id,
			   row->arrived_us);
	return true;
}

static int
compare_totals(const void *a, const void *b)
{
	const struct domain *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void
print_row(struct listing *l, const struct domain *d)
{
	listing_text(l, span_str(d->name));
	listing_number(l, d->total);
	for (size_t i = 0; i < AGES; i++)
		listing_number(l, d->n[i]);
	listing_time(l, d->oldest_us);
}

static void
print_domains(const struct admin *admin, const struct stats *s)
{
	static const char *const people[] = {"domain", "total", "<5m",    "<1h", "<6h",
					     "<1d",    "older", "oldest", NULL};
	static const char *const programs[] = {"domain",   "total",    "under_5m",
					       "under_1h", "under_6h", "under_1d",
					       "older",    "oldest",   NULL};
	struct listing *l = listing_new(admin, admin->json ? programs : people);
	struct domain sum = {.name = "total"};

	for (size_t i = 0; i < s->n; i++) {
		const struct domain *d = &s->at[i];
		struct domain shown = *d;

		if (!admin->json && d->name[0] == '\0')
			shown.name = "(not tried yet)";
		print_row(l, &shown);
		for (uint32_t age = 0; age < AGES; age++)
			if (d->n[age] > 0)
				domain_add(&sum, age, d->n[age], d->oldest_us);
	}
	if (!admin->json)
		print_row(l, &sum);
	listing_end(&l);
}

static void
print_stats(const struct admin *admin, const struct stats *s)
{
	json_t *paused;

	if (!admin->json) {
		print_domains(admin, s);
		queue_answer_tell_paused(&s->answer, stdout);
		return;
	}
	printf("{\"total\": %" PRIu64 ", \"complete\": %s, \"paused\": ",
	       s->answer.count, s->answer.partial ? "false" : "true");
	paused = queue_answer_paused_json(&s->answer);
	json_dumpf(paused, stdout, 0);
	json_decref(paused);
	fputs(", \"domains\": ", stdout);
	print_domains(admin, s);
	puts("}");
}

enum exit_status
queue_stats_run(struct admin *admin, int argc, char **argv)
{
	struct ipc_message ask = {.number = IPC_NUMBER_queue_ask};
	struct stats s = {0};
	enum exit_status status;

	(void)argc, (void)argv;
	ask.queue_ask.verb = QUEUE_STATS;
	status = control_ask(admin, "qmgr", &ask, take_row, &s);
	if (status == EXIT_DONE) {
		if (s.n > 1)
			qsort(s.at, s.n, sizeof(*s.at), compare_totals);
		if (!s.answer.failed)
			print_stats(admin, &s);
		status = queue_answer_status(&s.answer);
	}
	for (size_t i = 0; i < s.n; i++)
		free(s.at[i].name);
	free(s.at);
	queue_answer_release(&s.answer);
	return status;
}
