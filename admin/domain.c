/* admin/domain.c - postroad domain add, remove, list */
#include "admin/directory.h"
#include "admin/listing.h"

static enum exit_status
add_domain(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_DOMAIN_ADD, argv[0]);
}

static enum exit_status
remove_domain(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_DOMAIN_REMOVE, argv[0]);
}

static void
take_domain(void *context, const struct directory_row *row)
{
	struct listing *l = context;

	listing_text(l, row->name);
	listing_flag(l, !row->disabled);
}

static enum exit_status
list_domains(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"domain", "enabled", NULL};
	struct listing *l = listing_new(admin, columns);
	enum exit_status status =
	    directory_list(admin, DIRECTORY_DOMAIN_LIST, "", take_domain, l);

	(void)argc, (void)argv;
	listing_end(&l);
	return status;
}

const struct command commands_domain[] = {
    {"domain",    "add", "NAME", 1, 1, NULL, add_domain, "take mail for a domain"},
    {"domain",     "remove", "NAME", 1, 1, NULL, remove_domain,
     "when no account is left in it"},
    {"domain",          "list", "", 0, 0, NULL, list_domains, "the domains mail is taken for"},
    {0},
};
