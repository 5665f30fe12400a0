/* qmgr/admin_row.h - what an operator is told about a message
 *
 * Rows as common/detail has them: as many as its recipients need. `envelope` is null
 * when it cannot be read; the row then has none.
 */
#pragma once

#include "qmgr/qmgr.h"

#define ADMIN_ENVELOPE_MAX (16u << 10) /* when a row has so much, another begins */

/* With the recipients that wait. */
void admin_row_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
		    const struct entry *e, const struct envelope *envelope);

/* With all recipients, and the header block of the message: the only place where
 * this program reads of its content, and no more than DETAIL_HEADERS_MAX bytes. */
void admin_show_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
		     const struct entry *e, const struct envelope *envelope);
