#include "common/movein/list.h"

/* Values of `field` that are the object's own address, taken out. */
static size_t
take_own(struct movein_object *o, const char *field)
{
	size_t kept = 0, taken = 0;

	for (size_t i = 0; i < o->n_values; i++) {
		bool own = strcmp(o->values[i].field, field) == 0 &&
			   span_equal_nocase(o->values[i].text, o->name);

		taken += own;
		if (!own)
			o->values[kept++] = o->values[i];
	}
	o->n_values = kept;
	return taken;
}

/* An alias "@a" whose one target is "@b": all of a is all of b. */
static bool
is_domain_alias(const struct movein_object *alias)
{
	return alias->name.at[0] == '@' && movein_count(alias, "targets") == 1 &&
	       movein_get(alias, "targets").at[0] == '@';
}

static void
settle_domain_alias(struct movein *m, struct movein_object *alias)
{
	struct movein_object *domain =
	    movein_find(m, MOVEIN_DOMAIN, span_after(alias->name, 1));

	alias->dropped = true;
	if (domain->members > 0) {
		movein_note(m, alias->name,
			    "all of a domain that has addresses of its own, to all of "
			    "another: left out");
		return;
	}
	movein_set(m, domain, "alias_of", span_after(movein_get(alias, "targets"), 1));
}

/* The alias has the address of an account: a copy for the account itself among
 * the targets means that it keeps its mail. */
static void
settle_forward(struct movein *m, struct movein_object *alias,
	       struct movein_object *account)
{
	bool keeps = take_own(alias, "targets") > 0;

	alias->dropped = true;
	if (movein_count(alias, "targets") == 0)
		return;
	for (size_t i = 0; i < alias->n_values; i++)
		if (strcmp(alias->values[i].field, "targets") == 0)
			movein_put(m, account, "forward", alias->values[i].text);
	movein_set_flag(m, account, "forward_keep", keeps);
}

static void
settle_alias(struct movein *m, struct movein_object *alias)
{
	struct movein_object *account = movein_find(m, MOVEIN_ACCOUNT, alias->name);

	if (is_domain_alias(alias))
		settle_domain_alias(m, alias);
	else if (account && !account->dropped)
		settle_forward(m, alias, account);
	else if (take_own(alias, "targets") > 0 && movein_count(alias, "targets") == 0)
		movein_note(m, alias->name,
			    "an alias that leads only to itself: left out");
	if (movein_count(alias, "targets") == 0)
		alias->dropped = true;
}

/* Nothing of its own can be in a domain that is another by name. */
static void
settle_address(struct movein *m, struct movein_object *o)
{
	struct movein_object *domain = movein_find(
	    m, MOVEIN_DOMAIN, span_after(o->name, span_find_last(o->name, '@') + 1));

	if (o->dropped || !domain || movein_get(domain, "alias_of").n == 0)
		return;
	movein_note(m, o->name, "its domain is an alias of %.*s: left out",
		    SPAN_ARG(movein_get(domain, "alias_of")));
	o->dropped = true;
}

void
movein_settle(struct movein *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->objects[i]->kind == MOVEIN_ALIAS && !m->objects[i]->dropped)
			settle_alias(m, m->objects[i]);
	for (size_t i = 0; i < m->n; i++)
		if (m->objects[i]->kind != MOVEIN_DOMAIN)
			settle_address(m, m->objects[i]);
}
