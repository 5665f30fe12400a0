#include "common/directory/internal.h"

/* What one resolve has seen so far. Every function that can fault returns -1;
 * what ends the walk otherwise stands in `end`. */
struct walk {
	struct directory *d;
	const struct directory_policy *policy;
	struct arena *arena;
	struct directory_route *out;
	size_t room;       /* of out->targets */
	struct span *seen; /* aliases that were expanded */
	size_t n_seen, room_seen;
	bool circle, disabled, postmaster;
	bool over; /* `end` says why */
	enum directory_route_kind end;
	struct err *err;
};

static int expand(struct walk *w, struct span address, unsigned depth);

static int
end_walk(struct walk *w, enum directory_route_kind kind)
{
	w->over = true;
	w->end = kind;
	return 0;
}

/* The address leads nowhere: the answer when it is the one that was asked for,
 * behind an alias only something to count. */
static int
end_branch(struct walk *w, unsigned depth, enum directory_route_kind kind)
{
	if (depth == 0)
		return end_walk(w, kind);
	w->out->skipped++;
	return 0;
}

/* An array in the arena that doubles; null beyond `max` or the arena's limit. */
static void *
grown(struct arena *arena, void *at, size_t size, size_t n, size_t max, size_t *room)
{
	size_t more = *room ? 2 * *room : 4;
	void *moved;

	if (n >= max)
		return NULL;
	if (n < *room)
		return at;
	moved = arena_new(arena, more, size);
	if (moved && n > 0)
		memcpy(moved, at, n * size);
	if (moved)
		*room = more;
	return moved;
}

/* ---- targets */

static bool
is_target(const struct walk *w, const struct directory_target *t)
{
	for (size_t i = 0; i < w->out->n; i++) {
		const struct directory_target *old = &w->out->targets[i];

		if (t->account ? old->account == t->account
			       : !old->account && span_equal(old->address, t->address))
			return true;
	}
	return false;
}

static int
add_target(struct walk *w, struct directory_target t)
{
	struct directory_target *targets;

	if (is_target(w, &t))
		return 0;
	targets = grown(w->arena, w->out->targets, sizeof(t), w->out->n,
			DIRECTORY_TARGETS_MAX, &w->room);
	if (!targets || !arena_copy(w->arena, t.address, &t.address) ||
	    !arena_copy(w->arena, t.detail, &t.detail))
		return end_walk(w, DIRECTORY_ROUTE_TOO_MANY);
	w->out->targets = targets;
	targets[w->out->n++] = t;
	return 0;
}

static int
skip_disabled(struct walk *w)
{
	w->disabled = true;
	w->out->skipped++;
	return 0;
}

static int
add_account(struct walk *w, const struct directory_account *a, struct span detail)
{
	if (a->disabled)
		return skip_disabled(w);
	return add_target(w, (struct directory_target){.address = span_str(a->address),
						       .account = a->id,
						       .quota_bytes = a->quota_bytes,
						       .detail = detail});
}

/* ---- aliases */

/* False when the alias was expanded before: a circle, or two ways to it. */
static bool
see_alias(struct walk *w, const struct directory_name *name)
{
	struct span *seen;

	for (size_t i = 0; i < w->n_seen; i++)
		if (span_equal(w->seen[i], directory_name_span(name))) {
			w->circle = true;
			return false;
		}
	seen = grown(w->arena, w->seen, sizeof(*seen), w->n_seen, DIRECTORY_TARGETS_MAX,
		     &w->room_seen);
	if (!seen ||
	    !arena_copy(w->arena, directory_name_span(name), &seen[w->n_seen])) {
		(void)end_walk(w, DIRECTORY_ROUTE_TOO_MANY);
		return false;
	}
	w->seen = seen;
	w->n_seen++;
	return true;
}

