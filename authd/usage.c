#include "authd/usage.h"

struct usage {
	uint64_t account; /* 0: the place is free */
	uint64_t bytes;
	uint64_t modseq;
	uint64_t heard_ms;
	uint64_t as_of;  /* known: the mailbox's modseq; else when it was asked for in
			  * ms, 0 never */
	uint64_t domain; /* 0: not listed with one */
	struct usage_mark mark;
	bool known; /* bytes */
};

struct domain {
	uint64_t id; /* 0: the place is free */
	bool listing, listed, recount;
	uint64_t listed_ms; /* when the listing began, or ended */
	uint64_t *accounts;
	size_t n;
	size_t missing; /* accounts that were not heard of yet */
	uint64_t sum;   /* of the others */
	/* The round of questions: accounts before `next` were asked about. */
	size_t next, waiting;
	uint64_t round_ms;
	struct usage_mark mark;
};

struct usages {
	struct usage *at;
	size_t n, size; /* size is a power of two, at most half of it used */
	struct domain *domains;
	size_t n_domains, domains_size; /* the same */
};

#define SIZE_MIN         256
#define DOMAINS_SIZE_MIN 16

static void
init(struct usages *u)
{
	u->n = u->n_domains = 0;
	u->size = SIZE_MIN;
	u->at = memory_new(u->size, sizeof(*u->at));
	u->domains_size = DOMAINS_SIZE_MIN;
	u->domains = memory_new(u->domains_size, sizeof(*u->domains));
}

static void
release(struct usages *u)
{
	for (size_t i = 0; i < u->domains_size; i++)
		free(u->domains[i].accounts);
	free(u->domains);
	free(u->at);
}

struct usages *
usages_new(void)
{
	struct usages *u = memory_new(1, sizeof(*u));

	init(u);
	return u;
}

void
usages_free(struct usages **u)
{
	if (*u)
		release(*u);
	free(*u);
	*u = NULL;
}

void
usages_forget_all(struct usages *u)
{
	release(u);
	init(u);
}

/* ---- the tables */

