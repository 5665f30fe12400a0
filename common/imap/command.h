/* common/imap/command.h - commands as values
 *
 * Spans point into the frame or into the arena given to the parser; texts are unquoted,
 * literals taken out of their {n}. Names of mailboxes are decoded (name.h). Sets are as
 * the client wrote them (set.h).
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/set.h"

enum imap_command_id {
	IMAP_UNKNOWN,
	/* any state */
	IMAP_CAPABILITY,
	IMAP_NOOP,
	IMAP_LOGOUT,
	IMAP_ID,
	/* before the login: gate's; BAD here */
	IMAP_STARTTLS,
	IMAP_AUTHENTICATE,
	IMAP_LOGIN,
	/* logged in */
	IMAP_ENABLE,
	IMAP_SELECT,
	IMAP_EXAMINE,
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_RENAME,
	IMAP_SUBSCRIBE,
	IMAP_UNSUBSCRIBE,
	IMAP_LIST,
	IMAP_LSUB,
	IMAP_NAMESPACE,
	IMAP_STATUS,
	IMAP_APPEND,
	IMAP_IDLE,
	IMAP_GETQUOTA,
	IMAP_GETQUOTAROOT,
	IMAP_SETQUOTA,
	IMAP_COMPRESS,
	/* selected */
	IMAP_CHECK,
	IMAP_CLOSE,
	IMAP_UNSELECT,
	IMAP_EXPUNGE,
	IMAP_SEARCH,
	IMAP_SORT,
	IMAP_THREAD,
	IMAP_FETCH,
	IMAP_STORE,
	IMAP_COPY,
	IMAP_MOVE,
	IMAP_REPLACE,
	IMAP_COMMANDS,
};

/* --- flags ---------------------------------------------------------------- */

enum imap_flag { /* the values of enum store_flag */
	IMAP_FLAG_SEEN = 1 << 0,
	IMAP_FLAG_ANSWERED = 1 << 1,
	IMAP_FLAG_FLAGGED = 1 << 2,
	IMAP_FLAG_DELETED = 1 << 3,
	IMAP_FLAG_DRAFT = 1 << 4,
};

struct imap_flags {
	uint32_t system; /* enum imap_flag; \Recent is dropped */
	const struct span *keywords;
	size_t n_keywords;
};

/* --- mailboxes ------------------------------------------------------------ */

/* [RFC7162 3.2.5]; uidvalidity 0: not given */
struct imap_qresync {
	uint32_t uidvalidity;
	uint64_t modseq;
	struct imap_set known_uids;                /* n 0: not given */
	struct imap_set match_numbers, match_uids; /* as long as each other */
};

struct imap_select {
	struct span mailbox;
	bool condstore;
	struct imap_qresync qresync;
};

/* Special uses as bits, 1 << enum store_special_use. */
struct imap_create {
	struct span mailbox;
	uint32_t special_use; /* [RFC6154 3]; 0: none */
	bool special_use_bad; /* one that is not known: NO [USEATTR] */
};

struct imap_rename {
	struct span from, to;
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UIDNEXT = 1 << 2,
	IMAP_STATUS_UIDVALIDITY = 1 << 3,
	IMAP_STATUS_UNSEEN = 1 << 4,
	IMAP_STATUS_DELETED = 1 << 5,          /* [RFC9051 6.3.11] */
	IMAP_STATUS_SIZE = 1 << 6,             /* [RFC8438] */
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 7,    /* [RFC7162] */
	IMAP_STATUS_MAILBOXID = 1 << 8,        /* [RFC8474] */
	IMAP_STATUS_APPENDLIMIT = 1 << 9,      /* [RFC7889] */
	IMAP_STATUS_DELETED_STORAGE = 1 << 10, /* [RFC9208 4.1.4] */
};

struct imap_status {
	struct span mailbox;
	uint32_t items; /* enum imap_status_item */
};

enum imap_list_select { /* [RFC5258 3.1] */
	IMAP_LIST_SUBSCRIBED = 1 << 0,
	IMAP_LIST_REMOTE = 1 << 1,
	IMAP_LIST_RECURSIVEMATCH = 1 << 2,
	IMAP_LIST_SPECIAL_USE = 1 << 3,
};

enum imap_list_return { /* [RFC5258 3.2] */
	IMAP_RETURN_SUBSCRIBED = 1 << 0,
	IMAP_RETURN_CHILDREN = 1 << 1,
	IMAP_RETURN_SPECIAL_USE = 1 << 2,
	IMAP_RETURN_STATUS = 1 << 3,
};

