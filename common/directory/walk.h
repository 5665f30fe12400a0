/* common/directory/walk.h - one resolve on its way; for this room only
 *
 * Every function that can fault returns -1; what ends the walk otherwise stands in
 * `end`.
 */
#pragma once

#include "common/directory/internal.h"

struct walk {
	struct directory *d;
	const struct directory_policy *policy;
	struct arena *arena;
	struct directory_route *out;
	size_t room;       /* of out->targets */
	struct span *seen; /* aliases, lists, groups, forwards that were followed */
	size_t n_seen, room_seen;
	size_t reached;     /* targets, those that were there already too */
	struct span sender; /* of the list it is in */
	bool in_list;
	bool authors;   /* who may send as it, instead of who gets it */
	struct span by; /* the name of a list, there or not: does it come by it? */
	bool came;
	bool circle, disabled, not_allowed, postmaster;
	bool over; /* `end` says why */
	enum directory_route_kind end;
	struct err *err;
};

/* resolve.c */
MUST_USE int walk_address(struct walk *w, struct span address, unsigned depth);
/* Follows every address in the items; they stay where they are. */
MUST_USE int walk_items(struct walk *w, struct span items, unsigned depth);
int walk_end(struct walk *w, enum directory_route_kind kind);
/* False when it was followed before: a circle, or two ways to it. */
MUST_USE bool walk_first_time(struct walk *w, struct span what);

/* target.c */
MUST_USE int walk_target(struct walk *w, struct directory_target t);
/* An account that was just read: it, and where it forwards to. */
MUST_USE int
walk_account(struct walk *w, const struct directory_object *account,
	     const struct directory_name *n, const struct directory_domain *domain,
	     struct span detail, char delimiter, unsigned depth);

/* posting.c: the members of a list that was just read, when the sender may post */
MUST_USE int walk_list(struct walk *w, const struct directory_object *list,
		       const struct directory_name *n, unsigned depth);
