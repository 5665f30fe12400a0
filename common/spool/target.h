/* common/spool/target.h - where a recipient address finally leads
 *
 * authd writes the list (ipc resolved.targets), smtpd carries it unread into the
 * envelope, qmgr delivers by it. The list is the targets one after another:
 *
 *   u8 kind | u64 account | u32 length, address [| u32 length, sender]
 *   [| u32 length, next hop] [| u32 length, owner]
 *
 * Little-endian; the sender stands in a TARGET_FORWARD only, the next hop in that
 * and in a TARGET_REMOTE, the owner where 128 was added to the kind. An empty list is
 * no targets.
 */
#pragma once

#include "common/base/base.h"

#define TARGET_ADDRESS_MAX  1024 /* bytes of one address */
#define TARGET_NEXT_HOP_MAX 300

enum target_kind {
	TARGET_ACCOUNT = 1, /* a mailbox here */
	TARGET_REMOTE = 2,  /* another server; account is 0 */
	/* Another server, to which an address of ours leads: the next server gets to
	 * see a sender of its own. */
	TARGET_FORWARD = 3,
	/* No mailbox: who sent the message may get an answer that the account has set
	 * up. It is made or not; nobody is told of either. */
	TARGET_REPLY = 4,
};

struct target {
	enum target_kind kind;
	uint64_t account;    /* of TARGET_ACCOUNT and TARGET_REPLY; else 0 */
	struct span address; /* the final address, with its "+detail" if any */
	struct span sender;  /* of TARGET_FORWARD: reverse-path for the next server,
			      * empty for the null sender */
	/* Where a message to another server goes, written as a route's `to`; empty: as
	 * the routes and the DNS have it. */
	struct span next_hop;
	/* Of the list that led here: it takes the place of the reverse-path, and
	 * reports go to it. Empty: none. */
	struct span owner;
};

/* Is it for another server? */
MUST_USE static inline bool
target_is_remote(const struct target *t)
{
	return t->kind == TARGET_REMOTE || t->kind == TARGET_FORWARD;
}

void target_put(struct buf *list, const struct target *t);

/* Takes the next target of a list; false at its end, and for a list that is
 * damaged (the cursor then has failed). Addresses point into the list. */
MUST_USE bool target_next(struct cursor *list, struct target *out);

/* Walks a list that nobody vouches for: true and the number of targets when it is
 * whole. */
MUST_USE bool target_list_check(struct span list, size_t *n);
