/* common/directory/directory.h - accounts, domains, aliases: who is here, what leads
 * where
 *
 * What    the operations of `postroad domain|account|alias` and the questions of
 *         the programs: resolve an address, find a login, may a login send as
 *         an address. Policy only: what a mailbox holds is the store's.
 * RFC     [RFC5321 4.5.1] postmaster, [RFC5321 2.4] local parts (ours ignore case),
 *         [RFC5233 1] the detail behind a delimiter.
 * Trust   names may be a peer's. Damaged records are faults, never a crash.
 * Memory  struct directory is owned by one thread of one process: a second
 *         opener gets DIRECTORY_IN_USE. Records are values; lists of targets
 *         live in the caller's arena.
 *
 * Every function is synchronous and, once cached, takes microseconds; those that
 * change something return after it is durable. *err holds a line for the
 * operator after every result but DIRECTORY_DONE.
 */
#pragma once

#include "common/base/base.h"
#include "common/directory/field.h"
#include "common/directory/name.h"
#include "common/directory/password.h"

#define DIRECTORY_TARGETS_MAX 1000 /* of an alias, and of a whole expansion */
/* All targets of an alias together: a listing's row fits one ipc packet. */
#define DIRECTORY_ALIAS_BYTES_MAX (40U << 10)
#define DIRECTORY_DEPTH_MAX       10 /* aliases behind aliases */
#define DIRECTORY_CACHE_BYTES     (8U << 20)
#define DIRECTORY_SECRET_BYTES    32
/* Room that one resolve or alias may need at most in its arena. */
#define DIRECTORY_ARENA_BYTES (1U << 20)

enum directory_result {
	DIRECTORY_FAULT = -1,
	DIRECTORY_DONE,
	DIRECTORY_EXISTS,
	DIRECTORY_NOT_FOUND,
	DIRECTORY_IN_USE, /* domain: accounts or aliases remain; open: another owner */
	DIRECTORY_BAD_NAME, /* err says what is wrong */
};

struct directory;

struct directory_options {
	const char *folder; /* made (0700) when missing; its parent must exist */
	size_t cache_bytes; /* 0: DIRECTORY_CACHE_BYTES */
};

/* DONE, IN_USE or FAULT. Recovers after a crash. Files belong to the caller, so
 * root calls directory_become_owner() first. */
MUST_USE enum directory_result directory_open(const struct directory_options *options,
					      struct directory **out, struct err *err);
void directory_free(struct directory **d);

/* When this process is root, takes the effective user and group of the folder's
 * owner, so that what it writes stays readable to authd. No-op otherwise. */
MUST_USE int directory_become_owner(const char *folder, struct err *err);

/* DIRECTORY_SECRET_BYTES random bytes, made with the directory and kept. */
struct span directory_secret(const struct directory *d);

/* ---- domains */

struct directory_domain {
	char name[DIRECTORY_DOMAIN_MAX + 1]; /* lower-case A-labels */
	uint64_t id;
	bool enabled;
	uint64_t first_account; /* id; mail for postmaster goes there, 0 none */
};

MUST_USE enum directory_result
directory_domain_add(struct directory *d, struct span name, struct err *err);
/* IN_USE while accounts or aliases remain. */
MUST_USE enum directory_result
directory_domain_remove(struct directory *d, struct span name, struct err *err);
MUST_USE enum directory_result
directory_domain_enable(struct directory *d, struct span name, bool enabled,
			struct err *err);
MUST_USE enum directory_result
directory_domain_find(struct directory *d, struct span name,
		      struct directory_domain *out, struct err *err);
/* Up to `limit` domains whose name is greater than `after` (empty: from the
 * start), in order; fewer than `limit` means the end. DONE or FAULT. */
MUST_USE enum directory_result
directory_domain_list(struct directory *d, struct span after,
		      struct directory_domain *out, size_t limit, size_t *n,
		      struct err *err);

/* ---- accounts */

struct directory_account {
	char address[DIRECTORY_ADDRESS_MAX + 1]; /* canonical */
	uint64_t id;                             /* never used again; from 1 */
	bool disabled;
	uint64_t quota_bytes; /* 0 none */
	uint64_t created;     /* seconds since 1970 */
	struct directory_password password;
};

