/* common/movein/movein.h - what other mail systems keep of their accounts, read
 *
 * What    readers of passwd-files (Dovecot's, and /etc/passwd with shadow),
 *         Postfix's main.cf and maps, tables as CSV or as a dump of pg_dump (or
 *         mysqldump), and of the tables of Postfixadmin and hMailServer. All of
 *         them fill one list of objects whose values are called as the fields of
 *         the directory are.
 * RFC     [RFC2307 5.3] {SSHA} and its kin, [RFC4180] CSV.
 * Trust   every byte is doubted: what makes no sense is left out and noted, never
 *         a crash. Nothing here does I/O: text comes as a span, rows one by one.
 * Memory  all of a struct movein lies in its arena; movein_release() gives it back.
 *
 *   movein_init(&m, MOVEIN_BYTES_MAX);
 *   movein_passwd_read(&m, text, &shape);      or another reader, or several
 *   movein_settle(&m);
 *   for (i = 0; i < m.n; i++) ... m.objects[i]
 */
#pragma once

#include "common/base/base.h"

#include "common/movein/list.h"
#include "common/movein/table.h"
#include "common/movein/password.h"
#include "common/movein/passwd.h"
#include "common/movein/postfix.h"
#include "common/movein/postfixadmin.h"
#include "common/movein/hmailserver.h"
#include "common/movein/stamp.h"
