#include "common/table/action.h"

#include "common/table/key.h"

#include <stdio.h>

struct word {
	const char *name;
	enum table_action_kind kind;
	unsigned code;
	const char *status, *text; /* of a refusal without its own */
};

static const struct word words[] = {
    {"OK",      ACTION_OK,      0,   NULL,    NULL           },
    {"PERMIT",  ACTION_OK,      0,   NULL,    NULL           },
    {"DUNNO",   ACTION_DUNNO,   0,   NULL,    NULL           },
    {"WARN",    ACTION_WARN,    0,   NULL,    NULL           },
    {"INFO",    ACTION_WARN,    0,   NULL,    NULL           },
    {"REJECT",  ACTION_REFUSE,  554, "5.7.1", "Access denied"},
    {"DEFER",   ACTION_REFUSE,  450, "4.7.1", "Access denied"},
    {"DISCARD", ACTION_DISCARD, 0,   NULL,    NULL           },
};

/* "5.7.1" off the front of *text; class, subject and detail are numbers of at most
 * three digits [RFC3463 2]. */
static bool
status_take(struct span *text, struct span *status)
{
	size_t n = 0, dots = 0, digits = 0;

	if (text->n < 5 || text->at[0] < '2' || text->at[0] > '5' || text->at[1] != '.')
		return false;
	for (; n < text->n && !table_space(text->at[n]); n++) {
		bool dot = text->at[n] == '.';

		if ((dot && digits == 0) || (!dot && !ascii_digit(text->at[n])) ||
		    digits > 3)
			return false;
		digits = dot ? 0 : digits + 1;
		dots += dot;
	}
	if (dots != 2 || digits == 0 || digits > 3)
		return false;
	*status = span_first(*text, n);
	*text = span_trim(span_after(*text, n), TABLE_SPACES);
	return true;
}

/* A reply is one line of printable ASCII. */
static bool
text_fits(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return text.n <= TABLE_REPLY_TEXT_MAX;
}

/* The status has the class of the code. */
static const char *
refuse(unsigned code, const char *status, const char *preset, struct span text,
       struct table_action *out)
{
	struct span own = span_str(status);

	(void)status_take(&text, &own);
	if (!text_fits(text))
		return "has a text that cannot be a reply";
	*out = (struct table_action){.kind = ACTION_REFUSE, .code = code};
	out->text = text.n > 0 ? text : span_str(preset);
	if (!span_copy(own, out->status, sizeof(out->status)))
		return "has a status that is none";
	out->status[0] = code < 500 ? '4' : '5';
	return NULL;
}

/* "550 text"; false when it does not start with such a number. */
static bool
code_take(struct span *text, unsigned *code)
{
	uint64_t number;

	if (text->n < 3 || (text->at[0] != '4' && text->at[0] != '5') ||
	    !number_parse(span_first(*text, 3), 599, &number) ||
	    (text->n > 3 && !table_space(text->at[3])))
		return false;
	*code = (unsigned)number;
	*text = span_trim(span_after(*text, 3), TABLE_SPACES);
	return true;
}

static const char *
word_take(const struct word *word, struct span text, struct table_action *out)
{
	if (word->kind == ACTION_REFUSE)
		return refuse(word->code, word->status, word->text, text, out);
	*out = (struct table_action){.kind = word->kind, .text = text};
	return NULL;
}

static bool
all_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_digit(s.at[i]))
			return false;
	return s.n > 0;
}

const char *
table_action_parse(struct span result, struct table_action *out)
{
	struct span text = span_trim(result, TABLE_SPACES), word;
	unsigned code = 0;
	size_t n = 0;

	if (code_take(&text, &code))
		return refuse(code, code < 500 ? "4.7.1" : "5.7.1", "Access denied",
			      text, out);
	while (n < text.n && !table_space(text.at[n]))
		n++;
	word = span_first(text, n);
	if (all_digits(word) && n == text.n) {
		*out = (struct table_action){.kind = ACTION_OK};
		return NULL;
	}
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (span_equal_nocase(word, span_str(words[i].name)))
			return word_take(&words[i],
					 span_trim(span_after(text, n), TABLE_SPACES),
					 out);
	return "is not an action that is known here";
}
