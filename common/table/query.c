#include "common/table/query.h"

/* The SQL is walked just as far as it takes to know where texts, names and comments
 * start and end. */
struct walk {
	struct span rest;
	struct buf out;
	struct table_query *query;
	struct err *err;
};

static int
parameter_add(struct walk *w, struct span template)
{
	struct table_query *q = w->query;

	if (q->n == TABLE_PARAMETERS_MAX)
		return err_set(w->err, "has more than %d escapes",
			       TABLE_PARAMETERS_MAX);
	q->parameters[q->n++] = span_dup(template);
	buf_putf(&w->out, "$%zu", q->n);
	return 0;
}

/* Any escape but %% */
static bool
has_escape(struct span s)
{
	size_t at;

	while ((at = span_find(s, '%')) + 1 < s.n) {
		if (s.at[at + 1] != '%')
			return true;
		s = span_after(s, at + 2);
	}
	return false;
}

/* A quoted text without escapes, as SQL again. */
static void
text_put(struct buf *out, struct span s)
{
	buf_put_char(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '\'')
			buf_put_char(out, '\'');
		buf_put_char(out, s.at[i]);
		i += s.at[i] == '%'; /* of "%%" */
	}
	buf_put_char(out, '\'');
}

/* Was there an E before the quote, and nothing that it belongs to? */
static bool
after_e(const struct buf *out)
{
	return out->n > 0 && ascii_lower(out->at[out->n - 1]) == 'e' &&
	       (out->n == 1 ||
		(!ascii_alnum(out->at[out->n - 2]) && out->at[out->n - 2] != '_'));
}

static int
text_take(struct walk *w)
{
	struct buf text = buf_make(w->rest.n);
	size_t i;
	int result = 0;

	for (i = 1; i < w->rest.n; i++) {
		if (w->rest.at[i] == '\'' &&
		    (i + 1 == w->rest.n || w->rest.at[i + 1] != '\''))
			break;
		i += w->rest.at[i] == '\'';
		buf_put_char(&text, w->rest.at[i]);
	}
	if (i >= w->rest.n)
		result = err_set(w->err, "has a ' that is not closed");
	else if (after_e(&w->out) && span_find(buf_span(&text), '%') < text.n)
		result = err_set(w->err, "has a %% in a text of the form E'...'");
	else if (has_escape(buf_span(&text)))
		result = parameter_add(w, buf_span(&text));
	else
		text_put(&w->out, buf_span(&text));
	w->rest = span_after(w->rest, i + 1);
	buf_release(&text);
	return result;
}

/* What goes into the statement as it is, from `open` bytes on up to `close`. */
static int
verbatim_take(struct walk *w, size_t open, struct span close, const char *what)
{
	struct span inside = span_after(w->rest, open);
	size_t n = span_find_span(inside, close);

	if (n == inside.n && close.at[0] != '\n')
		return err_set(w->err, "has %s that is not closed", what);
	if (span_find(span_first(inside, n), '%') < n)
		return err_set(w->err, "has a %% in %s", what);
	n += open + close.n;
	buf_put(&w->out, span_first(w->rest, n));
	w->rest = span_after(w->rest, n);
	return 0;
}

/* Behind a $: a number would be a parameter, anything else quotes. */
static int
dollar_take(struct walk *w)
{
	struct span after = span_after(w->rest, 1);
	size_t n = span_find(after, '$');

	if (after.n > 0 && ascii_digit(after.at[0]))
		return err_set(w->err, "has $%c: write %%s for the key", after.at[0]);
	if (n == after.n)
		return err_set(w->err, "has a $ that is not closed");
	return verbatim_take(w, n + 2, span_first(w->rest, n + 2), "a text in $");
}

static int
escape_take(struct walk *w)
{
	struct span escape = span_first(w->rest, 2);

	w->rest = span_after(w->rest, 2);
	if (!span_equal(escape, SPAN("%%")))
		return parameter_add(w, escape);
	buf_put_char(&w->out, '%');
	return 0;
}

static int
step(struct walk *w)
{
	switch (w->rest.at[0]) {
	case '\'':
		return text_take(w);
	case '"':
		return verbatim_take(w, 1, SPAN("\""), "a \"");
	case '$':
		return dollar_take(w);
	case '%':
		return escape_take(w);
	default:
		break;
	}
	if (span_starts(w->rest, SPAN("--")))
		return verbatim_take(w, 2, SPAN("\n"), "a comment");
	if (span_starts(w->rest, SPAN("/*")))
		return verbatim_take(w, 2, SPAN("*/"), "a comment");
	buf_put_char(&w->out, w->rest.at[0]);
	w->rest = span_after(w->rest, 1);
	return 0;
}

int
table_query_parse(struct span text, struct table_query *out, struct err *err)
{
	struct table_query query = {0};
	struct walk w = {.rest = text, .query = &query, .err = err};
	const char *fault = table_template_fault(text);
	int result = 0;

	if (span_trim(text, " \t\r\n;").n == 0)
		return err_set(err, "is empty");
	if (fault)
		return err_set(err, "%s", fault);
	buf_init(&w.out, 4 * text.n + 64);
	while (result == 0 && w.rest.n > 0)
		result = step(&w);
	if (result == 0 && query.n == 0)
		result = err_set(err, "has no %%s, %%u, %%d or %%1 in it");
	if (result == 0) {
		query.statement = span_dup(buf_span(&w.out));
		*out = query;
	} else {
		table_query_release(&query);
	}
	buf_release(&w.out);
	return result;
}

void
table_query_release(struct table_query *q)
{
	free(q->statement);
	for (size_t i = 0; i < q->n; i++)
		free(q->parameters[i]);
	*q = (struct table_query){0};
}
