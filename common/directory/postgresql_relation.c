#include "common/directory/postgresql_row.h"

/* clang-format off */
#define TEXT_KEY(name) {name, ROW_TEXT, NULL, 0}
#define ADDRESS_KEYS   TEXT_KEY("domain"), TEXT_KEY("local")

static const struct relation table[] = {
	{RECORD_META, "postroad.meta",
		"what the directory knows of itself: next-id is the next number of an account "
		"or domain",
		ROW_VALUE_META, 0, 1, {TEXT_KEY("name")}},
	{RECORD_DOMAIN, "postroad.domain", "domains of this server",
		ROW_VALUE_OBJECT, DIRECTORY_DOMAIN, 1, {TEXT_KEY("domain")}},
	{RECORD_ACCOUNT, "postroad.account", "accounts; each has a mailbox by its id",
		ROW_VALUE_OBJECT, DIRECTORY_ACCOUNT, 2, {ADDRESS_KEYS}},
	{RECORD_ID, "postroad.account_place", "which account has an id",
		ROW_VALUE_PLACE, 0, 1, {{"id", ROW_BIGINT, NULL, 0}}},
	{RECORD_ALIAS, "postroad.alias",
		"aliases; an empty local part is for all addresses that nobody has",
		ROW_VALUE_OBJECT, DIRECTORY_ALIAS, 2, {ADDRESS_KEYS}},
	{RECORD_LIST, "postroad.list", "distribution lists",
		ROW_VALUE_OBJECT, DIRECTORY_LIST, 2, {ADDRESS_KEYS}},
	{RECORD_GROUP, "postroad.\"group\"",
		"groups of accounts, for aliases and lists that name group:LOCAL@DOMAIN",
		ROW_VALUE_OBJECT, DIRECTORY_GROUP, 2, {ADDRESS_KEYS}},
	{RECORD_APP_PASSWORD, "postroad.app_password",
		"passwords that Postroad made, for one device or program of an account each",
		ROW_VALUE_OBJECT, DIRECTORY_APP_PASSWORD, 3,
		{ADDRESS_KEYS, TEXT_KEY("label")}},
	{RECORD_NOTE, "postroad.note",
		"r: when an automatic reply went to whom; q: of what share of a quota was told; "
		"x: whose an account was, and until when",
		ROW_VALUE_NOTE, 0, 3,
		{{"kind", ROW_LETTER, NULL, 0}, {"account", ROW_BIGINT, NULL, 0},
		 TEXT_KEY("about")}},
};
/* clang-format on */

const struct relation *
relations(size_t *n)
{
	*n = N_ELEMS(table);
	return table;
}

const struct relation *
relation_of(struct span key)
{
	for (size_t i = 0; i < N_ELEMS(table); i++)
		if (key.n > 0 && key.at[0] == (char)table[i].kind)
			return &table[i];
	return NULL;
}

/* ---- columns */

static const enum row_type type_of[] = {
    [DIRECTORY_TEXT] = ROW_TEXT,       [DIRECTORY_DOMAIN_NAME] = ROW_TEXT,
    [DIRECTORY_ADDRESS] = ROW_TEXT,    [DIRECTORY_SECRET] = ROW_BYTEA,
    [DIRECTORY_ADDRESSES] = ROW_TEXTS, [DIRECTORY_NUMBER] = ROW_BIGINT,
    [DIRECTORY_BYTES] = ROW_BIGINT,    [DIRECTORY_SECONDS] = ROW_BIGINT,
    [DIRECTORY_TIME] = ROW_TIME,       [DIRECTORY_FLAG] = ROW_BOOLEAN,
    [DIRECTORY_CHOICE] = ROW_WORD,     [DIRECTORY_SET] = ROW_WORDS,
};

static size_t
object_columns(enum directory_kind kind, struct row_column *out)
{
	size_t n = 0;

	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(kind, i);

		if (f && !(f->flags & DIRECTORY_DERIVED))
			out[n++] = (struct row_column){f->name, type_of[f->type], f, i};
	}
	return n;
}

