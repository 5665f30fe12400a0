#include "common/directory/walk.h"

#define AHEAD 100 /* items whose records are asked for together */

/* What is looked up: a name, what stood behind its delimiter, its domain. */
struct asked {
	struct directory_name name;
	struct span detail;
	char delimiter;
	const struct directory_domain *domain;
};

int
walk_end(struct walk *w, enum directory_route_kind kind)
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
		return walk_end(w, kind);
	w->out->skipped++;
	return 0;
}

bool
walk_first_time(struct walk *w, struct span what)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (span_equal(w->seen[i], what)) {
			w->circle = true;
			return false;
		}
	if (w->n_seen == w->room_seen) {
		size_t room = w->room_seen ? 2 * w->room_seen : 8;
		struct span *seen = arena_new(w->arena, room, sizeof(*seen));

		if (!seen || w->n_seen >= DIRECTORY_TARGETS_MAX) {
			(void)walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
			return false;
		}
		if (w->n_seen > 0)
			memcpy(seen, w->seen, w->n_seen * sizeof(*seen));
		w->seen = seen;
		w->room_seen = room;
	}
	if (!arena_copy(w->arena, what, &w->seen[w->n_seen])) {
		(void)walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
		return false;
	}
	w->n_seen++;
	return true;
}

/* ---- aliases and groups */

/* `item` is its name with "group:" before it. One that is gone is skipped. */
static int
walk_group(struct walk *w, struct span item, struct span name, unsigned depth)
{
	struct directory_object o;
	struct directory_name n;
	struct span members;
	int r = 0;

	if (directory_name_parse(name, &n, w->err) == 0)
		r = directory_load_object(w->d, DIRECTORY_GROUP, &n, (struct span){0},
					  &o, w->err);
	if (r == 0)
		w->out->skipped++;
	if (r <= 0 || !walk_first_time(w, item))
		return r < 0 ? -1 : 0;
	if (!arena_copy(w->arena, o.values[FIELD_GROUP_MEMBERS].text, &members))
		return walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
	return walk_items(w, members, depth);
}

/* The next AHEAD items, so that many do not take a round each. */
static void
expect_items(struct walk *w, struct cursor c)
{
	struct span item;

	for (size_t i = 0; i < AHEAD && directory_item_next(&c, &item); i++)
		if (i > 0 || c.rest.n > 0) /* one alone is asked for anyway */
			directory_expect(w->d, item);
}

int
walk_items(struct walk *w, struct span items, unsigned depth)
{
	struct cursor c = cursor_make(items), ahead = c;
	struct span item, group;
	size_t n = 0;
	int r = 0;

	for (; r == 0 && !w->over && directory_item_next(&c, &item); ahead = c, n++) {
		if (n % AHEAD == 0)
			expect_items(w, ahead);
		r = directory_group_item(item, &group)
			? walk_group(w, item, group, depth)
			: walk_address(w, item, depth);
	}
	return r;
}

static int
walk_alias(struct walk *w, const struct directory_object *alias,
	   const struct directory_name *n, unsigned depth)
{
	struct span targets;

	w->out->by_alias = true;
	if (!walk_first_time(w, directory_name_span(n)))
		return 0;
	if (depth >= DIRECTORY_DEPTH_MAX)
		return walk_end(w, DIRECTORY_ROUTE_LOOP);
	if (!arena_copy(w->arena, alias->values[FIELD_ALIAS_TARGETS].text, &targets))
		return walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
	return walk_items(w, targets, depth + 1);
}

/* ---- one address */

/* The account, alias or list of exactly that name: 1 there, 0 not, -1. */
static int
look_up(struct walk *w, const struct asked *a, unsigned depth)
{
	const struct directory_name *n = &a->name;
	const struct span none = {0};
	struct directory_object o;
	int r = 0;

	if (n->local_bytes > 0)
		r = directory_load_object(w->d, DIRECTORY_ACCOUNT, n, none, &o, w->err);
	if (r > 0)
		r = walk_account(w, &o, n, a->domain, a->detail, a->delimiter, depth);
	else if (r == 0) {
		r = directory_load_object(w->d, DIRECTORY_ALIAS, n, none, &o, w->err);
		if (r > 0)
			r = walk_alias(w, &o, n, depth);
		else if (r < 0 || n->local_bytes == 0)
			return r;
		else {
			r = directory_load_object(w->d, DIRECTORY_LIST, n, none, &o,
						  w->err);
			if (r <= 0)
				return r;
			r = walk_list(w, &o, n, depth);
		}
	}
	return r < 0 ? -1 : 1;
}

static struct span
delimiters_of(const struct walk *w, const struct directory_domain *domain)
{
	struct span own = span_str(domain->delimiters);

	if (own.n == 0)
		return w->policy->delimiters;
	if (span_equal(own, SPAN("none")))
		own.n = 0;
	return own;
}

