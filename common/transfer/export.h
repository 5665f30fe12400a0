/* common/transfer/export.h - mailboxes out
 *
 * Maildir++ as Dovecot has it (dovecot-uidlist with UIDs, UIDVALIDITY and POP3
 * unique-ids, dovecot-keywords, subscriptions, INTERNALDATE as the file's time), so
 * that Dovecot can serve it; mboxrd with the headers that mail programs keep their
 * state in; or a file .eml a message. What comes in again by transfer_import() is the
 * same to the byte, whatever the line ends of the message.
 */
#pragma once

#include "common/transfer/import.h"

struct transfer_export {
	enum mail_format format; /* MAIL_GUESS is MAIL_MAILDIR */
	int64_t now_us;
};

struct transfer_exported {
	uint64_t mailboxes, messages;
	uint64_t written; /* in this run; the others were there, and equal */
	uint64_t bytes;   /* of all */
	uint64_t failed;  /* cannot be read */
};

/* All of the account into the directory `path`, which is made when missing. Each file
 * appears whole, under its name, or not; one that is there and equal stays. Reads back
 * what it wrote. */
MUST_USE enum transfer_result
transfer_export(struct store_account *account, const char *path,
		const struct transfer_export *options,
		const struct transfer_callbacks *callbacks,
		struct transfer_exported *counts, struct err *err);
