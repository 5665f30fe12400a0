#include "resolver/sts.h"
#include "resolver/fetch.h"
#include "resolver/lookup.h"
#include "resolver/shelf.h"

#include <arpa/inet.h>
#include <stdio.h>

#define POLICY_PATH  "/.well-known/mta-sts.txt"
#define TEXT_PREFIX  "_mta-sts."
#define HOST_PREFIX  "mta-sts."
#define ADDRESS_TEXT (INET6_ADDRSTRLEN + 3) /* brackets and a comma */

/* Whoever asks waits until a policy that cannot be had is known to be none. */
_Static_assert(DNS_CLIENT_STS_MS > 2 * LOOKUP_DEADLINE_MS + FETCH_TIMEOUT_MS,
	       "a client gives up before resolved does");

struct sts_wait {
	LIST_ENTRY(sts_wait) link;
	sts_done *done;
	void *context;
};

LIST_HEAD(wait_list, sts_wait);

/* A domain that is being found out. */
struct work {
	LIST_ENTRY(work) link;
	struct sts *sts;
	struct policy *policy;
	struct wait_list waits;
	uint16_t port;
	char host[DNS_NAME_MAX + 1];
	char id[STS_ID_MAX + 1]; /* what the TXT record says */
	struct lookup *text, *lookups[2];
	struct fetch *fetch;
	struct buf addresses;
	size_t n_addresses;
};

struct sts {
	struct lookups *lookups;
	struct fetcher *fetcher;
	uint64_t (*clock_ms)(void);
	uint64_t (*clock_us)(void); /* null until there is a file to keep them in */
	struct policies policies;
	struct shelf shelf;
	LIST_HEAD(, work) works;
	size_t n_works;
	struct sts_count count;
};

/* --- telling -------------------------------------------------------------- */

static void
tell_all(struct work *w, const struct sts_answer *answer)
{
	struct sts_wait *wait;

	while ((wait = LIST_FIRST(&w->waits))) {
		LIST_REMOVE(wait, link);
		wait->done(wait->context, answer);
		free(wait);
	}
}

/* What is known now, `why` being the text when that is nothing. */
static void
tell_known(struct work *w, struct span why)
{
	const struct policy *p = w->policy;
	struct sts_answer answer = {STS_NONE, SPAN(""), SPAN(""), why};

	if (policy_good(p, w->sts->clock_ms()))
		answer = (struct sts_answer){p->mode, span_str(p->id),
					     span_str(p->hosts), SPAN("")};
	tell_all(w, &answer);
}

static void
work_end(struct work *w, struct span why)
{
	LIST_REMOVE(w, link);
	w->sts->n_works--;
	tell_known(w, why);
	policy_let_go(&w->sts->policies, w->policy, w->sts->clock_ms());
	buf_release(&w->addresses);
	free(w);
}

static void
work_fail(struct work *w, const char *why)
{
	char text[POLICY_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "the MTA-STS policy of %s cannot be had: %s",
		       w->policy->domain, why);
	w->sts->count.failed++;
	policy_fail(w->policy, text, w->sts->clock_ms());
	logline(LOGLINE_WARNING, "sts.failed", L_STR("domain", w->policy->domain),
		L_STR("why", why));
	work_end(w, span_str(text));
}

/* --- the policy ----------------------------------------------------------- */

static struct policy_moment
moment(const struct sts *s)
{
	return (struct policy_moment){s->clock_ms(), s->clock_us() / 1000000};
}

static void
keep(struct sts *s, const struct policy *p)
{
	struct policy_moment now;

	if (!s->clock_us)
		return;
	now = moment(s);
	shelf_add(&s->shelf, &s->policies, p, &now);
}

void
sts_keep(struct sts *s, int fd, uint64_t (*clock_us)(void))
{
	struct policy_moment now;

	s->clock_us = clock_us;
	now = moment(s);
	s->count.kept += shelf_open(&s->shelf, fd, &s->policies, &now);
	logline(LOGLINE_INFO, "sts.kept", L_U64("policies", s->count.kept));
}

static void
on_fetched(void *context, struct span body, const char *error)
{
	struct work *w = context;
	struct sts_policy policy;

	w->fetch = NULL;
	if (error || !sts_policy_parse(body, &policy, &error)) {
		work_fail(w, error);
		return;
	}
	w->sts->count.fetched++;
	policy_set(w->policy, &policy, span_str(w->id), w->sts->clock_ms());
	keep(w->sts, w->policy);
	logline(LOGLINE_INFO, "sts.fetched", L_STR("domain", w->policy->domain),
		L_STR("id", w->id), L_STR("mode", sts_mode_name(policy.mode)),
		L_U64("max_age_s", policy.max_age_s));
	work_end(w, SPAN(""));
}

static void
work_fetch(struct work *w)
{
	struct fetch_target target = {.host = w->host,
				      .port = w->port,
				      .path = POLICY_PATH,
				      .bytes_max = STS_POLICY_BYTES_MAX};

	buf_put_char(&w->addresses, '\0');
	target.addresses = w->addresses.at;
	w->fetch = fetch_start(w->sts->fetcher, &target, on_fetched, w);
}

/* --- its host's addresses ------------------------------------------------- */

static void
address_add(struct work *w, const struct dns_record *r)
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = r->type == DNS_AAAA;

	if (w->n_addresses == FETCH_ADDRESSES_MAX ||
	    !inet_ntop(v6 ? AF_INET6 : AF_INET, r->data.at, text, sizeof(text)))
		return;
	buf_putf(&w->addresses, "%s%s%s%s", w->n_addresses > 0 ? "," : "",
		 v6 ? "[" : "", text, v6 ? "]" : "");
	w->n_addresses++;
}

