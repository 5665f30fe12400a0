#include "common/mime/msgid.h"
#include "common/mime/lex.h"

/* To just after the next '<'; false when there is none. */
static bool
seek_open(struct mime_lex *l)
{
	while (mime_lex_skip(l), !mime_lex_done(l)) {
		if (*l->at == '"')
			mime_lex_quoted(l);
		else if (*l->at++ == '<')
			return true;
	}
	return false;
}

/* Bytes that stand for themselves. */
static struct span
take_plain(struct mime_lex *l)
{
	const char *start = l->at;

	while (l->at < l->end && *l->at != '>' && *l->at != '"' &&
	       (unsigned char)*l->at > ' ' && *l->at != 127)
		l->at++;
	return span_make(start, (size_t)(l->at - start));
}

static void
put_unquoted(struct mime_lex *l, struct buf *out)
{
	struct span quoted = mime_lex_quoted(l);
	char *at = buf_extend(out, quoted.n);

	if (at)
		out->n -= quoted.n - mime_unescape(quoted, at);
}

/* What stands before the '>', in its shortest form; false without a '>'. */
static bool
put_inside(struct mime_lex *l, struct buf *out)
{
	while (mime_lex_space(l), !mime_lex_done(l)) {
		if (mime_lex_take(l, '>'))
			return true;
		if (*l->at == '"')
			put_unquoted(l, out);
		else
			buf_put(out, take_plain(l));
	}
	return false;
}

bool
mime_msgid_next(struct span *rest, struct buf *out)
{
	struct mime_lex l = mime_lex_make(*rest);
	size_t before = out->n;
	bool found = false;

	while (!found && seek_open(&l)) {
		out->n = before;
		found = put_inside(&l, out) && out->n > before;
	}
	if (!found)
		out->n = before;
	*rest = span_make(l.at, (size_t)(l.end - l.at));
	return found;
}
