#include "common/table/rules.h"

/* --- reading -------------------------------------------------------------------- */

static void
rule_release(struct rules *r, struct rule *rule)
{
	if (rule->what)
		r->class->discard(rule->what);
	free(rule->result);
}

static struct rule *
rule_add(struct rules *r, const struct rule *rule)
{
	if (r->n == r->size) {
		r->size = 2 * r->size + 16;
		r->at = memory_resize(r->at, r->size, sizeof(*r->at));
	}
	r->at[r->n] = *rule;
	return &r->at[r->n++];
}

/* Is this the word, in whatever case, and the whole of it? */
static bool
word_take(struct span *text, struct span word)
{
	if (!span_starts_nocase(*text, word) ||
	    (text->n > word.n && ascii_alnum(text->at[word.n])))
		return false;
	*text = span_trim(span_after(*text, word.n), TABLE_SPACES);
	return true;
}

/* The rule is complained of when it is not to be kept. */
static bool
match_take(const struct rules *r, struct span text, struct rule *rule,
	   struct table_problems *problems)
{
	unsigned groups = 0;

	rule->what =
	    r->class->compile(&text, &rule->negated, &groups, rule->line, problems);
	if (!rule->what)
		return false;
	text = span_trim(text, TABLE_SPACES);
	if (text.n == 0 && r->class->words) {
		table_error(problems, rule->line, "has no result");
		return false;
	}
	if (text.n == 0)
		table_warning(problems, rule->line, "has no result: it is empty");
	rule->result = span_dup(text);
	return !r->class->templates ||
	       template_check(text, groups, rule->negated, &rule->expands, rule->line,
			      problems);
}

static bool
if_take(const struct rules *r, struct span text, struct rule *rule,
	struct table_problems *problems)
{
	unsigned groups = 0;

	rule->kind = RULE_IF;
	rule->what =
	    r->class->compile(&text, &rule->negated, &groups, rule->line, problems);
	if (rule->what && span_trim(text, TABLE_SPACES).n > 0)
		table_warning(problems, rule->line, "has extra text after the if");
	return rule->what != NULL;
}

static bool
endif_take(struct rules *r, struct span text, struct rule *rule,
	   struct table_problems *problems)
{
	rule->kind = RULE_ENDIF;
	if (text.n > 0)
		table_warning(problems, rule->line, "has extra text after the endif");
	for (size_t i = r->n; i-- > 0;)
		if (r->at[i].kind == RULE_IF && r->at[i].end == SIZE_MAX) {
			r->at[i].end = r->n;
			return true;
		}
	table_error(problems, rule->line, "is an endif without if");
	return false;
}

static void
line_take(struct rules *r, struct span line, unsigned number,
	  struct table_problems *problems)
{
	struct rule rule = {.line = number, .end = SIZE_MAX};
	bool keep;

	if (word_take(&line, SPAN("endif")))
		keep = endif_take(r, line, &rule, problems);
	else if (word_take(&line, SPAN("if")))
		keep = if_take(r, line, &rule, problems);
	else if (!r->class->words && ascii_alnum(line.at[0])) {
		table_error(problems, number, "is no rule: \"%.*s\"",
			    (int)(line.n < 40 ? line.n : 40), line.at);
		keep = false;
	} else
		keep = match_take(r, line, &rule, problems);
	if (keep)
		rule_add(r, &rule);
	else
		rule_release(r, &rule);
}

static void
find_open(const struct rules *r, struct table_problems *problems)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].kind == RULE_IF && r->at[i].end == SIZE_MAX)
			table_error(problems, r->at[i].line, "is an if without endif");
}

void
rules_parse(struct rules *r, const struct rule_class *class, struct span text,
	    struct table_problems *problems)
{
	struct table_lines lines;
	struct span line;
	unsigned number;

	*r = (struct rules){.class = class};
	table_lines_init(&lines, text, problems);
	while (table_line_next(&lines, &line, &number)) {
		if (r->n == TABLE_RULES_MAX) {
			table_error(problems, number, "is one rule too many");
			break;
		}
		line_take(r, line, number, problems);
	}
	find_open(r, problems);
	table_lines_release(&lines);
}

void
rules_release(struct rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		rule_release(r, &r->at[i]);
	free(r->at);
	*r = (struct rules){0};
}

/* --- asking ----------------------------------------------------------------------- */

static enum rule_match
rule_try(const struct rules *r, const struct rule *rule, struct span key,
	 struct rule_groups *groups, uint64_t *steps, struct err *err)
{
	enum rule_match m = r->class->match(rule->what, key, groups, steps, err);

	if (rule->negated && (m == RULE_YES || m == RULE_NO))
		return m == RULE_YES ? RULE_NO : RULE_YES;
	return m;
}

static enum table_result
result_put(const struct rule *rule, struct span key, const struct rule_groups *groups,
	   struct buf *out, struct err *err)
{
	if (rule->expands)
		template_put(span_str(rule->result), key, groups, out);
	else
		buf_put_str(out, rule->result);
	if (out->full)
		return (enum table_result)err_set(err, "the result is too long");
	if (!utf8_valid(buf_span(out)))
		return (enum table_result)err_set(err, "the result is not UTF-8");
	return TABLE_FOUND;
}

enum table_result
rules_get(const struct rules *r, struct span key, struct buf *value, struct err *err)
{
	uint64_t steps = RULES_STEPS_MAX;
	struct rule_groups groups;

	for (size_t i = 0; i < r->n; i++) {
		const struct rule *rule = &r->at[i];
		enum rule_match m;

		if (rule->kind == RULE_ENDIF)
			continue;
		m = rule_try(r, rule, key, &groups, &steps, err);
		if (m == RULE_FAULT)
			return TABLE_FAULT;
		if (m == RULE_YES && rule->kind == RULE_MATCH)
			return result_put(rule, key, &groups, value, err);
		if (m != RULE_YES && rule->kind == RULE_IF)
			i = rule->end;
	}
	return TABLE_NOT_FOUND;
}

/* --- /pattern/flags -----------------------------------------------------------------
 */

/* Where the delimiter stands again, behind no backslash; n when nowhere. */
static size_t
closing(struct span s, char delimiter)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == delimiter)
			return i;
		i += s.at[i] == '\\';
	}
	return s.n;
}

bool
rule_pattern_take(struct span *text, bool *negated, char **pattern, struct span *flags,
		  unsigned line, struct table_problems *problems)
{
	struct span s = *text;
	size_t n;

	for (; s.n > 0 && (s.at[0] == '!' || table_space(s.at[0]));
	     s = span_after(s, 1))
		*negated ^= s.at[0] == '!';
	if (s.n == 0) {
		table_error(problems, line, "has no pattern");
		return false;
	}
	n = closing(span_after(s, 1), s.at[0]);
	if (n >= s.n - 1) {
		table_error(problems, line, "has no closing \"%c\" after its pattern",
			    s.at[0]);
		return false;
	}
	*pattern = span_dup(span_first(span_after(s, 1), n));
	s = span_after(s, n + 2);
	for (n = 0; n < s.n && !table_space(s.at[n]);)
		n++;
	*flags = span_first(s, n);
	*text = span_after(s, n);
	return true;
}
