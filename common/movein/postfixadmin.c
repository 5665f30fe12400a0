#include "common/movein/postfixadmin.h"

#include "common/movein/stamp.h"

#define MEGABYTE ((uint64_t)1 << 20)

const char *const movein_postfixadmin_tables[] = {
    "domain", "mailbox", "alias", "alias_domain", "domain_admins", "vacation", NULL};

/* Postfixadmin has 0 for no limit and -1 for none allowed. */
static void
set_limit(struct movein *m, struct movein_object *o, const char *field,
	  const struct movein_row *row, const char *column, uint64_t unit)
{
	uint64_t number = movein_cell_number(row, column);

	if (number > 0 && number <= UINT64_MAX / unit)
		movein_set_number(m, o, field, number * unit);
}

/* "ALL" stands for the administrators of everything. */
static bool
is_real(struct span domain)
{
	return domain.n > 0 && !span_equal(domain, SPAN("ALL"));
}

static void
take_domain(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct movein_object *o;

	if (!is_real(movein_cell(row, "domain")))
		return;
	o = movein_add(p->m, MOVEIN_DOMAIN, movein_cell(row, "domain"));
	if (!o)
		return;
	movein_set_flag(p->m, o, "enabled", movein_cell_flag(row, "active"));
	set_limit(p->m, o, "aliases_max", row, "aliases", 1);
	set_limit(p->m, o, "accounts_max", row, "mailboxes", 1);
	set_limit(p->m, o, "account_quota_bytes", row, "maxquota", MEGABYTE);
	set_limit(p->m, o, "quota_bytes", row, "quota", MEGABYTE);
	if (movein_cell_flag(row, "backupmx"))
		movein_note(p->m, o->name,
			    "mail was only passed on from here (backup MX): make a "
			    "route for it");
}

static void
take_mailbox(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct movein_object *o =
	    movein_add(p->m, MOVEIN_ACCOUNT, movein_cell(row, "username"));
	struct buf path = buf_make(4096);

	if (!o)
		return;
	movein_set_password(p->m, o, movein_cell(row, "password"));
	if (movein_cell(row, "name").n > 0)
		movein_set(p->m, o, "name", movein_cell(row, "name"));
	if (!movein_cell_flag(row, "active"))
		movein_set_flag(p->m, o, "disabled", true);
	set_limit(p->m, o, "quota_bytes", row, "quota", 1);
	if (movein_cell(row, "maildir").n > 0) {
		buf_put(&path, p->base);
		if (p->base.n > 0)
			buf_put_char(&path, '/');
		buf_put(&path, movein_cell(row, "maildir"));
		movein_set_mail(p->m, o, buf_span(&path));
		buf_release(&path);
	}
}

static void
take_alias(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct span rest = movein_cell(row, "goto");
	struct movein_object *o =
	    movein_add(p->m, MOVEIN_ALIAS, movein_cell(row, "address"));

	while (rest.n > 0)
		movein_put(p->m, o, "targets", span_cut(&rest, ','));
	/* Marked until the end, where it is seen whether an account has its name. */
	if (o && !movein_cell_flag(row, "active"))
		movein_set_flag(p->m, o, "disabled", true);
}

static void
take_alias_domain(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct movein_object *o =
	    movein_add(p->m, MOVEIN_DOMAIN, movein_cell(row, "alias_domain"));

	if (!o || !movein_add(p->m, MOVEIN_DOMAIN, movein_cell(row, "target_domain")))
		return;
	movein_set(p->m, o, "alias_of", movein_cell(row, "target_domain"));
	if (!movein_cell_flag(row, "active"))
		movein_set_flag(p->m, o, "enabled", false);
}

static void
take_admin(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct span domain = movein_cell(row, "domain");

	if (!movein_cell_flag(row, "active"))
		return;
	if (!is_real(domain))
		p->super++;
	else
		movein_put(p->m, movein_add(p->m, MOVEIN_DOMAIN, domain),
			   "administrators", movein_cell(row, "username"));
}

/* A time that is not Postfixadmin's "never", which is the year 2000 or 2038. */
static void
set_time(struct movein *m, struct movein_object *o, const char *field, struct span text)
{
	uint64_t seconds;
	bool has_zone;

	if (movein_stamp(text, &seconds, &has_zone) && seconds > 978307200 &&
	    seconds < 2147299200)
		movein_set_number(m, o, field, seconds);
}

static void
take_vacation(struct movein_postfixadmin *p, const struct movein_row *row)
{
	struct movein_object *o =
	    movein_find(p->m, MOVEIN_ACCOUNT, movein_cell(row, "email"));

	if (!o)
		return;
	movein_set_flag(p->m, o, "reply_enabled", movein_cell_flag(row, "active"));
	movein_set(p->m, o, "reply_subject", movein_cell(row, "subject"));
	movein_set(p->m, o, "reply_text", movein_cell(row, "body"));
	set_time(p->m, o, "reply_from", movein_cell(row, "activefrom"));
	set_time(p->m, o, "reply_until", movein_cell(row, "activeuntil"));
	set_limit(p->m, o, "reply_interval_s", row, "interval_time", 1);
}

static const struct {
	const char *table;
	void (*take)(struct movein_postfixadmin *p, const struct movein_row *row);
} takers[] = {
    {"domain",        take_domain      },
    {"mailbox",       take_mailbox     },
    {"alias",         take_alias       },
    {"alias_domain",  take_alias_domain},
    {"domain_admins", take_admin       },
    {"vacation",      take_vacation    },
};

void
movein_postfixadmin_row(void *postfixadmin, const struct movein_row *row)
{
	struct movein_postfixadmin *p = postfixadmin;

	for (size_t i = 0; i < N_ELEMS(takers); i++)
		if (span_equal_nocase(row->table, span_str(takers[i].table)))
			takers[i].take(p, row);
}

/* "user#example.org@autoreply.example.org": what makes the vacation reply. */
static bool
is_vacation(const struct movein_object *alias, struct span target)
{
	size_t at = span_find_last(target, '@'), own = span_find_last(alias->name, '@');
	struct span local = span_first(target, at);

	return local.n == alias->name.n && local.at[own] == '#' &&
	       span_equal_nocase(span_first(local, own),
				 span_first(alias->name, own)) &&
	       span_equal_nocase(span_after(local, own + 1),
				 span_after(alias->name, own + 1));
}

static void
end_alias(struct movein_postfixadmin *p, struct movein_object *alias)
{
	bool off = span_equal(movein_get(alias, "disabled"), SPAN("yes"));
	size_t kept = 0;

	if (off) {
		/* That of a mailbox says nothing then: mail stays. */
		alias->dropped = true;
		if (!movein_find(p->m, MOVEIN_ACCOUNT, alias->name))
			movein_note(p->m, alias->name,
				    "an alias that is switched off: left out");
		return;
	}
	for (size_t i = 0; i < alias->n_values; i++)
		if (!is_vacation(alias, alias->values[i].text))
			alias->values[kept++] = alias->values[i];
	alias->n_values = kept;
}

void
movein_postfixadmin_end(struct movein_postfixadmin *p)
{
	for (size_t i = 0; i < p->m->n; i++)
		if (p->m->objects[i]->kind == MOVEIN_ALIAS)
			end_alias(p, p->m->objects[i]);
	if (p->super > 0)
		movein_note(
		    p->m, SPAN("ALL"),
		    "%u administrators of all domains: whoever may run postroad "
		    "is one here",
		    p->super);
}
