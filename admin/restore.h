/* admin/restore.h - what the files of `postroad restore` share */
#pragma once

#include "admin/backup.h"

struct restoring {
	struct admin *admin;
	struct backup *backup;
	uint64_t generation;
	char tree[BACKUP_NAME_MAX + 1];
	struct store *store; /* of the running installation */
	bool replaced;       /* what an account had is gone */
	struct {
		uint64_t accounts, messages, bytes, damaged;
	} n;
};

/* What stands in the list beside the accounts. */
typedef void restore_file(void *context, const struct backup_row *row);
/* Calls `each` for it. -1 when the list is damaged. */
MUST_USE int restore_files_each(struct restoring *r, restore_file *each, void *context,
				struct err *err);

/* --- everything into an empty installation: restore_all.c ----------------- */

/* Settings and keys where there are none; the queue. */
MUST_USE int restore_settings(struct restoring *r, struct err *err);
MUST_USE int restore_keys(struct restoring *r, struct err *err);
MUST_USE int restore_queue(struct restoring *r, struct err *err);
/* The mail of all accounts, that have none yet. */
MUST_USE int restore_mail(struct restoring *r, struct err *err);

/* Folders as master makes them, when they are not there. */
MUST_USE int restore_folders(struct restoring *r, struct err *err);

/* Whoever has the account open closes it: sessions end, and local looks anew. */
MUST_USE int restore_all_close(struct admin *admin, uint64_t id, struct err *err);

/* --- the mail of one account: restore_mail.c ------------------------------ */

/* An account of the backup, put in place in a folder of its own beside the mail. */
struct staged {
	struct store *store;
	struct store_account *account;
	char path[BACKUP_PATH_MAX];
};

/* 1 open, 0: the generation has no mail of the account, -1. */
MUST_USE int
staged_open(struct staged *s, struct restoring *r, uint64_t id, struct err *err);
void staged_close(struct staged *s);

/* Every mailbox of `from` (or the one of that name) into mailboxes of `to` whose names
 * begin with `above`, or into the one called `into`. */
struct merge {
	struct store_account *from, *to;
	const char *mailbox; /* null: all */
	const char *above;   /* "Restored", or null */
	const char *into;    /* or null */
};

MUST_USE int restore_merge(struct restoring *r, const struct merge *m, struct err *err);

/* --- accounts of the directory: restore_directory.c ------------------------ */

/* All of the dump, into a directory that is empty. */
MUST_USE int restore_directory(struct restoring *r, struct err *err);
/* Is the directory empty? 1, 0, -1. */
MUST_USE int restore_directory_empty(struct restoring *r, struct err *err);
/* The id that an account had. 1, 0: there was none of that name, -1. */
MUST_USE int restore_account_id(struct restoring *r, const char *address, uint64_t *id,
				struct err *err);
/* The account as it is now; made as it was when there is none. 0 or -1. */
MUST_USE int restore_account_now(struct restoring *r, const char *address, uint64_t *id,
				 struct err *err);
