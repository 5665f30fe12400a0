/* common/maildir/uidlist.h - dovecot-uidlist, and courierimapuiddb, which is its first
 * version
 *
 *   3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
 *   25006 S1234 W1260 Pabc :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
 *
 *   1 1275660208 25022
 *   25006 1276528487.M364837P9451.kurkku
 */
#pragma once

#include "common/base/base.h"

struct uidlist_head {
	unsigned version; /* 1 or 3 */
	uint32_t uidvalidity, uidnext;
};

struct uidlist_row {
	uint32_t uid;
	struct span file; /* with or without flags, which may be old */
	struct span uidl; /* P */
	struct span guid; /* G: 32 hexadecimal digits of our own, else as it is */
	/* What we write, and others pass over: */
	int64_t saved_us;    /* T; 0: none */
	int64_t internal_us; /* I; 0: none */
	struct span flags;   /* F: letters, as in the name of a file */
	uint64_t keywords; /* K: those that have no letter; bits of all, hexadecimal */
};

/* The first line, off the front of *rest. False when it is none. */
MUST_USE bool uidlist_head_next(struct span *rest, struct uidlist_head *out);
/* The next row; a line that is none is passed over. False after the last. */
MUST_USE bool
uidlist_row_next(struct span *rest, unsigned version, struct uidlist_row *out);

/* As version 3; lines end with LF. What cannot stand in a line is left out. */
void uidlist_head_put(const struct uidlist_head *head, struct buf *out);
void uidlist_row_put(const struct uidlist_row *row, struct buf *out);
