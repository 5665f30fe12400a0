#include "common/directory/field.h"

#define SETTABLE DIRECTORY_SETTABLE
#define LISTED   DIRECTORY_LISTED
#define DERIVED  DIRECTORY_DERIVED

#define NAME_MAX_BYTES  250
#define LIST_MAX_BYTES  (40U << 10)
#define SHORT_MAX_BYTES (8U << 10)
#define REPLY_MAX_BYTES (16U << 10)
#define SECRET_MAX      1024
#define SECONDS_MOST    (10U * 366 * 86400)
#define TIME_MOST       253402300799U /* the year 9999 */

/* clang-format off */
static const struct directory_field domain_fields[DIRECTORY_FIELDS] = {
	[FIELD_DOMAIN_ID] = {"id", DIRECTORY_NUMBER, 0, 0, NULL,
		"its number, never used again"},
	[FIELD_DOMAIN_ENABLED] = {"enabled", DIRECTORY_FLAG, SETTABLE | LISTED, 1, NULL,
		"no: no mail and no login for anybody in it"},
	[FIELD_DOMAIN_FIRST_ACCOUNT] = {"first_account", DIRECTORY_NUMBER, 0, 0, NULL,
		"the number of the account that gets mail for postmaster"},
	[FIELD_DOMAIN_ALIAS_OF] = {"alias_of", DIRECTORY_DOMAIN_NAME, SETTABLE | LISTED, 253,
		NULL, "the domain whose addresses it has as well"},
	[FIELD_DOMAIN_ACCOUNTS_MAX] = {"accounts_max", DIRECTORY_NUMBER, SETTABLE, 0, NULL,
		"so many accounts at most; 0 any number"},
	[FIELD_DOMAIN_ALIASES_MAX] = {"aliases_max", DIRECTORY_NUMBER, SETTABLE, 0, NULL,
		"so many aliases at most; 0 any number"},
	[FIELD_DOMAIN_LISTS_MAX] = {"lists_max", DIRECTORY_NUMBER, SETTABLE, 0, NULL,
		"so many lists, and so many groups, at most; 0 any number"},
	[FIELD_DOMAIN_QUOTA_BYTES] = {"quota_bytes", DIRECTORY_BYTES, SETTABLE | LISTED, 0,
		NULL, "what all its mailboxes may hold together; 0 no limit"},
	[FIELD_DOMAIN_ACCOUNT_QUOTA_BYTES] = {"account_quota_bytes", DIRECTORY_BYTES,
		SETTABLE, 0, NULL, "what one mailbox gets, and has at most; 0 no limit"},
	[FIELD_DOMAIN_MESSAGE_BYTES_MAX] = {"message_bytes_max", DIRECTORY_BYTES, SETTABLE,
		0, NULL, "the largest message for it; 0 as the server's"},
	[FIELD_DOMAIN_DELIMITERS] = {"delimiters", DIRECTORY_TEXT, SETTABLE, 16, NULL,
		"what may stand before a detail, as + in you+shop; none; empty as the setting"},
	[FIELD_DOMAIN_ADMINISTRATORS] = {"administrators", DIRECTORY_ADDRESSES,
		SETTABLE | DIRECTORY_ACCOUNTS,
		SHORT_MAX_BYTES, NULL, "accounts that may change what is in it"},
	[FIELD_DOMAIN_CREATED] = {"created", DIRECTORY_TIME, 0, TIME_MOST, NULL,
		"when it was added"},
};

