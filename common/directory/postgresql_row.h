/* common/directory/postgresql_row.h - records as rows of tables; for this room only
 *
 * What    one relation a kind of record: its table, how a key becomes key columns,
 *         how a value becomes the others. Columns of objects are the fields of
 *         field.h under their names; NULL is a value that is absent.
 * Trust   rows are a database's: what cannot be a record is a fault.
 */
#pragma once

#include "common/directory/record.h"
#include "common/pgsql/pgsql.h"

#define ROW_KEYS_MAX    3
#define ROW_COLUMNS_MAX (ROW_KEYS_MAX + DIRECTORY_FIELDS)

enum row_type {
	ROW_TEXT,
	ROW_BIGINT,
	ROW_BYTEA,
	ROW_TIME, /* timestamptz */
	ROW_BOOLEAN,
	ROW_WORD,   /* text: one of a field's words */
	ROW_WORDS,  /* text[]: a set of them */
	ROW_TEXTS,  /* text[] */
	ROW_LETTER, /* text: one byte of a key */
};

struct row_column {
	const char *name;
	enum row_type type;
	const struct directory_field *field; /* null: not of an object */
	size_t number;                       /* of the field */
};

enum row_value {
	ROW_VALUE_OBJECT,
	ROW_VALUE_META,  /* columns number, bytes: one of them */
	ROW_VALUE_PLACE, /* columns domain, local: the key of an account */
	ROW_VALUE_NOTE,  /* columns value, ends */
};

struct relation {
	enum record_kind kind;
	const char *table;
	const char *help; /* its comment */
	enum row_value value;
	enum directory_kind object;
	size_t n_keys;
	struct row_column keys[ROW_KEYS_MAX];
};

/* Null for a key of no kind. */
MUST_USE const struct relation *relation_of(struct span key);
const struct relation *relations(size_t *n);
/* All columns, keys first. */
const struct row_column *relation_columns(const struct relation *r, size_t *n);

/* Texts for columns, with the memory they stand in. */
struct row {
	struct span values[ROW_COLUMNS_MAX];
	size_t n;
	struct arena arena;
};

void row_init(struct row *row);
void row_release(struct row *row);
/* False when it is full. */
MUST_USE bool row_put_text(struct row *row, struct span text);
/* The key columns of a whole key; or of the prefix of some, which has as many as it
 * has. False when it is neither. */
MUST_USE bool
row_put_key(const struct relation *r, struct span key, bool whole, struct row *row);
/* The other columns, behind the keys. -1: no record, or no value for a database. */
MUST_USE int row_put_value(const struct relation *r, struct span value, struct row *row,
			   struct err *err);

/* Rows as an array for each column. */
struct row_columns {
	struct buf arrays[ROW_COLUMNS_MAX];
	size_t n;
};

void row_columns_init(struct row_columns *c);
void row_columns_release(struct row_columns *c);
void row_columns_add(struct row_columns *c, const struct row *row);
/* The arrays as the values of one statement; false when that is too much. */
MUST_USE bool row_columns_end(struct row_columns *c, struct row *out);

/* The other way: row number `at` of an answer whose columns are relation_columns().
 * *key and *value are emptied first. -1 for what is no record. */
MUST_USE int
row_get(const struct relation *r, const struct pgsql_answer *answer, size_t query,
	size_t at, struct buf *key, struct buf *value, struct err *err);

/* Statements of a relation, made once and kept by the pool. Those of many rows take
 * an array for each column, with an element a row; no key is there twice. */
enum row_statement {
	ROW_GET,      /* keys */
	ROW_GET_MANY, /* keys, of many */
	ROW_PUT_MANY, /* all columns, of many */
	ROW_ERASE,    /* keys */
};

unsigned row_statement(struct pgsql *p, const struct relation *r, enum row_statement s);
/* Those whose first n keys are given, in order; the values are these n, with `after`
 * the other keys of the last one had, and how many. */
unsigned
row_walk_statement(struct pgsql *p, const struct relation *r, size_t n, bool after);
/* How many of these there are; the values are the n keys and where counting ends. */
unsigned row_count_statement(struct pgsql *p, const struct relation *r, size_t n);
