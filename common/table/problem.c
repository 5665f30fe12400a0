#include "common/table/problem.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 4, 0)))
add(struct table_problems *problems, unsigned line, bool warning, const char *format,
    va_list args)
{
	struct table_problem *p;

	problems->broken |= !warning;
	if (problems->n == TABLE_PROBLEMS_MAX)
		return;
	problems->at =
	    memory_resize(problems->at, problems->n + 1, sizeof(*problems->at));
	p = &problems->at[problems->n++];
	p->line = line;
	p->warning = warning;
	vsnprintf(p->text, sizeof(p->text), format, args);
}

void
table_error(struct table_problems *problems, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, line, false, format, args);
	va_end(args);
}

void
table_warning(struct table_problems *problems, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(problems, line, true, format, args);
	va_end(args);
}

void
table_problems_release(struct table_problems *problems)
{
	free(problems->at);
	*problems = (struct table_problems){0};
}
