/* authd/count.c - which accounts a domain has, so that their use can be added up
 *
 * Its accounts are listed a page a turn of the loop; then `local` is asked about those
 * that were not heard of, USAGE_WAITING_MAX at a time.
 */
#include "authd/authd.h"

#include <event2/event.h>

#define PAGE 250

struct counting {
	struct errand errand;
	TAILQ_ENTRY(counting) link; /* while its next page is due */
	uint64_t domain;
	char name[DIRECTORY_DOMAIN_MAX + 1];
	char after[DIRECTORY_ADDRESS_MAX + 1];
	uint64_t *accounts;
	size_t n, size;
	/* of one run */
	uint64_t page[PAGE];
	char last[DIRECTORY_ADDRESS_MAX + 1];
	size_t n_page;
	enum directory_result result;
	struct err err;
};

static void
counting_free(struct errand *e)
{
	struct counting *c = (struct counting *)e;

	free(c->accounts);
	free(c);
}

static void
look_up(struct directory *d, struct errand *e)
{
	struct counting *c = (struct counting *)e;
	struct directory_object *page = memory_new(PAGE, sizeof(*page));
	struct arena arena;

	c->n_page = 0;
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	c->result =
	    directory_page(d, DIRECTORY_ACCOUNT, span_str(c->name), span_str(c->after),
			   (struct span){0}, &arena, page, PAGE, &c->n_page, &c->err);
	for (size_t i = 0; i < c->n_page; i++)
		c->page[i] = page[i].values[FIELD_ACCOUNT_ID].number;
	if (c->n_page > 0 &&
	    !span_copy(page[c->n_page - 1].name, c->last, sizeof(c->last)))
		c->n_page = 0;
	arena_release(&arena);
	free(page);
}

static void
take_page(struct counting *c)
{
	if (c->n + c->n_page > c->size) {
		c->size = 2 * c->size + c->n_page;
		c->accounts = memory_resize(c->accounts, c->size, sizeof(*c->accounts));
	}
	for (size_t i = 0; i < c->n_page; i++)
		c->accounts[c->n++] = c->page[i];
	memcpy(c->after, c->last, sizeof(c->after));
}

static void
next_page(struct counting *c)
{
	struct authd *a = c->errand.authd;
	const struct timeval at_once = {0, 0};

	TAILQ_INSERT_TAIL(&a->countings, c, link);
	evtimer_add(a->count_on, &at_once);
}

static void
counted(struct counting *c)
{
	struct authd *a = c->errand.authd;

	usages_domain_set(a->usages, c->domain, c->accounts, c->n, proc_ticks_ms());
	logline(LOGLINE_DEBUG, "quota.counted", L_STR("domain", c->name),
		L_U64("accounts", c->n));
	count_ask(a, c->domain);
	resolve_told(a, 0, c->domain);
	domain_uses_told(a, c->domain);
}

static void
listed(struct errand *e)
{
	struct counting *c = (struct counting *)e;

	if (c->result != DIRECTORY_DONE) {
		usages_domain_abort(e->authd->usages, c->domain);
		logline(LOGLINE_ERROR, "quota.fault", L_STR("domain", c->name),
			L_ERR(&c->err));
		counting_free(e);
		return;
	}
	if (c->n_page > 0)
		take_page(c);
	if (c->n_page > 0 && c->n <= USAGES_MAX) {
		next_page(c);
		return;
	}
	counted(c);
	counting_free(e);
}

static const struct errand_kind listing = {DIRECTORY_READS, look_up, listed,
					   counting_free};

static void
on_count(int fd, short what, void *context)
{
	struct authd *a = context;
	struct counting *c = TAILQ_FIRST(&a->countings);
	const struct timeval at_once = {0, 0};

	(void)fd;
	(void)what;
	if (!c)
		return;
	TAILQ_REMOVE(&a->countings, c, link);
	if (!TAILQ_EMPTY(&a->countings))
		evtimer_add(a->count_on, &at_once);
	if (errand_run(&c->errand))
		return;
	c->result =
	    (enum directory_result)err_set(&c->err, "too many wait for the directory");
	listed(&c->errand);
}

void
count_init(struct authd *a)
{
	TAILQ_INIT(&a->countings);
	a->count_on = evtimer_new(proc_base(a->proc), on_count, a);
	ASSERT(a->count_on);
}

void
count_release(struct authd *a)
{
	struct counting *c;

	while ((c = TAILQ_FIRST(&a->countings))) {
		TAILQ_REMOVE(&a->countings, c, link);
		counting_free(&c->errand);
	}
	event_free(a->count_on);
}

void
count_domain(struct authd *a, uint64_t domain, struct span name)
{
	struct counting *c = memory_new(1, sizeof(*c));

	if (!span_copy(name, c->name, sizeof(c->name))) {
		free(c);
		return;
	}
	c->errand = (struct errand){.kind = &listing, .authd = a};
	c->domain = domain;
	usages_domain_begin(a->usages, domain, proc_ticks_ms());
	next_page(c);
}

void
count_ask(struct authd *a, uint64_t domain)
{
	uint64_t account;

	while ((account = usages_domain_ask(a->usages, domain, proc_ticks_ms())))
		usage_ask(a, account);
}
