#include "common/conf/reading.h"

#include <stdio.h>

static unsigned
line_of(const struct conf_given *given, size_t word)
{
	return word < given->n ? given->words[word].line : given->line;
}

static void
value_complain(struct conf_reading *r, const char *where, const char *name,
	       const struct conf_given *given, size_t word, const struct err *err)
{
	unsigned line = line_of(given, word);

	if (given->n > 1 && word < given->n)
		conf_complain(r, line, "%s%s: \"%.60s\" %s", where, name,
			      given->words[word].text.at, err->text);
	else
		conf_complain(r, line, "%s%s %s", where, name, err->text);
}

static void
value_take(struct conf_reading *r, const char *where, const struct conf_row *row,
	   const struct conf_given *given, void *out)
{
	struct span *words = memory_new(given->n, sizeof(*words));
	struct err err;
	size_t wrong;

	for (size_t i = 0; i < given->n; i++)
		words[i] = given->words[i].text;
	if (!given->set)
		conf_value_preset(row, out);
	else if (conf_value_set(row, (struct conf_words){words, given->n}, out, &wrong,
				&err) != 0)
		value_complain(r, where, row->name, given, wrong, &err);
	free(words);
}

void
conf_values_take(struct conf_reading *r, const char *where, const struct conf_row *rows,
		 size_t n, const struct conf_given *given, void *out)
{
	for (size_t i = 0; i < n; i++)
		value_take(r, where, &rows[i], &given[i], out);
}

unsigned
conf_line_of_name(const struct conf_reading *r, const char *name)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return r->given[i].line;
	return 0;
}

/* Settings that must fit each other; only asked when each is right by itself. */
static void
check_together(struct conf_reading *r, const struct settings *s)
{
	const struct {
		const char *low, *high;
		uint64_t low_value, high_value;
	} orders[] = {
	    {"queue_retry_min",          "queue_retry_max",        s->queue_retry_min,
	     s->queue_retry_max											},
	    {"smtp_errors_delay",        "smtp_errors_max",        s->smtp_errors_delay,
	     s->smtp_errors_max											},
	    {"auth_delay_s",             "auth_delay_max_s",       s->auth_delay_s,           s->auth_delay_max_s      },
	    {"header_field_bytes_max",   "header_bytes_max",       s->header_field_bytes_max,
	     s->header_bytes_max										       },
	    {"remote_connections_first", "remote_connections_max",
	     s->remote_connections_first,						     s->remote_connections_max},
	};

	for (size_t i = 0; i < N_ELEMS(orders); i++)
		if (orders[i].low_value > orders[i].high_value)
			conf_complain(r, conf_line_of_name(r, orders[i].low),
				      "%s must not be more than %s", orders[i].low,
				      orders[i].high);
	if (!*s->tls_certificate != !*s->tls_key)
		conf_complain(
		    r,
		    conf_line_of_name(r, *s->tls_key ? "tls_key" : "tls_certificate"),
		    "tls_certificate and tls_key need each other");
	if (s->log_to[0] != '/' && strcmp(s->log_to, "stderr") != 0 &&
	    strcmp(s->log_to, "journal") != 0 && strcmp(s->log_to, "syslog") != 0)
		conf_complain(r, conf_line_of_name(r, "log_to"),
			      "log_to must be stderr, journal, syslog or a path that "
			      "starts with /");
}

static void
check_sources(struct conf_reading *r, const struct settings *s)
{
	for (size_t i = 0; i < s->remote_source.n; i++)
		if (!conf_address_ok(span_str(s->remote_source.at[i])))
			conf_complain(r, conf_line_of_name(r, "remote_source"),
				      "remote_source: \"%.60s\" is not an address",
				      s->remote_source.at[i]);
}

static int
problem_compare(const void *a, const void *b)
{
	const struct conf_problem *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

static void
problem_put(const char *file, const struct conf_problem *p, struct err *out)
{
	if (p->line > 0)
		err_set(out, "%.100s:%u: %s", file, p->line, p->text);
	else
		err_set(out, "%.100s: %s", file, p->text);
}

static void
errors_put(struct conf_reading *r, const char *file, struct conf_errors *errors)
{
	qsort(r->problems, r->n, sizeof(r->problems[0]), problem_compare);
	errors->at = memory_new(r->n, sizeof(*errors->at));
	errors->n = r->n;
	for (size_t i = 0; i < r->n; i++)
		problem_put(file, &r->problems[i], &errors->at[i]);
}

static void
all_take(struct conf_reading *r, const char *hostname, struct settings *out)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	conf_values_take(r, "", rows, n, r->given, out);
	conf_routes_take(r, &out->routes);
	conf_tables_take(r, &out->tables);
	if (r->n > 0)
		return;
	check_together(r, out);
	check_sources(r, out);
	conf_tables_check(r, out);
	if (!*out->hostname) {
		free(out->hostname);
		out->hostname = span_dup(span_str(hostname));
	}
}

int
conf_parse(struct span text, const char *file, const char *hostname,
	   struct settings *out, struct conf_errors *errors)
{
	struct conf_reading *r = memory_new(1, sizeof(*r));
	struct settings fresh = {0};
	char *copy = span_dup(text);
	int result = 0;

	*errors = (struct conf_errors){0};
	conf_read(r, copy);
	if (strlen(copy) != text.n)
		conf_complain(r, 0, "has a NUL byte in it");
	all_take(r, hostname, &fresh);
	if (r->n > 0) {
		errors_put(r, file, errors);
		conf_release(&fresh);
		result = -1;
	} else {
		*out = fresh;
	}
	conf_reading_release(r);
	free(r);
	free(copy);
	return result;
}

void
conf_errors_release(struct conf_errors *errors)
{
	free(errors->at);
	*errors = (struct conf_errors){0};
}
