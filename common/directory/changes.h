/* common/directory/changes.h - parts of one atomic change, collected; for this room
 * only
 *
 * Memory  keys and values are copied; changes_release() wipes them, since passwords
 *         are among them.
 */
#pragma once

#include "common/directory/record.h"

struct changes {
	struct buf bytes; /* keys and values, one after the other */
	struct change_part *parts;
	size_t n, size;
};

void changes_init(struct changes *c);
void changes_release(struct changes *c);

void changes_put(struct changes *c, const struct record_key *key, struct span value);
void changes_erase(struct changes *c, const struct record_key *key);
void changes_put_object(struct changes *c, const struct record_key *key,
			const struct directory_object *o);

/* DONE or FAULT. */
MUST_USE enum directory_result
changes_apply(const struct changes *c, struct backend *backend, struct err *err);
