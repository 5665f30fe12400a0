/* common/spool/target.h - where a recipient address finally leads
 *
 * authd writes the list (ipc resolved.targets), smtpd carries it unread into the
 * envelope, qmgr delivers by it. The list is the targets one after another:
 *
 *   u8 kind | u64 account | u32 length, address [| u32 length, sender]
 *
 * Little-endian; the sender stands in a TARGET_FORWARD only. An empty list is no
 * targets.
 */
#pragma once

#include "common/base/base.h"

#define TARGET_ADDRESS_MAX 1024 /* bytes of one address */

enum target_kind {
	TARGET_ACCOUNT = 1, /* a mailbox here */
	TARGET_REMOTE = 2,  /* another server; account is 0 */
	/* Another server, to which an address of ours leads: the next server gets to
	 * see a sender of its own. */
	TARGET_FORWARD = 3,
};

struct target {
	enum target_kind kind;
	uint64_t account;    /* number of the account; 0 for the other kinds */
	struct span address; /* the final address, with its "+detail" if any */
	struct span sender;  /* of TARGET_FORWARD: reverse-path for the next server,
			      * empty for the null sender */
};

void target_put(struct buf *list, const struct target *t);

/* Takes the next target of a list; false at its end, and for a list that is
 * damaged (the cursor then has failed). Addresses point into the list. */
MUST_USE bool target_next(struct cursor *list, struct target *out);

/* Walks a list that nobody vouches for: true and the number of targets when it is
 * whole. */
MUST_USE bool target_list_check(struct span list, size_t *n);
