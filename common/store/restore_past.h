/* common/store/restore_past.h - what the files that look back share; inside the room
 * only */
#pragma once

#include "common/store/history.h"

struct store_past {
	struct store_account *account; /* of now; it has a view */
	struct view *view; /* of then, with what had been expunged by then */
	struct history history;
};

MUST_USE bool past_live(const struct store_record *r);
/* Is it still in that mailbox? */
MUST_USE bool past_still_there(const struct store_account *a, uint32_t mailbox,
			       const struct store_record *r);
