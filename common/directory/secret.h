/* common/directory/secret.h - the directory's secret in a file; for this room only
 *
 * Where the records are not in files of this machine, start must not wait for them:
 * then the secret stands in a file of its own beside.
 */
#pragma once

#include "common/directory/directory.h"

/* Reads it, or makes it and the folder. DIRECTORY_SECRET_BYTES into `secret`. */
MUST_USE int
directory_secret_read(const char *folder, uint8_t *secret, struct err *err);