/* Where the detail begins: the first delimiter behind at least one character. */
static size_t
find_delimiter(struct span delimiters, struct span local)
{
	for (size_t i = 1; i < local.n; i++)
		if (span_find(delimiters, local.at[i]) != delimiters.n)
			return i;
	return local.n;
}

/* The name that stands before a delimiter; false when there is none. */
static bool
without_detail(const struct walk *w, const struct asked *a, struct asked *out)
{
	struct span local = directory_name_local(&a->name);
	size_t at = find_delimiter(delimiters_of(w, a->domain), local);

	if (at == local.n)
		return false;
	out->domain = a->domain;
	out->detail = span_after(local, at + 1);
	out->delimiter = local.at[at];
	return directory_name_make(span_first(local, at),
				   directory_name_domain(&a->name), &out->name);
}

static int
look_up_catch_all(struct walk *w, const struct asked *a, unsigned depth)
{
	struct asked all = {.domain = a->domain};

	if (!directory_name_make((struct span){0}, directory_name_domain(&a->name),
				 &all.name))
		return 0;
	return look_up(w, &all, depth);
}

/* ---- postmaster */

/* Whom the setting names; without a domain, a name in the one asked for. */
static int
walk_named_postmaster(struct walk *w, const struct directory_domain *domain,
		      unsigned depth)
{
	struct span named = w->policy->postmaster;
	struct directory_name here;

	if (named.n == 0)
		return 0;
	if (span_find(named, '@') < named.n || domain->name[0] == '\0')
		return walk_address(w, named, depth + 1);
	if (!directory_name_make(named, span_str(domain->name), &here))
		return 0;
	return walk_address(w, directory_name_span(&here), depth + 1);
}

/* The domain's first account, or the first there is that is enabled. */
static int
find_postmaster(struct walk *w, const struct directory_domain *domain,
		struct directory_account *out)
{
	struct directory_name name;
	int r = 0;

	if (domain->first_account) {
		r = directory_load_id(w->d, domain->first_account, &name, w->err);
		if (r > 0)
			r = directory_load_account(w->d, &name, out, w->err);
	}
	if (r == 0 || (r > 0 && out->disabled))
		r = directory_first_enabled(w->d, span_str(domain->name), out, w->err);
	if (r == 0)
		r = directory_first_enabled(w->d, (struct span){0}, out, w->err);
	return r;
}

/* Somebody must read mail for postmaster [RFC5321 4.5.1]: whom the setting names, or
 * who is there longest. `domain` may be empty. */
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
	r = walk_named_postmaster(w, domain, depth);
	if (r < 0 || w->out->n > before || w->over)
		return r < 0 ? -1 : 1;
	r = find_postmaster(w, domain, &account);
	if (r <= 0)
		return r;
	directory_password_wipe(&account.password);
	r = walk_address(w, span_str(account.address), depth + 1);
	return r < 0 ? -1 : 1;
}

static int
walk_bare_postmaster(struct walk *w, unsigned depth)
{
	const struct directory_domain nowhere = {0};
	int r = look_up_postmaster(w, &nowhere, depth);

	if (r == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_UNKNOWN);
	return r < 0 ? -1 : 0;
}

/* ---- all of it, in order */

/* Records that will surely be asked for, where each question takes a while. */
static void
prefetch(struct walk *w, const struct asked *a)
{
	static const enum directory_kind kinds[] = {DIRECTORY_ACCOUNT, DIRECTORY_ALIAS,
						    DIRECTORY_LIST};
	struct record_key keys[2 * N_ELEMS(kinds)];
	struct span spans[2 * N_ELEMS(kinds)];
	struct asked plain;
	bool has_detail;
	size_t n = 0;

	if (!w->d->backend->calls->prefetch)
		return;
	has_detail = without_detail(w, a, &plain);
	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		keys[n++] = record_key_of(kinds[i], &a->name, (struct span){0});
		if (has_detail)
			keys[n++] =
			    record_key_of(kinds[i], &plain.name, (struct span){0});
	}
	for (size_t i = 0; i < n; i++)
		spans[i] = record_key_span(&keys[i]);
	w->d->backend->calls->prefetch(w->d->backend, spans, n);
}

static bool
came_by(struct walk *w, const struct asked *a)
{
	bool here = w->by.n > 0 && span_equal(directory_name_span(&a->name), w->by);

	w->came = w->came || here;
	return here;
}