struct imap_list {
	bool extended;         /* any option, or patterns in parentheses */
	uint32_t select;       /* enum imap_list_select */
	struct span reference; /* decoded; may be empty */
	const struct span *patterns;
	size_t n_patterns;
	uint32_t returns;      /* enum imap_list_return */
	uint32_t status_items; /* of RETURN (STATUS (...)) */
};

/* --- messages into a mailbox ---------------------------------------------- */

/* One message of an APPEND [RFC3502]: parsed when its literal is announced, or, at the
 * end of the command, not at all. */
struct imap_append_message {
	struct imap_flags flags;
	bool has_date;
	int64_t date_s;
	uint64_t bytes; /* of the literal */
	bool utf8;      /* UTF8 (~{n} [RFC6855 4] */
};

struct imap_replace {    /* [RFC8508] */
	uint32_t number; /* 0: "*" */
};

/* --- messages in a mailbox ------------------------------------------------ */

struct imap_store {
	struct imap_set set;
	bool conditional; /* UNCHANGEDSINCE */
	uint64_t unchanged_since;
	enum imap_store_verb {
		IMAP_STORE_ADD,
		IMAP_STORE_REMOVE,
		IMAP_STORE_REPLACE,
	} verb;
	bool silent;
	struct imap_flags flags;
};

struct imap_copy { /* and MOVE */
	struct imap_set set;
	struct span mailbox;
};

enum imap_fetch_kind {
	IMAP_FETCH_UID,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_RFC822_SIZE,
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_BODY, /* the structure */
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_MODSEQ,
	IMAP_FETCH_EMAILID,
	IMAP_FETCH_THREADID,
	IMAP_FETCH_SAVEDATE,
	IMAP_FETCH_PREVIEW,
	IMAP_FETCH_SECTION, /* BODY[...] and BODY.PEEK[...] */
	IMAP_FETCH_BINARY,
	IMAP_FETCH_BINARY_SIZE,
	IMAP_FETCH_RFC822,
	IMAP_FETCH_RFC822_HEADER,
	IMAP_FETCH_RFC822_TEXT,
};

enum imap_section_text {
	IMAP_SECTION_ALL, /* of the message, or of the part */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_HEADER_FIELDS,
	IMAP_SECTION_HEADER_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,
};

#define IMAP_SECTION_DEPTH_MAX 100

struct imap_section {
	const uint32_t *path; /* {2, 1} for 2.1 */
	size_t depth;
	enum imap_section_text text;
	const struct span *fields; /* as the client wrote them */
	size_t n_fields;
	struct span echo; /* how the response writes it, without brackets:
			   * "1.HEADER.FIELDS (FROM DATE)" */
};

struct imap_fetch_item {
	enum imap_fetch_kind kind;
	bool peek; /* leaves \Seen alone */
	bool lazy; /* PREVIEW (LAZY) */
	struct imap_section section;
	bool partial;
	uint64_t offset, count; /* <offset.count>, count > 0 */
};

struct imap_fetch {
	struct imap_set set;
	const struct imap_fetch_item *items; /* macros spelled out; at most one UID */
	size_t n_items;
	bool changed; /* CHANGEDSINCE [RFC7162 3.1.4] */
	uint64_t changed_since;
	bool vanished;                       /* [RFC7162 3.2.6]; UID FETCH only */
	bool partial;                        /* [RFC9394 3.3]; UID FETCH only */
	int64_t partial_first, partial_last; /* both > 0, or both < 0 */
};

/* --- SEARCH, SORT, THREAD ------------------------------------------------- */

