#include "common/directory/internal.h"

static const struct {
	enum directory_kind kind;
	const char *what;
} contents[] = {
    {DIRECTORY_ACCOUNT, "accounts"},
    {DIRECTORY_ALIAS,   "aliases" },
    {DIRECTORY_LIST,    "lists"   },
    {DIRECTORY_GROUP,   "groups"  },
};

static enum directory_result
check_empty(struct change *c, const char *why)
{
	for (size_t i = 0; i < N_ELEMS(contents); i++) {
		size_t n = 0;

		if (directory_count(c->d,
				    record_key_in(contents[i].kind, &c->name.name), 1,
				    &n, c->err) != 0)
			return DIRECTORY_FAULT;
		if (n > 0)
			return directory_say(DIRECTORY_IN_USE, c->err,
					     "%.150s still has %s%s",
					     directory_name_domain(&c->name.name).at,
					     contents[i].what, why);
	}
	return DIRECTORY_DONE;
}

/* ---- domains that are aliases */

struct search {
	struct span alias_of;
	struct record_name found;
	bool any;
};

static bool
visit_alias(void *context, struct span key, struct span value)
{
	struct search *search = context;
	struct directory_object o = {.kind = DIRECTORY_DOMAIN};

	if (!record_get_object(value, &o) ||
	    !span_equal(o.values[FIELD_DOMAIN_ALIAS_OF].text, search->alias_of))
		return true;
	search->any = record_key_name(DIRECTORY_DOMAIN, key, &search->found);
	return !search->any;
}

static enum directory_result
check_no_aliases(struct change *c)
{
	const struct directory_name all = {.bytes = 0};
	struct search search = {.alias_of = directory_name_domain(&c->name.name)};

	if (directory_walk(c->d, record_key_in(DIRECTORY_DOMAIN, &all),
			   (struct span){0}, 0, visit_alias, &search, c->err) != 0)
		return DIRECTORY_FAULT;
	if (search.any)
		return directory_say(
		    DIRECTORY_IN_USE, c->err, "%.110s is an alias of %.110s",
		    directory_name_domain(&search.found.name).at, search.alias_of.at);
	return DIRECTORY_DONE;
}

/* An alias stands for a domain that is none, and has nothing of its own. */
static enum directory_result
check_alias_of(struct change *c, struct span alias_of)
{
	struct directory_object other;
	struct directory_name name;
	enum directory_result r;

	if (!directory_name_make((struct span){0}, alias_of, &name))
		return DIRECTORY_BAD_VALUE;
	if (span_equal(alias_of, directory_name_domain(&c->name.name)))
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "a domain cannot be an alias of itself");
	r = change_load(c, DIRECTORY_DOMAIN, &name, (struct span){0}, &other);
	if (r == DIRECTORY_NOT_FOUND)
		return directory_say(r, c->err, "%.150s is not a domain of this server",
				     name.text + 1);
	if (r == DIRECTORY_DONE && other.values[FIELD_DOMAIN_ALIAS_OF].text.n > 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "%.150s is an alias itself", name.text + 1);
	if (r == DIRECTORY_DONE)
		r = check_empty(c, ": only an empty domain can be an alias");
	if (r == DIRECTORY_DONE)
		r = check_no_aliases(c);
	return r;
}

static bool
delimiters_good(struct span delimiters)
{
	if (span_equal(delimiters, SPAN("none")))
		return true;
	for (size_t i = 0; i < delimiters.n; i++)
		if (!strchr("+-_=#!%&*/?^|~$", delimiters.at[i]))
			return false;
	return true;
}

static enum directory_result
check(struct change *c)
{
	const struct directory_value *wanted = c->wanted->values;
	struct directory_value *v = c->object.values;
	struct span alias_of = v[FIELD_DOMAIN_ALIAS_OF].text;
	enum directory_result r = DIRECTORY_DONE;
	uint64_t id;

	if (!delimiters_good(v[FIELD_DOMAIN_DELIMITERS].text))
		return directory_say(
		    DIRECTORY_BAD_VALUE, c->err,
		    "delimiters are some of +-_=#!%%&*/?^|~$, or none");
	if (wanted[FIELD_DOMAIN_ALIAS_OF].how != DIRECTORY_VALUE_ABSENT &&
	    alias_of.n > 0)
		r = check_alias_of(c, alias_of);
	if (r != DIRECTORY_DONE || !c->is_new)
		return r;
	if (directory_next_id(c->d, &id, c->err) != 0)
		return DIRECTORY_FAULT;
	directory_ids_given(&c->changes, id + 1);
	directory_put_number(&c->object, FIELD_DOMAIN_ID, id);
	directory_put_number(&c->object, FIELD_DOMAIN_CREATED, c->now);
	if (wanted[FIELD_DOMAIN_ENABLED].how == DIRECTORY_VALUE_ABSENT)
		directory_put_number(&c->object, FIELD_DOMAIN_ENABLED, 1);
	return DIRECTORY_DONE;
}

static enum directory_result
check_remove(struct change *c)
{
	enum directory_result r = check_empty(c, "");

	return r == DIRECTORY_DONE ? check_no_aliases(c) : r;
}

const struct kind_rules domain_rules = {.check = check, .check_remove = check_remove};

int
directory_administers(struct directory *d, uint64_t account, struct span domain,
		      struct err *err)
{
	struct directory_object o;
	struct directory_name name;
	struct record_name n;
	int r = directory_load_id(d, account, &name, err);

	if (r <= 0 || directory_object_name(DIRECTORY_DOMAIN, domain, domain, &n,
					    err) != DIRECTORY_DONE)
		return r < 0 ? -1 : 0;
	r = directory_load_object(d, DIRECTORY_DOMAIN, &n.name, (struct span){0}, &o,
				  err);
	if (r <= 0)
		return r;
	return directory_item_find(o.values[FIELD_DOMAIN_ADMINISTRATORS].text,
				   directory_name_span(&name));
}
