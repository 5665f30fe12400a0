/* common/directory/changes.h - parts of one atomic change, collected; for this room
 * only
 *
 * What    the last word on a key is the one that counts.
 * Memory  keys and values are copied; changes_release() wipes them, since passwords
 *         are among them.
 */
#pragma once

#include "common/directory/record.h"

struct changes {
	struct buf bytes; /* keys and values, one after the other */
	struct change_part *parts;
	size_t n, size;
	size_t *slots; /* 2 * size: 1 + the number of a part, by its key's hash; 0 */
};

void changes_init(struct changes *c);
void changes_release(struct changes *c);

void changes_put(struct changes *c, const struct record_key *key, struct span value);
void changes_erase(struct changes *c, const struct record_key *key);
void changes_put_object(struct changes *c, const struct record_key *key,
			const struct directory_object *o);

/* What becomes of a key: false when nothing does; *value is without memory when it is
 * erased, and lasts until the next is added. */
MUST_USE bool
changes_find(const struct changes *c, const struct record_key *key, struct span *value);

/* DONE or FAULT. */
MUST_USE enum directory_result
changes_apply(const struct changes *c, struct backend *backend, struct err *err);
