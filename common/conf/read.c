#include "common/conf/reading.h"

#include <stdarg.h>
#include <stdio.h>

/* libconfuse knows every setting as a list of words; what they mean is checked
 * here, so that all wrong values are told at once. An unknown name ends its
 * reading, so the text is read again with that name known to be wrong. */

/* libconfuse passes no context to its callbacks, and its scanner is one for the
 * whole process anyway. */
static struct conf_reading *the_reading;

void
conf_complain(struct conf_reading *r, unsigned line, const char *format, ...)
{
	struct conf_problem *p;
	va_list args;

	if (r->n == CONF_ERRORS_MAX)
		return;
	p = &r->problems[r->n++];
	p->line = line;
	va_start(args, format);
	vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
}

static bool
remember_unknown(struct conf_reading *r, struct span text)
{
	struct span name;

	if (!span_starts(text, SPAN("no such option '")) ||
	    r->unknowns == CONF_ERRORS_MAX)
		return false;
	name = span_trim(span_after(text, strlen("no such option ")), "'");
	r->unknown[r->unknowns++] = span_dup(name);
	return true;
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *format, va_list args)
{
	struct conf_reading *r = the_reading;
	char text[160];

	vsnprintf(text, sizeof(text), format, args);
	if (remember_unknown(r, span_str(text)))
		r->found_unknown = true;
	else
		conf_complain(r, (unsigned)cfg->line, "%s", text);
}

static size_t
row_find(const struct conf_row *rows, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal(name, span_str(rows[i].name)))
			return i;
	return n;
}

static void
given_reset(struct conf_given *given)
{
	for (size_t i = 0; i < given->n; i++)
		free((char *)(uintptr_t)given->words[i].text.at);
	free(given->words);
	*given = (struct conf_given){0};
}

void
conf_given_release(struct conf_given *given, size_t n)
{
	for (size_t i = 0; i < n; i++)
		given_reset(&given[i]);
}

static void
given_add(struct conf_given *given, const char *value, unsigned line)
{
	struct conf_word *word;

	given->words = memory_resize(given->words, given->n + 1, sizeof(*word));
	word = &given->words[given->n++];
	word->text = span_str(span_dup(span_str(value)));
	word->line = line;
}

/* The first value of an assignment is told by the count. */
static void
given_take(struct conf_reading *r, struct conf_given *given, const cfg_opt_t *opt,
	   const char *value, unsigned line)
{
	if (opt->nvalues == 1) {
		if (given->set)
			conf_complain(r, line, "%s is set twice, first in line %u",
				      opt->name, given->line);
		given_reset(given);
		given->line = line;
	}
	given->set = true;
	given_add(given, value, line);
}

/* The kind that a name is of; CONF_SECTIONS for none. */
static enum conf_section
section_kind(const char *name)
{
	unsigned kind = 0;

	while (kind < CONF_SECTIONS &&
	       strcmp(name, conf_section_name((enum conf_section)kind)) != 0)
		kind++;
	return (enum conf_section)kind;
}

/* What a setting that is none is none of. */
static const char *
kind_words(enum conf_section kind)
{
	static const char *const words[] = {" of a route", " of a table", ""};

	return words[kind];
}

/* Each value, as it is read. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct conf_reading *r = the_reading;
	enum conf_section kind = section_kind(cfg->name);
	bool top = kind == CONF_SECTIONS;
	unsigned line = (unsigned)cfg->line;
	size_t n, i;
	const struct conf_row *rows = top ? conf_rows(&n) : conf_section_rows(kind, &n);

	*(const char **)result = "";
	i = row_find(rows, n, span_str(opt->name));
	if (i < n)
		given_take(r, top ? &r->given[i] : &conf_section_given(r, kind, cfg)[i],
			   opt, value, line);
	else if (opt->nvalues == 1)
		conf_complain(r, line, "%.60s is not a setting%s", opt->name,
			      kind_words(kind));
	return 0;
}

/* The options for the rows, for those unknown names that are none of them, and for
 * the sections, CONF_SECTIONS of them, if that is not null. */
