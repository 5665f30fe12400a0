/* common/transfer/export_internal.h - the parts of an export */
#pragma once

#include <sys/types.h>

#include "common/transfer/transfer.h"

#define EXPORT_PATH_MAX 4096

struct exporting {
	struct store_account *account;
	const struct transfer_export *options;
	const struct transfer_callbacks *calls;
	struct transfer_exported *counts;
	int dir;   /* the destination */
	uid_t uid; /* who gets the files */
	gid_t gid;
	bool give; /* they are not ours */
	struct buf content, text;
	uint64_t done, total;
	bool stopped;
	struct err *err;
};

/* A mailbox on its way out. */
struct export_box {
	struct exporting *ex;
	struct store_mailbox box;
	char *name;                              /* of the box, owned */
	struct span keywords[MAIL_KEYWORDS_MAX]; /* those in use, numbered anew */
	uint8_t places[STORE_KEYWORDS_MAX];      /* of the account's bits among them */
	size_t n_keywords;
};

struct export_kind {
	/* -1 on a fault. Its messages come from export_messages(). */
	int (*box)(struct export_box *b);
	/* What stands once for all mailboxes. */
	int (*end)(struct exporting *ex);
};

extern const struct export_kind export_maildir, export_mbox, export_eml;

/* --- export.c ------------------------------------------------------------- */

/* One message, whose bytes are in ex->content. -1 on a fault. */
typedef int export_message(void *context, const struct store_record *r);
/* Calls `each` for every message of the mailbox by ascending uid, until it is to stop.
 * What is gone or damaged is counted, noted and left out. -1 on a fault. */
MUST_USE int export_messages(struct export_box *b, export_message *each, void *context);
/* The unique-id; empty: none. Lives until the next call on the account. */
MUST_USE struct span export_uidl(struct export_box *b, const struct store_record *r);
/* As export_messages(), where a message is a file: ex->text begins the list of them. */
MUST_USE int export_listed(struct export_box *b, export_message *each, void *context);
/* The message as the file `path`, by way of `aside`, and in the list by the row, which
 * has what is the form's own: its name there, flags and keywords. */
MUST_USE int
export_listed_put(struct export_box *b, const struct store_record *r,
		  struct uidlist_row *row, const char *path, const char *aside);
/* The keywords of a message as bits of the box's. */
MUST_USE uint64_t export_keywords(const struct export_box *b,
				  const struct store_record *r);
/* A file of the names of subscribed mailboxes, and of names without one, a line each,
 * as `put` writes them; by way of `aside`. */
MUST_USE int
export_subscriptions(struct exporting *ex, const char *path, const char *aside,
		     void (*put)(struct span name, struct buf *out));

/* The path of a mailbox that is a file or folder of its name, `below` behind the names
 * of the levels above it. No level of it is a name that means something to a file
 * system. False when it is too long. */
MUST_USE bool
export_path(const struct export_box *b, const char *below, char out[EXPORT_PATH_MAX]);

/* --- export_file.c -------------------------------------------------------- */

/* A folder and those above it. */
MUST_USE int export_folder(struct exporting *ex, const char *path);
/* The file, whole or not at all: written beside it in `aside`, then renamed. Equal ones
 * stay as they are; *wrote. time_us 0: now. */
MUST_USE int export_file(struct exporting *ex, const char *path, const char *aside,
			 struct span bytes, int64_t time_us, bool *wrote);
