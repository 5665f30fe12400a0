/* common/directory/internal.h - what the files of this room share */
#pragma once

#include "common/directory/record.h"

struct directory {
	struct backend *backend;
	int lock_fd;
	uint8_t secret[DIRECTORY_SECRET_BYTES];
	struct buf value;                           /* of the last directory_get() */
	struct span targets[DIRECTORY_TARGETS_MAX]; /* of the last alias read */
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

/* The id after all that were given; the change that says so goes into `value`,
 * to be applied with what uses the id. */
MUST_USE int directory_next_id(struct directory *d, struct buf *value, uint64_t *id,
			       struct err *err);
struct record_key directory_next_id_key(void);

/* By canonical names: 1 there, 0 not, -1. */
MUST_USE int directory_load_domain(struct directory *d, struct span domain,
				   struct directory_domain *out, struct err *err);
MUST_USE int directory_load_account(struct directory *d, const struct directory_name *n,
				    struct directory_account *out, struct err *err);
MUST_USE int directory_load_id(struct directory *d, uint64_t id,
			       struct directory_account *out, struct err *err);
/* The targets stand in d->targets until the next get. */
MUST_USE int directory_load_alias(struct directory *d, const struct directory_name *n,
				  size_t *n_targets, struct err *err);

/* The first account that is not disabled, of a domain (empty: of all). */
MUST_USE int directory_first_enabled(struct directory *d, struct span domain,
				     struct directory_account *out, struct err *err);

/* May an account or alias here have that name? [RFC5321 4.1.2] Dot-string. */
MUST_USE bool directory_name_ours(const struct directory_name *n, struct err *err);
/* Where a page begins: the key of `after`, none when it is empty; -1 when it is
 * no address. */
MUST_USE int directory_page_start(enum record_kind kind, struct span after,
				  struct record_key *out, struct err *err);
