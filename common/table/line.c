#include "common/table/line.h"

void
table_lines_init(struct table_lines *l, struct span text,
		 struct table_problems *problems)
{
	*l = (struct table_lines){.rest = text, .problems = problems};
	buf_init(&l->joined, text.n + 1);
}

void
table_lines_release(struct table_lines *l)
{
	buf_release(&l->joined);
}

static struct span
physical(struct table_lines *l)
{
	l->passed++;
	return span_cut(&l->rest, '\n');
}

static bool
says_nothing(struct span s)
{
	s = span_trim(s, TABLE_SPACES);
	return s.n == 0 || s.at[0] == '#';
}

/* Does what comes next belong to the line before? */
static bool
goes_on(const struct table_lines *l)
{
	return l->rest.n > 0 && (table_space(l->rest.at[0]) || l->rest.at[0] == '#');
}

/* All that follows `first`, which alone is the usual case and needs no copy. */
static struct span
join(struct table_lines *l, struct span first)
{
	struct span s;

	if (!goes_on(l))
		return first;
	buf_reset(&l->joined);
	buf_put(&l->joined, first);
	while (goes_on(l)) {
		s = physical(l);
		if (!says_nothing(s))
			buf_put(&l->joined, s);
	}
	return buf_span(&l->joined);
}

static struct span
trim_end(struct span s)
{
	while (s.n > 0 && table_space(s.at[s.n - 1]))
		s.n--;
	return s;
}

bool
table_line_next(struct table_lines *l, struct span *line, unsigned *number)
{
	struct span s;

	while (l->rest.n > 0) {
		s = physical(l);
		*number = l->passed;
		if (says_nothing(s))
			continue;
		*line = trim_end(join(l, s));
		if (span_find(*line, '\0') < line->n)
			table_error(l->problems, *number, "has a NUL byte in it");
		else if (table_space(line->at[0]))
			table_error(l->problems, *number,
				    "starts with white space, but no line before it "
				    "can go on");
		else
			return true;
	}
	return false;
}
