/* common/table/problem.h - what is wrong with a file, line by line */
#pragma once

#include "common/base/base.h"

#define TABLE_PROBLEMS_MAX 50 /* further ones are not told */

struct table_problem {
	unsigned line; /* 0: the file as a whole */
	bool warning;  /* the table can be used all the same */
	char text[180];
};

/* {0} is an empty list; table_problems_release() gives its memory back. */
struct table_problems {
	struct table_problem *at;
	size_t n;
	bool broken; /* one of them, told or not, is more than a warning */
};

/* Something that Postfix would skip: the table must not be used. */
void table_error(struct table_problems *problems, unsigned line, const char *format,
		 ...) PRINTF(3, 4);
void table_warning(struct table_problems *problems, unsigned line, const char *format,
		   ...) PRINTF(3, 4);
void table_problems_release(struct table_problems *problems);
