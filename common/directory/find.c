#include "common/directory/internal.h"

static bool
copy_object(struct arena *arena, struct directory_object *o)
{
	bool good = arena_copy(arena, o->name, &o->name) &&
		    arena_copy(arena, o->label, &o->label);

	for (size_t i = 1; i < DIRECTORY_FIELDS && good; i++)
		if (o->values[i].text.n > 0)
			good = arena_copy(arena, o->values[i].text, &o->values[i].text);
	return good;
}

/* That there is no such object. */
static enum directory_result
say_none(enum directory_kind kind, const struct record_name *n, struct err *err)
{
	struct span name = directory_name_shown(kind, &n->name);

	if (kind == DIRECTORY_DOMAIN)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.150s is not a domain of this server", name.at);
	if (kind == DIRECTORY_APP_PASSWORD)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.120s has no app password '%.64s'", name.at,
				     n->label);
	return directory_say(DIRECTORY_NOT_FOUND, err, "there is no %s %.150s",
			     directory_kind_name(kind), name.at);
}

enum directory_result
directory_find(struct directory *d, enum directory_kind kind, struct span name,
	       struct span label, struct arena *arena, struct directory_object *out,
	       struct err *err)
{
	struct record_name n;
	struct directory_object o;
	enum directory_result result =
	    directory_object_name(kind, name, label, &n, err);
	int r;

	if (result != DIRECTORY_DONE)
		return result;
	r = directory_load_object(d, kind, &n.name, span_str(n.label), &o, err);
	if (r == 0)
		return say_none(kind, &n, err);
	if (r < 0)
		return DIRECTORY_FAULT;
	if (!copy_object(arena, &o))
		return directory_say(DIRECTORY_FAULT, err, "%.150s is too large",
				     n.name.text);
	*out = o;
	return DIRECTORY_DONE;
}

enum directory_result
directory_domain_find(struct directory *d, struct span name,
		      struct directory_domain *out, struct err *err)
{
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	int r;

	if (directory_domain_canonical(name, domain, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = directory_load_domain(d, span_str(domain), out, err);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.150s is not a domain of this server", domain);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

enum directory_result
directory_account_find(struct directory *d, struct span address,
		       struct directory_account *out, struct err *err)
{
	struct directory_domain domain;
	struct directory_name name;
	int r;

	if (directory_name_parse(address, &name, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = directory_load_account(d, &name, out, err);
	if (r == 0) {
		r = directory_map_domain(d, &name, &domain, err);
		if (r > 0)
			r = directory_load_account(d, &name, out, err);
	}
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no account %.150s", name.text);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

enum directory_result
directory_account_find_id(struct directory *d, uint64_t id,
			  struct directory_account *out, struct err *err)
{
	struct directory_name name;
	int r = directory_load_id(d, id, &name, err);

	if (r > 0)
		r = directory_load_account(d, &name, out, err);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no account %llu",
				     (unsigned long long)id);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

/* ---- pages */

struct page {
	enum directory_kind kind;
	struct arena *arena;
	struct directory_object *out;
	size_t limit, n;
	bool damaged;
	struct err *err;
};

static bool
visit_page(void *context, struct span key, struct span value)
{
	struct page *page = context;
	struct directory_object *o;
	struct record_name n;

	if (page->n == page->limit)
		return false;
	o = &page->out[page->n];
	o->kind = page->kind;
	page->damaged =
	    !record_key_name(page->kind, key, &n) || !record_get_object(value, o);
	if (page->damaged) {
		directory_damaged(page->err, key);
		return false;
	}
	o->name = directory_name_shown(page->kind, &n.name);
	o->label = span_str(n.label);
	if (!copy_object(page->arena, o))
		return false;
	page->n++;
	return true;
}

/* What a page is limited to: a domain, or an account whose app passwords they are. */
static enum directory_result
page_prefix(enum directory_kind kind, struct span in, struct record_key *out,
	    struct err *err)
{
	struct directory_name name = {0};
	struct record_name domain = {0};
	bool account = kind == DIRECTORY_APP_PASSWORD && span_find(in, '@') < in.n;

	if (in.n > 0 && account && directory_name_parse(in, &name, err) != 0)
		return DIRECTORY_BAD_NAME;
	if (in.n > 0 && !account) {
		if (directory_object_name(DIRECTORY_DOMAIN, in, in, &domain, err))
			return DIRECTORY_BAD_NAME;
		name = domain.name;
	}
	*out = record_key_in(kind, &name);
	return DIRECTORY_DONE;
}

enum directory_result
directory_page(struct directory *d, enum directory_kind kind, struct span in,
	       struct span after, struct span after_label, struct arena *arena,
	       struct directory_object *out, size_t limit, size_t *n, struct err *err)
{
	struct page page = {
	    .kind = kind, .arena = arena, .out = out, .limit = limit, .err = err};
	struct record_key prefix, start = {.n = 0};
	struct record_name from;
	enum directory_result r = page_prefix(kind, in, &prefix, err);

	if (r == DIRECTORY_DONE && after.n > 0) {
		r = directory_object_name(kind, after, after_label, &from, err);
		start = record_key_of(kind, &from.name, span_str(from.label));
	}
	if (r != DIRECTORY_DONE)
		return r;
	if (directory_walk(d, prefix, record_key_span(&start), limit, visit_page, &page,
			   err) != 0 ||
	    page.damaged)
		return DIRECTORY_FAULT;
	*n = page.n;
	return DIRECTORY_DONE;
}
