/* common/table/action.h - the results of access tables, as access(5) has them */
#pragma once

#include "common/base/base.h"

enum table_action_kind {
	ACTION_OK,    /* this list of tables asks no further */
	ACTION_DUNNO, /* this table says nothing; the next one is asked */
	ACTION_WARN,  /* the same, and a log line */
	ACTION_REFUSE,
	ACTION_DISCARD, /* the whole message is taken and forgotten */
};

#define TABLE_REPLY_TEXT_MAX 400

struct table_action {
	enum table_action_kind kind;
	unsigned code;    /* REFUSE: 400 to 599 */
	char status[12];  /* REFUSE: "5.7.1" */
	struct span text; /* points into the result, or to a text of our own */
};

/* Null, or what is wrong: an action that is not known, an argument that is missing. */
MUST_USE const char *table_action_parse(struct span result, struct table_action *out);
