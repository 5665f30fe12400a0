/* common/store/text.h - what SEARCH looks into: the decoded, folded text of messages
 *
 * text.N holds the texts of the messages in data.N. It is derived and made some time
 * after delivery, by store_text_fill(); all answers here are the same without it, if
 * slower. Every byte that is given out was checked by its CRC. docs/search.md tells
 * what the text of a message is.
 *
 *   while (!done) store_text_fill(account, 256 << 10, &done, &err);   a step a turn
 *   for (uids.first = 1; ; uids.first = block.next) {
 *           store_text_block(account, mailbox, uids, &block, &err);   some, a step
 *           if (text_find(block.all, needle) < block.all.n)           else none has it
 *                   for each of block.items: text_find(item->text.body, needle) ..
 *           if (block.next == 0) break;
 *   }
 */
#pragma once

#include "common/store/uids.h"
#include "common/store/view.h"
#include "common/text/text.h"

/* Makes the texts that are missing, of messages with about `bytes_max` bytes in all
 * (but at least one), and writes them. *done: none is missing any more, or can be had;
 * asking again costs next to nothing until there are new messages. Needs a view. OK,
 * BUSY (somebody has the lock: nothing is lost, try again in some ms), FAULT (the disk
 * is full, say: searches go on, slower). */
MUST_USE enum store_result
store_text_fill(struct store_account *account, uint64_t bytes_max, bool *done,
		struct err *err);

struct store_text_item {
	const struct store_record *record;
	struct text_parts text;
	bool damaged; /* the message cannot be read back: it has no text */
};

struct store_text_block {
	const struct store_text_item *items; /* in order of uid */
	size_t n;
	struct span all; /* all texts stand in it, among others: what is not found here
			  * is in none of the items */
	uint32_t next;   /* uid to go on from; 0: the range is done */
	uint64_t bytes;  /* what was read for it: the measure of the work */
};

/* The texts of the first messages of `uids`, as many as lie well together: about
 * 256 KiB, or one that has to be made first (and is then written with others when the
 * lock is free). Spans live until the next call for a text on any account of the store,
 * records as ever; when a compaction has moved everything, the view is refreshed. Needs
 * a view. OK, BUSY (try again in some ms), FAULT. */
MUST_USE enum store_result
store_text_block(struct store_account *account, uint32_t mailbox,
		 struct store_range uids, struct store_text_block *out,
		 struct err *err);

/* The text of one message. OK, NONE (moved by a compaction: refresh the view and find
 * it again), DAMAGED (the content is), FAULT. */
MUST_USE enum store_result
store_text_of(struct store_account *account, const struct store_record *record,
	      struct text_parts *out, struct err *err);

/* Gives back the memory that knows where texts are (some 16 bytes a message), as when
 * an account is idle. New messages get their texts without it; a search reads it again,
 * in some ms a GB. */
void store_text_forget(struct store_account *account);
