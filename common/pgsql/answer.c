#include "common/pgsql/internal.h"

static PGresult *
result_of(const struct pgsql_answer *a, size_t query)
{
	return query < a->n ? a->results[query] : NULL;
}

size_t
pgsql_rows(const struct pgsql_answer *a, size_t query)
{
	PGresult *r = result_of(a, query);

	return r ? (size_t)PQntuples(r) : 0;
}

size_t
pgsql_columns(const struct pgsql_answer *a, size_t query)
{
	PGresult *r = result_of(a, query);

	return r ? (size_t)PQnfields(r) : 0;
}

struct span
pgsql_value(const struct pgsql_answer *a, size_t query, size_t row, size_t column)
{
	PGresult *r = result_of(a, query);

	if (row >= pgsql_rows(a, query) || column >= pgsql_columns(a, query) ||
	    PQgetisnull(r, (int)row, (int)column))
		return (struct span){0};
	return span_make(PQgetvalue(r, (int)row, (int)column),
			 (size_t)PQgetlength(r, (int)row, (int)column));
}

const char *
pgsql_column_name(const struct pgsql_answer *a, size_t query, size_t column)
{
	PGresult *r = result_of(a, query);
	const char *name =
	    column < pgsql_columns(a, query) ? PQfname(r, (int)column) : NULL;

	return name ? name : "";
}

uint64_t
pgsql_touched(const struct pgsql_answer *a, size_t query)
{
	PGresult *r = result_of(a, query);
	uint64_t n = 0;

	if (!r || !number_parse(span_str(PQcmdTuples(r)), UINT64_MAX, &n))
		return 0;
	return n;
}

const char *
pgsql_answer_sqlstate(const struct pgsql_answer *a)
{
	return a->sqlstate;
}

/* ---- arrays: PostgreSQL's documentation, 8.15.6 */

static int
take_quoted(struct span *rest, struct buf *out)
{
	*rest = span_after(*rest, 1);
	while (rest->n > 0 && rest->at[0] != '"') {
		if (rest->at[0] == '\\')
			*rest = span_after(*rest, 1);
		if (rest->n == 0)
			return -1;
		buf_put_char(out, rest->at[0]);
		*rest = span_after(*rest, 1);
	}
	if (rest->n == 0)
		return -1;
	*rest = span_after(*rest, 1);
	return 1;
}

static int
take_bare(struct span *rest, struct buf *out)
{
	size_t n = 0;

	while (n < rest->n && rest->at[n] != ',' && rest->at[n] != '}') {
		if (rest->at[n] == '{' || rest->at[n] == '"')
			return -1;
		n++;
	}
	if (n == 0 || n == rest->n)
		return -1;
	if (!span_equal_nocase(span_first(*rest, n), SPAN("NULL")))
		buf_put(out, span_first(*rest, n));
	*rest = span_after(*rest, n);
	return 1;
}

int
pgsql_array_next(struct span *rest, struct buf *out)
{
	char before = rest->n > 0 ? rest->at[0] : '\0';
	int r;

	buf_reset(out);
	if (before == '}' && rest->n == 1)
		return 0;
	if (before != '{' && before != ',')
		return -1;
	*rest = span_after(*rest, 1);
	if (before == '{' && rest->n == 1 && rest->at[0] == '}')
		return 0;
	if (rest->n == 0)
		return -1;
	r = rest->at[0] == '"' ? take_quoted(rest, out) : take_bare(rest, out);
	return out->full ? -1 : r;
}

static size_t
plain_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.at[n] != '"' && s.at[n] != '\\')
		n++;
	return n;
}

void
pgsql_array_put(struct buf *out, struct span element)
{
	size_t n;

	buf_put_char(out, out->n == 0 ? '{' : ',');
	if (!element.at) {
		buf_put(out, SPAN("NULL"));
		return;
	}
	buf_put_char(out, '"');
	while ((n = plain_length(element)) < element.n) {
		buf_put(out, span_first(element, n));
		buf_put_char(out, '\\');
		buf_put_char(out, element.at[n]);
		element = span_after(element, n + 1);
	}
	buf_put(out, element);
	buf_put_char(out, '"');
}

void
pgsql_array_end(struct buf *out)
{
	if (out->n == 0)
		buf_put_char(out, '{');
	buf_put_char(out, '}');
}

/* ---- bytes */

bool
pgsql_bytes_get(struct span value, struct buf *out)
{
	struct span hex = span_after(value, 2);
	char *at;

	if (!span_starts(value, SPAN("\\x")) || hex.n % 2 != 0)
		return false;
	if (hex.n == 0)
		return true;
	at = buf_extend(out, hex.n / 2);
	return at && hex_parse(hex, at, hex.n / 2);
}

void
pgsql_bytes_put(struct buf *out, struct span bytes)
{
	static const char digits[] = "0123456789abcdef";

	buf_put(out, SPAN("\\x"));
	for (size_t i = 0; i < bytes.n; i++) {
		buf_put_char(out, digits[(uint8_t)bytes.at[i] >> 4]);
		buf_put_char(out, digits[(uint8_t)bytes.at[i] & 15]);
	}
}
