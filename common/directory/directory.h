/* common/directory/directory.h - accounts, domains, aliases: who is here, what leads
 * where
 *
 * What    the operations of `postroad domain|account|alias|list|group` and the
 *         questions of the programs: resolve an address, find a login, may a login
 *         send as an address. Policy only: what a mailbox holds is the store's.
 *         docs/directory.md has the objects and the rules of resolving.
 * RFC     [RFC5321 4.5.1] postmaster, [RFC5321 2.4] local parts (ours ignore case),
 *         [RFC5233 1] the detail behind a delimiter.
 * Trust   names may be a peer's. Damaged records are faults, never a crash.
 * Memory  struct directory is owned by one thread of one process: a second
 *         opener gets DIRECTORY_IN_USE. Texts of objects live in the caller's arena.
 *
 * Every function is synchronous and, with Berkeley DB once cached, takes
 * microseconds; those that change something return after it is durable. Where the
 * database may make one wait they run inside directory_do() [task.h]. *err holds a
 * line for the operator after every result but DIRECTORY_DONE.
 */
#pragma once

#include "common/base/base.h"
#include "common/directory/field.h"
#include "common/directory/name.h"
#include "common/directory/object.h"
#include "common/directory/password.h"

#define DIRECTORY_TARGETS_MAX       1000 /* of an alias, and of a whole expansion */
#define DIRECTORY_DEPTH_MAX         10   /* aliases behind aliases */
#define DIRECTORY_APP_PASSWORDS_MAX 100  /* of an account */
#define DIRECTORY_CACHE_BYTES       (8U << 20)
#define DIRECTORY_SECRET_BYTES      32
/* Room that one resolve or one object may need at most in its arena. */
#define DIRECTORY_ARENA_BYTES (1U << 20)

enum directory_result {
	DIRECTORY_FAULT = -1,
	DIRECTORY_DONE,
	DIRECTORY_EXISTS,
	DIRECTORY_NOT_FOUND,
	DIRECTORY_IN_USE,   /* domain: not empty; open: another owner */
	DIRECTORY_BAD_NAME, /* err says what is wrong */
	DIRECTORY_BAD_VALUE,
	DIRECTORY_LIMIT, /* of its domain, or of the kind */
};

struct directory;

struct event_base;

/* Where the records are. */
enum directory_backend {
	DIRECTORY_BERKELEY,
	DIRECTORY_POSTGRESQL,
	DIRECTORY_SQL, /* an operator's own tables, to read */
};

enum directory_sql_query {
	DIRECTORY_SQL_DOMAIN,
	DIRECTORY_SQL_ACCOUNT,
	DIRECTORY_SQL_ALIAS,
};
#define DIRECTORY_SQL_QUERIES 3

struct directory_options {
	const char *folder; /* made (0700) when missing; its parent must exist */
	size_t cache_bytes; /* 0: DIRECTORY_CACHE_BYTES */
	enum directory_backend backend;
	/* Of the others, see common/pgsql/pgsql.h. */
	struct event_base *base; /* the program's loop; null: it has none */
	const char *connection, *password_file;
	unsigned connections;
	uint64_t timeout_ms;                        /* of a task */
	const char *queries[DIRECTORY_SQL_QUERIES]; /* DIRECTORY_SQL; "" none */
};

/* How the database behind it is; files are up, the rest is 0. */
struct directory_state {
	bool up;
	uint64_t connections, waiting, asked, failed, conflicts, lost;
};
void directory_state(const struct directory *d, struct directory_state *out);

/* As the settings say, which must outlive it; without a loop. */
struct settings;
void directory_options_of(const struct settings *s, struct directory_options *out);

/* DONE, IN_USE or FAULT. Recovers after a crash. A database that is down is no fault:
 * then the operations have one, until it is back. Files belong to the caller, so
 * root calls directory_become_owner() first. */
MUST_USE enum directory_result directory_open(const struct directory_options *options,
					      struct directory **out, struct err *err);
void directory_free(struct directory **d);

/* When this process is root, takes the effective user and group of the folder's
 * owner, so that what it writes stays readable to authd. No-op otherwise. */
MUST_USE int directory_become_owner(const char *folder, struct err *err);

/* DIRECTORY_SECRET_BYTES random bytes, made with the directory and kept. */
struct span directory_secret(const struct directory *d);

/* ---- every kind of object */

/* Puts a new one. `object` has its name and values; what is not given gets its
 * preset: enabled, the domain's quota for an account, created `now` (seconds). EXISTS
 * when the name is taken; accounts, aliases and lists share one name space. An alias
 * that is there gets the targets that it has not yet (EXISTS: it has all).
 * NOT_FOUND when the domain is not here, or an address at one of ours leads nowhere. */
