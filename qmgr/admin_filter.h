/* qmgr/admin_filter.h - which messages an operator means
 *
 * Those for which all that is given holds: the status, the sender, and a recipient
 * who still waits. Sender and recipient are given as an address or as a domain; of
 * a recipient it is the address where its mail goes, which may be another than the
 * one in RCPT. "<>" is the null sender.
 */
#pragma once

#include "qmgr/qmgr.h"

struct admin_filter {
	uint8_t status;  /* enum queue_status + 1; 0: any */
	char *to, *from; /* null: any */
};

enum admin_match {
	ADMIN_MATCH_NO,
	ADMIN_MATCH_YES,
	ADMIN_MATCH_READ, /* the envelope decides */
};

void admin_filter_init(struct admin_filter *f, const struct ipc_queue_ask *ask);
void admin_filter_release(struct admin_filter *f);

/* By what is in memory. */
MUST_USE enum admin_match
admin_filter_look(const struct admin_filter *f, const struct queue *q,
		  const struct entry *e);
MUST_USE bool admin_filter_read(const struct admin_filter *f, const struct entry *e,
				const struct envelope *envelope);
