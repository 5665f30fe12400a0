/* common/maildir/maildir_internal.h - the parts of the reader of Maildirs */
#pragma once

#include "common/maildir/source_internal.h"

MUST_USE int maildir_open(struct mail_source *s, struct err *err);

/* --- listed.c: a dovecot-uidlist by name ---------------------------------- */

struct listed {
	struct uidlist_head head; /* version 0: there is none */
	struct uidlist_row *rows;
	size_t n, size;
	uint32_t *places; /* open addressing; a row + 1 */
	size_t n_places;
	struct buf text;
};

/* Reads the first of these files that is one. */
void listed_read(struct mail_source *s, const char *folder, const char *const *files,
		 size_t n, struct listed *out);
/* The row of a message's file, whatever its flags; or null. */
MUST_USE const struct uidlist_row *
listed_find(const struct listed *l, struct span base);
void listed_release(struct listed *l);

/* Puts what a row says into the message. */
void listed_apply(struct source_box *b, const struct uidlist_row *row,
		  struct mail_message *m);
/* UIDVALIDITY and UIDNEXT into the box; those that have no UID get the next, in the
 * order they are in. */
void listed_finish(struct source_box *b, const struct listed *l);

/* --- courier.c ------------------------------------------------------------ */

/* What courierimapkeywords/ says, to the messages of the box. */
void courier_keywords_read(struct mail_source *s, struct source_box *b);

/* --- keywords of a box ---------------------------------------------------- */

/* Names of the box's keywords from such a file. */
void keywords_read(struct mail_source *s, const char *folder, const char *file,
		   unsigned most, struct source_box *b);