static int
walk_ours(struct walk *w, const struct asked *a, unsigned depth)
{
	struct asked plain;
	int r;

	prefetch(w, a);
	r = came_by(w, a) ? 1 : look_up(w, a, depth);
	if (r == 0 && without_detail(w, a, &plain))
		r = came_by(w, &plain) ? 1 : look_up(w, &plain, depth);
	if (r == 0)
		r = look_up_catch_all(w, a, depth);
	if (r == 0 && span_equal(directory_name_local(&a->name), SPAN("postmaster")))
		r = look_up_postmaster(w, a->domain, depth);
	if (r == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_UNKNOWN);
	return r < 0 ? -1 : 0;
}

/* At none of our domains: the first address is for the caller to judge, one
 * behind an alias is a place to send to. */
static int
walk_outside(struct walk *w, struct span address, unsigned depth)
{
	if (depth == 0)
		return walk_end(w, DIRECTORY_ROUTE_NOT_LOCAL);
	return walk_target(w, (struct directory_target){.address = address});
}

static int
walk_disabled(struct walk *w)
{
	w->disabled = true;
	w->out->skipped++;
	return 0;
}

int
walk_address(struct walk *w, struct span address, unsigned depth)
{
	size_t at = span_find_last(address, '@');
	struct span domain_text = span_after(address, at + 1);
	char canonical[DIRECTORY_DOMAIN_MAX + 1];
	struct directory_domain domain;
	struct asked asked = {.domain = &domain};
	int r;

	if (at == address.n && span_equal_nocase(address, SPAN("postmaster")))
		return walk_bare_postmaster(w, depth);
	if (span_starts(domain_text, SPAN("[")))
		return walk_outside(w, address, depth);
	if (directory_domain_canonical(domain_text, canonical, w->err) != 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_BAD_ADDRESS);
	r = directory_load_domain(w->d, span_str(canonical), &domain, w->err);
	if (r == 0)
		return walk_outside(w, address, depth);
	if (r < 0)
		return -1;
	if (directory_name_parse(address, &asked.name, w->err) != 0 ||
	    asked.name.local_bytes == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_BAD_ADDRESS);
	if (domain.alias_of[0] != '\0')
		r = directory_map_domain(w->d, &asked.name, &domain, w->err);
	if (r == 0)
		return end_branch(w, depth, DIRECTORY_ROUTE_UNKNOWN);
	if (r < 0)
		return -1;
	return domain.enabled ? walk_ours(w, &asked, depth) : walk_disabled(w);
}

static enum directory_route_kind
kind_of(const struct walk *w)
{
	if (w->over)
		return w->end;
	if (w->out->n > 0)
		return DIRECTORY_ROUTE_TARGETS;
	if (w->not_allowed)
		return DIRECTORY_ROUTE_NOT_ALLOWED;
	if (w->disabled)
		return DIRECTORY_ROUTE_DISABLED;
	return w->circle ? DIRECTORY_ROUTE_LOOP : DIRECTORY_ROUTE_UNKNOWN;
}

static enum directory_route_kind
walk_all(struct walk *w, struct span address)
{
	struct directory_route *out = w->out;

	*out = (struct directory_route){.kind = DIRECTORY_ROUTE_FAULT};
	if (walk_address(w, address, 0) == 0)
		out->kind = kind_of(w);
	if (out->kind != DIRECTORY_ROUTE_TARGETS)
		out->n = 0;
	return out->kind;
}

enum directory_route_kind
directory_resolve(struct directory *d, struct span address,
		  const struct directory_policy *policy, struct arena *arena,
		  struct directory_route *out, struct err *err)
{
	struct walk w = {
	    .d = d, .policy = policy, .arena = arena, .out = out, .err = err};

	return walk_all(&w, address);
}

int
directory_comes_by(struct directory *d, struct span address, struct span list,
		   struct err *err)
{
	const struct directory_policy policy = {.delimiters = SPAN("+")};
	struct directory_route route;
	struct arena arena;
	struct walk w = {.d = d,
			 .policy = &policy,
			 .arena = &arena,
			 .out = &route,
			 .by = list,
			 .err = err};
	bool fault;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	fault = walk_all(&w, address) == DIRECTORY_ROUTE_FAULT;
	arena_release(&arena);
	return fault ? -1 : w.came;
}

int
directory_may_send(struct directory *d, uint64_t account, struct span address,
		   const struct directory_policy *policy, struct err *err)
{
	struct directory_route route;
	struct arena arena;
	struct walk w = {.d = d,
			 .policy = policy,
			 .arena = &arena,
			 .out = &route,
			 .authors = true,
			 .err = err};
	int may = 0;

	if (address.n == 0)
		return 1;
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	if (walk_all(&w, address) == DIRECTORY_ROUTE_FAULT)
		may = -1;
	for (size_t i = 0; i < route.n && may == 0; i++)
		may = route.targets[i].account == account;
	arena_release(&arena);
	return may;
}
