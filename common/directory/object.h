/* common/directory/object.h - one object with its values, whatever kind it is
 *
 * What    values stand by their numbers in field.h; what is absent is empty, 0, no.
 * Trust   bytes are checked when they are taken apart: kinds, numbers of fields,
 *         lengths. Whether a value may be is the operations' to say.
 * Memory  spans point into the bytes that were taken apart, or into an arena.
 */
#pragma once

#include "common/directory/field.h"

enum directory_how {
	DIRECTORY_VALUE_ABSENT,
	DIRECTORY_VALUE_SET,
	DIRECTORY_VALUE_INSERT, /* requests, DIRECTORY_ADDRESSES: these as well */
	DIRECTORY_VALUE_DELETE, /* and these no longer */
};

struct directory_value {
	enum directory_how how;
	uint64_t number;
	struct span text;
};

struct directory_object {
	enum directory_kind kind;
	struct span name;  /* domain or address; of an app password, the account's */
	struct span label; /* of an app password */
	struct directory_value values[DIRECTORY_FIELDS];
};

void directory_put_number(struct directory_object *o, size_t field, uint64_t number);
void directory_put_text(struct directory_object *o, size_t field, struct span text);

/* ---- the addresses of one value */

void directory_item_put(struct buf *items, struct span item);
/* Walks them: a cursor over value.text, false behind the last. */
MUST_USE bool directory_item_next(struct cursor *c, struct span *item);
MUST_USE bool directory_item_find(struct span items, struct span item);
MUST_USE size_t directory_item_count(struct span items);
/* Does one name a group ("group:NAME@DOMAIN")? Then what stands behind the colon is in
 * *name. */
MUST_USE bool directory_group_item(struct span item, struct span *name);

/* ---- as bytes */

void directory_object_put(const struct directory_object *o, struct buf *out);
/* Takes one off the front; a failed cursor leaves *out untouched. */
MUST_USE bool directory_object_get(struct cursor *c, struct directory_object *out);
/* The values alone, as records have them. */
void directory_values_put(const struct directory_object *o, struct buf *out);
MUST_USE bool directory_values_get(struct cursor *c, enum directory_kind kind,
				   struct directory_value values[DIRECTORY_FIELDS]);

/* ---- as people write them */

/* "10G", "2026-12-24", "yes", "members", "a@b.example,c@d.example"; texts it has to
 * make are in the arena. -1 with the reason. */
MUST_USE int directory_value_parse(const struct directory_field *f, struct span text,
				   struct arena *arena, struct directory_value *out,
				   struct err *err);
/* A form that directory_value_parse() reads back; nothing for secrets. */
void directory_value_write(const struct directory_field *f,
			   const struct directory_value *v, struct buf *out);
