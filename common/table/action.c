#include "common/table/action.h"

#include "common/smtp/smtp.h"
#include "common/table/key.h"

#include <stdio.h>

/* What follows an action, and is no other line of the log. */
enum argument {
	NOTHING,
	REPLY, /* [status] text, both with a preset */
	ADDRESS,
	HEADER,
};

struct word {
	const char *name;
	enum table_action_kind kind;
	enum argument argument;
	unsigned code;
	const char *status, *text; /* of a REPLY without its own */
};

#define DENIED "Access denied"
#define BUSY   "Service unavailable"

static const struct word words[] = {
    {"OK",	      ACTION_OK,              NOTHING, 0,   NULL,    NULL  },
    {"PERMIT",          ACTION_OK,              NOTHING, 0,   NULL,    NULL  },
    {"DUNNO",           ACTION_DUNNO,           NOTHING, 0,   NULL,    NULL  },
    {"WARN",            ACTION_WARN,            NOTHING, 0,   NULL,    NULL  },
    {"INFO",            ACTION_INFO,            NOTHING, 0,   NULL,    NULL  },
    {"REJECT",          ACTION_REFUSE,          REPLY,   554, "5.7.1", DENIED},
    {"DEFER",           ACTION_REFUSE,          REPLY,   450, "4.7.1", DENIED},
    {"DEFER_IF_PERMIT", ACTION_DEFER_IF_PERMIT, REPLY,   450, "4.7.1", BUSY  },
    {"DEFER_IF_REJECT", ACTION_DEFER_IF_REJECT, REPLY,   450, "4.7.1", BUSY  },
    {"DISCARD",         ACTION_DISCARD,         NOTHING, 0,   NULL,    NULL  },
    {"HOLD",            ACTION_HOLD,            NOTHING, 0,   NULL,    NULL  },
    {"REDIRECT",        ACTION_REDIRECT,        ADDRESS, 0,   NULL,    NULL  },
    {"BCC",	     ACTION_BCC,             ADDRESS, 0,   NULL,    NULL  },
    {"PREPEND",         ACTION_PREPEND,         HEADER,  0,   NULL,    NULL  },
};

#define NO_FILTER                                                                      \
	"needs a content filter, which is not there: HOLD or REDIRECT such mail"
#define OF_POSTFIX "is a restriction of Postfix: "
#define OTHER_TABLE                                                                    \
	OF_POSTFIX "name that table in client_access, helo_access, sender_access or "  \
		   "recipient_access"

/* What operators of Postfix have in such tables, and what to do instead. */
static const struct {
	const char *start, *advice;
} elsewhere[] = {
    {"FILTER ",        NO_FILTER					   },
    {"reject_",        OF_POSTFIX "write an action such as REJECT or DEFER"},
    {"permit_",        OF_POSTFIX "write an action such as OK or DUNNO"    },
    {"defer_",         OF_POSTFIX "write DEFER"                            },
    {"warn_if_reject", OF_POSTFIX "write WARN or INFO"                     },
    {"check_",         OTHER_TABLE					 },
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
refuse(enum table_action_kind kind, unsigned code, const char *status,
       const char *preset, struct span text, struct table_action *out)
{
	struct span own = span_str(status);

	(void)status_take(&text, &own);
	if (!text_fits(text))
		return "has a text that cannot be a reply";
	*out = (struct table_action){.kind = kind, .code = code};
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

/* One plain address, in brackets or not. */
static const char *
address_take(struct span text, struct span *out)
{
	struct buf path = buf_make(SMTP_ADDRESS_BYTES_MAX + 2);
	bool bare = text.n == 0 || text.at[0] != '<';
	struct smtp_path parsed;
	struct span in;
	bool right;

	buf_put_str(&path, bare ? "<" : "");
	buf_put(&path, text);
	buf_put_str(&path, bare ? ">" : "");
	in = buf_span(&path);
	right = !path.full && smtp_path_parse(&in, &parsed) == SMTP_PATH_OK &&
		in.n == 0 && !parsed.utf8 && parsed.local.n > 0 &&
		parsed.domain.n > 0 && parsed.local.at == buf_span(&path).at + 1;
	buf_release(&path);
	if (!right)
		return "needs one address, user@domain";
	*out = bare ? text : span_first(span_after(text, 1), text.n - 2);
	return NULL;
}

/* "Name: text", whole and in one line [RFC5322 2.2]. */
static const char *
header_take(struct span text, struct span *out)
{
	size_t colon = span_find(text, ':');

	if (colon == text.n || colon == 0 ||
	    span_trim(span_after(text, colon + 1), TABLE_SPACES).n == 0)
		return "needs a header field, Name: text";
	for (size_t i = 0; i < colon; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return "needs a header field, Name: text";
	for (size_t i = colon; i < text.n; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return "has a byte that no header field may have: printable "
			       "ASCII only";
	if (text.n > TABLE_HEADER_BYTES_MAX)
		return "has a header field that is too long";
	*out = text;
	return NULL;
}

static const char *
word_take(const struct word *word, struct span text, struct table_action *out)
{
	struct span argument = text;
	const char *wrong = NULL;

	if (word->argument == REPLY)
		return refuse(word->kind, word->code, word->status, word->text, text,
			      out);
	if (word->argument == ADDRESS)
		wrong = address_take(text, &argument);
	if (word->argument == HEADER)
		wrong = header_take(text, &argument);
	if (!wrong)
		*out = (struct table_action){.kind = word->kind, .text = argument};
	return wrong;
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
		return refuse(ACTION_REFUSE, code, code < 500 ? "4.7.1" : "5.7.1",
			      DENIED, text, out);
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
	for (size_t i = 0; i < N_ELEMS(elsewhere); i++)
		if (span_starts_nocase(text, span_str(elsewhere[i].start)))
			return elsewhere[i].advice;
	return "is not an action that is known here; a restriction class of Postfix "
	       "has "
	       "to be written out in the access settings";
}
