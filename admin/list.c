/* admin/list.c - postroad list add, remove, list, show, set, member add, member remove
 */
#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/object.h"

static void
take_list(void *context, const struct directory_object *row)
{
	const struct directory_value *v = row->values;
	struct buf posting = buf_make(64);
	struct listing *l = context;

	directory_value_write(directory_field(DIRECTORY_LIST, FIELD_LIST_POSTING),
			      &v[FIELD_LIST_POSTING], &posting);
	listing_text(l, row->name);
	listing_number(l, directory_item_count(v[FIELD_LIST_MEMBERS].text));
	listing_text(l, buf_span(&posting));
	listing_text(l, v[FIELD_LIST_OWNER].text);
	listing_text(l, v[FIELD_LIST_NAME].text);
	buf_release(&posting);
}

static enum exit_status
list_lists(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"list",  "members", "posting",
					      "owner", "name",    NULL};

	return object_list(admin, columns, take_list, argc, argv);
}

const struct command commands_list[] = {
    {"list",		       "add", "ADDRESS [FIELD=VALUE ...]", 1, -1, NULL, object_add,
     "a new distribution list"},
    {"list", "remove", "ADDRESS", 1, 1, NULL, object_remove, "its members stay"},
    {"list",			  "list", "[DOMAIN]", 0, 1, NULL, list_lists, "all lists"},
    {"list",		  "show", "ADDRESS", 1, 1, NULL, object_show, "one list and its members"},
    {"list",			    "set", "ADDRESS FIELD=VALUE ...", 2, -1, NULL, object_set,
     "who may post, who owns it"},
    {"list",		    "member add", "ADDRESS MEMBER ...", 2, -1, NULL, object_member_add,
     "addresses, or group:NAME@DOMAIN"},
    {"list",			   "member remove", "ADDRESS MEMBER ...", 2, -1, NULL, object_member_remove,
     "take them out"},
    {0		       },
};
