/* common/store/import.h - what only mail from elsewhere needs
 *
 * A mailbox gets the UIDVALIDITY and UIDNEXT it had there; its messages are appended
 * with the uid, dates, guid and POP3 unique-id that struct store_message has for them.
 * UIDs only ever ascend: what has one below UIDNEXT must take another.
 */
#pragma once

#include "common/store/view.h"

struct store_import_mailbox {
	struct span name;
	enum store_special_use use; /* NONE: as it is */
	bool subscribe;             /* false: as it is */
	uint32_t uidvalidity;       /* 0: as it is */
	uint32_t uidnext;           /* at least; 0: as it is */
};

/* To be called before an import: MODSEQs from here on are above 2^33, and so above what
 * any other server may have given. A client that comes with one of those [RFC7162] then
 * hears of all that is here, and of every later change.
 * And what this handle appends from here on is durable before the journal speaks of it:
 * of a power loss there is then left what was appended up to some message, none of it
 * torn, and UIDNEXT is behind that one: what is missing can come again under its own
 * uid. OK, BUSY, FAULT. */
MUST_USE enum store_result
store_import_begin(struct store_account *account, int64_t now_us, struct err *err);

/* What an importer wants to know of the account the next time: bytes that the store
 * does not look into, in a file of their own. Replaced whole or not at all, and never
 * needed to read mail. */
#define STORE_IMPORT_NOTES_MAX (2u << 30)
MUST_USE int store_import_notes_put(struct store_account *account, struct span notes,
				    struct err *err);
/* Appended to *out. OK, NONE (there are none that are whole), FAULT. */
MUST_USE enum store_result
store_import_notes_get(struct store_account *account, struct buf *out, struct err *err);

#define STORE_UIDVALIDITY_MAX (UINT32_MAX - (1u << 20)) /* higher ones can come */

/* Makes the mailbox and the levels above it where they are missing, and gives it all
 * that at once. Whoever looks at it meanwhile learns of a new UIDVALIDITY when he
 * selects it again. OK, LIMIT (too many, the name, the UIDVALIDITY), BUSY, FAULT. */
MUST_USE enum store_result
store_import_mailbox(struct store_account *account,
		     const struct store_import_mailbox *mailbox, int64_t now_us,
		     uint32_t *id, bool *made, struct err *err);
