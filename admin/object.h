/* admin/object.h - what the commands on objects of the directory have in common
 *
 * Fields are named and written as common/directory/field.h says; a wrong name is
 * answered with those there are.
 */
#pragma once

#include "admin/directory.h"

/* FIELD=VALUE, one an argument, into the object; FIELD+=VALUE and FIELD-=VALUE put
 * addresses in and take them out. Texts are in the arena. False after telling what is
 * wrong. */
MUST_USE bool object_fields(enum directory_kind kind, int argc, char **argv,
			    struct arena *arena, struct directory_object *out);

/* argv[0] is the name, the rest are fields. */
MUST_USE enum exit_status
object_add(struct admin *admin, enum directory_kind kind, int argc, char **argv);
MUST_USE enum exit_status
object_set(struct admin *admin, enum directory_kind kind, int argc, char **argv);
/* argv[0] is the name, the rest are addresses for the field. */
MUST_USE enum exit_status
object_items(struct admin *admin, enum directory_verb verb, enum directory_kind kind,
	     size_t field, enum directory_how how, int argc, char **argv);
/* All fields of one object: a line each, or one JSON object. */
MUST_USE enum exit_status
object_show(struct admin *admin, enum directory_kind kind, const char *name);