/* `created` is now, in seconds. EXISTS for an account or alias of that address;
 * NOT_FOUND when the domain is not here. *id may be null. */
MUST_USE enum directory_result
directory_account_add(struct directory *d, struct span address,
		      const struct directory_password *password, uint64_t quota_bytes,
		      uint64_t created, uint64_t *id, struct err *err);
MUST_USE enum directory_result
directory_account_remove(struct directory *d, struct span address, struct err *err);
MUST_USE enum directory_result
directory_account_find(struct directory *d, struct span address,
		       struct directory_account *out, struct err *err);
MUST_USE enum directory_result
directory_account_find_id(struct directory *d, uint64_t id,
			  struct directory_account *out, struct err *err);
MUST_USE enum directory_result
directory_account_set_password(struct directory *d, struct span address,
			       const struct directory_password *password,
			       struct err *err);
MUST_USE enum directory_result
directory_account_set_quota(struct directory *d, struct span address,
			    uint64_t quota_bytes, struct err *err);
MUST_USE enum directory_result
directory_account_set_disabled(struct directory *d, struct span address, bool disabled,
			       struct err *err);
/* As directory_domain_list(), by domain and then local part; `after` is the
 * address of the last one got. A domain that is not empty limits it to that. */
MUST_USE enum directory_result
directory_account_list(struct directory *d, struct span domain, struct span after,
		       struct directory_account *out, size_t limit, size_t *n,
		       struct err *err);

/* ---- aliases */

struct directory_alias {
	struct span address; /* canonical; "@domain" is a catch-all */
	struct span *targets;
	size_t n_targets;
};

/* Adds targets to a new alias or one that is there. EXISTS when all are there
 * already, or an account has the address; NOT_FOUND for a domain that is not
 * here or a target at one of ours that nothing leads to. */
MUST_USE enum directory_result
directory_alias_add(struct directory *d, struct span address,
		    const struct span *targets, size_t n, struct err *err);
/* Takes those targets out, and the alias with the last; n 0 takes all. */
MUST_USE enum directory_result
directory_alias_remove(struct directory *d, struct span address,
		       const struct span *targets, size_t n, struct err *err);
MUST_USE enum directory_result
directory_alias_find(struct directory *d, struct span address, struct arena *arena,
		     struct directory_alias *out, struct err *err);
/* As directory_account_list(), but a page may end early: the end is where *n is
 * 0. An arena of DIRECTORY_ARENA_BYTES holds one alias at least. */
MUST_USE enum directory_result
directory_alias_list(struct directory *d, struct span domain, struct span after,
		     struct arena *arena, struct directory_alias *out, size_t limit,
		     size_t *n, struct err *err);

/* ---- questions of the programs */

struct directory_policy {
	struct span delimiters; /* of plus-addresses, "+" by default; empty: none */
	struct span postmaster; /* gets mail for postmaster; empty: first account */
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
};

struct directory_target {
	struct span address;  /* canonical for an account; as written in the alias
			       * when outside */
	uint64_t account;     /* 0: outside, to be sent on */
	uint64_t quota_bytes; /* of the account; 0 none */
	struct span detail;   /* what stood behind the delimiter, or empty */
};

struct directory_route {
	enum directory_route_kind kind;
	struct directory_target *targets; /* in the arena, none twice */
	size_t n;
	unsigned skipped; /* targets of aliases that are gone or disabled */
	bool by_alias;    /* the address was not the account's own */
};

/* Where mail for `address` goes. Looked up in this order: account, alias, both
 * without the detail, catch-all, postmaster. The kind is returned and in *out. */
MUST_USE enum directory_route_kind
directory_resolve(struct directory *d, struct span address,
		  const struct directory_policy *policy, struct arena *arena,
		  struct directory_route *out, struct err *err);

/* May the account send as `address`? Its own, that with a detail, and every
 * alias of ours that leads to it; the empty address always. 1 yes, 0 no, -1. */
MUST_USE int
directory_may_send(struct directory *d, uint64_t account, struct span address,
		   const struct directory_policy *policy, struct err *err);

#include "common/directory/request.h"
#include "common/directory/task.h"
