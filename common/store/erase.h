/* common/store/erase.h - the directory of an account, which nobody needs any more */
#pragma once

#include "common/store/root.h"

/* Bytes of all its files, however whole they are. OK, NONE (no such account), FAULT. */
MUST_USE enum store_result store_disk_use(const struct store *store, uint64_t id,
					  uint64_t *bytes, struct err *err);

/* Removes them and the directory, under the account's lock, which is waited for; *bytes
 * is what they had. What is cut off is there to be erased again. Whoever has the
 * account open is to be told to close it. Durable after store_sync_disk(). OK, NONE,
 * FAULT. */
MUST_USE enum store_result
store_erase(const struct store *store, uint64_t id, uint64_t *bytes, struct err *err);