enum imap_key_kind {
	IMAP_KEY_ALL,
	IMAP_KEY_AND, /* of `keys`, at least one */
	IMAP_KEY_OR,  /* of two */
	IMAP_KEY_NOT, /* of one */
	IMAP_KEY_SET, /* message numbers, or "$" */
	IMAP_KEY_UID,
	IMAP_KEY_FLAG,    /* flag set: `flag`; UNSEEN is NOT of it */
	IMAP_KEY_KEYWORD, /* text[0] */
	IMAP_KEY_NEW,     /* recent and unseen */
	IMAP_KEY_OLD,
	IMAP_KEY_RECENT,
	IMAP_KEY_BEFORE, /* of INTERNALDATE: `day` */
	IMAP_KEY_ON,
	IMAP_KEY_SINCE,
	IMAP_KEY_SENTBEFORE,
	IMAP_KEY_SENTON,
	IMAP_KEY_SENTSINCE,
	IMAP_KEY_SAVEDBEFORE, /* [RFC8514] */
	IMAP_KEY_SAVEDON,
	IMAP_KEY_SAVEDSINCE,
	IMAP_KEY_SAVEDATESUPPORTED,
	IMAP_KEY_OLDER, /* `number` seconds [RFC5032] */
	IMAP_KEY_YOUNGER,
	IMAP_KEY_LARGER, /* `number` */
	IMAP_KEY_SMALLER,
	IMAP_KEY_MODSEQ, /* `number`; the entry of [RFC7162 3.1.5] makes no difference
			  */
	IMAP_KEY_HEADER, /* text[0]: name, text[1]: value, may be empty. FROM, TO, CC,
			  * BCC and SUBJECT come as this */
	IMAP_KEY_BODY,   /* text[0] */
	IMAP_KEY_TEXT,
	IMAP_KEY_EMAILID, /* text[0] [RFC8474] */
	IMAP_KEY_THREADID,
};

#define IMAP_KEYS_MAX 1000 /* in one command; so deep may NOT and OR be nested */

struct imap_key {
	enum imap_key_kind kind;
	uint32_t flag;
	int32_t day; /* since 1970 */
	uint64_t number;
	struct span text[2]; /* in the charset of the command */
	struct imap_set set;
	const struct imap_key *const *keys;
	size_t n_keys;
};

enum imap_search_return { /* [RFC4731] [RFC5182] [RFC9394] */
	IMAP_SEARCH_MIN = 1 << 0,
	IMAP_SEARCH_MAX = 1 << 1,
	IMAP_SEARCH_ALL = 1 << 2,
	IMAP_SEARCH_COUNT = 1 << 3,
	IMAP_SEARCH_SAVE = 1 << 4,
	IMAP_SEARCH_PARTIAL = 1 << 5,
};

enum imap_sort_field { /* [RFC5256] [RFC5957] */
	IMAP_SORT_ARRIVAL,
	IMAP_SORT_CC,
	IMAP_SORT_DATE,
	IMAP_SORT_FROM,
	IMAP_SORT_SIZE,
	IMAP_SORT_SUBJECT,
	IMAP_SORT_TO,
	IMAP_SORT_DISPLAYFROM,
	IMAP_SORT_DISPLAYTO,
};

struct imap_sort_key {
	enum imap_sort_field field;
	bool reverse;
};

enum imap_thread_algorithm {
	IMAP_THREAD_ORDEREDSUBJECT,
	IMAP_THREAD_REFERENCES,
};

struct imap_search {      /* and SORT, THREAD */
	bool extended;    /* RETURN (...) was given: answer with ESEARCH */
	uint32_t returns; /* enum imap_search_return; RETURN () is ALL */
	int64_t partial_first, partial_last;
	struct span charset; /* empty: none given */
	const struct imap_key *key;
	const struct imap_sort_key *sort; /* SORT */
	size_t n_sort;
	enum imap_thread_algorithm algorithm; /* THREAD */
	bool uses_modseq;                     /* MODSEQ stands somewhere in it */
};

/* --- the rest ------------------------------------------------------------- */

enum imap_enable { /* what ENABLE knows [RFC5161] */
	IMAP_ENABLE_CONDSTORE = 1 << 0,
	IMAP_ENABLE_QRESYNC = 1 << 1,
	IMAP_ENABLE_UTF8 = 1 << 2,
	IMAP_ENABLE_REV2 = 1 << 3,
};

struct imap_id {                  /* [RFC2971] */
	const struct span *pairs; /* name, value, name, value; at null for NIL */
	size_t n_pairs;           /* of both together */
};

struct imap_command {
	enum imap_command_id id;
	bool uid; /* UID came before it */
	struct span tag;
	union {
		struct imap_id id_pairs;
		uint32_t enable; /* enum imap_enable */
		struct imap_select select;
		struct imap_create create;
		struct span
		    mailbox; /* DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT, APPEND */
		struct span root; /* GETQUOTA, SETQUOTA */
		struct imap_rename rename;
		struct imap_list list;
		struct imap_status status;
		struct imap_set expunge; /* UID EXPUNGE */
		struct imap_search search;
		struct imap_fetch fetch;
		struct imap_store store;
		struct imap_copy copy;
	};
	/* REPLACE: which message, and `mailbox` */
	struct imap_replace replace;
};
