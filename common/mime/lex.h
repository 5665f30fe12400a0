/* common/mime/lex.h - the lexical tokens of structured fields [RFC5322 3.2]
 *
 * Inside this room only.
 */
#pragma once

#include "common/base/base.h"

struct mime_lex {
	const char *at, *end;
};

static inline struct mime_lex
mime_lex_make(struct span s)
{
	const char *at = s.at ? s.at : "";

	return (struct mime_lex){at, at + s.n};
}

static inline bool
mime_lex_done(const struct mime_lex *l)
{
	return l->at >= l->end;
}

static inline bool
mime_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes c when it stands next. */
static inline bool
mime_lex_take(struct mime_lex *l, char c)
{
	if (l->at >= l->end || *l->at != c)
		return false;
	l->at++;
	return true;
}

/* Skips white space, control characters and comments. */
void mime_lex_skip(struct mime_lex *l);

/* Skips white space and control characters only. */
void mime_lex_space(struct mime_lex *l);

/* Takes a comment, which must stand next; its text, parentheses off, is *out.
 * One without an end goes to the end. Returns how deep it nests. */
unsigned mime_lex_comment(struct mime_lex *l, struct span *out);

/* Bytes of an atom, dots included [RFC5322 3.2.3]; 8-bit bytes belong to it. May
 * be empty. */
MUST_USE struct span mime_lex_atom(struct mime_lex *l);

/* A token [RFC2045 5.1]; may be empty. */
MUST_USE struct span mime_lex_token(struct mime_lex *l);

/* What an unquoted parameter value may be in real mail: up to a semicolon, space,
 * comment or quote. */
MUST_USE struct span mime_lex_loose(struct mime_lex *l);

/* Takes what stands between two quotes, the first of which must stand next; one
 * without an end goes to the end. The escapes are still in it. */
struct span mime_lex_quoted(struct mime_lex *l);

/* Writes s without its escapes and line ends to `out`, which has room for s.n
 * bytes; returns how many it wrote. */
size_t mime_unescape(struct span s, char *out);
