#include "common/imap/cursor.h"

#include "common/imap/name.h"

/* --- quoted --------------------------------------------------------------- */

/* Of a quoted string with `escapes` backslashes in it. */
static struct span
unescaped(struct imap_cursor *c, struct span quoted, size_t escapes)
{
	char *at = imap_new(c, quoted.n - escapes + 1, 1);
	size_t n = 0;

	if (!at)
		return SPAN("");
	for (size_t i = 0; i < quoted.n; i++) {
		i += quoted.at[i] == '\\';
		at[n++] = quoted.at[i];
	}
	return span_make(at, n);
}

static bool
is_escape(const char *at, const char *end)
{
	return end - at >= 2 && at[0] == '\\' && (at[1] == '"' || at[1] == '\\');
}

/* Behind the first quote. 8-bit is let pass: with UTF8=ACCEPT it is right [RFC6855 3],
 * and without it clients send it all the same. */
static struct span
quoted(struct imap_cursor *c)
{
	const char *start = c->at, *at = start;
	size_t escapes = 0;
	struct span s;

	while (at < c->end && (imap_is(*at, IMAP_C_PLAIN) || is_escape(at, c->end))) {
		escapes += *at == '\\';
		at += *at == '\\' ? 2 : 1;
	}
	if (at == c->end || *at != '"') {
		imap_fail(c, "a quoted string is broken or has no end");
		return SPAN("");
	}
	s = span_make(start, (size_t)(at - start));
	c->at = at + 1;
	return escapes > 0 ? unescaped(c, s, escapes) : imap_kept(c, s);
}

/* --- literals ------------------------------------------------------------- */

/* "{n}CRLF" or "{n+}CRLF". */
static uint64_t
literal_bytes(struct imap_cursor *c)
{
	uint64_t n;

	imap_expect(c, '{', "a literal was expected");
	n = imap_number(c, 0, IMAP_NUMBER64_MAX, "a literal has no size");
	imap_take(c, '+');
	imap_expect(c, '}', "a literal's } was expected");
	imap_expect(c, '\r', "a literal's CRLF was expected");
	imap_expect(c, '\n', "a literal's CRLF was expected");
	return n;
}

static struct span
literal(struct imap_cursor *c)
{
	uint64_t n = literal_bytes(c);
	struct span s;

	if (!imap_ok(c))
		return SPAN("");
	if (n > (size_t)(c->end - c->at)) {
		imap_fail(c, "a literal is cut off");
		return SPAN("");
	}
	s = span_make(c->at, (size_t)n);
	c->at += n;
	if (span_find(s, '\0') < s.n)
		imap_fail(c, "a literal has a NUL in it");
	return imap_kept(c, s);
}

bool
imap_literal_head(struct imap_cursor *c, bool *binary, uint64_t *bytes)
{
	struct imap_cursor ahead = *c;

	*binary = imap_take(&ahead, '~');
	*bytes = literal_bytes(&ahead);
	if (!imap_ok(&ahead) || ahead.at != ahead.end)
		return false;
	*c = ahead;
	return true;
}

/* --- either, or an atom --------------------------------------------------- */

struct span
imap_string(struct imap_cursor *c, const char *text)
{
	if (imap_take(c, '"'))
		return quoted(c);
	if (imap_next_is(c, '{'))
		return literal(c);
	imap_fail(c, text);
	return SPAN("");
}

static struct span
word_or_string(struct imap_cursor *c, enum imap_chars set, const char *text)
{
	struct span word = imap_run(c, set);

	return word.n > 0 ? imap_kept(c, word) : imap_string(c, text);
}

struct span
imap_astring(struct imap_cursor *c, const char *text)
{
	return word_or_string(c, IMAP_C_ASTRING, text);
}

struct span
imap_nstring(struct imap_cursor *c, const char *text)
{
	if (imap_take_word(c, SPAN("NIL")))
		return (struct span){NULL, 0};
	return imap_string(c, text);
}

/* --- names ---------------------------------------------------------------- */

static bool
is_plain(struct span wire)
{
	for (size_t i = 0; i < wire.n; i++)
		if (wire.at[i] < ' ' || wire.at[i] > '~' || wire.at[i] == '&')
			return false;
	return wire.n <= IMAP_NAME_MAX && !span_starts_nocase(wire, SPAN("INBOX"));
}

static struct span
decoded(struct imap_cursor *c, struct span wire)
{
	struct buf name = buf_make(IMAP_NAME_MAX);
	struct span out = SPAN("");

	if (!imap_ok(c) || is_plain(wire))
		return wire;
	if (span_equal_nocase(wire, SPAN("INBOX")))
		return SPAN("INBOX");
	if (!imap_name_decode(wire, c->utf8, &name))
		imap_fail(c, wire.n > IMAP_NAME_MAX ? "a mailbox name is too long"
						    : "a mailbox name is broken");
	else if (!arena_copy(c->arena, buf_span(&name), &out))
		imap_fail_limit(c, "the command is too long");
	buf_release(&name);
	return out;
}

struct span
imap_mailbox(struct imap_cursor *c)
{
	return decoded(c, imap_astring(c, "a mailbox name was expected"));
}

struct span
imap_pattern(struct imap_cursor *c)
{
	return decoded(c, word_or_string(c, IMAP_C_LIST, "a pattern was expected"));
}
