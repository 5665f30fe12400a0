/* authd/rewrite.h - senders of mail that our aliases lead to other servers
 *
 * What    the keys of common/srs, kept in srs_keys beside the directory: one a line,
 *         newest first. The file is made at the first start and read again at each
 *         reload; to change the key an operator puts a new one before the others.
 * Memory  struct rewriting is a value; rewriting_release() gives the keys back.
 */
#pragma once

#include "common/base/base.h"
#include "common/srs/srs.h"

#define REWRITE_FILE           "srs_keys"
#define REWRITE_FILE_BYTES_MAX 4096

struct rewriting {
	struct buf text; /* of the file; the keys point into it */
	struct srs_keys keys;
};

/* Reads the file in this folder, and makes it when it is not there, with a random
 * key; that is durable when this returns. *r keeps what it had on failure. */
MUST_USE int rewriting_read(struct rewriting *r, const char *folder, struct err *err);
void rewriting_release(struct rewriting *r);
