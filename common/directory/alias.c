#include "common/directory/internal.h"

int
directory_load_alias(struct directory *d, const struct directory_name *n,
		     size_t *n_targets, struct err *err)
{
	struct record_key key = record_key_name(RECORD_ALIAS, n);
	struct span value;
	int r = directory_get(d, key, &value, err);

	if (r > 0 && !record_get_targets(value, d->targets, n_targets))
		return directory_damaged(err, record_key_span(&key));
	return r;
}

/* The alias that was just read, with all its texts in the arena. `extra` more
 * targets have room behind it. */
static bool
keep_alias(struct directory *d, const struct directory_name *name, size_t n,
	   size_t extra, struct arena *arena, struct directory_alias *out)
{
	struct directory_alias a = {.n_targets = n};

	a.targets = arena_new(arena, n + extra ? n + extra : 1, sizeof(*a.targets));
	if (!a.targets || !arena_copy(arena, directory_name_span(name), &a.address))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!arena_copy(arena, d->targets[i], &a.targets[i]))
			return false;
	*out = a;
	return true;
}

/* The name of an alias of ours, and the alias (no targets when there is none). */
static enum directory_result
find(struct directory *d, struct span address, size_t extra, struct arena *arena,
     struct directory_name *name, struct directory_alias *out, struct err *err)
{
	size_t n = 0;
	int r;

	if (directory_name_parse(address, name, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = directory_load_alias(d, name, &n, err);
	if (r < 0)
		return DIRECTORY_FAULT;
	if (!keep_alias(d, name, n, extra, arena, out))
		return directory_say(DIRECTORY_FAULT, err,
				     "the alias %.150s is too large", name->text);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no alias %.150s", name->text);
	return DIRECTORY_DONE;
}

enum directory_result
directory_alias_find(struct directory *d, struct span address, struct arena *arena,
		     struct directory_alias *out, struct err *err)
{
	struct directory_name name;

	return find(d, address, 0, arena, &name, out, err);
}

static enum directory_result
store(struct directory *d, const struct directory_name *name,
      const struct directory_alias *alias, struct err *err)
{
	struct record_key key = record_key_name(RECORD_ALIAS, name);
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct backend_change change = {.key = record_key_span(&key)};
	enum directory_result r;

	if (alias->n_targets > 0) {
		record_put_targets(alias->targets, alias->n_targets, &value);
		change.value = buf_span(&value);
	}
	r = directory_apply(d, &change, 1, err);
	buf_release(&value);
	return r;
}

/* ---- targets */

static bool
has_target(const struct directory_alias *a, struct span target, size_t *at)
{
	for (size_t i = 0; i < a->n_targets; i++) {
		if (!span_equal(a->targets[i], target))
			continue;
		*at = i;
		return true;
	}
	return false;
}

/* The form a target is kept in: canonical at our domains, as written outside. */
static enum directory_result
target_kept(struct directory *d, struct span target, struct arena *arena,
	    struct span *kept, bool *ours, struct err *err)
{
	struct directory_domain domain;
	struct directory_name name;
	int r;

	if (directory_name_parse(target, &name, err) != 0)
		return DIRECTORY_BAD_NAME;
	if (name.local_bytes == 0)
		return directory_say(DIRECTORY_BAD_NAME, err,
				     "a target needs a name before the @");
	r = directory_load_domain(d, directory_name_domain(&name), &domain, err);
	if (r < 0)
		return DIRECTORY_FAULT;
	*ours = r > 0;
	if (!arena_copy(arena, *ours ? directory_name_span(&name) : target, kept))
		return directory_say(DIRECTORY_BAD_NAME, err, "too many targets");
	return DIRECTORY_DONE;
}

/* A target at one of our domains must lead somewhere, or mail would be lost to
 * a slip of the pen. */
static enum directory_result
check_leads(struct directory *d, struct span target, struct err *err)
{
	const struct directory_policy policy = {.delimiters = SPAN("+")};
	struct directory_route route;
	struct arena arena;
	enum directory_route_kind kind;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	kind = directory_resolve(d, target, &policy, &arena, &route, err);
	arena_release(&arena);
	if (kind == DIRECTORY_ROUTE_FAULT)
		return DIRECTORY_FAULT;
	if (kind == DIRECTORY_ROUTE_UNKNOWN)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.*s is neither an account nor an alias here",
				     (int)(target.n < 150 ? target.n : 150), target.at);
	return DIRECTORY_DONE;
}

static size_t
bytes_of(const struct directory_alias *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_targets; i++)
		n += a->targets[i].n + 4;
	return n;
}

static enum directory_result
add_target(struct directory *d, struct span target, struct arena *arena,
	   struct directory_alias *alias, struct err *err)
{
	struct span kept;
	bool ours;
	size_t at;
	enum directory_result r = target_kept(d, target, arena, &kept, &ours, err);

	if (r != DIRECTORY_DONE || has_target(alias, kept, &at))
		return r;
	if (ours)
		r = check_leads(d, kept, err);
	if (r != DIRECTORY_DONE)
		return r;
	if (alias->n_targets == DIRECTORY_TARGETS_MAX)
		return directory_say(DIRECTORY_BAD_NAME, err,
				     "an alias has at most %d targets",
				     DIRECTORY_TARGETS_MAX);
	alias->targets[alias->n_targets++] = kept;
	return DIRECTORY_DONE;
}

