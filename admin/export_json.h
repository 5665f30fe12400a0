/* admin/export_json.h - an object of the directory as one line of JSON, and back
 *
 * {"kind":"account","name":"jane@example.org","id":7,"forward":["a@b.example"],
 *  "password":{"crypt":"$y$...","scram_sha_256":"65536,salt,StoredKey,ServerKey"}}
 * Fields by the names of field.h; times and sizes are numbers, sets and choices words,
 * other secrets base64. Every field comes back as it was.
 */
#pragma once

#include "common/directory/directory.h"

#define EXPORT_LINE_MAX (1U << 20)

/* Appends the line with its end. -1: it does not fit. */
MUST_USE int
export_json_put(const struct directory_object *o, struct buf *out, struct err *err);
/* Texts are in the arena. */
MUST_USE int export_json_get(struct span line, struct arena *arena,
			     struct directory_object *out, struct err *err);
