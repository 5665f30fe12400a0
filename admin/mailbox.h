/* admin/mailbox.h - the mail of one account, for the commands that work on it
 *
 * Works on the store itself, whether the server runs or not, as the owner of its files.
 */
#pragma once

#include "admin/command.h"
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

/* Other files' commands. */
command_run mailbox_import, mailbox_export;
