/* admin/export.h - where `postroad export` puts what
 *
 *   DEST/directory.jsonl          an object of the directory a line, secrets too: 0600
 *   DEST/mail/jane@example.org/   the mail of an account as Maildir++
 */
#pragma once

#include "admin/export_json.h"

#define EXPORT_DIRECTORY "directory.jsonl"
#define EXPORT_PATH_MAX  4096

/* "DEST/mail/jane@example.org": bytes that a name of a folder had better not have are
 * written as %XX. False when it is too long. */
MUST_USE bool export_mail_path(const char *destination, struct span address,
			       char out[EXPORT_PATH_MAX]);
