#include "admin/import.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <unistd.h>

#define NAME_BYTES_MAX 100

struct import_tables {
	struct import_file file;
	bool csv;
	PGconn *database; /* null: it is a file */
};

/* "host=db dbname=mail" or an address; a file of that name comes first. */
static bool
is_database(const char *source)
{
	struct span s = span_str(source);

	if (span_starts(s, SPAN("postgresql://")) ||
	    span_starts(s, SPAN("postgres://")))
		return true;
	return access(source, F_OK) != 0 && span_find(s, '=') < s.n;
}

static int
database_fault(PGconn *database, struct err *err)
{
	struct span text = span_trim(span_str(PQerrorMessage(database)), " \n");

	/* What else it says on further lines is advice. */
	text = span_first(text, span_find(text, '\n'));
	return err_set(err, "the database: %.*s", SPAN_ARG(span_first(text, 180)));
}

static int
run_simply(PGconn *database, const char *sql, struct err *err)
{
	PGresult *r = PQexec(database, sql);
	bool good = PQresultStatus(r) == PGRES_COMMAND_OK;

	PQclear(r);
	return good ? 0 : database_fault(database, err);
}

/* One view of all tables, in which nothing can be changed. */
static int
connect_database(struct import_tables *t, const char *source, struct err *err)
{
	t->database = PQconnectdb(source);
	if (PQstatus(t->database) != CONNECTION_OK ||
	    PQsetClientEncoding(t->database, "UTF8") != 0)
		return database_fault(t->database, err);
	if (run_simply(t->database, "SET DateStyle = ISO", err) != 0)
		return -1;
	return run_simply(t->database,
			  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
}

/* A first line with commas and no sign of SQL. */
static bool
looks_like_csv(struct span text)
{
	struct span line = span_first(text, span_find(text, '\n'));

	return span_find(line, ',') < line.n && span_find(line, ';') == line.n &&
	       !span_starts(line, SPAN("--")) && !span_starts(line, SPAN("/*"));
}

struct import_tables *
import_tables_open(const char *source, struct err *err)
{
	struct import_tables *t = memory_new(1, sizeof(*t));
	int r;

	if (is_database(source)) {
		r = connect_database(t, source, err);
	} else {
		r = import_file_open(source, &t->file, err);
		t->csv = r == 0 && looks_like_csv(t->file.text);
		if (r == 0 && span_starts(t->file.text, SPAN("PGDMP")))
			r = err_set(
			    err,
			    "%s: a dump in pg_dump's own format: make one with "
			    "pg_dump --format=plain, or give the database itself",
			    source);
	}
	if (r != 0)
		import_tables_free(&t);
	return t;
}

void
import_tables_free(struct import_tables **t)
{
	if (!*t)
		return;
	PQfinish((*t)->database);
	import_file_close(&(*t)->file);
	free(*t);
	*t = NULL;
}

bool
import_tables_live(const struct import_tables *t)
{
	return t->database != NULL;
}

/* ---- rows of a database */

static void
give_row(const char *table, PGresult *r, movein_take_row *take, void *context)
{
	struct span columns[MOVEIN_COLUMNS_MAX], values[MOVEIN_COLUMNS_MAX];
	struct movein_row row = {span_str(table), columns, values, 0};

	for (int i = 0; i < PQnfields(r) && i < MOVEIN_COLUMNS_MAX; i++) {
		columns[i] = span_str(PQfname(r, i));
		values[i] =
		    PQgetisnull(r, 0, i)
			? (struct span){NULL, 0}
			: span_make(PQgetvalue(r, 0, i), (size_t)PQgetlength(r, 0, i));
		row.n++;
	}
	take(context, &row);
}

/* 1 there, 0 not, -1. */
static int
table_exists(PGconn *database, const char *table, struct err *err)
{
	const char *values[] = {table};
	PGresult *r = PQexecParams(database, "SELECT to_regclass($1) IS NOT NULL", 1,
				   NULL, values, NULL, NULL, 0);
	int there = -1;

	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
		there = PQgetvalue(r, 0, 0)[0] == 't';
	else
		(void)database_fault(database, err);
	PQclear(r);
	return there;
}

/* Names are our own literals, the number a number. */
static void
put_query(const char *table, const char *where, uint64_t number, struct buf *sql)
{
	buf_putf(sql, "SELECT * FROM %s", table);
	if (where)
		buf_putf(sql, " WHERE %s = %" PRIu64, where, number);
	buf_put_char(sql, '\0');
}

static int
read_live(PGconn *database, const char *table, const char *where, uint64_t number,
	  movein_take_row *take, void *context, struct err *err)
{
	struct buf sql = buf_make(4 * NAME_BYTES_MAX);
	int there = table_exists(database, table, err), r = 0;
	PGresult *row;

	if (there <= 0)
		return there;
	put_query(table, where, number, &sql);
	if (PQsendQuery(database, sql.at) != 1 || PQsetSingleRowMode(database) != 1)
		r = database_fault(database, err);
	buf_release(&sql);
	while (r == 0 && (row = PQgetResult(database))) {
		if (PQresultStatus(row) == PGRES_SINGLE_TUPLE)
			give_row(table, row, take, context);
		else if (PQresultStatus(row) != PGRES_TUPLES_OK)
			r = database_fault(database, err);
		PQclear(row);
	}
	return r;
}

int
import_tables_read(struct import_tables *t, const char *table, const char *where,
		   uint64_t number, movein_take_row *take, void *context, size_t *bad,
		   struct err *err)
{
	*bad = 0;
	if (t->database && !table)
		return err_set(err,
			       "a database does not say which of its tables has the "
			       "users: write them out with psql --csv");
	if (t->database)
		return read_live(t->database, table, where, number, take, context, err);
	if (t->csv)
		(void)movein_csv_read(t->file.text, span_str(table ? table : "users"),
				      take, context, bad);
	else
		(void)movein_dump_read(t->file.text, table, take, context, bad);
	return 0;
}