static cfg_opt_t *
options_new(const struct conf_reading *r, const struct conf_row *rows, size_t n,
	    const cfg_opt_t *sections)
{
	size_t most = n + r->unknowns + CONF_SECTIONS + 1;
	cfg_opt_t *options = memory_new(most, sizeof(*options));
	cfg_opt_t *next = options, end = CFG_END();

	for (size_t i = 0; i < n + r->unknowns; i++) {
		const char *name = i < n ? rows[i].name : r->unknown[i - n];
		cfg_opt_t option = CFG_STR_LIST_CB(name, 0, CFGF_NODEFAULT, on_value);

		if (i < n || (row_find(rows, n, span_str(name)) == n &&
			      !(sections && section_kind(name) < CONF_SECTIONS)))
			*next++ = option;
	}
	for (size_t i = 0; sections && i < CONF_SECTIONS; i++)
		*next++ = sections[i];
	*next = end;
	return options;
}

/* The line that begins with the name. */
static unsigned
line_search(const char *text, const char *name)
{
	struct span rest = span_str(text);

	for (unsigned line = 1; rest.n > 0; line++) {
		struct span s = span_trim(span_cut(&rest, '\n'), " \t");

		struct span after = span_after(s, strlen(name));

		if (span_starts(s, span_str(name)) && after.n > 0 &&
		    strchr(" \t=+", after.at[0]))
			return line;
	}
	return 0;
}

void
conf_find_empty(cfg_t *cfg, const struct conf_row *rows, size_t n,
		struct conf_given *given, unsigned line)
{
	for (size_t i = 0; i < n; i++) {
		const cfg_opt_t *opt = cfg_getopt(cfg, rows[i].name);

		if (!opt || (opt->flags & CFGF_MODIFIED) == 0 || given[i].set)
			continue;
		given[i].set = true;
		given[i].line = line;
	}
}

/* Empty lists stand where their name is first set. */
static void
find_empty_lists(struct conf_reading *r, cfg_t *cfg, const char *text)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	conf_find_empty(cfg, rows, n, r->given, 0);
	for (size_t i = 0; i < n; i++)
		if (r->given[i].set && r->given[i].line == 0)
			r->given[i].line = line_search(text, rows[i].name);
}

static void
read_with(struct conf_reading *r, const char *text, cfg_opt_t *options)
{
	cfg_t *cfg = cfg_init(options, 0);

	ASSERT(cfg);
	cfg_set_error_function(cfg, on_error);
	if (cfg_parse_buf(cfg, text) == CFG_SUCCESS) {
		find_empty_lists(r, cfg, text);
		conf_sections_finish(r, cfg, text);
	} else {
		conf_sections_forget(r); /* titles are known at the end only */
		if (r->n == 0 && !r->found_unknown)
			conf_complain(r, (unsigned)cfg->line, "cannot be read");
	}
	cfg_free(cfg);
}

static void
read_once(struct conf_reading *r, const char *text)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);
	cfg_opt_t *inside[CONF_SECTIONS], sections[CONF_SECTIONS], *options;

	r->found_unknown = false;
	r->n = 0;
	conf_given_release(r->given, r->rows);
	conf_sections_forget(r);
	for (unsigned kind = 0; kind < CONF_SECTIONS; kind++) {
		enum conf_section k = (enum conf_section)kind;
		size_t n_inside;
		const struct conf_row *rows_inside = conf_section_rows(k, &n_inside);

		inside[kind] = options_new(r, rows_inside, n_inside, NULL);
		sections[kind] =
		    (cfg_opt_t)CFG_SEC(conf_section_name(k), inside[kind],
				       CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	}
	options = options_new(r, rows, n, sections);
	read_with(r, text, options);
	free(options);
	for (unsigned kind = 0; kind < CONF_SECTIONS; kind++)
		free(inside[kind]);
}

static unsigned
line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

void
conf_read(struct conf_reading *r, char *text)
{
	const char *open_end = conf_blank_comments(text);

	*r = (struct conf_reading){0};
	conf_rows(&r->rows);
	r->given = memory_new(r->rows, sizeof(*r->given));
	if (open_end) {
		conf_complain(r, line_of(text, open_end), "%s is never closed",
			      *open_end == '/' ? "a comment" : "a quoted text");
		return;
	}
	the_reading = r;
	do {
		read_once(r, text);
	} while (r->found_unknown);
	the_reading = NULL;
}

void
conf_reading_release(struct conf_reading *r)
{
	conf_given_release(r->given, r->rows);
	free(r->given);
	conf_sections_release(r);
	for (size_t i = 0; i < r->unknowns; i++)
		free(r->unknown[i]);
}