static const struct directory_field account_fields[DIRECTORY_FIELDS] = {
	[FIELD_ACCOUNT_ID] = {"id", DIRECTORY_NUMBER, LISTED, 0, NULL,
		"its number, never used again"},
	[FIELD_ACCOUNT_DISABLED] = {"disabled", DIRECTORY_FLAG, SETTABLE | LISTED, 1, NULL,
		"yes: no mail and no login"},
	[FIELD_ACCOUNT_NAME] = {"name", DIRECTORY_TEXT, SETTABLE | LISTED, NAME_MAX_BYTES,
		NULL, "the person's name"},
	[FIELD_ACCOUNT_QUOTA_BYTES] = {"quota_bytes", DIRECTORY_BYTES, SETTABLE | LISTED, 0,
		NULL, "what it may hold; 0 no limit"},
	[FIELD_ACCOUNT_CREATED] = {"created", DIRECTORY_TIME, LISTED, TIME_MOST, NULL,
		"when it was added"},
	[FIELD_ACCOUNT_MESSAGE_BYTES_MAX] = {"message_bytes_max", DIRECTORY_BYTES, SETTABLE,
		0, NULL, "the largest message for it; 0 as the domain's"},
	[FIELD_ACCOUNT_FORWARD] = {"forward", DIRECTORY_ADDRESSES, SETTABLE | DIRECTORY_LEADS,
		SHORT_MAX_BYTES, NULL, "where its mail goes on to"},
	[FIELD_ACCOUNT_FORWARD_KEEP] = {"forward_keep", DIRECTORY_FLAG, SETTABLE, 1, NULL,
		"whether what is forwarded is kept here as well"},
	[FIELD_ACCOUNT_REPLY_ENABLED] = {"reply_enabled", DIRECTORY_FLAG, SETTABLE, 1, NULL,
		"whether senders get an automatic reply"},
	[FIELD_ACCOUNT_REPLY_SUBJECT] = {"reply_subject", DIRECTORY_TEXT, SETTABLE,
		NAME_MAX_BYTES, NULL, "its subject; empty: Re: and that of the message"},
	[FIELD_ACCOUNT_REPLY_TEXT] = {"reply_text", DIRECTORY_TEXT, SETTABLE | DIRECTORY_LINES,
		REPLY_MAX_BYTES, NULL, "its text"},
	[FIELD_ACCOUNT_REPLY_FROM] = {"reply_from", DIRECTORY_TIME, SETTABLE, TIME_MOST,
		NULL, "the first moment to reply; none: at once"},
	[FIELD_ACCOUNT_REPLY_UNTIL] = {"reply_until", DIRECTORY_TIME, SETTABLE, TIME_MOST,
		NULL, "the last moment to reply; none: until it is switched off"},
	[FIELD_ACCOUNT_REPLY_INTERVAL_S] = {"reply_interval_s", DIRECTORY_SECONDS, SETTABLE,
		SECONDS_MOST, NULL, "a sender gets one reply in that time; 0 is 7 days"},
	[FIELD_ACCOUNT_LAST_LOGIN] = {"last_login", DIRECTORY_TIME, 0, TIME_MOST, NULL,
		"when somebody last logged in"},
	[FIELD_ACCOUNT_LAST_SERVICE] = {"last_service", DIRECTORY_TEXT, 0, 16, NULL,
		"to what: smtp, imap or pop3"},
	[FIELD_ACCOUNT_LAST_ADDRESS] = {"last_address", DIRECTORY_TEXT, 0, 64, NULL,
		"and from where"},
	[FIELD_ACCOUNT_PASSWORD] = {"password", DIRECTORY_SECRET, SETTABLE, SECRET_MAX, NULL,
		"what is kept of the password"},
	[FIELD_ACCOUNT_PASSWORD_SCHEME] = {"password_scheme", DIRECTORY_TEXT,
		LISTED | DERIVED, 32, NULL, "how the password is kept"},
	[FIELD_ACCOUNT_USED_BYTES] = {"used_bytes", DIRECTORY_BYTES, DERIVED, 0, NULL,
		"what it holds, while the server runs"},
	[FIELD_ACCOUNT_USED_MESSAGES] = {"used_messages", DIRECTORY_NUMBER, DERIVED, 0, NULL,
		"in so many messages"},
	[FIELD_ACCOUNT_REMOVED] = {"removed", DIRECTORY_TIME, DERIVED, TIME_MOST, NULL,
		"until when it was there"},
};

static const struct directory_field alias_fields[DIRECTORY_FIELDS] = {
	[FIELD_ALIAS_TARGETS] = {"targets", DIRECTORY_ADDRESSES,
		SETTABLE | LISTED | DIRECTORY_LEADS | DIRECTORY_GROUPS,
		LIST_MAX_BYTES, NULL, "addresses, or group:NAME@DOMAIN for all of a group"},
};

