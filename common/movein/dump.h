/* common/movein/dump.h - what the files that read dumps share; for this room only */
#pragma once

#include "common/movein/table.h"

#define TABLES_MAX 2000

struct table {
	struct span name;
	struct span *columns;
	size_t n;
};

struct dump {
	struct span rest;
	const char *wanted; /* the one table, or null */
	bool mysql;         /* strings have escapes by a backslash */
	struct table *tables;
	size_t n_tables;
	struct buf bytes; /* of the row's values, one behind the other */
	struct span values[MOVEIN_COLUMNS_MAX];
	size_t ends[MOVEIN_COLUMNS_MAX];
	bool nulls[MOVEIN_COLUMNS_MAX];
	size_t n;
	movein_take_row *take;
	void *context;
	size_t taken, bad;
};

/* Passes over n bytes. */
void dump_skip(struct dump *d, size_t n);
/* Over spaces and comments. */
void dump_skip_blank(struct dump *d);
/* To `stop` or `or_stop` outside of quotes and parentheses, or to the end. */
void dump_skip_to(struct dump *d, char stop, char or_stop);
/* To behind the semicolon. */
void dump_skip_statement(struct dump *d);

/* These pass over blanks before what they take. A name loses its quotes and its
 * schema; a word is none when it goes on. */
MUST_USE bool dump_take_char(struct dump *d, char c);
struct span dump_take_name(struct dump *d);
MUST_USE bool dump_take_word(struct dump *d, const char *word);