/* DONE when an alias may stand under that name. */
static enum directory_result
check_free(struct directory *d, const struct directory_name *name, struct err *err)
{
	struct directory_account account;
	struct directory_domain domain;
	int r;

	if (name->local_bytes > 0 && !directory_name_ours(name, err))
		return DIRECTORY_BAD_NAME;
	r = directory_load_domain(d, directory_name_domain(name), &domain, err);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.150s is not a domain of this server",
				     directory_name_domain(name).at);
	if (r > 0)
		r = directory_load_account(d, name, &account, err);
	if (r < 0)
		return DIRECTORY_FAULT;
	if (r == 0)
		return DIRECTORY_DONE;
	directory_password_wipe(&account.password);
	return directory_say(DIRECTORY_EXISTS, err, "%.150s is an account", name->text);
}

static enum directory_result
add_targets(struct directory *d, struct span address, const struct span *targets,
	    size_t n, struct arena *arena, struct err *err)
{
	struct directory_alias alias;
	struct directory_name name;
	enum directory_result r = find(d, address, n, arena, &name, &alias, err);
	size_t before;

	if (r != DIRECTORY_DONE && r != DIRECTORY_NOT_FOUND)
		return r;
	before = alias.n_targets;
	r = check_free(d, &name, err);
	for (size_t i = 0; i < n && r == DIRECTORY_DONE; i++)
		r = add_target(d, targets[i], arena, &alias, err);
	if (r != DIRECTORY_DONE)
		return r;
	if (alias.n_targets == before)
		return directory_say(DIRECTORY_EXISTS, err,
				     "%.150s has those targets already", name.text);
	if (bytes_of(&alias) > DIRECTORY_ALIAS_BYTES_MAX)
		return directory_say(DIRECTORY_BAD_NAME, err,
				     "the targets of %.150s are too long together",
				     name.text);
	return store(d, &name, &alias, err);
}

enum directory_result
directory_alias_add(struct directory *d, struct span address,
		    const struct span *targets, size_t n, struct err *err)
{
	struct arena arena;
	enum directory_result r;

	if (n == 0 || n > DIRECTORY_TARGETS_MAX)
		return directory_say(DIRECTORY_BAD_NAME, err,
				     "an alias has 1 to %d targets",
				     DIRECTORY_TARGETS_MAX);
	arena_init(&arena, (size_t)2 * DIRECTORY_ARENA_BYTES);
	r = add_targets(d, address, targets, n, &arena, err);
	arena_release(&arena);
	return r;
}

static enum directory_result
remove_target(struct directory *d, struct span target, struct arena *arena,
	      struct directory_alias *alias, struct err *err)
{
	struct span kept;
	bool ours;
	size_t at;
	enum directory_result r = target_kept(d, target, arena, &kept, &ours, err);

	if (r != DIRECTORY_DONE)
		return r;
	if (!has_target(alias, kept, &at))
		return directory_say(
		    DIRECTORY_NOT_FOUND, err, "%.*s has no such target",
		    (int)(alias->address.n < 150 ? alias->address.n : 150),
		    alias->address.at);
	alias->n_targets--;
	memmove(&alias->targets[at], &alias->targets[at + 1],
		(alias->n_targets - at) * sizeof(alias->targets[0]));
	return DIRECTORY_DONE;
}

enum directory_result
directory_alias_remove(struct directory *d, struct span address,
		       const struct span *targets, size_t n, struct err *err)
{
	struct directory_alias alias;
	struct directory_name name;
	struct arena arena;
	enum directory_result r;

	arena_init(&arena, (size_t)2 * DIRECTORY_ARENA_BYTES);
	r = find(d, address, 0, &arena, &name, &alias, err);
	for (size_t i = 0; i < n && r == DIRECTORY_DONE; i++)
		r = remove_target(d, targets[i], &arena, &alias, err);
	if (n == 0)
		alias.n_targets = 0;
	if (r == DIRECTORY_DONE)
		r = store(d, &name, &alias, err);
	arena_release(&arena);
	return r;
}

/* ---- listing */

struct page {
	struct directory *d;
	struct arena *arena;
	struct directory_alias *out;
	size_t limit, n;
	bool damaged;
	struct err *err;
};

static bool
visit_page(void *context, struct span key, struct span value)
{
	struct page *page = context;
	struct directory_name name;
	size_t n;

	if (page->n == page->limit)
		return false;
	page->damaged = !record_key_address(key, &name) ||
			!record_get_targets(value, page->d->targets, &n);
	if (page->damaged) {
		directory_damaged(page->err, key);
		return false;
	}
	if (!keep_alias(page->d, &name, n, 0, page->arena, &page->out[page->n]))
		return false;
	page->n++;
	return true;
}

enum directory_result
directory_alias_list(struct directory *d, struct span domain, struct span after,
		     struct arena *arena, struct directory_alias *out, size_t limit,
		     size_t *n, struct err *err)
{
	struct page page = {
	    .d = d, .arena = arena, .out = out, .limit = limit, .err = err};
	char canonical[DIRECTORY_DOMAIN_MAX + 1] = "";
	struct record_key start;

	if (directory_page_start(RECORD_ALIAS, after, &start, err) != 0 ||
	    (domain.n > 0 && directory_domain_canonical(domain, canonical, err) != 0))
		return DIRECTORY_BAD_NAME;
	if (directory_walk(d, record_key_names_of(RECORD_ALIAS, span_str(canonical)),
			   record_key_span(&start), page.limit, visit_page, &page,
			   err) != 0 ||
	    page.damaged)
		return DIRECTORY_FAULT;
	*n = page.n;
	return DIRECTORY_DONE;
}
