/* common/store/change_internal.h - what the files that change a mailbox share */
#pragma once

#include "common/store/internal.h"

/* Messages that were chosen, as ranges. */
struct choice {
	struct buf ranges;
	struct store_range range; /* being made; first 0: none */
	uint64_t n, bytes;
	int64_t unseen;
	struct store_uid_list *uids; /* gets them, too; may be null */
};

typedef bool choose_one(const struct store_record *r, const void *context);

/* Those among uids that a client can see and `take` (null: all) wants. But for uids, c
 * is all zero before. */
void choose(const struct store_account *a, uint32_t mailbox, struct store_uids uids,
	    choose_one *take, const void *context, struct choice *c);

/* What an event says of them; points into c. */
void choice_event(const struct choice *c, struct event *e);

/* As store_batch_begin(), waiting, and with a view that is up to date. */
MUST_USE enum store_result
change_begin(struct store_account *a, int64_t now_us, struct err *err);

/* Appends the event (for what was chosen, if anything), ends the batch and releases the
 * choice, which may be null. */
MUST_USE enum store_result
change_end(struct store_account *a, struct choice *c, struct event *e, struct err *err);

/* Gives the batch up. */
MUST_USE enum store_result
change_refuse(struct store_account *a, enum store_result result);

MUST_USE bool name_good(struct span name);
/* As it is to be written, perhaps in `hold`: INBOX in capitals. */
MUST_USE struct span name_written(struct span name, char hold[STORE_MAILBOX_NAME_MAX]);

/* A new mailbox into the open batch, or those above that are missing. OK, LIMIT. */
MUST_USE enum store_result mailbox_add(struct store_account *a, struct span name,
				       enum store_special_use use, uint32_t *id);
MUST_USE enum store_result mailbox_add_above(struct store_account *a, struct span name);

/* A mailbox that comes from a backup: what it counts goes on above what its clients may
 * know. */
void restored_box(struct state *s, struct store_mailbox *box, uint64_t modseq,
		  int64_t now_us);
