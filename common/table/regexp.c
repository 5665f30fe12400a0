#include "common/table/rules.h"

#include <regex.h>

/* POSIX patterns, by the C library. It takes time that grows with the key only, but
 * for back references, whose time has no bound: those are for kind pcre. */

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

static regex_t *
pattern_compile(const char *pattern, struct span flags, unsigned line,
		struct table_problems *problems)
{
	int options = flags_read(flags), error;
	regex_t *regex;
	char text[100];

	if (options < 0 || refers_back(pattern)) {
		table_error(problems, line,
			    options < 0 ? "has a flag that is not i, m or x"
					: "has a back reference, whose time has no "
					  "limit: use a table of type pcre");
		return NULL;
	}
	regex = memory_new(1, sizeof(*regex));
	error = regcomp(regex, pattern, options);
	if (error == 0)
		return regex;
	regerror(error, regex, text, sizeof(text));
	table_error(problems, line, "has a wrong pattern: %s", text);
	free(regex);
	return NULL;
}

static void *
compile(struct span *text, bool *negated, unsigned *groups, unsigned line,
	struct table_problems *problems)
{
	struct span flags;
	regex_t *regex;
	char *pattern;

	if (!rule_pattern_take(text, negated, &pattern, &flags, line, problems))
		return NULL;
	regex = pattern_compile(pattern, flags, line, problems);
	free(pattern);
	if (regex)
		*groups = (unsigned)regex->re_nsub;
	return regex;
}

static void
discard(void *what)
{
	regfree(what);
	free(what);
}

static enum rule_match
match(const void *what, struct span key, struct rule_groups *groups, struct err *err)
{
	const regex_t *regex = what;
	regmatch_t at[TABLE_GROUPS_MAX];
	char text[TABLE_KEY_MAX + 1];
	int error;

	if (!span_copy(key, text, sizeof(text)))
		return RULE_OTHER; /* a NUL; longer ones never come here */
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

const struct rule_class rule_class_regexp = {
    .compile = compile, .discard = discard, .match = match, .templates = true};
