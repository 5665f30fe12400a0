/* Parameters of a field, and putting together those in pieces [RFC2231 3]. */
#include "common/mime/param.h"

/* name, name*, name*N or name*N* */
static void
piece_split(struct mime_piece *piece, struct span name, struct span value)
{
	struct span rest = name, base = span_cut(&rest, '*');

	*piece = (struct mime_piece){.name = name, .value = value};
	if (base.n == name.n || base.n == 0)
		return;
	piece->extended = rest.n == 0 || rest.at[rest.n - 1] == '*';
	if (rest.n > 0 && piece->extended)
		rest.n--;
	if (rest.n > 0 && !number_parse(rest, MIME_PARAMS_MAX, &piece->index)) {
		piece->extended = false;
		return;
	}
	piece->name = base;
	piece->starred = true;
}

/* The text between the quotes, or as much as a mailer forgot to quote. */
static bool
value_parse(struct mime_lex *l, struct arena *arena, struct span *out)
{
	struct span inside;
	char *at;

	if (mime_lex_done(l) || *l->at != '"') {
		*out = mime_lex_loose(l);
		return true;
	}
	inside = mime_lex_quoted(l);
	*out = inside;
	if (span_find(inside, '\\') == inside.n &&
	    span_find(inside, '\n') == inside.n && span_find(inside, '\r') == inside.n)
		return true;
	at = arena_new(arena, inside.n, 1);
	if (!at)
		return false;
	*out = span_make(at, mime_unescape(inside, at));
	return true;
}

static void
skip_to_semicolon(struct mime_lex *l)
{
	while (mime_lex_skip(l), !mime_lex_done(l) && *l->at != ';') {
		if (*l->at == '"')
			mime_lex_quoted(l);
		else
			l->at++;
	}
}

int
mime_pieces_parse(struct mime_lex *l, struct arena *arena, struct mime_piece *out)
{
	int n = 0;

	for (;;) {
		struct span name, value;

		skip_to_semicolon(l);
		if (!mime_lex_take(l, ';'))
			return n;
		mime_lex_skip(l);
		name = mime_lex_token(l);
		mime_lex_skip(l);
		if (name.n == 0 || !mime_lex_take(l, '='))
			continue;
		mime_lex_skip(l);
		if (n == MIME_PARAMS_MAX || !value_parse(l, arena, &value))
			return -1;
		piece_split(&out[n++], name, value);
	}
}

/* Bytes an extended value may hold as they are [RFC2231 7]. */
static bool
needs_percent(char c)
{
	return c <= ' ' || c >= 127 || strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static size_t
percent_put(struct span value, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if (!needs_percent(value.at[i])) {
			out[n++] = value.at[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

/* The piece numbered `index` of a name, not before `from`; n when there is none. */
static int
piece_find(const struct mime_piece *pieces, int n, struct span name, uint64_t index)
{
	for (int i = 0; i < n; i++)
		if (pieces[i].starred && pieces[i].index == index &&
		    span_equal_nocase(pieces[i].name, name))
			return i;
	return n;
}

static size_t
joined_size_max(const struct mime_piece *pieces, int n, struct span name)
{
	size_t size = 1;

	for (int i = 0; i < n; i++)
		if (pieces[i].starred && span_equal_nocase(pieces[i].name, name))
			size += pieces[i].value.n * 3;
	return size;
}

/* Joins the pieces of `name` in the order of their numbers, up to the first that
 * is missing. One extended piece makes the whole value extended. */
static struct span
join(struct mime_piece *pieces, int n, struct span name, bool extended, char *out)
{
	size_t made = 0;

	for (uint64_t index = 0; index <= MIME_PARAMS_MAX; index++) {
		int i = piece_find(pieces, n, name, index);

		if (i == n)
			break;
		if (extended && !pieces[i].extended) {
			made += percent_put(pieces[i].value, out + made);
		} else if (pieces[i].value.n > 0) {
			memcpy(out + made, pieces[i].value.at, pieces[i].value.n);
			made += pieces[i].value.n;
		}
	}
	return span_make(out, made);
}

static bool
any_extended(const struct mime_piece *pieces, int n, struct span name)
{
	for (int i = 0; i < n; i++)
		if (pieces[i].extended && span_equal_nocase(pieces[i].name, name))
			return true;
	return false;
}

static bool
name_with_star(struct arena *arena, struct span name, struct span *out)
{
	char *at = arena_new(arena, name.n + 1, 1);

	if (!at)
		return false;
	memcpy(at, name.at, name.n);
	at[name.n] = '*';
	*out = span_make(at, name.n + 1);
	return true;
}

static bool
put_joined(struct arena *arena, struct mime_piece *pieces, int n, int first,
	   struct mime_param *out)
{
	struct span name = pieces[first].name;
	bool extended = any_extended(pieces, n, name);
	char *room = arena_new(arena, joined_size_max(pieces, n, name), 1);

	out->name = name;
	if (!room || (extended && !name_with_star(arena, name, &out->name)))
		return false;
	out->value = join(pieces, n, name, extended, room);
	for (int i = 0; i < n; i++)
		if (pieces[i].starred && span_equal_nocase(pieces[i].name, name))
			pieces[i].taken = true;
	return true;
}

int
mime_pieces_join(struct mime_piece *pieces, int n, struct arena *arena,
		 struct mime_param *out)
{
	int made = 0;

	for (int i = 0; i < n; i++) {
		if (pieces[i].taken)
			continue;
		if (!pieces[i].starred)
			out[made] =
			    (struct mime_param){pieces[i].name, pieces[i].value};
		else if (!put_joined(arena, pieces, n, i, &out[made]))
			return -1;
		made++;
	}
	return made;
}
