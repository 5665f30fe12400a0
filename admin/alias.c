/* admin/alias.c - postroad alias add, remove, list */
#include "admin/directory.h"
#include "admin/listing.h"

static enum exit_status
change_alias(struct admin *admin, enum directory_verb verb, int argc, char **argv)
{
	struct directory_request request = {.verb = verb, .name = span_str(argv[0])};
	enum exit_status status;

	request.targets = memory_new((size_t)argc, sizeof(*request.targets));
	for (int i = 1; i < argc; i++)
		request.targets[request.n_targets++] = span_str(argv[i]);
	status = directory_ask(admin, &request, NULL, NULL);
	free(request.targets);
	return status;
}

static enum exit_status
add_alias(struct admin *admin, int argc, char **argv)
{
	return change_alias(admin, DIRECTORY_ALIAS_ADD, argc, argv);
}

static enum exit_status
remove_alias(struct admin *admin, int argc, char **argv)
{
	return change_alias(admin, DIRECTORY_ALIAS_REMOVE, argc, argv);
}

/* A row a target, so that programs need not take lists apart. */
static void
take_alias(void *context, const struct directory_row *row)
{
	struct listing *l = context;

	for (size_t i = 0; i < row->n_targets; i++) {
		listing_text(l, row->name);
		listing_text(l, row->targets[i]);
	}
}

static enum exit_status
list_aliases(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"alias", "target", NULL};
	struct listing *l = listing_new(admin, columns);
	enum exit_status status = directory_list(
	    admin, DIRECTORY_ALIAS_LIST, argc > 0 ? argv[0] : "", take_alias, l);

	listing_end(&l);
	return status;
}

const struct command commands_alias[] = {
    {"alias",	      "add", "ADDRESS TARGET ...", 2, -1, NULL, add_alias,
     "@DOMAIN as address takes what nobody else does"},
    {"alias", "remove", "ADDRESS [TARGET ...]", 1, -1, NULL, remove_alias,
     "these targets, or all of it"},
    {"alias",		  "list", "[DOMAIN]", 0, 1, NULL, list_aliases, "what leads where"},
    {0	  },
};
