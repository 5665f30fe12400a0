/* common/table/action.h - the results of access tables, as access(5) has them */
#pragma once

#include "common/base/base.h"

enum table_action_kind {
	ACTION_OK,    /* this list of tables asks no further */
	ACTION_DUNNO, /* this table says nothing; the next one is asked */
	ACTION_REFUSE,
	ACTION_DISCARD, /* the whole message is taken and forgotten */
	/* As DUNNO, and: */
	ACTION_WARN,            /* a warning in the log */
	ACTION_INFO,            /* a line in the log */
	ACTION_HOLD,            /* the message waits for the operator */
	ACTION_REDIRECT,        /* it goes to `text` instead of its recipients */
	ACTION_BCC,             /* it goes to `text` too */
	ACTION_PREPEND,         /* `text` is a header field before all others */
	ACTION_DEFER_IF_PERMIT, /* refused so if nothing else refuses it */
	ACTION_DEFER_IF_REJECT, /* refused so if anything would refuse it for good */
};

#define TABLE_REPLY_TEXT_MAX   400
#define TABLE_HEADER_BYTES_MAX 900 /* of PREPEND; a line has 998 [RFC5322 2.1.1] */

struct table_action {
	enum table_action_kind kind;
	unsigned code;    /* REFUSE, DEFER_IF: 400 to 599 */
	char status[12];  /* the same: "5.7.1" */
	struct span text; /* points into the result, or to a text of our own */
};

/* Null, or what is wrong: an action that is not known, an argument that is missing or
 * cannot be. */
MUST_USE const char *table_action_parse(struct span result, struct table_action *out);
