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
 * hears of all that is here, and of every later change. OK, BUSY, FAULT. */
MUST_USE enum store_result
store_import_begin(struct store_account *account, int64_t now_us, struct err *err);

#define STORE_UIDVALIDITY_MAX (UINT32_MAX - (1u << 20)) /* higher ones can come */

/* Makes the mailbox and the levels above it where they are missing, and gives it all
 * that at once. Whoever looks at it meanwhile learns of a new UIDVALIDITY when he
 * selects it again. OK, LIMIT (too many, the name, the UIDVALIDITY), BUSY, FAULT. */
MUST_USE enum store_result
store_import_mailbox(struct store_account *account,
		     const struct store_import_mailbox *mailbox, int64_t now_us,
		     uint32_t *id, bool *made, struct err *err);
