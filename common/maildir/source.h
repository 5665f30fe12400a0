/* common/maildir/source.h - a tree of mailboxes to read
 *
 *   source = mail_source_open(path, MAIL_GUESS, &err);
 *   for (i = 0; i < mail_source_boxes(source); i++) {
 *           mail_source_load(source, i, &err);          its messages
 *           box = mail_source_box(source, i);
 *           for (k = 0; k < box->n; k++)
 *                   mail_source_read(source, &box->messages[k], &out, &shape, &err);
 *           mail_source_unload(source, i);
 *   }
 */
#pragma once

#include "common/base/base.h"

enum mail_format {
	MAIL_GUESS,
	MAIL_MAILDIR,
	MAIL_MBOX,
	MAIL_EML,
	MAIL_FORMATS,
};

/* The word for it on a command line; MAIL_FORMATS: there is none such. */
MUST_USE enum mail_format mail_format_of(const char *word);
MUST_USE const char *mail_format_name(enum mail_format format);

/* The bits are those of enum store_flag. */
enum mail_flag {
	MAIL_SEEN = 1 << 0,
	MAIL_ANSWERED = 1 << 1,
	MAIL_FLAGGED = 1 << 2,
	MAIL_DELETED = 1 << 3,
	MAIL_DRAFT = 1 << 4,
};

/* The numbers are those of enum store_special_use [RFC6154 2]. */
enum mail_use {
	MAIL_USE_NONE = 0,
	MAIL_USE_ARCHIVE = 2,
	MAIL_USE_DRAFTS = 3,
	MAIL_USE_JUNK = 5,
	MAIL_USE_SENT = 6,
	MAIL_USE_TRASH = 7,
};

/* What a mailbox of that name is for, as Dovecot's and other servers' settings and
 * clients have it: "Sent Messages", "Spam". */
MUST_USE enum mail_use mail_use_of(struct span name);

#define MAIL_KEYWORDS_MAX 64 /* different ones in a mailbox */
#define MAIL_UIDL_MAX     70 /* [RFC1939 7] */

struct mail_message {
	uint32_t uid; /* 0: the source has none */
	uint32_t flags;
	uint64_t keywords;   /* bits of the mailbox's keywords */
	int64_t internal_us; /* when it arrived */
	int64_t saved_us;    /* when it came to this mailbox */
	struct span name;    /* who it is within the mailbox; stays when flags change */
	struct span uidl;    /* for POP3; empty: none is written down */
	uint8_t guid[16];    /* if has_guid: which bytes it is, the same in a copy */
	bool has_guid;
	const char *path; /* of its file, from the source's directory */
	uint64_t inode;   /* of the file; 0: not known */
	uint64_t offset;  /* in the file */
	uint64_t bytes;   /* there */
	bool passed;      /* Maildir's P: has the keyword $Forwarded */
	bool exact;       /* its line ends are those of the message */
	bool quoted;      /* mbox: From_ lines in it have a '>' before them */
};

struct mail_box {
	struct span name; /* UTF-8, '/' between levels; "INBOX" */
	const char *path; /* from the source's directory; "." is that itself */
	bool subscribed;
	bool dovecot;         /* has Dovecot's list of UIDs: unique-ids are computed */
	bool letters_full;    /* Dovecot may know keywords that stand nowhere here */
	uint32_t uidvalidity; /* 0: the source has none */
	uint32_t uidnext;     /* 0: the same */
	struct span keywords[MAIL_KEYWORDS_MAX];
	size_t n_keywords;
	struct mail_message *messages; /* loaded: by ascending UID, then those without
					* in the order they came */
	size_t n;
};

struct mail_source;

struct mail_place {
	const char *path;
	enum mail_format format;
	/* The folder that Dovecot's mail_location names as CONTROL=, with
	 * dovecot-uidlist, dovecot-keywords and subscriptions; null: they stand beside
	 * the mail. */
	const char *control;
};

/* Null when there is no mail, or it cannot be read: *err says what to do. */
MUST_USE struct mail_source *
mail_source_open(const char *path, enum mail_format format, struct err *err);
MUST_USE struct mail_source *
mail_source_open_place(const struct mail_place *place, struct err *err);
void mail_source_free(struct mail_source **source);

MUST_USE enum mail_format mail_source_format(const struct mail_source *source);
MUST_USE size_t mail_source_boxes(const struct mail_source *source);
/* Which source it is: the absolute path of its folder, or of its file. */
MUST_USE const char *mail_source_path(const struct mail_source *source);
/* Lives as long as the source, its messages until the mailbox is unloaded. INBOX is the
 * first, levels above come before those below. */
MUST_USE const struct mail_box *
mail_source_box(const struct mail_source *source, size_t i);
/* Names that are subscribed and have no mailbox; false after the last. */
MUST_USE bool
mail_source_subscribed(const struct mail_source *source, size_t i, struct span *name);

/* Finds the messages of a mailbox, anew when it is loaded. -1: it cannot be read. */
MUST_USE int mail_source_load(struct mail_source *source, size_t i, struct err *err);
void mail_source_unload(struct mail_source *source, size_t i);

struct mail_shape {
	bool mixed; /* had bare LFs among CRLFs: now they are CRLFs, too */
};

enum mail_read {
	MAIL_READ_FAULT = -1,
	MAIL_READ_OK,
	MAIL_READ_GONE,  /* since the mailbox was loaded */
	MAIL_READ_LARGE, /* does not fit into `out` */
};

/* The bytes of a message, with CRLF as line ends, appended to `out`. */
MUST_USE enum mail_read
mail_source_read(struct mail_source *source, const struct mail_message *message,
		 struct buf *out, struct mail_shape *shape, struct err *err);
