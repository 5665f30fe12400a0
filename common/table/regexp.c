#include "common/table/rules.h"

#include <regex.h>

/* POSIX patterns, by the C library, which cannot be stopped on its way. But for back
 * references, whose time has no bound and which are for kind pcre, it goes through the
 * key once from each place where the pattern might begin; where it can get far from
 * each of them that is the square of the length, and is counted before. */
struct regexp {
	regex_t regex;
	bool rescans;
};

/* "\1" to "\9" outside of brackets. */
static bool
refers_back(const char *pattern)
{
	for (; *pattern; pattern++)
		if (pattern[0] == '\\' && pattern[1]) {
			pattern++;
			if (ascii_digit(*pattern))
				return true;
		}
	return false;
}

/* Behind what stands in brackets, of which p is the first. */
static const char *
behind_bracket(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	if (*p == ']')
		p++;
	for (; *p && *p != ']'; p++)
		if (p[0] == '[' && p[1] && strchr(":.=", p[1])) {
			const char end[] = {p[1], ']', '\0'};
			const char *at = strstr(p + 2, end);

			if (at)
				p = at + 1;
		}
	return *p ? p + 1 : p;
}

/* Does every branch of it begin with ^? No more than the first is looked at. */
static bool
anchored(const char *p)
{
	int depth = 0;

	if (*p != '^')
		return false;
	while (*p) {
		if (*p == '|' && depth == 0)
			return false;
		depth += (*p == '(') - (*p == ')');
		if (*p == '[')
			p = behind_bracket(p);
		else
			p += p[0] == '\\' && p[1] ? 2 : 1;
	}
	return true;
}

/* May it begin anywhere, and match any length? An escaped sign is as good as a plain
 * one: too much is counted then. */
static bool
rescans(const char *pattern)
{
	return !anchored(pattern) && strpbrk(pattern, "*+{");
}

/* -1 for a flag that is none. */
static int
flags_read(struct span flags)
{
	int options = REG_EXTENDED | REG_ICASE;

	for (size_t i = 0; i < flags.n; i++)
		switch (flags.at[i]) {
		case 'i':
			options ^= REG_ICASE;
			break;
		case 'm':
			options ^= REG_NEWLINE;
			break;
		case 'x':
			options ^= REG_EXTENDED;
			break;
		default:
			return -1;
		}
	return options;
}

static struct regexp *
pattern_compile(const char *pattern, struct span flags, unsigned line,
		struct table_problems *problems)
{
	int options = flags_read(flags), error;
	struct regexp *r;
	char text[100];

	if (options < 0 || refers_back(pattern)) {
		table_error(problems, line,
			    options < 0 ? "has a flag that is not i, m or x"
					: "has a back reference, whose time has no "
					  "limit: use a table of type pcre");
		return NULL;
	}
	r = memory_new(1, sizeof(*r));
	r->rescans = rescans(pattern);
	error = regcomp(&r->regex, pattern, options);
	if (error == 0)
		return r;
	regerror(error, &r->regex, text, sizeof(text));
	table_error(problems, line, "has a wrong pattern: %s", text);
	free(r);
	return NULL;
}

static void *
compile(struct span *text, bool *negated, unsigned *groups, unsigned line,
	struct table_problems *problems)
{
	struct span flags;
	struct regexp *r;
	char *pattern;

	if (!rule_pattern_take(text, negated, &pattern, &flags, line, problems))
		return NULL;
	r = pattern_compile(pattern, flags, line, problems);
	free(pattern);
	if (r)
		*groups = (unsigned)r->regex.re_nsub;
	return r;
}

static void
discard(void *what)
{
	struct regexp *r = what;

	regfree(&r->regex);
	free(r);
}

static enum rule_match
search(const struct regexp *r, const char *text, struct rule_groups *groups,
       struct err *err)
{
	const regex_t *regex = &r->regex;
	regmatch_t at[TABLE_GROUPS_MAX];
	int error;

	groups->n = regex->re_nsub < N_ELEMS(at) ? regex->re_nsub + 1 : N_ELEMS(at);
	error = regexec(regex, text, groups->n, at, 0);
	if (error == REG_NOMATCH)
		return RULE_NO;
	if (error != 0)
		return (enum rule_match)err_set(err, "regexec: error %d", error);
	for (size_t i = 0; i < groups->n; i++) {
		groups->at[i].start = at[i].rm_so < 0 ? 0 : (size_t)at[i].rm_so;
		groups->at[i].end = at[i].rm_so < 0 ? 0 : (size_t)at[i].rm_eo;
	}
	return RULE_YES;
}

static enum rule_match
match(const void *what, struct span key, struct rule_groups *groups, uint64_t *steps,
      struct err *err)
{
	const struct regexp *r = what;
	uint64_t spent = r->rescans ? (uint64_t)key.n * key.n / 16 : 0;
	char text[TABLE_KEY_MAX + 1];

	if (!span_copy(key, text, sizeof(text)))
		return RULE_OTHER; /* a NUL; longer ones never come here */
	if (spent > *steps)
		return (enum rule_match)err_set(
		    err, "so many patterns that may begin anywhere take too much with "
			 "so long a key: begin them with ^");
	*steps -= spent;
	return search(r, text, groups, err);
}

const struct rule_class rule_class_regexp = {
    .compile = compile, .discard = discard, .match = match, .templates = true};
