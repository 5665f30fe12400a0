/* admin/alias.c - postroad alias add, remove, list, show */
#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/object.h"

static enum exit_status
add_alias(struct admin *admin, int argc, char **argv)
{
	return object_items(admin, DIRECTORY_ADD, DIRECTORY_ALIAS, FIELD_ALIAS_TARGETS,
			    DIRECTORY_VALUE_SET, argc, argv);
}

static enum exit_status
remove_alias(struct admin *admin, int argc, char **argv)
{
	if (argc == 1)
		return directory_simple(admin, DIRECTORY_REMOVE, DIRECTORY_ALIAS,
					argv[0]);
	return object_items(admin, DIRECTORY_UPDATE, DIRECTORY_ALIAS,
			    FIELD_ALIAS_TARGETS, DIRECTORY_VALUE_DELETE, argc, argv);
}

static const char *const columns[] = {"alias", "target", NULL};

/* A row a target, so that programs need not take lists apart. */
static void
take_alias(void *context, const struct directory_object *row)
{
	struct cursor targets = cursor_make(row->values[FIELD_ALIAS_TARGETS].text);
	struct listing *l = context;
	struct span target;

	while (directory_item_next(&targets, &target)) {
		listing_text(l, row->name);
		listing_text(l, target);
	}
}

static enum exit_status
list_aliases(struct admin *admin, int argc, char **argv)
{
	return object_list(admin, columns, take_alias, argc, argv);
}

static enum exit_status
show_alias(struct admin *admin, int argc, char **argv)
{
	const struct directory_request request = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = DIRECTORY_ALIAS, .name = span_str(argv[0])}
        };
	struct listing *l = listing_new(admin, columns);
	enum exit_status status = directory_ask(admin, &request, take_alias, l);

	(void)argc;
	listing_done(&l, status);
	return status;
}

const struct command commands_alias[] = {
    {"alias",	       "add", "ADDRESS TARGET ...", 2, -1, NULL, add_alias,
     "@DOMAIN as address takes what nobody else does"},
    {"alias", "remove", "ADDRESS [TARGET ...]", 1, -1, NULL, remove_alias,
     "these targets, or all of it"},
    {"alias",		   "list", "[DOMAIN]", 0, 1, NULL, list_aliases, "what leads where"},
    {"alias",            "show", "ADDRESS", 1, 1, NULL, show_alias, "where one leads"},
    {0		    },
};
