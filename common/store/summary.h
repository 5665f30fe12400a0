/* common/store/summary.h - what was parsed once, at delivery
 *
 * Offsets are those of the content, without the prefix.
 */
#pragma once

#include "common/mime/mime.h"
#include "common/store/view.h"

struct store_summary {
	struct span envelope, body, bodystructure, headers, preview;
	struct span base_subject, from_mailbox, to_mailbox, cc_mailbox;
	struct span from_display, to_display, message_id, references;
	int64_t date_seconds;
	bool is_reply;
	uint64_t header_bytes, lines;
	const struct mime_place *places;
	uint32_t n_places;
};

/* From summary.N, or rendered from the content where that is missing or damaged: the
 * answer is the same. Spans live until the next call on the account's summaries. OK,
 * NONE (no such message), DAMAGED (the content is), FAULT. */
MUST_USE enum store_result
store_summary_get(struct store_account *account, uint32_t mailbox, uint32_t uid,
		  struct store_summary *out, struct err *err);
