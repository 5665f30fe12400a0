/* common/directory/note.h - small numbers about accounts that must outlive a restart
 *
 * What    which senders an automatic reply went to, of what share of its quota an
 *         account was told, and whose an account was that is removed. A note is found
 *         by kind, account and what it is about; it may have an end, after which it
 *         counts as not there and is cleaned away. Notes are in no dump and no backup:
 *         without one somebody is told twice, or mail has only a number.
 */
#pragma once

/* The door includes this file at its end. */
#include "common/directory/directory.h"

#define DIRECTORY_NOTE_ABOUT_MAX 320 /* bytes */

enum directory_note_kind {
	DIRECTORY_NOTE_REPLIED = 'r', /* about: the sender; value: when */
	DIRECTORY_NOTE_QUOTA = 'q',   /* percent; a domain's has its name as `about` */
	DIRECTORY_NOTE_REMOVED = 'x', /* about: the address it had; value: until when */
};

struct directory_note {
	enum directory_note_kind kind;
	uint64_t account; /* id; 0: no account's */
	struct span about;
	uint64_t value;
	uint64_t ends; /* seconds since 1970; 0 never */
};

/* 1 and *value, 0 there is none or it has ended, -1. */
MUST_USE int directory_note_find(struct directory *d, enum directory_note_kind kind,
				 uint64_t account, struct span about, uint64_t now,
				 uint64_t *value, struct err *err);
/* BAD_VALUE for an `about` that is too long. */
MUST_USE enum directory_result
directory_note_put(struct directory *d, const struct directory_note *note,
		   struct err *err);
MUST_USE enum directory_result
directory_note_remove(struct directory *d, enum directory_note_kind kind,
		      uint64_t account, struct span about, struct err *err);

/* Of the notes of that kind about the account, the one with the greatest value, ended
 * or not: 1, *value and what it is about, 0 there is none, -1. */
MUST_USE int
directory_note_latest(struct directory *d, enum directory_note_kind kind,
		      uint64_t account, char about[DIRECTORY_NOTE_ABOUT_MAX + 1],
		      uint64_t *value, struct err *err);
/* Removes all of that kind about the account. */
MUST_USE enum directory_result
directory_notes_remove(struct directory *d, enum directory_note_kind kind,
		       uint64_t account, struct err *err);

/* Where a cleaning goes on; empty: at the beginning. */
struct directory_cleaning {
	char key[1 + 1 + 8 + DIRECTORY_NOTE_ABOUT_MAX];
	size_t n;
};

#define DIRECTORY_CLEAN_PAGE 250

/* Looks at the next DIRECTORY_CLEAN_PAGE notes, removes in one change those that have
 * ended, and puts into *next where to go on; empty when that was the last page. */
MUST_USE enum directory_result
directory_notes_clean(struct directory *d, const struct directory_cleaning *from,
		      uint64_t now, struct directory_cleaning *next, size_t *removed,
		      struct err *err);
