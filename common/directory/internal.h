/* common/directory/internal.h - what the files of this room share */
#pragma once

#include "common/directory/changes.h"
#include "common/directory/note.h"
#include "common/directory/record.h"

struct directory {
	struct backend *backend;
	int lock_fd;
	uint8_t secret[DIRECTORY_SECRET_BYTES];
	struct buf value; /* of the last directory_get() */
};

/* 1 and *value (until the next get), 0 not there, -1. */
MUST_USE int directory_get(struct directory *d, struct record_key key,
			   struct span *value, struct err *err);
MUST_USE int
directory_walk(struct directory *d, struct record_key prefix, struct span after,
	       size_t limit, backend_visit *visit, void *context, struct err *err);
/* Counts no further than `limit`. */
MUST_USE int directory_count(struct directory *d, struct record_key prefix,
			     size_t limit, size_t *n, struct err *err);

MUST_USE enum directory_result
directory_apply(struct directory *d, const struct backend_change *changes, size_t n,
		struct err *err);

/* An outcome with the line for the operator. */
enum directory_result directory_say(enum directory_result r, struct err *err,
				    const char *format, ...) PRINTF(3, 4);
/* That a record is damaged. */
int directory_damaged(struct err *err, struct span key);

/* The id that is given next; directory_ids_given() says so in the change that uses
 * those below `next`. */
MUST_USE int directory_next_id(struct directory *d, uint64_t *id, struct err *err);
void directory_ids_given(struct changes *c, uint64_t next);

/* A note that is put together with other changes; nothing where it is too long. */
void directory_note_change(struct changes *c, const struct directory_note *note);

/* ---- loading: by canonical names; 1 there, 0 not, -1. Texts until the next get. */

MUST_USE int directory_load_object(struct directory *d, enum directory_kind kind,
				   const struct directory_name *n, struct span label,
				   struct directory_object *out, struct err *err);
MUST_USE int directory_load_domain(struct directory *d, struct span domain,
				   struct directory_domain *out, struct err *err);
MUST_USE int directory_load_account(struct directory *d, const struct directory_name *n,
				    struct directory_account *out, struct err *err);
/* The name of the account with that number. */
MUST_USE int directory_load_id(struct directory *d, uint64_t id,
			       struct directory_name *out, struct err *err);
/* The parts of such an object that the programs ask for. */
void directory_domain_of(const struct directory_object *o, struct span name,
			 struct directory_domain *out);
void directory_account_of(const struct directory_object *o, struct span address,
			  struct directory_account *out);

/* The first account that is not disabled, of a domain (empty: of all). */
MUST_USE int directory_first_enabled(struct directory *d, struct span domain,
				     struct directory_account *out, struct err *err);

/* The name with the domain it is an alias of in the place of its own; *domain is the
 * one that counts then. 1, 0 when the domain is not ours, -1. */
MUST_USE int directory_map_domain(struct directory *d, struct directory_name *n,
				  struct directory_domain *domain, struct err *err);

/* Is its automatic reply on? */
MUST_USE bool directory_reply_on(const struct directory_object *account, uint64_t now);

/* Does mail for the address come by the list of that canonical name, which need not be
 * there yet? 1, 0, -1. */
MUST_USE int directory_comes_by(struct directory *d, struct span address,
				struct span list, struct err *err);

/* ---- names */

/* Canonical name and label of an object as it was given. BAD_NAME or DONE. */
MUST_USE enum directory_result
directory_object_name(enum directory_kind kind, struct span name, struct span label,
		      struct record_name *out, struct err *err);
/* May an account, alias, list or group here have that name? [RFC5321 4.1.2]
 * Dot-string. */
MUST_USE bool directory_name_ours(const struct directory_name *n, struct err *err);
/* As `out` shows it: "domain", "local@domain". */
struct span
directory_name_shown(enum directory_kind kind, const struct directory_name *n);

/* ---- changing */

/* One change of one object on its way. */
struct change {
	struct directory *d;
	struct err *err;
	const struct directory_object *wanted;
	struct record_name name;
	struct record_key key;
	bool is_new;
	uint64_t now;
	struct directory_object domain; /* it is in; none for a domain itself */
	struct directory_object object; /* as it is and then as it will be */
	struct arena arena;             /* the texts of both */
	struct changes changes;         /* what changes besides the object */
};

/* Reads an object with its texts into the arena: DONE, NOT_FOUND (*err untouched) or
 * FAULT. */
MUST_USE enum directory_result
change_load(struct change *c, enum directory_kind kind, const struct directory_name *n,
	    struct span label, struct directory_object *out);

/* What the wanted values make of the object's. Addresses become what is kept of
 * them, and lead somewhere when they are ours. */
MUST_USE enum directory_result change_values(struct change *c);

/* What each kind asks for besides. Null: nothing. */
struct kind_rules {
	/* May there be a new one of that name? Its domain is loaded. */
	enum directory_result (*check_new)(struct change *c);
	/* With the values merged: may it be so? Presets of a new one. */
	enum directory_result (*check)(struct change *c);
	/* What else goes when it is removed. */
	enum directory_result (*check_remove)(struct change *c);
};

extern const struct kind_rules domain_rules, account_rules, alias_rules, list_rules,
    group_rules, app_password_rules;

/* For accounts, aliases and lists: is the name ours to give, and free? */
MUST_USE enum directory_result change_check_free(struct change *c);
/* The domain has fewer of the kind than this field of it says. */
MUST_USE enum directory_result
change_check_limit(struct change *c, size_t field, const char *what);
