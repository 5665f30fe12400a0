#include "common/mime/lex.h"

enum {
	STOP_ATOM = 1,  /* ends an atom */
	STOP_TOKEN = 2, /* ends a MIME token */
	STOP_LOOSE = 4, /* ends an unquoted parameter value */
	BLANK = 8,      /* white space and control characters */
	STOP_ALL = STOP_ATOM | STOP_TOKEN | STOP_LOOSE,
};

static const uint8_t classes[256] = {
    [0 ... 32] = STOP_ALL | BLANK,
    [127] = STOP_ALL | BLANK,
    ['('] = STOP_ALL,
    ['"'] = STOP_ALL,
    [';'] = STOP_ALL,
    [')'] = STOP_ATOM | STOP_TOKEN,
    ['<'] = STOP_ATOM | STOP_TOKEN,
    ['>'] = STOP_ATOM | STOP_TOKEN,
    ['['] = STOP_ATOM | STOP_TOKEN,
    [']'] = STOP_ATOM | STOP_TOKEN,
    [':'] = STOP_ATOM | STOP_TOKEN,
    ['@'] = STOP_ATOM | STOP_TOKEN,
    [','] = STOP_ATOM | STOP_TOKEN,
    ['\\'] = STOP_ATOM | STOP_TOKEN,
    ['/'] = STOP_TOKEN,
    ['?'] = STOP_TOKEN,
    ['='] = STOP_TOKEN,
};

static bool
is(char c, unsigned class)
{
	return (classes[(unsigned char)c] & class) != 0;
}

static struct span
run(struct mime_lex *l, unsigned stop)
{
	const char *start = l->at;

	while (l->at < l->end && !is(*l->at, stop))
		l->at++;
	return span_make(start, (size_t)(l->at - start));
}

struct span
mime_lex_atom(struct mime_lex *l)
{
	return run(l, STOP_ATOM);
}

struct span
mime_lex_token(struct mime_lex *l)
{
	return run(l, STOP_TOKEN);
}

struct span
mime_lex_loose(struct mime_lex *l)
{
	return run(l, STOP_LOOSE);
}

void
mime_lex_space(struct mime_lex *l)
{
	while (l->at < l->end && is(*l->at, BLANK))
		l->at++;
}

void
mime_lex_skip(struct mime_lex *l)
{
	struct span comment;

	for (;;) {
		mime_lex_space(l);
		if (mime_lex_done(l) || *l->at != '(')
			return;
		mime_lex_comment(l, &comment);
	}
}

unsigned
mime_lex_comment(struct mime_lex *l, struct span *out)
{
	const char *start = ++l->at;
	unsigned depth = 1, deepest = 1;

	for (; l->at < l->end; l->at++) {
		char c = *l->at;

		if (c == '\\' && l->end - l->at > 1)
			l->at++;
		else if (c == '(' && ++depth > deepest)
			deepest = depth;
		else if (c == ')' && --depth == 0)
			break;
	}
	*out = span_make(start, (size_t)(l->at - start));
	if (l->at < l->end)
		l->at++;
	return deepest;
}

struct span
mime_lex_quoted(struct mime_lex *l)
{
	const char *start = ++l->at;
	struct span inside;

	while (l->at < l->end && *l->at != '"')
		l->at += *l->at == '\\' && l->end - l->at > 1 ? 2 : 1;
	inside = span_make(start, (size_t)(l->at - start));
	if (l->at < l->end)
		l->at++;
	return inside;
}

size_t
mime_unescape(struct span s, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '\r' || s.at[i] == '\n')
			continue;
		if (s.at[i] == '\\' && i + 1 < s.n)
			i++;
		out[n++] = s.at[i];
	}
	return n;
}
