#include "common/table/config.h"

#include "common/table/line.h"
#include "common/table/words.h"

/* What the file says; `domain` is a list. */
struct given {
	char *hosts, *user, *password, *dbname, *query, *result_format, *domain,
	    *expansion_limit, *encoding, *table, *select_field, *where_field,
	    *additional_conditions;
};

static const struct {
	const char *name;
	size_t offset;
} names[] = {
    {"hosts",		 offsetof(struct given, hosts)                },
    {"user",		  offsetof(struct given, user)                 },
    {"password",              offsetof(struct given, password)             },
    {"dbname",		offsetof(struct given, dbname)               },
    {"query",		 offsetof(struct given, query)                },
    {"result_format",         offsetof(struct given, result_format)        },
    {"domain",		offsetof(struct given, domain)               },
    {"expansion_limit",       offsetof(struct given, expansion_limit)      },
    {"encoding",              offsetof(struct given, encoding)             },
    {"table",		 offsetof(struct given, table)                },
    {"select_field",          offsetof(struct given, select_field)         },
    {"where_field",           offsetof(struct given, where_field)          },
    {"additional_conditions", offsetof(struct given, additional_conditions)},
};

static char **
member(struct given *g, size_t i)
{
	return (char **)((char *)g + names[i].offset);
}

static void
given_release(struct given *g)
{
	for (size_t i = 0; i < N_ELEMS(names); i++)
		free(*member(g, i));
}

static void
line_take(struct given *g, struct span line, unsigned number,
	  struct table_problems *problems)
{
	struct span value = line, name = span_cut(&value, '=');
	size_t i;

	name = span_trim(name, TABLE_SPACES);
	for (i = 0; i < N_ELEMS(names); i++)
		if (span_equal(name, span_str(names[i].name)))
			break;
	if (name.n + value.n == 0 || span_find(line, '=') == line.n) {
		table_error(problems, number, "is not \"name = value\"");
	} else if (i == N_ELEMS(names)) {
		table_error(problems, number, "\"%.*s\" is not known here",
			    (int)(name.n < 60 ? name.n : 60), name.at);
	} else {
		free(*member(g, i));
		*member(g, i) = span_dup(span_trim(value, TABLE_SPACES));
	}
}

/* --- connection ---------------------------------------------------------------------
 */

/* A value of a connection string, in quotes. */
static void
value_put(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_putf(out, "%s%s='", out->n > 0 ? " " : "", name);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_put_char(out, '\\');
		buf_put_char(out, *value);
	}
	buf_put_char(out, '\'');
}

/* "unix:/folder", "inet:host:port", "host:port" or "host" */
static void
host_put(struct span word, struct buf *hosts, struct buf *ports)
{
	size_t colon;

	if (span_starts(word, SPAN("unix:")) || span_starts(word, SPAN("inet:")))
		word = span_after(word, 5);
	colon = word.n > 0 && word.at[0] == '/' ? word.n : span_find_last(word, ':');
	buf_put_str(hosts, hosts->n > 0 ? "," : "");
	buf_put(hosts, span_first(word, colon));
	buf_put_str(ports, ports->n > 0 ? "," : "");
	if (colon < word.n)
		buf_put(ports, span_after(word, colon + 1));
	else
		buf_put_str(ports, "5432");
}

static char *
connection_make(const struct given *g)
{
	struct buf out = buf_make(8192), hosts = buf_make(4096), ports = buf_make(1024);
	struct span rest = span_str(g->hosts), word;
	char *text;

	if (span_starts(rest, SPAN("postgresql://")) ||
	    span_starts(rest, SPAN("postgres://")))
		return span_dup(rest);
	while (table_word_next(&rest, &word))
		host_put(word, &hosts, &ports);
	buf_put_char(&hosts, '\0');
	buf_put_char(&ports, '\0');
	value_put(&out, "host", hosts.at);
	value_put(&out, "port", hosts.n > 1 ? ports.at : "");
	value_put(&out, "dbname", g->dbname);
	value_put(&out, "user", g->user);
	text = span_dup(buf_span(&out));
	buf_release(&out);
	buf_release(&hosts);
	buf_release(&ports);
	return text;
}

/* --- query
 * ---------------------------------------------------------------------------- */

/* Of an older file; null without what it takes. */
static char *
query_make(const struct given *g)
{
	struct buf out = buf_make(16384);
	char *text = NULL;

	if (g->query)
		return span_dup(span_str(g->query));
	if (g->table && g->select_field && g->where_field) {
		buf_putf(&out, "SELECT %s FROM %s WHERE %s = '%%s' %s", g->select_field,
			 g->table, g->where_field,
			 g->additional_conditions ? g->additional_conditions : "");
		text = span_dup(buf_span(&out));
	}
	buf_release(&out);
	return text;
}

static char *
dup_or(const char *text, const char *other)
{
	return span_dup(span_str(text ? text : other));
}

static void
given_check(const struct given *g, struct table_config *out,
	    struct table_problems *problems)
{
	const char *fault = table_template_fault(span_str(out->result_format));
	struct err err;
	char *query = query_make(g);

	if (!query)
		table_error(problems, 0, "has no query");
	else if (table_query_parse(span_str(query), &out->query, &err) != 0)
		table_error(problems, 0, "query %s", err.text);
	free(query);
	if (fault)
		table_error(problems, 0, "result_format %s", fault);
	if (g->expansion_limit &&
	    !number_parse(span_str(g->expansion_limit), UINT32_MAX, &out->results_max))
		table_error(problems, 0, "expansion_limit is not a number");
	if (g->encoding && !span_equal_nocase(span_str(g->encoding), SPAN("UTF8")))
		table_error(problems, 0, "encoding can only be UTF8");
}

bool
table_config_parse(struct span text, struct table_config *out,
		   struct table_problems *problems)
{
	struct table_problems own = {0};
	struct table_lines lines;
	struct given g = {0};
	struct span line;
	unsigned number;
	bool right;

	*out = (struct table_config){0};
	own = *problems;
	own.broken = false;
	table_lines_init(&lines, text, &own);
	while (table_line_next(&lines, &line, &number))
		line_take(&g, line, number, &own);
	table_lines_release(&lines);
	out->connection = connection_make(&g);
	out->password = dup_or(g.password, "");
	out->result_format = dup_or(g.result_format, "%s");
	out->domains = dup_or(g.domain, "");
	given_check(&g, out, &own);
	given_release(&g);
	right = !own.broken;
	own.broken |= problems->broken;
	*problems = own;
	if (!right)
		table_config_release(out);
	return right;
}

int
table_config_make(const char *connection, const char *query, struct table_config *out,
		  struct err *err)
{
	struct table_config c = {0};

	if (table_query_parse(span_str(query), &c.query, err) != 0)
		return -1;
	c.connection = dup_or(connection, "");
	c.password = dup_or(NULL, "");
	c.result_format = dup_or(NULL, "%s");
	c.domains = dup_or(NULL, "");
	*out = c;
	return 0;
}

void
table_config_release(struct table_config *c)
{
	free(c->connection);
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	free(c->password);
	free(c->result_format);
	free(c->domains);
	table_query_release(&c->query);
	*c = (struct table_config){0};
}

bool
table_config_wants(const struct table_config *c, struct span key)
{
	struct span rest = span_str(c->domains), word;
	size_t at = span_find_last(key, '@');

	if (rest.n == 0)
		return true;
	while (at < key.n && table_word_next(&rest, &word))
		if (span_equal_nocase(word, span_after(key, at + 1)))
			return true;
	return false;
}
