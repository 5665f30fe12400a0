/* admin/object.h - what the commands on objects of the directory have in common
 *
 * Fields are named and written as common/directory/field.h says; a wrong name is
 * answered with those there are.
 */
#pragma once

#include "admin/directory.h"

/* --- commands of the kind that their noun names; argv[0] is the object's name */

/* The rest are FIELD=VALUE; FIELD+=VALUE and FIELD-=VALUE put addresses in and take
 * them out. */
command_run object_add, object_set;
/* The rest are addresses that go into its members, or out of them. */
command_run object_member_add, object_member_remove;
command_run object_remove;
/* All its fields: a line each, or one JSON object. */
command_run object_show;

/* All objects of the kind, or those of the domain argv[0]; `take` fills the row of each
 * into the listing that is its context. */
MUST_USE enum exit_status object_list(struct admin *admin, const char *const *columns,
				      directory_take *take, int argc, char **argv);

/* argv[0] is the name, the rest are addresses for the field. */
MUST_USE enum exit_status
object_items(struct admin *admin, enum directory_verb verb, enum directory_kind kind,
	     size_t field, enum directory_how how, int argc, char **argv);
