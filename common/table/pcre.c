#include "common/table/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Perl's patterns, by libpcre2, of bytes as Postfix has them; one that wants letters
 * begins with (*UTF). Beyond these limits, some milliseconds, a match is a
 * fault and not a "no". */
#define STEPS_MAX 200000
#define HEAP_KIB  4096

/* Both are of use to all patterns; made once. */
static pcre2_match_context *the_limits;
static pcre2_match_data *the_data;

static const struct {
	char flag;
	uint32_t option;
} flags_known[] = {
    {'i', PCRE2_CASELESS      },
    {'m', PCRE2_MULTILINE     },
    {'s', PCRE2_DOTALL        },
    {'x', PCRE2_EXTENDED      },
    {'A', PCRE2_ANCHORED      },
    {'E', PCRE2_DOLLAR_ENDONLY},
    {'U', PCRE2_UNGREEDY      },
};

static bool
flags_read(struct span flags, uint32_t *options)
{
	size_t k;

	*options = PCRE2_CASELESS | PCRE2_DOTALL;
	for (size_t i = 0; i < flags.n; i++) {
		for (k = 0; k < N_ELEMS(flags_known); k++)
			if (flags_known[k].flag == flags.at[i])
				break;
		if (k == N_ELEMS(flags_known))
			return false;
		*options ^= flags_known[k].option;
	}
	return true;
}

static void
prepare(void)
{
	if (the_limits)
		return;
	the_limits = pcre2_match_context_create(NULL);
	the_data = pcre2_match_data_create(TABLE_GROUPS_MAX, NULL);
	ASSERT(the_limits && the_data);
	pcre2_set_match_limit(the_limits, STEPS_MAX);
	pcre2_set_depth_limit(the_limits, STEPS_MAX);
	pcre2_set_heap_limit(the_limits, HEAP_KIB);
}

static pcre2_code *
pattern_compile(const char *pattern, struct span flags, unsigned line,
		struct table_problems *problems)
{
	PCRE2_UCHAR text[100];
	PCRE2_SIZE where;
	uint32_t options;
	pcre2_code *code;
	int error;

	if (!flags_read(flags, &options)) {
		table_error(problems, line, "has a flag that is not in imsxAEU");
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options,
			     &error, &where, NULL);
	if (code)
		return code;
	pcre2_get_error_message(error, text, sizeof(text));
	table_error(problems, line, "has a wrong pattern, at its byte %zu: %s",
		    where + 1, (const char *)text);
	return NULL;
}

static void *
compile(struct span *text, bool *negated, unsigned *groups, unsigned line,
	struct table_problems *problems)
{
	struct span flags;
	pcre2_code *code;
	uint32_t n;
	char *pattern;

	if (!rule_pattern_take(text, negated, &pattern, &flags, line, problems))
		return NULL;
	prepare();
	code = pattern_compile(pattern, flags, line, problems);
	free(pattern);
	if (!code)
		return NULL;
	(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &n);
	*groups = n;
	return code;
}

static void
discard(void *what)
{
	pcre2_code_free(what);
}

static void
groups_take(int n, struct rule_groups *groups)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(the_data);

	groups->n = n > 0 ? (size_t)n : TABLE_GROUPS_MAX;
	for (size_t i = 0; i < groups->n; i++) {
		bool set = at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];

		groups->at[i].start = set ? at[2 * i] : 0;
		groups->at[i].end = set ? at[2 * i + 1] : 0;
	}
}

static enum rule_match
match(const void *what, struct span key, struct rule_groups *groups, struct err *err)
{
	PCRE2_UCHAR text[100];
	int n;

	n = pcre2_match(what, (PCRE2_SPTR)(key.n ? key.at : ""), key.n, 0, 0, the_data,
			the_limits);
	if (n == PCRE2_ERROR_NOMATCH)
		return RULE_NO;
	if (n >= 0) {
		groups_take(n, groups);
		return RULE_YES;
	}
	pcre2_get_error_message(n, text, sizeof(text));
	return (enum rule_match)err_set(err, "a pattern took too much: %s",
					(const char *)text);
}

const struct rule_class rule_class_pcre = {
    .compile = compile, .discard = discard, .match = match, .templates = true};
