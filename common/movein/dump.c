/* Dumps as pg_dump and mysqldump write them: CREATE TABLE says which columns there
 * are, COPY ... FROM stdin and INSERT INTO have the rows. Everything else is passed
 * over, statement by statement. */
#include "common/movein/dump.h"

/* ---- CREATE TABLE */

static struct table *
table_find(struct dump *d, struct span name)
{
	for (size_t i = 0; i < d->n_tables; i++)
		if (span_equal_nocase(d->tables[i].name, name))
			return &d->tables[i];
	return NULL;
}

static struct table *
table_make(struct dump *d, struct span name)
{
	struct table *t = table_find(d, name);

	if (t) {
		t->n = 0;
		return t;
	}
	if (d->n_tables == TABLES_MAX)
		return NULL;
	t = &d->tables[d->n_tables++];
	*t = (struct table){.name = name};
	t->columns = memory_new(MOVEIN_COLUMNS_MAX, sizeof(*t->columns));
	return t;
}

static bool
is_constraint(struct span word)
{
	static const char *const words[] = {"constraint", "primary", "unique",  "key",
					    "index",      "check",   "foreign", "like",
					    "exclude",    "fulltext"};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (span_equal_nocase(word, span_str(words[i])))
			return true;
	return false;
}

/* Behind CREATE. */
static void
take_create(struct dump *d)
{
	struct table *t;

	if (!dump_take_word(d, "TABLE")) {
		dump_skip_statement(d);
		return;
	}
	if (dump_take_word(d, "IF")) { /* NOT EXISTS */
		dump_take_name(d);
		dump_take_name(d);
	}
	t = table_make(d, dump_take_name(d));
	if (!t || !dump_take_char(d, '(')) {
		dump_skip_statement(d);
		return;
	}
	do {
		bool quoted;
		struct span column;

		dump_skip_blank(d);
		quoted =
		    d->rest.n > 0 && (d->rest.at[0] == '"' || d->rest.at[0] == '`');
		column = dump_take_name(d);
		if ((quoted || !is_constraint(column)) && column.n > 0 &&
		    t->n < MOVEIN_COLUMNS_MAX)
			t->columns[t->n++] = column;
		dump_skip_to(d, ',', ')');
	} while (dump_take_char(d, ','));
	dump_skip_statement(d);
}

/* "(a, b, c)" if it is there; else what CREATE TABLE said. The number of columns, 0
 * when nothing says what they are. */
static size_t
take_columns(struct dump *d, struct span table, struct span *columns)
{
	const struct table *t = table_find(d, table);
	size_t n = 0;

	if (dump_take_char(d, '(')) {
		do {
			struct span column = dump_take_name(d);

			if (n < MOVEIN_COLUMNS_MAX)
				columns[n++] = column;
		} while (dump_take_char(d, ','));
		return dump_take_char(d, ')') ? n : 0;
	}
	if (t && t->n > 0)
		memcpy(columns, t->columns, t->n * sizeof(*columns));
	return t ? t->n : 0;
}

/* ---- rows */

static void
row_begin(struct dump *d)
{
	buf_reset(&d->bytes);
	d->n = 0;
}

/* What was put into `bytes` since the last value is one. */
static void
value_end(struct dump *d, bool null)
{
	if (d->n == MOVEIN_COLUMNS_MAX) {
		d->bytes.full = true;
		return;
	}
	d->nulls[d->n] = null;
	d->ends[d->n++] = d->bytes.n;
}

static void
row_give(struct dump *d, struct span table, const struct span *columns, size_t n)
{
	const struct movein_row row = {table, columns, d->values, n};
	size_t start = 0;

	if (d->n != n || n == 0 || d->bytes.full) {
		d->bad++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		d->values[i] = d->ends[i] > start
				   ? span_make(d->bytes.at + start, d->ends[i] - start)
				   : SPAN("");
		if (d->nulls[i])
			d->values[i].at = NULL;
		start = d->ends[i];
	}
	d->take(d->context, &row);
	d->taken++;
}

static bool
is_wanted(const struct dump *d, struct span table)
{
	return !d->wanted || span_equal_nocase(table, span_str(d->wanted));
}

/* ---- COPY */

static const struct {
	char letter, byte;
} escapes[] = {
    {'b', '\b'},
    {'f', '\f'},
    {'n', '\n'},
    {'r', '\r'},
    {'t', '\t'},
    {'v', '\v'},
    {'0', '\0'},
};

static char
unescape(char letter)
{
	for (size_t i = 0; i < N_ELEMS(escapes); i++)
		if (escapes[i].letter == letter)
			return escapes[i].byte;
	return letter;
}

static void
copy_value(struct dump *d, struct span value)
{
	if (span_equal(value, SPAN("\\N"))) {
		value_end(d, true);
		return;
	}
	while (value.n > 0) {
		size_t at = span_find(value, '\\');

		buf_put(&d->bytes, span_first(value, at));
		if (at + 1 < value.n)
			buf_put_char(&d->bytes, unescape(value.at[at + 1]));
		value = span_after(value, at + 2);
	}
	value_end(d, false);
}