/* Follows the alias that was just read into d->targets. */
static int
follow_alias(struct walk *w, const struct directory_name *name, size_t n,
	     unsigned depth)
{
	struct span *targets;
	int r = 0;

	w->out->by_alias = true;
	if (!see_alias(w, name))
		return 0;
	if (depth >= DIRECTORY_DEPTH_MAX)
		return end_walk(w, DIRECTORY_ROUTE_LOOP);
	targets = arena_new(w->arena, n, sizeof(*targets));
	if (!targets)
		return end_walk(w, DIRECTORY_ROUTE_TOO_MANY);
	for (size_t i = 0; i < n; i++)
		if (!arena_copy(w->arena, w->d->targets[i], &targets[i]))
			return end_walk(w, DIRECTORY_ROUTE_TOO_MANY);
	for (size_t i = 0; i < n && r == 0 && !w->over; i++)
		r = expand(w, targets[i], depth + 1);
	return r;
}

/* ---- one address */

/* The account or alias of exactly that name: 1 there, 0 not, -1. */
static int
look_up(struct walk *w, const struct directory_name *name, struct span detail,
	unsigned depth)
{
	struct directory_account account;
	size_t n;
	int r = 0;

	if (name->local_bytes > 0)
		r = directory_load_account(w->d, name, &account, w->err);
	if (r > 0) {
		r = add_account(w, &account, detail);
		directory_password_wipe(&account.password);
		return r < 0 ? -1 : 1;
	}
	if (r == 0)
		r = directory_load_alias(w->d, name, &n, w->err);
	if (r <= 0)
		return r;
	return follow_alias(w, name, n, depth) < 0 ? -1 : 1;
}

/* Where the detail begins: the first delimiter behind at least one character. */
static size_t
find_delimiter(const struct walk *w, struct span local)
{
	for (size_t i = 1; i < local.n; i++)
		if (span_find(w->policy->delimiters, local.at[i]) !=
		    w->policy->delimiters.n)
			return i;
	return local.n;
}

static int
look_up_without_detail(struct walk *w, const struct directory_name *name,
		       unsigned depth)
{
	struct span local = directory_name_local(name);
	size_t at = find_delimiter(w, local);
	struct directory_name base;

	if (at == local.n || !directory_name_make(span_first(local, at),
						  directory_name_domain(name), &base))
		return 0;
	return look_up(w, &base, span_after(local, at + 1), depth);
}

static int
look_up_catch_all(struct walk *w, const struct directory_name *name, unsigned depth)
{
	struct directory_name all;

	if (!directory_name_make((struct span){0}, directory_name_domain(name), &all))
		return 0;
	return look_up(w, &all, (struct span){0}, depth);
}

/* Whom the setting names; without a domain, a name in the one asked for. */
static int
expand_named_postmaster(struct walk *w, const struct directory_domain *domain,
			unsigned depth)
{
	struct span named = w->policy->postmaster;
	struct directory_name here;

	if (named.n == 0)
		return 0;
	if (span_find(named, '@') < named.n || domain->name[0] == '\0')
		return expand(w, named, depth + 1);
	if (!directory_name_make(named, span_str(domain->name), &here))
		return 0;
	return expand(w, directory_name_span(&here), depth + 1);
}

/* Somebody must read mail for postmaster [RFC5321 4.5.1]: whom the setting
 * names, or the domain's first account, or the first there is that is enabled.
 * `domain` may be empty. */
static int
look_up_postmaster(struct walk *w, const struct directory_domain *domain,
		   unsigned depth)
{
	struct directory_account account;
	size_t before = w->out->n;
	int r = 0;

	if (w->postmaster)
		return 0;
	w->postmaster = true; /* once: what the setting names may be postmaster again */
	w->out->by_alias = true;
	r = expand_named_postmaster(w, domain, depth);
	if (r < 0 || w->out->n > before || w->over)
		return r < 0 ? -1 : 1;
	if (domain->first_account)
		r = directory_load_id(w->d, domain->first_account, &account, w->err);
	if (r == 0 || (r > 0 && account.disabled))
		r = directory_first_enabled(w->d, span_str(domain->name), &account,
					    w->err);
	if (r == 0)
		r = directory_first_enabled(w->d, (struct span){0}, &account, w->err);
	if (r <= 0)
		return r;
	r = add_account(w, &account, (struct span){0});
	directory_password_wipe(&account.password);
	return r < 0 ? -1 : 1;
}