static const struct directory_field list_fields[DIRECTORY_FIELDS] = {
	[FIELD_LIST_NAME] = {"name", DIRECTORY_TEXT, SETTABLE | LISTED, NAME_MAX_BYTES, NULL,
		"what it is about"},
	[FIELD_LIST_POSTING] = {"posting", DIRECTORY_CHOICE, SETTABLE | LISTED, 3,
		"anyone members sender authenticated", "who may send to it"},
	[FIELD_LIST_POSTER] = {"poster", DIRECTORY_ADDRESSES, SETTABLE, SHORT_MAX_BYTES,
		NULL, "whose mail is taken when posting is sender"},
	[FIELD_LIST_OWNER] = {"owner", DIRECTORY_ADDRESS, SETTABLE | LISTED, 320, NULL,
		"gets the reports; empty: the sender does"},
	[FIELD_LIST_CREATED] = {"created", DIRECTORY_TIME, 0, TIME_MOST, NULL,
		"when it was added"},
	[FIELD_LIST_MEMBERS] = {"members", DIRECTORY_ADDRESSES,
		SETTABLE | LISTED | DIRECTORY_LEADS | DIRECTORY_GROUPS,
		LIST_MAX_BYTES, NULL, "addresses, or group:NAME@DOMAIN for all of a group"},
};

static const struct directory_field group_fields[DIRECTORY_FIELDS] = {
	[FIELD_GROUP_MEMBERS] = {"members", DIRECTORY_ADDRESSES,
		SETTABLE | LISTED | DIRECTORY_ACCOUNTS,
		LIST_MAX_BYTES, NULL, "the addresses of accounts"},
};

static const struct directory_field app_password_fields[DIRECTORY_FIELDS] = {
	[FIELD_APP_PASSWORD_SCOPE] = {"scope", DIRECTORY_SET, SETTABLE | LISTED, 7,
		"smtp imap pop3", "what it logs in to"},
	[FIELD_APP_PASSWORD_CREATED] = {"created", DIRECTORY_TIME, LISTED, TIME_MOST, NULL,
		"when it was made"},
	[FIELD_APP_PASSWORD_LAST_USE] = {"last_use", DIRECTORY_TIME, LISTED, TIME_MOST, NULL,
		"when it was last used"},
	[FIELD_APP_PASSWORD_LAST_ADDRESS] = {"last_address", DIRECTORY_TEXT, LISTED, 64,
		NULL, "and from where"},
	[FIELD_APP_PASSWORD_SECRET] = {"secret", DIRECTORY_SECRET, SETTABLE, SECRET_MAX,
		NULL, "what is kept of it"},
};
/* clang-format on */

static const struct {
	const char *name;
	const struct directory_field *fields;
} kinds[DIRECTORY_KINDS] = {
    [DIRECTORY_DOMAIN] = {"domain",       domain_fields      },
    [DIRECTORY_ACCOUNT] = {"account",      account_fields     },
    [DIRECTORY_ALIAS] = {"alias",        alias_fields       },
    [DIRECTORY_LIST] = {"list",         list_fields        },
    [DIRECTORY_GROUP] = {"group",        group_fields       },
    [DIRECTORY_APP_PASSWORD] = {"app password", app_password_fields},
};

const struct directory_field *
directory_field(enum directory_kind kind, size_t number)
{
	if ((unsigned)kind >= DIRECTORY_KINDS || number >= DIRECTORY_FIELDS ||
	    !kinds[kind].fields[number].name)
		return NULL;
	return &kinds[kind].fields[number];
}

size_t
directory_field_number(enum directory_kind kind, struct span name)
{
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(kind, i);

		if (f && span_equal(span_str(f->name), name))
			return i;
	}
	return 0;
}

bool
directory_field_is_number(const struct directory_field *f)
{
	return f->type >= DIRECTORY_NUMBER;
}

const char *
directory_kind_name(enum directory_kind kind)
{
	return kinds[kind].name;
}