static void
copy_line(struct dump *d, struct span line)
{
	bool more = true;

	row_begin(d);
	while (more) {
		size_t tab = span_find(line, '\t');

		copy_value(d, span_first(line, tab));
		more = tab < line.n;
		line = span_after(line, tab + 1);
	}
}

/* Behind COPY. */
static void
take_copy(struct dump *d)
{
	struct span columns[MOVEIN_COLUMNS_MAX];
	struct span table = dump_take_name(d);
	size_t n = take_columns(d, table, columns);

	if (!dump_take_word(d, "FROM") || !dump_take_word(d, "stdin")) {
		dump_skip_statement(d);
		return;
	}
	span_cut(&d->rest, '\n');
	if (!is_wanted(d, table) && !span_starts(d->rest, SPAN("\\."))) {
		dump_skip(d, span_find_span(d->rest, SPAN("\n\\.")) + 1);
		n = 0;
	}
	while (d->rest.n > 0) {
		struct span line = span_cut(&d->rest, '\n');

		if (line.n > 0 && line.at[line.n - 1] == '\r')
			line.n--;
		if (span_equal(line, SPAN("\\.")))
			return;
		copy_line(d, line);
		row_give(d, table, columns, n);
	}
}

/* ---- INSERT */

/* 'text', with '' for a quote, and backslashes in E'' and in MySQL. */
static void
insert_string(struct dump *d, bool escaped)
{
	dump_skip(d, 1);
	while (d->rest.n > 0) {
		char c = d->rest.at[0];

		if (c == '\'' && (d->rest.n < 2 || d->rest.at[1] != '\''))
			break;
		if (c == '\\' && escaped && d->rest.n > 1)
			buf_put_char(&d->bytes, unescape(d->rest.at[1]));
		else
			buf_put_char(&d->bytes, c);
		dump_skip(d, c == '\'' || (c == '\\' && escaped) ? 2 : 1);
	}
	dump_skip(d, 1);
	value_end(d, false);
}

/* A number, a word, NULL; what else there may be is kept as it stands. */
static void
insert_bare(struct dump *d)
{
	struct span start = d->rest, value;

	dump_skip_to(d, ',', ')');
	value = span_trim(span_first(start, start.n - d->rest.n), " \t\r\n");
	if (!span_equal_nocase(value, SPAN("null")))
		buf_put(&d->bytes, value);
	value_end(d, span_equal_nocase(value, SPAN("null")));
}

static void
insert_value(struct dump *d)
{
	dump_skip_blank(d);
	if (span_starts_nocase(d->rest, SPAN("E'"))) {
		dump_skip(d, 1);
		insert_string(d, true);
	} else if (span_starts(d->rest, SPAN("'"))) {
		insert_string(d, d->mysql);
	} else {
		insert_bare(d);
		return;
	}
	dump_skip_to(d, ',', ')'); /* a cast */
}

/* Behind INSERT. */
static void
take_insert(struct dump *d)
{
	struct span columns[MOVEIN_COLUMNS_MAX], table;
	size_t n;

	if (!dump_take_word(d, "INTO")) {
		dump_skip_statement(d);
		return;
	}
	table = dump_take_name(d);
	n = take_columns(d, table, columns);
	if (!is_wanted(d, table) || !dump_take_word(d, "VALUES")) {
		dump_skip_statement(d);
		return;
	}
	do {
		if (!dump_take_char(d, '('))
			break;
		row_begin(d);
		do
			insert_value(d);
		while (dump_take_char(d, ','));
		if (!dump_take_char(d, ')'))
			break;
		row_give(d, table, columns, n);
	} while (dump_take_char(d, ','));
	dump_skip_statement(d);
}

static const struct {
	const char *word;
	void (*take)(struct dump *d);
} statements[] = {
    {"CREATE", take_create},
    {"COPY",   take_copy  },
    {"INSERT", take_insert},
};

static void
take_statement(struct dump *d)
{
	if (d->rest.at[0] == '\\') { /* an order to psql */
		span_cut(&d->rest, '\n');
		return;
	}
	for (size_t i = 0; i < N_ELEMS(statements); i++) {
		if (dump_take_word(d, statements[i].word)) {
			statements[i].take(d);
			return;
		}
	}
	dump_skip_statement(d);
}

size_t
movein_dump_read(struct span text, const char *table, movein_take_row *take,
		 void *context, size_t *bad)
{
	struct dump *d = memory_new(1, sizeof(*d));
	struct span head = span_first(text, 400);
	size_t taken;

	*d = (struct dump){.rest = text,
			   .wanted = table,
			   .bytes = buf_make(MOVEIN_ROW_MAX),
			   .take = take,
			   .context = context};
	d->mysql = span_find_span(head, SPAN("MySQL dump")) < head.n ||
		   span_find_span(head, SPAN("MariaDB dump")) < head.n;
	d->tables = memory_new(TABLES_MAX, sizeof(*d->tables));
	for (dump_skip_blank(d); d->rest.n > 0; dump_skip_blank(d))
		take_statement(d);
	for (size_t i = 0; i < d->n_tables; i++)
		free(d->tables[i].columns);
	free(d->tables);
	taken = d->taken;
	*bad = d->bad;
	buf_release(&d->bytes);
	free(d);
	return taken;
}
