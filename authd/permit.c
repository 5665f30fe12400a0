/* authd/permit.c - what an administrator of domains may do
 *
 * Everything within the domains that name the account among their administrators, as
 * far as it is no limit of the domain itself. What is not theirs looks as if it were
 * not there.
 */
#include "authd/office.h"

static enum directory_result
refuse(struct err *err, const char *why)
{
	err_set(err, "%s", why);
	return DIRECTORY_NOT_FOUND;
}

/* Secrets go nowhere but to the operator, limits of domains come from there, and so
 * does what becomes of mail that is nobody's. */
static bool
is_for_operators(const struct directory_request *r)
{
	if (r->verb == DIRECTORY_DUMP || r->verb == DIRECTORY_LOAD ||
	    r->verb == DIRECTORY_WHOSE || r->verb == DIRECTORY_FORGET)
		return true;
	return r->object.kind == DIRECTORY_DOMAIN && r->verb != DIRECTORY_SHOW;
}

/* The domain of a name, or the domain itself. */
static struct span
domain_of(struct span name)
{
	size_t at = span_find_last(name, '@');

	return at < name.n ? span_after(name, at + 1) : name;
}

/* A group of another domain is no member here: who administers this one would learn who
 * is in it, and give it mail and rights. */
static enum directory_result
check_groups_of(struct directory *d, uint64_t administrator, struct span items,
		struct err *err)
{
	struct cursor c = cursor_make(items);
	struct span item, group;

	while (directory_item_next(&c, &item)) {
		int may = 1;

		if (directory_group_item(item, &group))
			may = directory_administers(d, administrator, domain_of(group),
						    err);
		if (may < 0)
			return DIRECTORY_FAULT;
		if (may)
			continue;
		err_set(err, "there is no group %.*s",
			SPAN_ARG(span_first(group, 100)));
		return DIRECTORY_NOT_FOUND;
	}
	return DIRECTORY_DONE;
}

static enum directory_result
check_groups(struct directory *d, uint64_t administrator,
	     const struct directory_object *o, struct err *err)
{
	enum directory_result r = DIRECTORY_DONE;

	for (size_t i = 1; i < DIRECTORY_FIELDS && r == DIRECTORY_DONE; i++) {
		const struct directory_field *f = directory_field(o->kind, i);

		if (f && f->flags & DIRECTORY_GROUPS &&
		    o->values[i].how != DIRECTORY_VALUE_DELETE)
			r = check_groups_of(d, administrator, o->values[i].text, err);
	}
	return r;
}

/* A hash that takes minutes to check would keep every thread from every login. */
static enum directory_result
check_password(const struct directory_request *r, struct err *err)
{
	struct cursor c = cursor_make(r->object.values[FIELD_ACCOUNT_PASSWORD].text);
	struct directory_password p;
	bool bounded;

	if (r->object.kind != DIRECTORY_ACCOUNT || c.rest.n == 0)
		return DIRECTORY_DONE;
	directory_password_get(&c, &p);
	bounded = !c.failed && directory_password_bounded(&p);
	directory_password_wipe(&p);
	if (bounded)
		return DIRECTORY_DONE;
	err_set(err, "that password hash takes too long to check; give the password");
	return DIRECTORY_BAD_VALUE;
}

/* The largest message of an account is not more than its domain's. */
static enum directory_result
check_limits(struct directory *d, const struct directory_request *r, struct err *err)
{
	uint64_t wanted = r->object.values[FIELD_ACCOUNT_MESSAGE_BYTES_MAX].number;
	struct directory_domain domain;
	enum directory_result found = check_password(r, err);

	if (found != DIRECTORY_DONE)
		return found;
	if (r->object.kind != DIRECTORY_ACCOUNT || wanted == 0)
		return DIRECTORY_DONE;
	found = directory_domain_find(d, domain_of(r->object.name), &domain, err);
	if (found != DIRECTORY_DONE || domain.message_bytes_max == 0 ||
	    wanted <= domain.message_bytes_max)
		return found;
	err_set(err, "the domain has messages of %llu bytes at most",
		(unsigned long long)domain.message_bytes_max);
	return DIRECTORY_LIMIT;
}

enum directory_result
permit(struct directory *d, uint64_t administrator, const struct directory_request *r,
       struct err *err)
{
	enum directory_result groups;
	int may;

	if (is_for_operators(r))
		return refuse(err, "that is for the operator of the server");
	if (r->object.name.n == 0)
		return refuse(err, "name the domain");
	may = directory_administers(d, administrator, domain_of(r->object.name), err);
	if (may < 0)
		return DIRECTORY_FAULT;
	if (!may)
		return refuse(err, "you do not administer that domain");
	groups = check_groups(d, administrator, &r->object, err);
	return groups == DIRECTORY_DONE ? check_limits(d, r, err) : groups;
}
