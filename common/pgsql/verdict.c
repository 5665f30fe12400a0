#include "common/pgsql/internal.h"

/* What five characters mean, by their beginning; the first that fits counts.
 * PostgreSQL's documentation, appendix A. */
static const struct row {
	const char *begin;
	enum pgsql_outcome outcome;
} rows[] = {
    {"40001", PGSQL_CONFLICT}, /* serialization_failure */
    {"40P01", PGSQL_CONFLICT}, /* deadlock_detected */
    {"57014", PGSQL_TIMEOUT }, /* query_canceled: statement_timeout */
    {"57P",   PGSQL_LOST    }, /* shut down, crashed, not yet accepting */
    {"08",    PGSQL_LOST    }, /* connection exceptions */
    {"25006", PGSQL_LOST    }, /* read only: it is no primary any more */
    {"25P03", PGSQL_LOST    }, /* idle too long in a transaction */
};

enum pgsql_outcome
verdict_of(const char *sqlstate)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (span_starts(span_str(sqlstate), span_str(rows[i].begin)))
			return rows[i].outcome;
	return PGSQL_REFUSED;
}

bool
verdict_stale(const char *sqlstate, const char *function)
{
	/* The result type of a prepared statement changed; the same code says of
	 * many a statement that it is not supported. */
	if (strcmp(sqlstate, "0A000") == 0)
		return strcmp(function, "RevalidateCachedQuery") == 0;
	return strcmp(sqlstate, "26000") == 0 || /* a prepared statement is gone */
	       strcmp(sqlstate, "42P05") == 0 || /* or is there already */
	       verdict_of(sqlstate) == PGSQL_LOST;
}

void
verdict_text(struct err *err, const char *pool, const char *text)
{
	struct span line = span_trim(span_str(text), " \t\r\n");
	size_t n = line.n < 180 ? line.n : 180;

	err_set(err, "database %.32s: %.*s", pool, (int)n, n ? line.at : "");
	for (char *c = err->text; *c; c++)
		if (*c == '\n' || *c == '\t' || *c == '\r')
			*c = ' ';
}