static size_t
find_columns(const struct relation *r, struct row_column out[ROW_COLUMNS_MAX])
{
	static const struct row_column meta[] = {
	    {"number", ROW_BIGINT, NULL, 0},
            {"bytes",  ROW_BYTEA,  NULL, 0}
        };
	static const struct row_column place[] = {
	    {"domain", ROW_TEXT, NULL, 0},
            {"local",  ROW_TEXT, NULL, 0}
        };
	static const struct row_column note[] = {
	    {"value", ROW_BIGINT, NULL, 0},
            {"ends",  ROW_TIME,   NULL, 0}
        };
	size_t n = r->n_keys;

	memcpy(out, r->keys, n * sizeof(*out));
	switch (r->value) {
	case ROW_VALUE_OBJECT:
		return n + object_columns(r->object, out + n);
	case ROW_VALUE_META:
		memcpy(out + n, meta, sizeof(meta));
		return n + N_ELEMS(meta);
	case ROW_VALUE_PLACE:
		memcpy(out + n, place, sizeof(place));
		return n + N_ELEMS(place);
	case ROW_VALUE_NOTE:
		memcpy(out + n, note, sizeof(note));
		return n + N_ELEMS(note);
	}
	return n;
}

/* Each row of an answer asks for them. */
const struct row_column *
relation_columns(const struct relation *r, size_t *n)
{
	static struct {
		size_t n;
		struct row_column columns[ROW_COLUMNS_MAX];
	} found[N_ELEMS(table)];
	size_t i = (size_t)(r - table);

	if (found[i].n == 0)
		found[i].n = find_columns(r, found[i].columns);
	*n = found[i].n;
	return found[i].columns;
}

/* ---- statements */

#define STATEMENT_MAX 8192

static unsigned
keep(struct pgsql *p, struct buf *text)
{
	unsigned number;

	buf_put_char(text, '\0');
	ASSERT(!text->full);
	number = pgsql_statement(p, text->at);
	buf_release(text);
	return number;
}

static void
put_column_read(const struct row_column *c, struct buf *out)
{
	if (c->type == ROW_TIME)
		buf_putf(out, "extract(epoch from \"%s\")::bigint", c->name);
	else
		buf_putf(out, "\"%s\"", c->name);
}

static void
put_columns_read(const struct relation *r, struct buf *out)
{
	size_t n;
	const struct row_column *columns = relation_columns(r, &n);

	buf_put_str(out, "SELECT ");
	for (size_t i = 0; i < n; i++) {
		buf_put_str(out, i ? ", " : "");
		put_column_read(&columns[i], out);
	}
	buf_putf(out, " FROM %s", r->table);
}

/* "WHERE" the first n keys have the values $1... */
static void
put_where(const struct relation *r, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_putf(out, "%s \"%s\" = $%zu", i ? " AND" : " WHERE",
			 r->keys[i].name, i + 1);
}

static void
put_names(const struct row_column *columns, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		buf_putf(out, "%s\"%s\"", i ? ", " : "", columns[i].name);
}

/* The parameters as rows whose columns are all text. */
static void
put_given(const struct row_column *columns, size_t n, struct buf *out)
{
	buf_put_str(out, " FROM unnest(");
	for (size_t i = 0; i < n; i++)
		buf_putf(out, "%s$%zu::text[]", i ? ", " : "", i + 1);
	buf_put_str(out, ") AS given (");
	put_names(columns, n, out);
	buf_put_str(out, ")");
}

/* A column of these as what it is. */
static void
put_column_given(const struct row_column *c, struct buf *out)
{
	static const struct {
		const char *before, *after;
	} casts[] = {
	    [ROW_TEXT] = {"",              ""         },
	    [ROW_BIGINT] = {"",              "::bigint" },
	    [ROW_BYTEA] = {"",              "::bytea"  },
	    [ROW_TIME] = {"to_timestamp(", "::float8)"},
	    [ROW_BOOLEAN] = {"",              "::boolean"},
	    [ROW_WORD] = {"",              ""         },
	    [ROW_WORDS] = {"",              "::text[]" },
	    [ROW_TEXTS] = {"",              "::text[]" },
	    [ROW_LETTER] = {"",              ""         },
	};

	buf_putf(out, "%sgiven.\"%s\"%s", casts[c->type].before, c->name,
		 casts[c->type].after);
}

