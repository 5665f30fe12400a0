/* common/transfer/import.h - mailboxes in
 *
 * A second run brings the account level with the source: new messages come in, flags
 * and keywords that changed there since the last run change here. A flag is on or off,
 * so one that was changed here since then stays as it is: only what the source changed
 * is taken. What the source looked like is remembered with the account.
 *
 * UIDs are kept in a mailbox that is new, that an earlier import of the same source
 * made, or that holds far less than the source; its UIDVALIDITY then is the source's.
 * A message whose UID is taken gets a new one, and so does whatever else stands among
 * the UIDs of the source: a client that knew the source sees each message under the
 * UID it knows, or as a new one, never another message under that UID. Elsewhere all
 * get new UIDs.
 */
#pragma once

#include "common/maildir/maildir.h"
#include "common/store/store.h"

enum transfer_result {
	TRANSFER_FAULT = -1, /* *err says why; running again goes on where it stopped */
	TRANSFER_OK,         /* all of it; counts.failed tells of single messages */
	TRANSFER_NONE,       /* nothing that is mail stands there; *err says so */
	TRANSFER_STOPPED, /* the progress callback wanted it; all counted is durable */
};

struct transfer_options {
	enum mail_format format; /* MAIL_GUESS: looked at */
	struct span into;        /* mailbox that becomes the source's INBOX, with the
				  * others below it; empty: as they are named there */
	const char *uidl_format; /* of POP3 unique-ids that a Dovecot computes, as its
				  * pop3_uidl_format; null: its default, where there is
				  * a dovecot-uidlist; "": none */
	int64_t now_us;
	bool dry_run;        /* counts only; the account may be null */
	bool delete_gone;    /* what an earlier run imported from this source, that is
			      * there no more and was not touched here, goes here */
	const char *control; /* struct mail_place; of transfer_import() only */
};

struct transfer_counts {
	uint64_t mailboxes;      /* in the source */
	uint64_t mailboxes_made; /* in the account */
	uint64_t messages;       /* in the source */
	uint64_t imported;       /* in this run; to be, in a dry run */
	uint64_t known;          /* there from an earlier run */
	uint64_t changed;        /* of `known`: flags or keywords taken over, since they
				  * changed at the source */
	uint64_t gone;          /* imported once, at the source no more, untouched here:
				 * deleted with delete_gone, else only counted */
	uint64_t kept;          /* changed or gone at the source, and left because they
				 * were changed, or moved, here */
	uint64_t moved;         /* others that stood among the source's UIDs */
	uint64_t failed;        /* cannot be read, or is too large */
	uint64_t bytes;         /* of those imported, CRLF counted */
	uint64_t verified;      /* read back from the store and equal */
	uint64_t mended;        /* broken, in that line ends were mixed: kept but for
				 * those */
	uint64_t new_uids;      /* of `imported`, whose UID could not be kept */
	uint64_t keywords_lost; /* keywords beyond what an account can have */
};

/* How far it is. `mailbox` is the account's name for it. */
struct transfer_step {
	struct span mailbox;
	uint64_t done, total; /* messages */
};

/* A message that could not be taken (`path`, which may be empty, names it), or
 * something an operator should know. One line each. */
struct transfer_note {
	struct span mailbox;
	const char *path, *text;
};

/* What one mailbox came to, when it is done. */
struct transfer_box {
	struct span mailbox;
	uint32_t uidvalidity, uidnext; /* the account's */
	bool uids_kept;
	struct transfer_counts counts; /* of this one */
	uint8_t digest[32]; /* SHA-256 over what was read back, in order of UID; all
			     * messages that came in this run */
};

/* All may be null. They are called from within transfer_import() and must not touch
 * the account. */
struct transfer_callbacks {
	bool (*step)(void *context, const struct transfer_step *step); /* false: stop */
	void (*note)(void *context, const struct transfer_note *note);
	void (*box)(void *context, const struct transfer_box *box);
	void *context;
};

/* Everything in `path` into the account. *counts is what was done, whatever the result.
 * Durable on return, but for FAULT. */
MUST_USE enum transfer_result
transfer_import(struct store_account *account, const char *path,
		const struct transfer_options *options,
		const struct transfer_callbacks *callbacks,
		struct transfer_counts *counts, struct err *err);

/* The same of a source that is open, for those that no path leads to (given.h); it
 * stays the caller's. */
MUST_USE enum transfer_result
transfer_import_source(struct store_account *account, struct mail_source *source,
		       const struct transfer_options *options,
		       const struct transfer_callbacks *callbacks,
		       struct transfer_counts *counts, struct err *err);