static size_t
hash(uint64_t id, size_t size)
{
	return (size_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (size - 1);
}

/* The account's place, or the free one where it would stand. */
static struct usage *
place_of(const struct usages *u, uint64_t account)
{
	size_t i = hash(account, u->size);

	while (u->at[i].account && u->at[i].account != account)
		i = (i + 1) & (u->size - 1);
	return &u->at[i];
}

static void
grow(struct usages *u)
{
	struct usages bigger = {.size = 2 * u->size};

	bigger.at = memory_new(bigger.size, sizeof(*bigger.at));
	for (size_t i = 0; i < u->size; i++)
		if (u->at[i].account)
			*place_of(&bigger, u->at[i].account) = u->at[i];
	free(u->at);
	u->at = bigger.at;
	u->size = bigger.size;
}

static struct usage *
make_place(struct usages *u, uint64_t account)
{
	struct usage *place = place_of(u, account);

	if (place->account)
		return place;
	if (u->n == USAGES_MAX)
		usages_forget_all(u);
	else if (2 * (u->n + 1) > u->size)
		grow(u);
	place = place_of(u, account);
	*place = (struct usage){.account = account};
	u->n++;
	return place;
}

static struct domain *
domain_place(const struct usages *u, uint64_t id)
{
	size_t i = hash(id, u->domains_size);

	while (u->domains[i].id && u->domains[i].id != id)
		i = (i + 1) & (u->domains_size - 1);
	return &u->domains[i];
}

static void
grow_domains(struct usages *u)
{
	struct usages bigger = {.domains_size = 2 * u->domains_size};

	bigger.domains = memory_new(bigger.domains_size, sizeof(*bigger.domains));
	for (size_t i = 0; i < u->domains_size; i++)
		if (u->domains[i].id)
			*domain_place(&bigger, u->domains[i].id) = u->domains[i];
	free(u->domains);
	u->domains = bigger.domains;
	u->domains_size = bigger.domains_size;
}

static struct domain *
make_domain(struct usages *u, uint64_t id)
{
	struct domain *d = domain_place(u, id);

	if (d->id)
		return d;
	if (u->n_domains == USAGE_DOMAINS_MAX)
		usages_forget_all(u);
	else if (2 * (u->n_domains + 1) > u->domains_size)
		grow_domains(u);
	d = domain_place(u, id);
	*d = (struct domain){.id = id};
	u->n_domains++;
	return d;
}

/* ---- accounts */

void
usages_set(struct usages *u, uint64_t account, uint64_t modseq, uint64_t bytes)
{
	struct usage *place;

	if (account == 0)
		return;
	place = make_place(u, account);
	if (place->known && modseq < place->as_of)
		return; /* somebody looked later, and was heard before */
	if (place->domain) {
		struct domain *d = domain_place(u, place->domain);

		d->sum += bytes - place->bytes;
		d->missing -= !place->known;
		d->waiting -= !place->known && d->waiting > 0;
	}
	place->bytes = bytes;
	place->as_of = modseq;
	place->known = true;
}

/* Those who tell run side by side: what one saw first may come last. */
bool
usages_newer(struct usages *u, uint64_t account, uint64_t modseq, uint64_t now_ms)
{
	struct usage *place;

	if (account == 0)
		return false;
	place = make_place(u, account);
	if (modseq < place->modseq)
		return false;
	place->modseq = modseq;
	place->heard_ms = now_ms;
	return true;
}

bool
usages_old(struct usages *u, uint64_t account, uint64_t now_ms)
{
	struct usage *place = place_of(u, account);

	if (!place->known || now_ms - place->heard_ms < USAGE_FRESH_MS)
		return false;
	place->heard_ms = now_ms;
	return true;
}

enum usage_state
usages_get(struct usages *u, uint64_t account, uint64_t now_ms, uint64_t *bytes)
{
	struct usage *place = place_of(u, account);

	if (place->known) {
		*bytes = place->bytes;
		return USAGE_KNOWN;
	}
	if (place->as_of && now_ms - place->as_of < USAGE_AGAIN_MS)
		return USAGE_ASKED;
	make_place(u, account)->as_of = now_ms ? now_ms : 1;
	return USAGE_UNKNOWN;
}

bool
usages_peek(const struct usages *u, uint64_t account, uint64_t *bytes)
{
	const struct usage *place = place_of(u, account);

	if (!place->known)
		return false;
	*bytes = place->bytes;
	return true;
}

size_t
usages_count(const struct usages *u)
{
	return u->n;
}

struct usage_mark *
usages_mark(struct usages *u, uint64_t account)
{
	struct usage *place = place_of(u, account);

	return place->known ? &place->mark : NULL;
}

void
usages_forget_mark(struct usages *u, uint64_t account)
{
	struct usage *place = place_of(u, account);

	if (place->account)
		place->mark = (struct usage_mark){0};
}

/* ---- domains */

uint64_t
usages_domain_of(const struct usages *u, uint64_t account)
{
	return place_of(u, account)->domain;
}

enum usage_state
usages_domain_get(struct usages *u, uint64_t domain, uint64_t *bytes)
{
	struct domain *d = domain_place(u, domain);

	if (d->id && d->listed && d->missing == 0) {
		*bytes = d->sum;
		return USAGE_KNOWN;
	}
	return d->id && (d->listed || d->listing) ? USAGE_ASKED : USAGE_UNKNOWN;
}

bool
usages_domain_due(const struct usages *u, uint64_t domain, uint64_t now_ms)
{
	const struct domain *d = domain_place(u, domain);

	if (!d->id || d->listing)
		return !d->id;
	return !d->listed || d->recount || now_ms - d->listed_ms >= USAGE_RECOUNT_MS;
}

void
usages_domain_begin(struct usages *u, uint64_t domain, uint64_t now_ms)
{
	struct domain *d = make_domain(u, domain);

	d->listing = true;
	d->recount = false;
	d->listed_ms = now_ms;
}

void
usages_domain_abort(struct usages *u, uint64_t domain)
{
	struct domain *d = domain_place(u, domain);

	d->listing = false;
	d->recount = d->id != 0;
}

static void
forget_accounts(struct usages *u, struct domain *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct usage *place = place_of(u, d->accounts[i]);

		if (place->domain == d->id)
			place->domain = 0;
	}
	free(d->accounts);
	d->accounts = NULL;
	d->n = d->missing = d->next = d->waiting = 0;
	d->sum = 0;
}

void
usages_domain_set(struct usages *u, uint64_t domain, const uint64_t *accounts, size_t n,
		  uint64_t now_ms)
{
	struct domain *d = make_domain(u, domain);

	forget_accounts(u, d);
	if (u->n + n > USAGES_MAX)
		usages_forget_all(u);
	if (n > USAGES_MAX)
		return; /* such a domain cannot be counted, and stays unknown */
	d = make_domain(u, domain);
	d->accounts = memory_new(n ? n : 1, sizeof(*accounts));
	for (size_t i = 0; i < n; i++) {
		struct usage *place = make_place(u, accounts[i]);

		place->domain = domain;
		d->accounts[i] = accounts[i];
		d->sum += place->bytes;
		d->missing += !place->known;
	}
	d->n = n;
	d->listing = false;
	d->listed = true;
	d->listed_ms = d->round_ms = now_ms;
}

void
usages_domain_recount(struct usages *u, uint64_t domain)
{
	struct domain *d = domain_place(u, domain);

	if (d->id)
		d->recount = true;
}

struct usage_mark *
usages_domain_mark(struct usages *u, uint64_t domain)
{
	struct domain *d = domain_place(u, domain);

	return d->id ? &d->mark : NULL;
}

uint64_t
usages_domain_ask(struct usages *u, uint64_t domain, uint64_t now_ms)
{
	struct domain *d = domain_place(u, domain);

	if (!d->id || d->missing == 0)
		return 0;
	if (now_ms - d->round_ms >= USAGE_AGAIN_MS) {
		d->next = d->waiting = 0;
		d->round_ms = now_ms;
	}
	while (d->next < d->n && d->waiting < USAGE_WAITING_MAX) {
		struct usage *place = place_of(u, d->accounts[d->next++]);

		if (place->known)
			continue;
		place->as_of = now_ms ? now_ms : 1;
		d->waiting++;
		return place->account;
	}
	return 0;
}