static void
put_insert(const struct relation *r, struct buf *out)
{
	size_t n;
	const struct row_column *columns = relation_columns(r, &n);

	buf_putf(out, "INSERT INTO %s (", r->table);
	put_names(columns, n, out);
	buf_put_str(out, ") SELECT ");
	for (size_t i = 0; i < n; i++) {
		buf_put_str(out, i ? ", " : "");
		put_column_given(&columns[i], out);
	}
	put_given(columns, n, out);
	buf_put_str(out, " ON CONFLICT (");
	put_names(columns, r->n_keys, out);
	buf_put_str(out, ") DO UPDATE SET ");
	for (size_t i = r->n_keys; i < n; i++)
		buf_putf(out, "%s\"%s\" = excluded.\"%s\"", i > r->n_keys ? ", " : "",
			 columns[i].name, columns[i].name);
}

/* OFFSET keeps it what it is: one look into the index for each row that is given,
 * however large the table has grown since the plan was made. */
static void
put_get_many(const struct relation *r, struct buf *out)
{
	buf_put_str(out, "SELECT found.*");
	put_given(r->keys, r->n_keys, out);
	buf_put_str(out, ", LATERAL (");
	put_columns_read(r, out);
	for (size_t i = 0; i < r->n_keys; i++) {
		buf_putf(out, "%s \"%s\" = ", i ? " AND" : " WHERE", r->keys[i].name);
		put_column_given(&r->keys[i], out);
	}
	buf_put_str(out, " OFFSET 0) AS found");
}

unsigned
row_statement(struct pgsql *p, const struct relation *r, enum row_statement s)
{
	struct buf text = buf_make(STATEMENT_MAX);

	switch (s) {
	case ROW_GET:
		put_columns_read(r, &text);
		put_where(r, r->n_keys, &text);
		break;
	case ROW_GET_MANY:
		put_get_many(r, &text);
		break;
	case ROW_PUT_MANY:
		put_insert(r, &text);
		break;
	case ROW_ERASE:
		buf_putf(&text, "DELETE FROM %s", r->table);
		put_where(r, r->n_keys, &text);
		break;
	}
	return keep(p, &text);
}

/* (k2, k3) > ($2, $3) for the keys from number n on. */
static void
put_after(const struct relation *r, size_t n, struct buf *out)
{
	buf_put_str(out, n ? " AND (" : " WHERE (");
	for (size_t i = n; i < r->n_keys; i++)
		buf_putf(out, "%s\"%s\"", i > n ? ", " : "", r->keys[i].name);
	buf_put_str(out, ") > (");
	for (size_t i = n; i < r->n_keys; i++)
		buf_putf(out, "%s$%zu", i > n ? ", " : "", i + 1);
	buf_put_str(out, ")");
}

unsigned
row_walk_statement(struct pgsql *p, const struct relation *r, size_t n, bool after)
{
	struct buf text = buf_make(STATEMENT_MAX);

	put_columns_read(r, &text);
	put_where(r, n, &text);
	if (after)
		put_after(r, n, &text);
	buf_put_str(&text, " ORDER BY ");
	for (size_t i = 0; i < r->n_keys; i++)
		buf_putf(&text, "%s\"%s\"", i ? ", " : "", r->keys[i].name);
	buf_putf(&text, " LIMIT $%zu::bigint", (after ? r->n_keys : n) + 1);
	return keep(p, &text);
}

unsigned
row_count_statement(struct pgsql *p, const struct relation *r, size_t n)
{
	struct buf text = buf_make(STATEMENT_MAX);

	buf_putf(&text, "SELECT count(*) FROM (SELECT 1 FROM %s", r->table);
	put_where(r, n, &text);
	buf_putf(&text, " LIMIT $%zu::bigint) AS counted", n + 1);
	return keep(p, &text);
}
