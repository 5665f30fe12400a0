/* admin/group.c - postroad group add, remove, list, show, member add, member remove */
#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/object.h"

static enum exit_status
add_group(struct admin *admin, int argc, char **argv)
{
	return object_items(admin, DIRECTORY_ADD, DIRECTORY_GROUP, FIELD_GROUP_MEMBERS,
			    DIRECTORY_VALUE_SET, argc, argv);
}

static void
take_group(void *context, const struct directory_object *row)
{
	struct listing *l = context;

	listing_text(l, row->name);
	listing_number(l, directory_item_count(row->values[FIELD_GROUP_MEMBERS].text));
}

static enum exit_status
list_groups(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"group", "members", NULL};

	return object_list(admin, columns, take_group, argc, argv);
}

const struct command commands_group[] = {
    {"group",		      "add", "NAME@DOMAIN [ACCOUNT ...]", 1, -1, NULL, add_group,
     "accounts that lists and aliases name together"},
    {"group", "remove", "NAME@DOMAIN", 1, 1, NULL, object_remove, "its accounts stay"},
    {"group",			  "list", "[DOMAIN]", 0, 1, NULL, list_groups, "all groups"},
    {"group",		   "show", "NAME@DOMAIN", 1, 1, NULL, object_show, "who is in it"},
    {"group",			    "member add", "NAME@DOMAIN ACCOUNT ...", 2, -1, NULL, object_member_add,
     "put accounts in"},
    {"group",		    "member remove", "NAME@DOMAIN ACCOUNT ...", 2, -1, NULL,
     object_member_remove, "take them out"},
    {0			  },
};
