/* common/table/hop.h - the results of route tables, as transport(5) has them
 *
 *   smtp:[mail.example.org]:2525   that host        -> "mail.example.org:2525"
 *   smtp:example.org               its MX           -> "mx:example.org"
 *   :[192.0.2.1]                   the same, by whatever speaks SMTP
 *   lmtp:mail.example.org:24       that host, by LMTP -> "lmtp://mail.example.org:24";
 *                                  so are lmtp:[HOST]:PORT and lmtp:inet:HOST:PORT
 *   smtp:  and  :                  as without a table
 *   error:5.1.2 no such place      refused; retry: is refused for now
 */
#pragma once

#include "common/table/action.h"

enum table_hop {
	TABLE_HOP_NONE,   /* as without a table */
	TABLE_HOP_ROUTE,  /* *to is what the `to` of a route would be */
	TABLE_HOP_REFUSE, /* *refusal says how */
	TABLE_HOP_WRONG,  /* nothing that is known here */
};

MUST_USE enum table_hop
table_hop_parse(struct span result, struct buf *to, struct table_action *refusal);

/* Why it is TABLE_HOP_WRONG. */
MUST_USE const char *table_hop_fault(struct span result);