static int
expand_ours(struct walk *w, const struct directory_name *name,
	    const struct directory_domain *domain, unsigned depth)
{
	int r = look_up(w, name, (struct span){0}, depth);

	if (r == 0)
		r = look_up_without_detail(w, name, depth);
	if (r == 0)
		r = look_up_catch_all(w, name, depth);
	if (r == 0 && span_equal(directory_name_local(name), SPAN("postmaster")))
		r = look_up_postmaster(w, domain, depth);
	if (r == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_UNKNOWN);
	return r < 0 ? -1 : 0;
}

/* At none of our domains: the first address is for the caller to judge, one
 * behind an alias is a place to send to. */
static int
expand_outside(struct walk *w, struct span address, unsigned depth)
{
	if (depth == 0)
		return end_walk(w, DIRECTORY_ROUTE_NOT_LOCAL);
	return add_target(w, (struct directory_target){.address = address});
}

static int
expand_bare_postmaster(struct walk *w, unsigned depth)
{
	const struct directory_domain nowhere = {0};
	int r = look_up_postmaster(w, &nowhere, depth);

	if (r == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_UNKNOWN);
	return r < 0 ? -1 : 0;
}

static int
expand(struct walk *w, struct span address, unsigned depth)
{
	size_t at = span_find_last(address, '@');
	struct span domain_text = span_after(address, at + 1);
	char canonical[DIRECTORY_DOMAIN_MAX + 1];
	struct directory_domain domain = {0};
	struct directory_name name;
	int r;

	if (at == address.n && span_equal_nocase(address, SPAN("postmaster")))
		return expand_bare_postmaster(w, depth);
	if (span_starts(domain_text, SPAN("[")))
		return expand_outside(w, address, depth);
	if (directory_domain_canonical(domain_text, canonical, w->err) != 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_BAD_ADDRESS);
	r = directory_load_domain(w->d, span_str(canonical), &domain, w->err);
	if (r == 0)
		return expand_outside(w, address, depth);
	if (r < 0)
		return -1;
	if (directory_name_parse(address, &name, w->err) != 0 || name.local_bytes == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_BAD_ADDRESS);
	if (!domain.enabled)
		return skip_disabled(w);
	return expand_ours(w, &name, &domain, depth);
}

static enum directory_route_kind
kind_of(const struct walk *w)
{
	if (w->over)
		return w->end;
	if (w->out->n > 0)
		return DIRECTORY_ROUTE_TARGETS;
	if (w->disabled)
		return DIRECTORY_ROUTE_DISABLED;
	return w->circle ? DIRECTORY_ROUTE_LOOP : DIRECTORY_ROUTE_UNKNOWN;
}

enum directory_route_kind
directory_resolve(struct directory *d, struct span address,
		  const struct directory_policy *policy, struct arena *arena,
		  struct directory_route *out, struct err *err)
{
	struct walk w = {
	    .d = d, .policy = policy, .arena = arena, .out = out, .err = err};

	*out = (struct directory_route){.kind = DIRECTORY_ROUTE_FAULT};
	if (expand(&w, address, 0) == 0)
		out->kind = kind_of(&w);
	if (out->kind != DIRECTORY_ROUTE_TARGETS)
		out->n = 0;
	return out->kind;
}

int
directory_may_send(struct directory *d, uint64_t account, struct span address,
		   const struct directory_policy *policy, struct err *err)
{
	struct directory_route route;
	struct arena arena;
	int may = 0;

	if (address.n == 0)
		return 1;
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	if (directory_resolve(d, address, policy, &arena, &route, err) ==
	    DIRECTORY_ROUTE_FAULT)
		may = -1;
	for (size_t i = 0; i < route.n && may == 0; i++)
		may = route.targets[i].account == account;
	arena_release(&arena);
	return may;
}