MUST_USE enum directory_result
directory_add(struct directory *d, const struct directory_object *object, uint64_t now,
	      struct err *err);
/* Changes the values that `object` has. INSERT: EXISTS when all are there; DELETE:
 * NOT_FOUND when one is not. An alias goes with its last target. */
MUST_USE enum directory_result
directory_set(struct directory *d, const struct directory_object *object,
	      struct err *err);
/* A domain only when nothing is left in it and none is an alias of it (IN_USE); an
 * account takes its app passwords along, and is noted as removed `now`. */
MUST_USE enum directory_result
directory_remove(struct directory *d, enum directory_kind kind, struct span name,
		 struct span label, uint64_t now, struct err *err);
/* All of it, secrets too, in the arena. */
MUST_USE enum directory_result
directory_find(struct directory *d, enum directory_kind kind, struct span name,
	       struct span label, struct arena *arena, struct directory_object *out,
	       struct err *err);
/* Up to `limit` objects behind `after` (empty: from the start), by domain and then
 * local part (and label). `in` limits it to a domain (app passwords: to an account)
 * unless empty. The page ends early when the arena is full, so the end is where *n is
 * 0; an arena of DIRECTORY_ARENA_BYTES holds one at least. */
MUST_USE enum directory_result
directory_page(struct directory *d, enum directory_kind kind, struct span in,
	       struct span after, struct span after_label, struct arena *arena,
	       struct directory_object *out, size_t limit, size_t *n, struct err *err);
/* Puts rows of a dump as they are, with their ids, in one change; what is there under
 * the same names is replaced. A row sees what those before it put: EXISTS for a number
 * or a name that is another's, NOT_FOUND where its domain or account is not there.
 * Rows are not held against limits: they come from a directory that did. *n: how
 * many. */
MUST_USE enum directory_result
directory_load(struct directory *d, struct span rows, size_t *n, struct err *err);

/* ---- domains */

struct directory_domain {
	char name[DIRECTORY_DOMAIN_MAX + 1]; /* lower-case A-labels */
	uint64_t id;
	bool enabled;
	uint64_t first_account; /* id; mail for postmaster goes there, 0 none */
	char alias_of[DIRECTORY_DOMAIN_MAX + 1]; /* or "" */
	uint64_t quota_bytes;                    /* of all accounts together; 0 none */
	uint64_t message_bytes_max;              /* 0 as the server's */
	char delimiters[17];                     /* "" as the setting, "none" */
};

MUST_USE enum directory_result
directory_domain_find(struct directory *d, struct span name,
		      struct directory_domain *out, struct err *err);

/* ---- accounts */

struct directory_account {
	char address[DIRECTORY_ADDRESS_MAX + 1]; /* canonical */
	uint64_t id;                             /* never used again; from 1 */
	bool disabled;
	uint64_t quota_bytes;       /* 0 none */
	uint64_t message_bytes_max; /* 0 as the domain's */
	uint64_t created;           /* seconds since 1970 */
	uint64_t last_login;        /* the same; 0 never */
	struct directory_password password;
};

/* An address at a domain that is an alias finds the account it stands for. */
MUST_USE enum directory_result
directory_account_find(struct directory *d, struct span address,
		       struct directory_account *out, struct err *err);
MUST_USE enum directory_result
directory_account_find_id(struct directory *d, uint64_t id,
			  struct directory_account *out, struct err *err);

/* What an automatic reply of the account says. */
struct directory_reply {
	bool on; /* at `now` */
	struct span address, name, subject, text;
	uint64_t interval_s; /* the preset where the account has none */
};
MUST_USE enum directory_result
directory_reply_find(struct directory *d, uint64_t account, uint64_t now,
		     struct arena *arena, struct directory_reply *out, struct err *err);

/* Somebody logged in. */
struct directory_login {
	uint64_t account;
	struct span label;           /* of the app password that was used, or empty */
	uint64_t at;                 /* seconds since 1970 */
	struct span service, client; /* "imap", "192.0.2.1" */
};
/* Notes them in one change; accounts that are gone meanwhile are passed over. */
MUST_USE enum directory_result
directory_note_logins(struct directory *d, const struct directory_login *logins,
		      size_t n, struct err *err);

/* Keeps `fresh` of the account's password, if what is kept of it is still `old`, its
 * crypt(3) string. NOT_FOUND when it is another meanwhile, or the account gone. */
