#include "common/movein/dump.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_word(char c)
{
	return ascii_alnum(c) || c == '_' || (uint8_t)c >= 0x80;
}

void
dump_skip(struct dump *d, size_t n)
{
	d->rest = span_after(d->rest, n);
}

/* Spaces and comments; mysqldump's conditional ones are taken for comments too. */
void
dump_skip_blank(struct dump *d)
{
	for (;;) {
		while (d->rest.n > 0 && is_space(d->rest.at[0]))
			dump_skip(d, 1);
		if (span_starts(d->rest, SPAN("--")))
			span_cut(&d->rest, '\n');
		else if (span_starts(d->rest, SPAN("/*")))
			dump_skip(d, span_find_span(d->rest, SPAN("*/")) + 2);
		else
			return;
	}
}

bool
dump_take_char(struct dump *d, char c)
{
	dump_skip_blank(d);
	if (d->rest.n == 0 || d->rest.at[0] != c)
		return false;
	dump_skip(d, 1);
	return true;
}

/* A name, quoted or not, without what stands before a dot. */
struct span
dump_take_name(struct dump *d)
{
	struct span name = SPAN("");

	do {
		char quote;
		size_t n = 0;

		dump_skip_blank(d);
		quote = d->rest.n > 0 ? d->rest.at[0] : '\0';
		if (quote == '"' || quote == '`') {
			dump_skip(d, 1);
			name = span_cut(&d->rest, quote);
		} else {
			while (n < d->rest.n && is_word(d->rest.at[n]))
				n++;
			name = span_first(d->rest, n);
			dump_skip(d, n);
		}
	} while (d->rest.n > 0 && d->rest.at[0] == '.' && dump_take_char(d, '.'));
	return name;
}

bool
dump_take_word(struct dump *d, const char *word)
{
	struct span rest;

	dump_skip_blank(d);
	rest = span_after(d->rest, strlen(word));
	if (!span_starts_nocase(d->rest, span_str(word)) ||
	    (rest.n > 0 && is_word(rest.at[0])))
		return false;
	d->rest = rest;
	return true;
}

/* Behind the quote that ends what begins at the front. */
static void
skip_quoted(struct dump *d)
{
	char quote = d->rest.at[0];
	size_t i = 1;

	while (i < d->rest.n && d->rest.at[i] != quote)
		i += d->mysql && d->rest.at[i] == '\\' ? 2 : 1;
	dump_skip(d, i + 1);
}

/* "$$ ... $$" and "$name$ ... $name$"; a lone dollar is passed over. */
static void
skip_dollar(struct dump *d)
{
	size_t n = 1;
	struct span tag;

	while (n < d->rest.n && is_word(d->rest.at[n]))
		n++;
	if (n >= d->rest.n || d->rest.at[n] != '$') {
		dump_skip(d, 1);
		return;
	}
	tag = span_first(d->rest, n + 1);
	dump_skip(d, tag.n);
	dump_skip(d, span_find_span(d->rest, tag) + tag.n);
}

/* To behind the semicolon, or to `stop` at this depth of parentheses. */
void
dump_skip_to(struct dump *d, char stop, char or_stop)
{
	int depth = 0;

	for (dump_skip_blank(d); d->rest.n > 0; dump_skip_blank(d)) {
		char c = d->rest.at[0];

		if (depth == 0 && (c == stop || c == or_stop))
			return;
		if (c == '\'' || c == '"' || c == '`')
			skip_quoted(d);
		else if (c == '$' && !d->mysql)
			skip_dollar(d);
		else {
			depth += (c == '(') - (c == ')' && depth > 0);
			dump_skip(d, 1);
		}
	}
}

void
dump_skip_statement(struct dump *d)
{
	do {
		dump_skip_to(d, ';', ';');
	} while (d->rest.n > 0 && !dump_take_char(d, ';'));
}
