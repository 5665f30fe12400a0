/* imapd/session/list.h - all names there are, as a tree in order; private to this room
 *
 * Names live as long as the account is not called otherwise.
 */
#pragma once

#include "imapd/session/inner.h"

struct name {
	struct span text;
	uint32_t id; /* 0: no such mailbox */
	uint8_t special_use;
	bool subscribed;
	bool children;         /* there are mailboxes below it */
	bool subscribed_below; /* there are subscribed names below it */
};

struct names {
	struct name *at;
	size_t n, size;
};

/* Mailboxes, subscribed names, and what stands above them, each before what is below
 * it. */
void names_gather(const struct store_account *mail, struct names *out);
void names_release(struct names *names);
/* Order as in `names`. */
MUST_USE int name_compare(struct span a, struct span b);
/* It is `above`, or below it. */
MUST_USE bool name_within(struct span name, struct span above);

enum list_style {
	LIST_PLAIN,
	LIST_EXTENDED,
	LIST_LSUB,
};

struct list_line {
	enum list_style style;
	bool subscribed; /* \Subscribed where it is */
	bool childinfo;  /* CHILDINFO where there is something below */
	struct span old; /* OLDNAME */
	bool utf8;
};

void
put_name_line(const struct name *name, const struct list_line *line, struct buf *out);