MUST_USE enum directory_result
directory_password_renew(struct directory *d, uint64_t account, const char *old,
			 const struct directory_password *fresh, struct err *err);

/* ---- app passwords */

#define DIRECTORY_LABEL_MAX        64
#define DIRECTORY_APP_PASSWORD_MAX 40 /* bytes of a password's text, with its NUL */

/* Is it one of the account's, for one of the services in `scope`? 1 and its label, 0,
 * -1. Takes microseconds: what is no such password by its form is not looked up. */
MUST_USE int
directory_app_password_find(struct directory *d, struct span address,
			    struct span password, unsigned scope,
			    char label[DIRECTORY_LABEL_MAX + 1], struct err *err);
/* A new one as people type it, and what is kept of it as FIELD_APP_PASSWORD_SECRET. */
MUST_USE int directory_app_password_make(char text[DIRECTORY_APP_PASSWORD_MAX],
					 struct buf *secret, struct err *err);

/* ---- questions of the programs */

struct directory_policy {
	struct span delimiters; /* of plus-addresses, "+" by default; empty: none */
	struct span postmaster; /* gets mail for postmaster; empty: first account */
	uint64_t now;           /* seconds since 1970: whether replies are on */
	struct span sender;     /* reverse-path, for lists */
	uint64_t login;         /* account that sends, for lists; 0 nobody logged in */
};

enum directory_route_kind {
	DIRECTORY_ROUTE_FAULT = -1, /* err says why: answer 451 */
	DIRECTORY_ROUTE_TARGETS,    /* targets[] has at least one */
	DIRECTORY_ROUTE_NOT_LOCAL,  /* no domain of ours */
	DIRECTORY_ROUTE_UNKNOWN,    /* no such user here: 550 5.1.1 */
	DIRECTORY_ROUTE_DISABLED,   /* there, but switched off: 550 5.2.1 */
	DIRECTORY_ROUTE_LOOP,     /* aliases lead in a circle or too deep: 550 5.4.6 */
	DIRECTORY_ROUTE_TOO_MANY, /* more than DIRECTORY_TARGETS_MAX: 550 5.2.4 */
	DIRECTORY_ROUTE_BAD_ADDRESS, /* no address: 553 5.1.3 */
	DIRECTORY_ROUTE_NOT_ALLOWED, /* a list that does not take it: 550 5.7.2 */
};

struct directory_target {
	struct span address;  /* canonical for an account; as written in the alias
			       * when outside */
	uint64_t account;     /* 0: outside, to be sent on */
	uint64_t quota_bytes; /* of the account; 0 none */
	uint64_t domain;      /* id of the account's domain */
	uint64_t domain_quota_bytes; /* of all accounts in it; 0 none */
	uint64_t message_bytes_max;  /* of the account or else its domain; 0 none */
	struct span detail;          /* what stood behind the delimiter, or empty */
	char delimiter;              /* that stood before it */
	struct span sender; /* takes the place of the reverse-path; empty: none does */
	bool reply;         /* the account's automatic reply is on */
	bool reply_only; /* for that alone: the mail goes on to its forward targets */
};

struct directory_route {
	enum directory_route_kind kind;
	struct directory_target *targets; /* in the arena, none twice */
	size_t n;
	unsigned skipped; /* targets of aliases that are gone or disabled */
	bool by_alias;    /* the address was not the account's own */
};

/* Where mail for `address` goes. Looked up in this order: account, alias, list, all
 * three without the detail, catch-all, postmaster. The kind is returned and in *out. */
MUST_USE enum directory_route_kind
directory_resolve(struct directory *d, struct span address,
		  const struct directory_policy *policy, struct arena *arena,
		  struct directory_route *out, struct err *err);

/* Before several addresses are resolved, or looked up, in one task: what the directory
 * knows of this one, or of a "group:NAME", will be asked for together with the others
 * where each question takes a while. A hint. */
void directory_expect(struct directory *d, struct span item);

/* May the account send as `address`? Its own, that with a detail, every alias of ours
 * that leads to it, a list that it owns or may post to as `poster`; the empty address
 * always. 1 yes, 0 no, -1. */
MUST_USE int
directory_may_send(struct directory *d, uint64_t account, struct span address,
		   const struct directory_policy *policy, struct err *err);

/* Is the account one of the domain's administrators? 1 yes, 0 no, -1. */
MUST_USE int directory_administers(struct directory *d, uint64_t account,
				   struct span domain, struct err *err);

#include "common/directory/note.h"
#include "common/directory/request.h"
#include "common/directory/schema.h"
#include "common/directory/task.h"
