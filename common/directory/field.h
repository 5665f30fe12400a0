/* common/directory/field.h - what is kept of each kind of object: one table
 *
 * What    requests, rows, records, JSON, the commands, dumps and the documents walk
 *         these rows; nothing else says which fields there are. A number names its
 *         field in records and never means another one.
 */
#pragma once

#include "common/base/base.h"

enum directory_kind {
	DIRECTORY_DOMAIN,
	DIRECTORY_ACCOUNT,
	DIRECTORY_ALIAS,
	DIRECTORY_LIST,
	DIRECTORY_GROUP,
	DIRECTORY_APP_PASSWORD, /* its name is the account's, its label its own */
};
#define DIRECTORY_KINDS 6

enum directory_type {
	DIRECTORY_TEXT,
	DIRECTORY_DOMAIN_NAME, /* text: a domain */
	DIRECTORY_ADDRESS,     /* text: one address */
	DIRECTORY_SECRET,      /* text: bytes that only DUMP shows */
	DIRECTORY_ADDRESSES,   /* text: see directory_item_put() */
	DIRECTORY_NUMBER,
	DIRECTORY_BYTES,
	DIRECTORY_SECONDS, /* how long */
	DIRECTORY_TIME,    /* seconds since 1970; 0 never */
	DIRECTORY_FLAG,
	DIRECTORY_CHOICE, /* number: index in `words` */
	DIRECTORY_SET,    /* number: bits, in the order of `words` */
};

enum {
	DIRECTORY_SETTABLE = 1, /* by an operator, with ADD and UPDATE */
	DIRECTORY_LISTED = 2,   /* LIST gives it too, not only SHOW */
	DIRECTORY_DERIVED = 4,  /* made for the answer; in no record and no dump */
	/* Addresses: one at a domain of ours must be an account, or lead somewhere; or
	 * a group may stand there. */
	DIRECTORY_ACCOUNTS = 8,
	DIRECTORY_LEADS = 16,
	DIRECTORY_GROUPS = 32,
	DIRECTORY_LINES = 64, /* text of many lines */
};

struct directory_field {
	const char *name; /* null: no such field */
	enum directory_type type;
	unsigned flags;
	uint64_t max;      /* number: the greatest; text: bytes; 0 any */
	const char *words; /* of a choice or set, a space between them */
	const char *help;
};

#define DIRECTORY_FIELDS 24 /* numbers are below it */

enum {
	FIELD_DOMAIN_ID = 1,
	FIELD_DOMAIN_ENABLED,
	FIELD_DOMAIN_FIRST_ACCOUNT,
	FIELD_DOMAIN_ALIAS_OF,
	FIELD_DOMAIN_ACCOUNTS_MAX,
	FIELD_DOMAIN_ALIASES_MAX,
	FIELD_DOMAIN_LISTS_MAX,
	FIELD_DOMAIN_QUOTA_BYTES,
	FIELD_DOMAIN_ACCOUNT_QUOTA_BYTES,
	FIELD_DOMAIN_MESSAGE_BYTES_MAX,
	FIELD_DOMAIN_DELIMITERS,
	FIELD_DOMAIN_ADMINISTRATORS,
	FIELD_DOMAIN_CREATED,
};

enum {
	FIELD_ACCOUNT_ID = 1,
	FIELD_ACCOUNT_DISABLED,
	FIELD_ACCOUNT_NAME,
	FIELD_ACCOUNT_QUOTA_BYTES,
	FIELD_ACCOUNT_CREATED,
	FIELD_ACCOUNT_MESSAGE_BYTES_MAX,
	FIELD_ACCOUNT_FORWARD,
	FIELD_ACCOUNT_FORWARD_KEEP,
	FIELD_ACCOUNT_REPLY_ENABLED,
	FIELD_ACCOUNT_REPLY_SUBJECT,
	FIELD_ACCOUNT_REPLY_TEXT,
	FIELD_ACCOUNT_REPLY_FROM,
	FIELD_ACCOUNT_REPLY_UNTIL,
	FIELD_ACCOUNT_REPLY_INTERVAL_S,
	FIELD_ACCOUNT_LAST_LOGIN,
	FIELD_ACCOUNT_LAST_SERVICE,
	FIELD_ACCOUNT_LAST_ADDRESS,
	FIELD_ACCOUNT_PASSWORD, /* directory_password_put() */
	FIELD_ACCOUNT_PASSWORD_SCHEME,
	FIELD_ACCOUNT_USED_BYTES,
	FIELD_ACCOUNT_USED_MESSAGES,
	FIELD_ACCOUNT_REMOVED,
};

enum {
	FIELD_ALIAS_TARGETS = 1,
};

enum {
	FIELD_LIST_NAME = 1,
	FIELD_LIST_POSTING,
	FIELD_LIST_POSTER,
	FIELD_LIST_OWNER,
	FIELD_LIST_CREATED,
	FIELD_LIST_MEMBERS,
};

enum {
	FIELD_GROUP_MEMBERS = 1,
};

enum {
	FIELD_APP_PASSWORD_SCOPE = 1,
	FIELD_APP_PASSWORD_CREATED,
	FIELD_APP_PASSWORD_LAST_USE,
	FIELD_APP_PASSWORD_LAST_ADDRESS,
	FIELD_APP_PASSWORD_SECRET,
};

/* Words of FIELD_LIST_POSTING, in order. */
enum directory_posting {
	DIRECTORY_POSTING_ANYONE,
	DIRECTORY_POSTING_MEMBERS,
	DIRECTORY_POSTING_SENDER, /* one of FIELD_LIST_POSTER */
	DIRECTORY_POSTING_AUTHENTICATED,
};

/* Bits of FIELD_APP_PASSWORD_SCOPE. */
enum {
	DIRECTORY_SCOPE_SMTP = 1,
	DIRECTORY_SCOPE_IMAP = 2,
	DIRECTORY_SCOPE_POP3 = 4,
};

/* Null when there is no such field. */
const struct directory_field *directory_field(enum directory_kind kind, size_t number);
/* 0 when there is none of that name. */
MUST_USE size_t directory_field_number(enum directory_kind kind, struct span name);
/* Is its value a number, or a text? */
MUST_USE bool directory_field_is_number(const struct directory_field *f);

/* "domain", "account", "alias", "list", "group", "app password" */
const char *directory_kind_name(enum directory_kind kind);
