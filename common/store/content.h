/* common/store/content.h - the bytes of one message: its prefix, then its content
 *
 * The CRC is checked at opening, in bounded memory; that of a large message once, as
 * long as the handle opens no other large one. A message stays readable while it is
 * open, even when it is expunged and compacted meanwhile.
 */
#pragma once

#include "common/store/view.h"

#define STORE_PIECE_MAX (256u << 10)

struct store_content;

/* OK, NONE (expunged), BUSY (a compaction moved it, and the view could not be
 * refreshed), DAMAGED (*err names account, mailbox, uid and what), FAULT. */
MUST_USE enum store_result
store_content_open(struct store_account *account, uint32_t mailbox, uint32_t uid,
		   struct store_content **out, struct err *err);
void store_content_close(struct store_content **content);

MUST_USE uint64_t store_content_size(const struct store_content *content);
/* Where the message as it arrived begins. */
MUST_USE uint64_t store_content_prefix(const struct store_content *content);

/* The POP3 unique-id that the message, or what it is a copy of, was imported with; it
 * lives until the next call on any account of the store. OK, NONE (it has none: its
 * guid is one, or a compaction moved everything), DAMAGED, FAULT. */
MUST_USE enum store_result
store_uidl_get(struct store_account *account, const struct store_record *record,
	       struct span *out, struct err *err);

/* Up to n bytes from `offset` on; shorter at the end and where a piece ends, empty
 * only at the end. *out lives until the next call on the content. OK, FAULT. */
MUST_USE enum store_result
store_content_read(struct store_content *content, uint64_t offset, size_t n,
		   struct span *out, struct err *err);
