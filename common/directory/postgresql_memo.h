/* common/directory/postgresql_memo.h - what a task has asked and heard; for this room
 *
 * What    a question is a get, a page of a walk, or a count. It stands here from when
 *         it is first asked; an answer, once it is here, is the same in every run.
 * Memory  owned by its task; spans of answers live until memo_release().
 */
#pragma once

#include "common/directory/postgresql_row.h"

enum memo_kind {
	MEMO_GET,
	MEMO_PAGE, /* up to `limit` records behind `after` */
	MEMO_COUNT,
};

struct memo_record {
	struct span key, value;
};

struct memo_entry {
	struct memo_entry *next, *next_wanted;
	enum memo_kind kind;
	struct span key, after; /* key: of a get; or a prefix */
	size_t limit;
	bool here;
	struct memo_record *records; /* a get has one or none */
	size_t n;
	size_t count;
};

#define MEMO_BUCKETS   256
#define MEMO_BYTES_MAX (64U << 20)

struct memo {
	struct arena arena;
	struct memo_entry *buckets[MEMO_BUCKETS];
	struct memo_entry *wanted; /* not here yet, oldest first */
	struct memo_entry **wanted_end;
	size_t n_wanted;
};

void memo_init(struct memo *m);
void memo_release(struct memo *m);
/* Null when the memo is full. */
struct memo_entry *memo_find(struct memo *m, enum memo_kind kind, struct span key,
			     struct span after, size_t limit);

/* Takes the answer to an entry. -1: the rows are no records. */
MUST_USE int
memo_take(struct memo *m, struct memo_entry *e, const struct pgsql_answer *answer,
	  size_t query, struct err *err);
/* Takes the answer to all wanted gets from one relation, whose rows come in any order
 * and only where there is a record. -1: the rows are no records. */
MUST_USE int
memo_take_gets(struct memo *m, const struct relation *r,
	       const struct pgsql_answer *answer, size_t query, struct err *err);
/* The first get from a relation, from a wanted entry on; null: none. */
struct memo_entry *memo_next_get(struct memo_entry *wanted, const struct relation *r);
/* An answer in another memo's memory; null when that is full. */
struct memo_entry *memo_copy(struct memo *to, const struct memo_entry *e);
/* All wanted ones are here. */
void memo_heard(struct memo *m);
