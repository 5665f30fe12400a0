#include "common/conf/reading.h"

#include <inttypes.h>
#include <stdio.h>

#define ROW(type, name, preset, min, max, reload, help)                                \
	{CONF_##type, #name,  preset, min,                                             \
	 max,         reload, help,   offsetof(struct conf_table, name)},

static const struct conf_row the_rows[] = {CONF_TABLE_KEYS(ROW)};

const struct conf_row *
conf_table_rows(size_t *n)
{
	*n = N_ELEMS(the_rows);
	return the_rows;
}

void
conf_tables_release(struct conf_tables *tables)
{
	for (size_t i = 0; i < tables->n; i++) {
		for (size_t k = 0; k < N_ELEMS(the_rows); k++)
			conf_value_release(&the_rows[k], &tables->at[i]);
		free(tables->at[i].name);
	}
	free(tables->at);
	*tables = (struct conf_tables){0};
}

/* --- a section ------------------------------------------------------------------ */

static bool
name_fits(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.at[i]) && !strchr("-_.", name.at[i]))
			return false;
	return name.n > 0 && name.n <= CONF_TABLE_NAME_MAX;
}

/* Keys that must fit each other; null when they do. */
static const char *
keys_fault(const struct conf_table *t)
{
	if (t->type != CONF_TABLE_POSTGRESQL) {
		if (*t->query || *t->connection || *t->password_file)
			return "query, connection and password_file are for type "
			       "postgresql";
		return *t->file ? NULL : "needs a file";
	}
	if (*t->file && (*t->query || *t->connection))
		return "takes either a file, or connection and query";
	if (!*t->file && !*t->query)
		return "needs a query";
	return NULL;
}

static void
table_take(struct conf_reading *r, const struct conf_given_section *given,
	   struct conf_table *out)
{
	const char *fault = NULL;
	size_t before = r->n;
	char where[80];

	(void)snprintf(where, sizeof(where), "table \"%.60s\": ", given->title);
	out->name = span_dup(span_str(given->title));
	if (!name_fits(span_str(out->name)))
		conf_complain(r, given->line,
			      "%sa name is letters, digits, \"-\", \"_\" and \".\"",
			      where);
	conf_values_take(r, where, the_rows, N_ELEMS(the_rows), given->given, out);
	if (r->n == before)
		fault = keys_fault(out);
	if (fault)
		conf_complain(r, given->line, "%s%s", where, fault);
}

static int
table_compare(const void *a, const void *b)
{
	const struct conf_table *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void
conf_tables_take(struct conf_reading *r, struct conf_tables *out)
{
	const struct conf_given_sections *all = &r->sections[CONF_SECTION_TABLE];

	if (all->n > CONF_TABLES_MAX) {
		conf_complain(r, all->at[CONF_TABLES_MAX].line,
			      "there are more than %d tables", CONF_TABLES_MAX);
		return;
	}
	out->at = memory_new(all->n, sizeof(*out->at));
	out->n = all->n;
	for (size_t i = 0; i < out->n; i++)
		table_take(r, &all->at[i], &out->at[i]);
	qsort(out->at, out->n, sizeof(*out->at), table_compare);
}

/* --- who names them --------------------------------------------------------------- */

const struct conf_table *
conf_table_find(const struct conf_tables *tables, struct span name)
{
	for (size_t i = 0; i < tables->n; i++)
		if (span_equal(span_str(tables->at[i].name), name))
			return &tables->at[i];
	return NULL;
}

void
conf_tables_check(struct conf_reading *r, const struct settings *s)
{
	const struct {
		const char *name;
		const struct conf_list *list;
	} users[] = {
	    {"client_access",    &s->client_access   },
	    {"helo_access",      &s->helo_access     },
	    {"sender_access",    &s->sender_access   },
	    {"recipient_access", &s->recipient_access},
	    {"alias_tables",     &s->alias_tables    },
	    {"route_tables",     &s->route_tables    },
	    {"sender_tables",    &s->sender_tables   },
	};

	for (size_t i = 0; i < N_ELEMS(users); i++)
		for (size_t k = 0; k < users[i].list->n; k++)
			if (!conf_table_find(&s->tables,
					     span_str(users[i].list->at[k])))
				conf_complain(r, conf_line_of_name(r, users[i].name),
					      "%s: there is no table \"%.60s\"",
					      users[i].name, users[i].list->at[k]);
}

/* --- back to text ----------------------------------------------------------------- */

void
conf_tables_put(const struct conf_tables *tables, struct buf *out)
{
	for (size_t i = 0; i < tables->n; i++) {
		buf_putf(out, CONF_TABLE " '%s' {", tables->at[i].name);
		for (size_t k = 0; k < N_ELEMS(the_rows); k++) {
			buf_putf(out, " %s = ", the_rows[k].name);
			conf_value_text(&the_rows[k], &tables->at[i], out);
		}
		buf_put_str(out, " }\n");
	}
}
