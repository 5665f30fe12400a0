#include "common/directory/internal.h"

int
directory_load_domain(struct directory *d, struct span domain,
		      struct directory_domain *out, struct err *err)
{
	struct record_key key = record_key_domain(domain);
	struct span value;
	int r = directory_get(d, key, &value, err);

	if (r > 0 && !record_get_domain(value, out))
		return directory_damaged(err, record_key_span(&key));
	return r;
}

/* Canonical name and record of a domain that must be there. */
static enum directory_result
find(struct directory *d, struct span name, struct directory_domain *out,
     struct err *err)
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
directory_domain_find(struct directory *d, struct span name,
		      struct directory_domain *out, struct err *err)
{
	return find(d, name, out, err);
}

/* The domain's record, with what else must change at the same time. */
static enum directory_result
store(struct directory *d, const struct directory_domain *domain,
      const struct backend_change *other, struct err *err)
{
	struct record_key key = record_key_domain(span_str(domain->name));
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct backend_change changes[2];
	enum directory_result r;

	record_put_domain(domain, &value);
	changes[0] = (struct backend_change){record_key_span(&key), buf_span(&value)};
	if (other)
		changes[1] = *other;
	r = directory_apply(d, changes, other ? 2 : 1, err);
	buf_release(&value);
	return r;
}

enum directory_result
directory_domain_add(struct directory *d, struct span name, struct err *err)
{
	struct directory_domain domain = {.enabled = true}, old;
	struct record_key next_key = directory_next_id_key();
	struct buf next = buf_make(RECORD_VALUE_MAX);
	struct backend_change change;
	enum directory_result r;

	if (directory_domain_canonical(name, domain.name, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = find(d, span_str(domain.name), &old, err);
	if (r == DIRECTORY_DONE)
		return directory_say(DIRECTORY_EXISTS, err, "%.150s is there already",
				     domain.name);
	if (r != DIRECTORY_NOT_FOUND)
		return r;
	if (directory_next_id(d, &next, &domain.id, err) != 0) {
		buf_release(&next);
		return DIRECTORY_FAULT;
	}
	change = (struct backend_change){record_key_span(&next_key), buf_span(&next)};
	r = store(d, &domain, &change, err);
	buf_release(&next);
	return r;
}

static bool
visit_any(void *context, struct span key, struct span value)
{
	bool *any = context;

	(void)key;
	(void)value;
	*any = true;
	return false;
}

enum directory_result
directory_domain_remove(struct directory *d, struct span name, struct err *err)
{
	static const struct {
		enum record_kind kind;
		const char *what;
	} rows[] = {
	    {RECORD_ACCOUNT, "accounts"},
            {RECORD_ALIAS,   "aliases" }
        };
	struct directory_domain domain;
	struct record_key key;
	enum directory_result r = find(d, name, &domain, err);

	if (r != DIRECTORY_DONE)
		return r;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		bool any = false;

		key = record_key_names_of(rows[i].kind, span_str(domain.name));
		if (directory_walk(d, key, (struct span){0}, 1, visit_any, &any, err) !=
		    0)
			return DIRECTORY_FAULT;
		if (any)
			return directory_say(DIRECTORY_IN_USE, err,
					     "%.150s still has %s", domain.name,
					     rows[i].what);
	}
	key = record_key_domain(span_str(domain.name));
	return directory_apply(d, &(struct backend_change){record_key_span(&key), {0}},
			       1, err);
}

enum directory_result
directory_domain_enable(struct directory *d, struct span name, bool enabled,
			struct err *err)
{
	struct directory_domain domain;
	enum directory_result r = find(d, name, &domain, err);

	if (r != DIRECTORY_DONE || domain.enabled == enabled)
		return r;
	domain.enabled = enabled;
	return store(d, &domain, NULL, err);
}

struct page {
	struct directory_domain *out;
	size_t limit, n;
	bool damaged;
	struct err *err;
};

static bool
visit_page(void *context, struct span key, struct span value)
{
	struct page *page = context;

	if (page->n == page->limit)
		return false;
	page->damaged = !record_get_domain(value, &page->out[page->n]);
	if (page->damaged)
		directory_damaged(page->err, key);
	else
		page->n++;
	return !page->damaged;
}

enum directory_result
directory_domain_list(struct directory *d, struct span after,
		      struct directory_domain *out, size_t limit, size_t *n,
		      struct err *err)
{
	struct page page = {.out = out, .limit = limit, .err = err};
	char domain[DIRECTORY_DOMAIN_MAX + 1] = "";
	struct record_key start;

	if (after.n > 0 && directory_domain_canonical(after, domain, err) != 0)
		return DIRECTORY_BAD_NAME;
	start = record_key_domain(span_str(domain));
	if (directory_walk(d, record_key_domain((struct span){0}),
			   record_key_span(&start), page.limit, visit_page, &page,
			   err) != 0 ||
	    page.damaged)
		return DIRECTORY_FAULT;
	*n = page.n;
	return DIRECTORY_DONE;
}
