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
	struct span places_raw; /* for store_summary_places() */
};

/* From summary.N, or rendered from the content where that is missing or damaged: the
 * answer is the same. Spans live until the next call for a summary on any account of
 * the store. OK, NONE (no such message), BUSY, DAMAGED (the content is), FAULT. */
MUST_USE enum store_result
store_summary_get(struct store_account *account, uint32_t mailbox, uint32_t uid,
		  struct store_summary *out, struct err *err);

/* As above, of a record of the view; `places` stays null (n_places is told), which
 * store_summary_places() fills. Fast when asked in the order of the uids. NONE: the
 * message was moved by a compaction, refresh the view and find it again. */
MUST_USE enum store_result
store_summary_of(struct store_account *account, const struct store_record *record,
		 struct store_summary *out, struct err *err);

/* Decodes the MIME parts of what store_summary_of() has just given. */
void store_summary_places(struct store_account *account, struct store_summary *summary);
