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

static bool
is_for_operators(enum directory_verb verb)
{
	switch (verb) {
	case DIRECTORY_DOMAIN_ADD:
	case DIRECTORY_DOMAIN_REMOVE:
	case DIRECTORY_DOMAIN_ENABLE:
	case DIRECTORY_DOMAIN_DISABLE:
	case DIRECTORY_DOMAIN_LIST:
		return true;
	default:
		return false;
	}
}

/* The domain of a name, or the domain itself. */
static struct span
domain_of(struct span name)
{
	size_t at = span_find_last(name, '@');

	return at < name.n ? span_after(name, at + 1) : name;
}

enum directory_result
permit(struct directory *d, uint64_t administrator, const struct directory_request *r,
       struct err *err)
{
	int may;

	if (is_for_operators(r->verb))
		return refuse(err, "that is for the operator of the server");
	if (r->name.n == 0)
		return refuse(err, "name the domain");
	may = directory_administers(d, administrator, domain_of(r->name), err);
	if (may < 0)
		return DIRECTORY_FAULT;
	return may ? DIRECTORY_DONE : refuse(err, "you do not administer that domain");
}
