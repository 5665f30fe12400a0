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

/* What stands before the '>', in its shortest form; false without a '>'. */
static bool
put_inside(struct mime_lex *l, struct buf *out)
{
	while (mime_lex_space(l), !mime_lex_done(l)) {
		if (mime_lex_take(l, '>'))
			return true;
		if (*l->at == '"') {
			struct span quoted = mime_lex_quoted(l);
			char *at = buf_extend(out, quoted.n);

			if (at)
				out->n -= quoted.n - mime_unescape(quoted, at);
		} else {
			buf_put_char(out, *l->at++);
		}
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
