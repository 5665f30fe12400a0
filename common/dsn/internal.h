/* common/dsn/internal.h - between the files of this room only */
#pragma once

#include "common/dsn/compose.h"
#include "common/dsn/put.h"

struct key_place {
	enum dsn_key key; /* DSN_KEYS: there is no such key */
	struct span name;
};

/* Takes text up to a '$', and the key's name behind it, off the front of *rest.
 * False when there is no further key: *before is then what was left. */
MUST_USE bool key_next(struct span *rest, struct span *before, struct key_place *key);

/* What a letter is made of, computed once. */
struct material {
	const struct dsn_letter *letter;
	bool global;       /* addresses in UTF-8: the types of [RFC6533] */
	struct span block; /* the header of the message the report is about */
	struct buf words;  /* what the values point into */
	struct span values[DSN_KEYS];
};

/* [RFC3463] as the report says it: what the row has, made to fit its action. */
struct status {
	uint16_t class, subject, detail;
};

MUST_USE struct status row_status(const struct dsn_row *row);

/* In plain words what the status means; never empty. */
MUST_USE struct span status_words(const struct status *s);

MUST_USE enum dsn_template letter_template(const struct dsn_letter *l);
/* All values but those of rows; m->words has its room already and does not move. */
void values_make(struct material *m);
/* The text that people read. */
void text_put(struct buf *out, struct material *m);
/* [RFC3464 2] the fields that programs read. */
void status_put(struct buf *out, const struct material *m);
