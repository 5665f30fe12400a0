/* common/table/line.h - logical lines of a table's file
 *
 * A line that starts with white space goes on with the one before; empty lines and
 * comments count for nothing, even between the two. Private to this room.
 */
#pragma once

#include "common/table/key.h"
#include "common/table/problem.h"

struct table_lines {
	struct span rest;
	unsigned passed; /* physical lines */
	struct buf joined;
	struct table_problems *problems;
};

void table_lines_init(struct table_lines *l, struct span text,
		      struct table_problems *problems);
void table_lines_release(struct table_lines *l);

/* Without white space at its end; valid until the next call. *number is the line
 * where it starts. False at the end of the text. */
MUST_USE bool
table_line_next(struct table_lines *l, struct span *line, unsigned *number);
