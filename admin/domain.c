/* admin/domain.c - postroad domain add, remove, list, show, set */
#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/object.h"

static void
take_domain(void *context, const struct directory_object *row)
{
	struct listing *l = context;

	listing_text(l, row->name);
	listing_flag(l, row->values[FIELD_DOMAIN_ENABLED].number != 0);
	listing_text(l, row->values[FIELD_DOMAIN_ALIAS_OF].text);
	listing_limit(l, row->values[FIELD_DOMAIN_QUOTA_BYTES].number);
}

static enum exit_status
list_domains(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"domain", "enabled", "alias_of", "quota",
					      NULL};

	return object_list(admin, columns, take_domain, argc, argv);
}

/* What the settings name is there again soon. */
static enum exit_status
remove_domain(struct admin *admin, int argc, char **argv)
{
	enum exit_status status = object_remove(admin, argc, argv);

	for (size_t i = 0; status == EXIT_DONE && i < admin->settings.domains.n; i++)
		if (span_equal_nocase(span_str(admin->settings.domains.at[i]),
				      span_str(argv[0])))
			admin_complain("warning: the setting domains in %s names %s: "
				       "the next start or reload makes it again, so "
				       "take it out there",
				       admin->config, argv[0]);
	return status;
}

const struct command commands_domain[] = {
    {"domain",		  "add", "NAME [FIELD=VALUE ...]", 1, -1, NULL, object_add,
     "take mail for a domain"},
    {"domain", "remove", "NAME", 1, 1, NULL, remove_domain,
     "when nothing is left in it"},
    {"domain",		       "list", "", 0, 0, NULL, list_domains, "the domains mail is taken for"},
    {"domain",	       "show", "NAME", 1, 1, NULL, object_show, "one domain and its limits"},
    {"domain",			 "set", "NAME FIELD=VALUE ...", 2, -1, NULL, object_set,
     "change limits, delimiters, administrators"},
    {0		},
};
