/* admin/mailbox.h - the mail of one account, for the commands that work on it
 *
 * Works on the store itself, whether the server runs or not, as the owner of its files.
 */
#pragma once

#include "admin/command.h"
#include "common/directory/directory.h"
#include "common/store/store.h"

struct mailbox {
	struct store *store;
	struct store_account *account; /* null: no mail has come yet */
	uint64_t quota_bytes;
};

MUST_USE int64_t mailbox_now_us(void);

/* The account's number comes from the directory, its mail from the store, with a view
 * that is up to date. What is wrong was told when it is not EXIT_DONE, and nothing has
 * to be closed then. */
MUST_USE enum exit_status mailbox_open(struct admin *admin, const char *address,
				       enum store_open_mode mode, struct mailbox *box);
/* The same for who knows the number. */
MUST_USE enum exit_status
mailbox_open_id(struct admin *admin, const char *address, uint64_t id,
		enum store_open_mode mode, struct mailbox *box);
void mailbox_close(struct mailbox *box);

/* --- accounts that are removed: mailbox_removed.c ------------------------- */

struct removed {
	uint64_t id;
	uint64_t until_s;                        /* when it was removed; 0: not known */
	char address[DIRECTORY_ADDRESS_MAX + 1]; /* it had; empty: not known */
};

typedef void removed_take(void *context, const struct removed *r);
/* Calls `each` for those whose mail is still there, by their numbers. */
MUST_USE enum exit_status
removed_each(struct admin *admin, removed_take *each, void *context);
/* As mailbox_open(), for one of them by its number, as it was typed. */
MUST_USE enum exit_status removed_open(struct admin *admin, const char *number,
				       enum store_open_mode mode, struct mailbox *box);

/* Writes what `open` finds as argv[0] to argv[1]. */
typedef enum exit_status mailbox_opener(struct admin *admin, const char *of,
					enum store_open_mode mode, struct mailbox *box);
MUST_USE enum exit_status
mailbox_export_opened(struct admin *admin, mailbox_opener *open, char **argv);

/* Other files' commands. */
command_run mailbox_import, mailbox_export, removed_list, removed_restore,
    removed_export, removed_erase;
