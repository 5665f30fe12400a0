/* common/conf/reading.h - what the file said, before it is known to be right
 *
 * Private to this room: read.c and read_section.c fill it from the text,
 * parse.c, parse_route.c and parse_table.c make settings of it.
 */
#pragma once

#include <confuse.h>

#include "common/conf/value.h"

#define CONF_ROUTE "route"
#define CONF_TABLE "table"

/* Kinds of sections, each with a title and rows of its own. */
enum conf_section {
	CONF_SECTION_ROUTE,
	CONF_SECTION_TABLE,
	CONF_SECTIONS,
};

struct conf_word {
	struct span text;
	unsigned line;
};

/* What the file says about one row. */
struct conf_given {
	struct conf_word *words;
	size_t n;
	unsigned line;
	bool set;
};

/* What it says in one section, by the rows of conf_section_rows(). */
struct conf_given_section {
	const cfg_t *section; /* only while it is read */
	char *title;
	unsigned line;
	struct conf_given *given;
};

/* All of a kind, in the order of the file. */
struct conf_given_sections {
	struct conf_given_section *at;
	size_t n, size;
};

struct conf_problem {
	unsigned line;
	char text[200];
};

struct conf_reading {
	size_t rows; /* as many as conf_rows() has */
	struct conf_given *given;
	struct conf_given_sections sections[CONF_SECTIONS];
	char *unknown[CONF_ERRORS_MAX];
	size_t unknowns;
	bool found_unknown; /* in this round: read again */
	struct conf_problem problems[CONF_ERRORS_MAX];
	size_t n;
};

/* The text must be a C string; its comments are blanked. Problems of syntax, unknown
 * names and names that are set twice are in r->problems then. */
void conf_read(struct conf_reading *r, char *text);
void conf_reading_release(struct conf_reading *r);

/* Turns comments into spaces and keeps line ends. libconfuse can do without, but
 * version 3.3 then counts lines wrong and refuses comments inside lists. The
 * result is null, or where a string or comment starts that never ends. */
MUST_USE const char *conf_blank_comments(char *text);
/* Behind the closing quote of the string that starts at `at`; null without one. */
MUST_USE const char *conf_skip_string(const char *at);

void conf_complain(struct conf_reading *r, unsigned line, const char *format, ...)
    PRINTF(3, 4);

/* --- between read.c and read_section.c */

const char *conf_section_name(enum conf_section kind);
const struct conf_row *conf_section_rows(enum conf_section kind, size_t *n);
void conf_given_release(struct conf_given *given, size_t n);
/* `name = {}` among the options of cfg: no value was seen, and yet it was set. */
void conf_find_empty(cfg_t *cfg, const struct conf_row *rows, size_t n,
		     struct conf_given *given, unsigned line);
/* What the rows of the section that is being read are given. */
MUST_USE struct conf_given *
conf_section_given(struct conf_reading *r, enum conf_section kind,
		   const cfg_t *section);
/* After the text was read: finds sections without any key, titles and lines. */
void conf_sections_finish(struct conf_reading *r, cfg_t *cfg, const char *text);
void conf_sections_forget(struct conf_reading *r);
void conf_sections_release(struct conf_reading *r);

/* --- between parse.c, parse_route.c and parse_table.c */

/* Each row's value, or its default, into *out; `where` stands before the name in
 * complaints. */
void
conf_values_take(struct conf_reading *r, const char *where, const struct conf_row *rows,
		 size_t n, const struct conf_given *given, void *out);
/* All sections; problems are complained of. */
void conf_routes_take(struct conf_reading *r, struct conf_routes *out);
void conf_tables_take(struct conf_reading *r, struct conf_tables *out);
/* Every table that a setting names must be there. */
void conf_tables_check(struct conf_reading *r, const struct settings *s);
/* The line where a setting stands, or 0. */
unsigned conf_line_of_name(const struct conf_reading *r, const char *name);
/* As sections of a file. */
void conf_routes_put(const struct conf_routes *routes, enum conf_secrets secrets,
		     struct buf *out);
void conf_tables_put(const struct conf_tables *tables, struct buf *out);
