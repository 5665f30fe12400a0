/* common/movein/table.h - rows of tables, whatever they were read from
 *
 * A row has the name of its table, without a schema, and values by the names of
 * their columns, from a live database, a dump or a CSV file alike.
 */
#pragma once

#include "common/movein/list.h"

#define MOVEIN_COLUMNS_MAX 200
#define MOVEIN_ROW_MAX     (16U << 20) /* bytes of one row */

struct movein_row {
	struct span table;
	const struct span *columns;
	const struct span *values; /* SQL's NULL has no memory: `at` is null */
	size_t n;
};

typedef void movein_take_row(void *context, const struct movein_row *row);

/* The value of a column, its case ignored; an empty one for NULL and for a column
 * that the table does not have. */
MUST_USE struct span movein_cell(const struct movein_row *row, const char *column);
MUST_USE bool movein_has_column(const struct movein_row *row, const char *column);
/* 0 for anything but digits. */
MUST_USE uint64_t movein_cell_number(const struct movein_row *row, const char *column);
/* True for 1, t, true, y, yes, on. */
MUST_USE bool movein_cell_flag(const struct movein_row *row, const char *column);

/* The rows of one table (null: of all) out of a dump by pg_dump (COPY or INSERT) or
 * mysqldump. Rows that make no sense are counted in *bad and left out. Returns how
 * many were taken. */
size_t movein_dump_read(struct span text, const char *table, movein_take_row *take,
			void *context, size_t *bad);

/* [RFC4180] A table of that name; its first line has the names of the columns. */
size_t movein_csv_read(struct span text, struct span table, movein_take_row *take,
		       void *context, size_t *bad);

/* A row of a table of users as Dovecot's SQL queries have them: columns username
 * (or user, userid, email, address) with or without domain, password (or crypt),
 * and if they are there: name, quota (bytes; quota_mb, quota_rule, quota_kb), home,
 * mail (or maildir), active (or enabled), disabled. Rows without the first two
 * columns are passed over. */
void movein_user_row(struct movein *m, const struct movein_row *row);
