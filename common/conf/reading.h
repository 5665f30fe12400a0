/* common/conf/reading.h - what the file said, before it is known to be right
 *
 * Private to this room: read.c fills it from the text, parse.c makes settings of it.
 */
#pragma once

#include "common/conf/value.h"

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

struct conf_problem {
	unsigned line;
	char text[200];
};

struct conf_reading {
	size_t rows; /* as many as conf_rows() has */
	struct conf_given *given;
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

void conf_complain(struct conf_reading *r, unsigned line, const char *format, ...)
    PRINTF(3, 4);
