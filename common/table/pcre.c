#include "common/table/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Perl's patterns, by libpcre2, of bytes as Postfix has them; one that wants letters
 * begins with (*UTF). Beyond these limits a match is a fault and not a "no". The
 * library counts anew from each place where a pattern may begin, so we count too:
 * before each part of a pattern it calls us. */
#define STEPS_MAX  200000 /* from one place */
#define HEAP_KIB   4096
#define OWN_CALLS  8 /* for each byte of the key: a few ways through it */
#define CALL_BYTES 4 /* to go over so many bytes takes as long as a call */

struct pattern {
	pcre2_code *code;
	char *text;
};

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

struct counting {
	const char *text; /* of the pattern */
	uint64_t own;     /* what each pattern may spend by itself */
	uint64_t *steps;  /* then those of all */
};

/* May the part, such as "[a-z]+", go over all that is left at once? One that begins
 * with a dot takes it without looking. */
static bool
goes_far(const char *part, size_t n)
{
	return n > 1 && part[0] != '.' && strchr("*+?}", part[n - 1]);
}

static int
on_part(pcre2_callout_block *at, void *context)
{
	struct counting *c = context;
	uint64_t cost = 1, *left;

	if (goes_far(c->text + at->pattern_position, at->next_item_length))
		cost += (at->subject_length - at->current_position) / CALL_BYTES;
	left = c->own >= cost ? &c->own : c->steps;
	if (*left < cost)
		return PCRE2_ERROR_MATCHLIMIT;
	*left -= cost;
	return 0;
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
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     options | PCRE2_AUTO_CALLOUT, &error, &where, NULL);
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
	struct pattern p, *copy;
	struct span flags;
	uint32_t n;

	if (!rule_pattern_take(text, negated, &p.text, &flags, line, problems))
		return NULL;
	prepare();
	p.code = pattern_compile(p.text, flags, line, problems);
	if (!p.code) {
		free(p.text);
		return NULL;
	}
	(void)pcre2_pattern_info(p.code, PCRE2_INFO_CAPTURECOUNT, &n);
	*groups = n;
	copy = memory_new(1, sizeof(*copy));
	*copy = p;
	return copy;
}

static void
discard(void *what)
{
	struct pattern *p = what;

	pcre2_code_free(p->code);
	free(p->text);
	free(p);
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
match(const void *what, struct span key, struct rule_groups *groups, uint64_t *steps,
      struct err *err)
{
	const struct pattern *p = what;
	struct counting counting = {p->text, OWN_CALLS * (key.n + 16), steps};
	PCRE2_UCHAR text[100];
	int n;

	pcre2_set_callout(the_limits, on_part, &counting);
	n = pcre2_match(p->code, (PCRE2_SPTR)(key.n ? key.at : ""), key.n, 0, 0,
			the_data, the_limits);
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
