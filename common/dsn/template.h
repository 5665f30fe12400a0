/* common/dsn/template.h - the texts of reports, which an operator may edit
 *
 * A file of sections. In each, lines of text with keys such as $recipient; lines
 * that start with '#' are comments. docs/reports.md has all sections and keys.
 *
 *   [failure]
 *   Subject: Not delivered: mail to $recipients
 *
 *   $rows
 *   Nobody will try again.
 *
 * A section that the file does not have is as built in. A line is left out when
 * it has keys and all of them are empty.
 */
#pragma once

#include "common/base/base.h"

#define DSN_TEMPLATES_BYTES_MAX (256u << 10)
#define DSN_TEMPLATE_LINE_MAX   500u

enum dsn_template {
	/* whole texts, with a subject */
	DSN_TEXT_FAILURE,
	DSN_TEXT_DELAY,
	DSN_TEXT_SUCCESS,
	DSN_TEXT_DOUBLE, /* to postmaster: the sender cannot be told */
	DSN_TEXT_COPY,   /* to postmaster: what a sender was told */
	DSN_TEXT_NOTICE,
	DSN_TEXT_QUOTA,        /* to an account */
	DSN_TEXT_DOMAIN_QUOTA, /* to a domain's administrator, or postmaster */
	/* a paragraph for each recipient */
	DSN_TEXT_FAILED,
	DSN_TEXT_EXPIRED,
	DSN_TEXT_GIVEN_UP,
	DSN_TEXT_DELAYED,
	DSN_TEXT_DELIVERED,
	DSN_TEXT_RELAYED,
	DSN_TEXT_EXPANDED,
	DSN_TEXTS,
};

enum dsn_key {
	DSN_KEY_HOSTNAME,
	DSN_KEY_POSTMASTER,
	DSN_KEY_SENDER,
	DSN_KEY_RECIPIENTS, /* "a@example.org and 2 others" */
	DSN_KEY_SUBJECT,    /* of the message the report is about */
	DSN_KEY_DATE,       /* when it came */
	DSN_KEY_ID,         /* its queue id */
	DSN_KEY_UNTIL,      /* delay: how long it is tried */
	DSN_KEY_TITLE,      /* notice: its subject */
	DSN_KEY_TEXT,       /* notice: its text; alone on its line */
	DSN_KEY_NAME,       /* quota: the account's address, or the domain */
	DSN_KEY_USED,       /* quota: "9.5 MB" */
	DSN_KEY_LIMIT,
	DSN_KEY_PERCENT, /* quota: the mark that was passed, "95%" */
	DSN_KEY_ROWS,    /* the paragraphs; alone on its line */
	/* in paragraphs only */
	DSN_KEY_RECIPIENT,
	DSN_KEY_FINAL,  /* where the recipient leads; empty when to itself */
	DSN_KEY_REASON, /* in plain words */
	DSN_KEY_ADVICE, /* what to do; may be empty */
	DSN_KEY_DETAIL, /* what this server itself found; may be empty */
	DSN_KEY_SERVER, /* who said it; may be empty */
	DSN_KEY_REPLY,  /* what it said; may be empty */
	DSN_KEY_TRIED,  /* the last attempt */
	DSN_KEYS,
};

struct dsn_templates {
	struct {
		struct span subject; /* with its keys */
		struct span text;    /* lines that end in LF */
	} at[DSN_TEXTS];
	char *bytes; /* of the file */
};

/* What is built in. */
void dsn_templates_init(struct dsn_templates *t);
void dsn_templates_release(struct dsn_templates *t);

/* The sections of the text replace what is built in. On failure *err is
 * "FILE:LINE: what is wrong", and *t is as it was. */
MUST_USE int dsn_templates_parse(struct dsn_templates *t, struct span text,
				 const char *file, struct err *err);

/* A file of all sections as they are built in, with comments. */
MUST_USE struct span dsn_templates_builtin(void);

/* Appends the text with the values of its keys in their places: lines that end in
 * CRLF, broken at DSN_COLUMNS. TEXT and ROWS go in as they are. */
void dsn_expand(struct buf *out, struct span text, const struct span values[DSN_KEYS]);
/* The same for a subject, on one line without an end. */
void
dsn_expand_line(struct buf *out, struct span line, const struct span values[DSN_KEYS]);
