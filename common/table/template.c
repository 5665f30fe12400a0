#include "common/table/rules.h"

/* One piece of a template: text as it stands, or the number of a group. */
struct piece {
	struct span text;
	struct span group; /* the digits; its `at` is null for text */
};

static bool
name_char(char c)
{
	return ascii_alnum(c) || c == '_';
}

/* What stands behind a $. False when it is cut off or empty. */
static bool
reference_take(struct span *rest, struct span *name)
{
	static const char open[] = "({", close[] = ")}";
	const char *which = rest->n > 0 ? strchr(open, rest->at[0]) : NULL;
	size_t n = 0;

	if (which && *which) {
		*rest = span_after(*rest, 1);
		n = span_find(*rest, close[which - open]);
		if (n == rest->n)
			return false;
		*name = span_first(*rest, n);
		*rest = span_after(*rest, n + 1);
	} else {
		while (n < rest->n && name_char(rest->at[n]))
			n++;
		*name = span_first(*rest, n);
		*rest = span_after(*rest, n);
	}
	return name->n > 0;
}

/* 1 and the next piece, 0 at the end, -1 for what cannot be read. */
static int
piece_take(struct span *rest, struct piece *piece)
{
	size_t n = span_find(*rest, '$');

	*piece = (struct piece){0};
	if (rest->n == 0)
		return 0;
	if (n > 0) {
		piece->text = span_first(*rest, n);
		*rest = span_after(*rest, n);
	} else if (rest->n > 1 && rest->at[1] == '$') {
		piece->text = span_first(*rest, 1);
		*rest = span_after(*rest, 2);
	} else {
		*rest = span_after(*rest, 1);
		return reference_take(rest, &piece->group) ? 1 : -1;
	}
	return 1;
}

static bool
group_check(struct span group, unsigned groups, bool negated, unsigned line,
	    struct table_problems *problems)
{
	uint64_t number;

	if (!number_parse(group, TABLE_GROUPS_MAX - 1, &number) || number == 0)
		table_error(problems, line,
			    "has $%.*s in its result, which is no group; write $$ "
			    "for a $",
			    (int)(group.n < 20 ? group.n : 20), group.at);
	else if (negated)
		table_error(problems, line, "is negated and has $%u in its result",
			    (unsigned)number);
	else if (number > groups)
		table_error(problems, line,
			    "has $%u in its result, but its pattern has %u groups",
			    (unsigned)number, groups);
	else
		return true;
	return false;
}

bool
template_check(struct span text, unsigned groups, bool negated, bool *expands,
	       unsigned line, struct table_problems *problems)
{
	struct piece piece;
	int more;

	*expands = span_find(text, '$') < text.n;
	while ((more = piece_take(&text, &piece)) > 0)
		if (piece.group.at &&
		    !group_check(piece.group, groups, negated, line, problems))
			return false;
	if (more < 0)
		table_error(problems, line,
			    "has a $ in its result with no number; "
			    "write $$ for a $");
	return more == 0;
}

static struct span
group_text(struct span digits, struct span key, const struct rule_groups *groups)
{
	uint64_t number;

	if (!number_parse(digits, TABLE_GROUPS_MAX - 1, &number) || number >= groups->n)
		return span_make("", 0);
	return span_first(span_after(key, groups->at[number].start),
			  groups->at[number].end - groups->at[number].start);
}

void
template_put(struct span text, struct span key, const struct rule_groups *groups,
	     struct buf *out)
{
	struct piece piece;

	while (piece_take(&text, &piece) > 0)
		buf_put(out, piece.group.at ? group_text(piece.group, key, groups)
					    : piece.text);
}
