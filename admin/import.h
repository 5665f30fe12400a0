/* admin/import.h - what the files of `postroad import` share
 *
 * import.c         the command: options, what is told
 * import_source.c  what other systems keep, read from files into one list
 * import_table.c   tables: from a dump, a CSV file or a live PostgreSQL
 * import_password.c what is kept of their passwords
 * import_object.c  an object of that list as one of the directory
 * import_state.c   what the directory has already
 * import_compare.c an object of it held against one of the list
 * import_adopt.c   objects into the directory: new, equal, different
 * import_mail.c    the mail of the accounts
 * import_hmail.c   the same from hMailServer's tables and data directory
 * import_own.c     what `postroad export` wrote
 */
#pragma once

#include "admin/command.h"
#include "common/directory/directory.h"
#include "common/maildir/maildir.h"
#include "common/movein/movein.h"

/* A file in memory, as long as it is needed. */
struct import_file {
	struct span text;
	void *map;
	size_t bytes;
};

MUST_USE int
import_file_open(const char *path, struct import_file *out, struct err *err);
void import_file_close(struct import_file *f);

/* ---- tables */

struct import_tables;

/* A dump or CSV file, or a database when `source` is "postgresql://..." or
 * "host=... dbname=...". Null when it cannot be read. */
MUST_USE struct import_tables *import_tables_open(const char *source, struct err *err);
void import_tables_free(struct import_tables **t);
/* All rows of a table; null: of all there are, which a database cannot say. A `where`
 * column narrows them to those with that number (a dump gives all, to be sifted).
 * A table that is not there has no rows. *bad counts rows that made no sense. */
MUST_USE int
import_tables_read(struct import_tables *t, const char *table, const char *where,
		   uint64_t number, movein_take_row *take, void *context, size_t *bad,
		   struct err *err);
MUST_USE bool import_tables_live(const struct import_tables *t);

/* ---- the list */

/* Of all accounts. */
struct import_mails {
	uint64_t accounts, accounts_failed, mailboxes;
	uint64_t messages, imported, known, failed, verified, new_uids, bytes;
	uint64_t changed, gone, kept; /* struct transfer_counts */
};

struct import {
	struct admin *admin;
	const struct import_from *from;
	const char *source, *mail; /* --mail DIR, or null */
	bool mail_is_base;         /* the paths of the list begin with it already */
	bool dry_run;
	struct movein m;
	struct import_tables *tables; /* of those that have them */
	struct import_hmail *hmail;   /* null but for its mail */
	size_t bad;                   /* rows and lines left out */
	struct import_mails mails;
};

/* Where accounts can come from. */
struct import_from {
	const char *name;
	/* Fills im->m; null for what `postroad export` wrote. */
	int (*read)(struct import *im, struct err *err);
	/* The mail of one account: 1, 0: it has none, -1. */
	int (*mail)(struct import *im, const struct movein_object *account,
		    struct mail_source **out, struct err *err);
};

/* Is it one of those that --domain names, or is none named? */
MUST_USE bool import_domain_wanted(const struct admin *admin, struct span domain);

MUST_USE const struct import_from *import_from_find(const char *name);
/* Their names, for a message. */
void import_from_names(struct buf *out);

/* ---- one object */

enum import_password {
	IMPORT_PASSWORD_NONE,
	IMPORT_PASSWORD_HASH,
	IMPORT_PASSWORD_PLAIN,
	IMPORT_PASSWORD_LOCKED,
	IMPORT_PASSWORD_UNKNOWN, /* a scheme that nobody here can check */
};

/* What directory_password_import(), or for a plain one directory_password_make(),
 * takes. */
MUST_USE enum import_password
import_password(const struct movein_object *account, struct buf *out);

MUST_USE enum directory_kind import_kind(const struct movein_object *o);
/* Its values but for the password; what the directory cannot take is noted and left
 * out. Texts are in the arena. */
void import_object(struct import *im, const struct movein_object *o,
		   struct arena *arena, struct directory_object *out);

/* ---- what `postroad export` wrote */

/* The folder of an account's mail below SOURCE. */
MUST_USE int import_own_source(struct import *im, const struct movein_object *account,
			       struct mail_source **out, struct err *err);

/* ---- mail */

/* From now on a signal ends it between two messages. */
void import_mail_watch(void);
MUST_USE bool import_mail_stopped(void);

/* The mail of every account of the list that is not dropped. What is wrong with one of
 * them is told, and the others go on. */
MUST_USE enum exit_status import_mail(struct import *im);

/* Where the list, and --mail, say that it lies. 1, 0: nowhere, -1. */
MUST_USE int import_path_source(struct import *im, const struct movein_object *account,
				struct mail_source **out, struct err *err);
