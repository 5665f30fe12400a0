/* APPEND [RFC9051 6.3.12] [RFC3502] [RFC6855 4] and REPLACE [RFC8508], in pieces */
#include "common/imap/cursor.h"

#include "common/imap/date.h"

static int64_t
append_date(struct imap_cursor *c)
{
	struct span s = imap_string(c, "a date was expected");
	int64_t seconds = 0;

	if (imap_ok(c) && !imap_date_time_parse(s, &seconds))
		imap_fail(c, "a date such as \"17-Jul-1996 02:44:25 -0700\" was "
			     "expected");
	return seconds;
}

/* [(flags)] ["date"] {n}CRLF, the space before it taken. */
static void
append_message(struct imap_cursor *c, struct imap_append_message *out)
{
	bool binary;

	*out = (struct imap_append_message){0};
	if (imap_next_is(c, '(')) {
		imap_flags(c, false, &out->flags);
		imap_space(c, "a message was expected");
	}
	if (imap_next_is(c, '"')) {
		out->has_date = true;
		out->date_s = append_date(c);
		imap_space(c, "a message was expected");
	}
	out->utf8 = imap_take_word(c, SPAN("UTF8"));
	if (out->utf8) {
		imap_space(c, "UTF8: '(' was expected");
		imap_expect(c, '(', "UTF8: '(' was expected");
	}
	if (!imap_literal_head(c, &binary, &out->bytes) || (out->utf8 && !binary))
		imap_fail(c, "a literal with a message was expected");
}

static void
replace_number(struct imap_cursor *c, struct imap_replace *replace)
{
	imap_space(c, "REPLACE: a message number was expected");
	if (!imap_take(c, '*'))
		replace->number = (uint32_t)imap_number(
		    c, 1, UINT32_MAX, "REPLACE: a message number was expected");
	imap_space(c, "a mailbox name was expected");
}

/* A literal is announced here, and it is not the message. */
static bool
announces(const struct imap_cursor *c)
{
	struct imap_cursor ahead = *c;
	uint64_t bytes;
	bool binary;

	return imap_literal_head(&ahead, &binary, &bytes) && !binary;
}

enum imap_append_result
imap_parse_append(struct span frame, const struct imap_parse_options *options,
		  struct arena *arena, struct imap_command *out,
		  struct imap_append_message *message, const char **text)
{
	struct imap_cursor c = {
	    .at = frame.at,
	    .end = frame.at + frame.n,
	    .arena = arena,
	    .utf8 = options->utf8,
	    .keep = true,
	};

	*out = (struct imap_command){0};
	*text = NULL;
	imap_parse_head(&c, out);
	if (out->id != IMAP_APPEND && out->id != IMAP_REPLACE)
		return IMAP_APPEND_NOT;
	if (out->id == IMAP_REPLACE)
		replace_number(&c, &out->replace);
	else
		imap_space(&c, "a mailbox name was expected");
	if (announces(&c))
		return IMAP_APPEND_NOT;
	out->mailbox = imap_mailbox(&c);
	imap_space(&c, "a message was expected");
	append_message(&c, message);
	*text = c.text;
	return imap_ok(&c) ? IMAP_APPEND_MESSAGE : IMAP_APPEND_BAD;
}

enum imap_append_result
imap_parse_append_next(struct span rest, bool utf8, struct arena *arena,
		       struct imap_append_message *message, const char **text)
{
	struct imap_cursor c = {
	    .at = rest.at,
	    .end = rest.at + rest.n,
	    .arena = arena,
	    .keep = true,
	};

	if (utf8)
		imap_expect(&c, ')', "UTF8: ')' was expected");
	imap_space(&c, "a space was expected behind a message");
	append_message(&c, message);
	*text = c.text;
	return imap_ok(&c) ? IMAP_APPEND_MESSAGE : IMAP_APPEND_BAD;
}

bool
imap_parse_append_end(struct span rest, bool utf8)
{
	struct imap_cursor c = {.at = rest.at, .end = rest.at + rest.n};

	if (utf8)
		imap_expect(&c, ')', "UTF8: ')' was expected");
	imap_end(&c);
	return imap_ok(&c);
}