static void
on_addresses(struct work *w, size_t which, const struct dns_answer *answer)
{
	struct cursor list = cursor_make(answer->records);
	struct dns_record r;
	char why[POLICY_TEXT_MAX];

	w->lookups[which] = NULL;
	while (dns_record_next(&list, &r))
		address_add(w, &r);
	if (w->lookups[!which])
		return;
	if (w->n_addresses > 0) {
		work_fetch(w);
		return;
	}
	if (answer->text.n > 0)
		(void)snprintf(why, sizeof(why), "%.*s", SPAN_ARG(answer->text));
	else
		(void)snprintf(why, sizeof(why), "%s has no address", w->host);
	work_fail(w, why);
}

static void
on_v4(void *context, const struct dns_answer *answer)
{
	on_addresses(context, 0, answer);
}

static void
on_v6(void *context, const struct dns_answer *answer)
{
	on_addresses(context, 1, answer);
}

static void
work_ask_addresses(struct work *w)
{
	struct span host = span_str(w->host);

	w->lookups[0] = lookup_start(w->sts->lookups, DNS_A, host, on_v4, w);
	w->lookups[1] = lookup_start(w->sts->lookups, DNS_AAAA, host, on_v6, w);
}

/* --- the TXT record ------------------------------------------------------- */

/* Exactly one must be there, and be well-formed [RFC8461 3.1]. */
static bool
id_find(const struct dns_answer *answer, struct span *id)
{
	struct cursor list = cursor_make(answer->records);
	struct dns_record r;
	size_t n = 0, good = 0;

	while (dns_record_next(&list, &r)) {
		if (!sts_record_is(r.data))
			continue;
		n++;
		good += sts_record_parse(r.data, id);
	}
	return n == 1 && good == 1;
}

static void
on_text(void *context, const struct dns_answer *answer)
{
	struct work *w = context;
	struct policy *p = w->policy;
	uint64_t now_ms = w->sts->clock_ms();
	struct span id;

	w->text = NULL;
	if (!id_find(answer, &id)) {
		w->sts->count.known += policy_good(p, now_ms);
		work_end(w, answer->outcome == DNS_LATER ? answer->text : SPAN(""));
	} else if (policy_fresh(p, id, now_ms) || policy_failed(p, now_ms)) {
		w->sts->count.known += policy_good(p, now_ms);
		work_end(w, span_str(p->why));
	} else {
		/* Old, but the same: no mail has to wait for a newer copy. */
		if (policy_good(p, now_ms) && span_equal(span_str(p->id), id))
			tell_known(w, SPAN(""));
		ASSERT(span_copy(id, w->id, sizeof(w->id)));
		work_ask_addresses(w);
	}
}

bool
sts_domain_valid(struct span domain)
{
	for (size_t i = 0; i < domain.n; i++)
		if (!ascii_alnum(domain.at[i]) && !strchr("-_.", domain.at[i]))
			return false;
	return dns_name_valid(domain) &&
	       domain.n + sizeof(TEXT_PREFIX) - 1 <= DNS_NAME_MAX;
}

/* --- life ----------------------------------------------------------------- */

static struct work *
work_find(struct sts *s, const struct policy *p)
{
	struct work *w;

	LIST_FOREACH(w, &s->works, link)
	if (w->policy == p)
		return w;
	return NULL;
}

static struct work *
work_new(struct sts *s, struct policy *p, uint16_t port)
{
	struct work *w = memory_new(1, sizeof(*w));
	char name[DNS_NAME_MAX + 1];

	w->sts = s;
	w->policy = p;
	w->port = port;
	w->addresses = buf_make(FETCH_ADDRESSES_MAX * ADDRESS_TEXT + 1);
	p->held = true;
	LIST_INSERT_HEAD(&s->works, w, link);
	s->n_works++;
	(void)snprintf(w->host, sizeof(w->host), HOST_PREFIX "%s", p->domain);
	(void)snprintf(name, sizeof(name), TEXT_PREFIX "%s", p->domain);
	w->text = lookup_start(s->lookups, DNS_TXT, span_str(name), on_text, w);
	return w;
}

struct sts_wait *
sts_wait_start(struct sts *s, struct span domain, uint16_t port, sts_done *done,
	       void *context)
{
	struct policy *p;
	struct work *w;
	struct sts_wait *wait;

	if (s->n_works >= STS_WORKS_MAX)
		return NULL;
	p = policies_get(&s->policies, domain);
	w = p->held ? work_find(s, p) : work_new(s, p, port);
	wait = memory_new(1, sizeof(*wait));
	wait->done = done;
	wait->context = context;
	LIST_INSERT_HEAD(&w->waits, wait, link);
	s->count.asked++;
	return wait;
}

void
sts_wait_cancel(struct sts_wait **wait)
{
	if (*wait) {
		LIST_REMOVE(*wait, link);
		free(*wait);
	}
	*wait = NULL;
}

struct sts *
sts_new(struct lookups *lookups, struct fetcher *fetcher, uint64_t (*clock_ms)(void))
{
	struct sts *s = memory_new(1, sizeof(*s));

	s->lookups = lookups;
	s->fetcher = fetcher;
	s->clock_ms = clock_ms;
	policies_init(&s->policies);
	shelf_init(&s->shelf);
	LIST_INIT(&s->works);
	return s;
}

struct sts_count
sts_count(const struct sts *s)
{
	struct sts_count count = s->count;

	count.policies = s->policies.n;
	return count;
}
