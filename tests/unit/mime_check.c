/* tests/unit/mime_check.c - see mime_check.h */
#include "tests/unit/mime_check.h"

/* A reader of IMAP lists that shares nothing with what writes them. */
struct reader {
	const char *at, *end;
	bool bad;
};

static char
peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}

static void
quoted(struct reader *r)
{
	for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
		unsigned char c = (unsigned char)*r->at;

		if (c == '\\')
			r->at++;
		if (c >= 0x80 || c == '\r' || c == '\n' || c == '\0')
			r->bad = true;
	}
	if (peek(r) != '"')
		r->bad = true;
	else
		r->at++;
}

static void
literal(struct reader *r)
{
	size_t n = 0;

	for (r->at++; ascii_digit(peek(r)); r->at++)
		n = n * 10 + (size_t)(*r->at - '0');
	if (r->end - r->at < 3 || memcmp(r->at, "}\r\n", 3) != 0 ||
	    (size_t)(r->end - r->at - 3) < n) {
		r->bad = true;
		return;
	}
	if (memchr(r->at + 3, '\0', n))
		r->bad = true;
	r->at += 3 + n;
}

/* Values are parted by one space, but lists may stand next to lists. */
static void
list(struct reader *r)
{
	unsigned depth = 0;
	char before = ' ';

	do {
		char c = peek(r);

		if (c == '"' && strchr("( ", before)) {
			quoted(r);
		} else if (c == '{' && strchr("( ", before)) {
			literal(r);
		} else if (c == '(' && strchr("() ", before)) {
			depth++;
			r->at++;
		} else if (c == ')' && before != ' ' && before != '(' && depth > 0) {
			depth--;
			r->at++;
		} else if (c == ' ' && before != ' ' && before != '(') {
			r->at++;
		} else if (ascii_digit(c) && strchr("( ", before)) {
			while (ascii_digit(peek(r)))
				r->at++;
		} else if (r->end - r->at >= 3 && memcmp(r->at, "NIL", 3) == 0 &&
			   strchr("( ", before)) {
			r->at += 3;
		} else {
			r->bad = true;
		}
		before = c == '(' || c == ')' || c == ' ' ? c : 'x';
	} while (!r->bad && depth > 0 && r->at < r->end);
	if (depth > 0)
		r->bad = true;
}

bool
mime_check_imap_list(struct span s)
{
	struct reader r = {s.at, s.at + s.n, false};

	if (s.n == 0 || s.at[0] != '(')
		return false;
	list(&r);
	return !r.bad && r.at == r.end;
}

static const char *
check_place(const struct mime_tree *tree, uint32_t i, size_t message_n)
{
	const struct mime_place *place = &tree->places[i], *parent;

	if (place->header_start > place->body_start ||
	    place->body_start > place->body_end)
		return "offsets of a part are out of order";
	if (place->body_end > message_n)
		return "a part ends after the message";
	if (place->next <= i || place->next > tree->n)
		return "next part out of range";
	if (place->body_lines > place->body_end - place->body_start)
		return "more lines than bytes";
	if (place->kind == MIME_LEAF && place->next != i + 1)
		return "a leaf with children";
	if (place->kind == MIME_MESSAGE && place->next == i + 1)
		return "a message part without its message";
	if (i == 0)
		return place->parent == MIME_NO_PART ? NULL
						     : "the first part has a parent";
	if (place->parent >= i)
		return "a parent after its child";
	parent = &tree->places[place->parent];
	if (place->header_start < parent->body_start ||
	    place->body_end > parent->body_end)
		return "a child outside its parent";
	if (place->next > parent->next)
		return "a child's descendants outside its parent";
	if (i > place->parent + 1 && place->header_start < tree->places[i - 1].body_end)
		return place->parent == i - 1 || tree->places[i - 1].next > i
			   ? NULL
			   : "parts overlap";
	return NULL;
}

static bool
utf8(struct span s)
{
	return s.n == 0 || mime_utf8_valid(s) == s.n;
}

static size_t
chars(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return n;
}

static bool
one_line(struct span s)
{
	return span_find(s, '\r') == s.n && span_find(s, '\n') == s.n;
}

static const char *
check_texts(struct span message, const struct mime_summary *s)
{
	if (!mime_check_imap_list(s->envelope))
		return "ENVELOPE is no IMAP list";
	if (!mime_check_imap_list(s->body))
		return "BODY is no IMAP list";
	if (!mime_check_imap_list(s->bodystructure))
		return "BODYSTRUCTURE is no IMAP list";
	if (!utf8(s->preview) || !one_line(s->preview))
		return "the preview is no line of UTF-8";
	if (chars(s->preview) > MIME_PREVIEW_CHARS_MAX)
		return "the preview is too long";
	if (!utf8(s->base_subject) || !one_line(s->base_subject))
		return "the base subject is no line of UTF-8";
	if (!utf8(s->from_display) || !utf8(s->to_display))
		return "a display name is no UTF-8";
	if (!one_line(s->message_id))
		return "the message id is no line";
	if (s->references.n > 0 && s->references.at[s->references.n - 1] != '\n')
		return "the references do not end in a line end";
	if (s->headers.n > s->header_bytes || s->header_bytes > message.n)
		return "more header than message";
	return s->date_seconds >= -1 ? NULL : "a date before all dates";
}

const char *
mime_check(struct span message, const struct mime_summary *s)
{
	const char *wrong = check_texts(message, s);

	if (s->tree.n == 0 || s->tree.n > MIME_PARTS_MAX)
		return "a number of parts out of range";
	if (s->tree.places[0].header_start != 0 ||
	    s->tree.places[0].body_end != message.n)
		return "the first part is not the message";
	for (uint32_t i = 0; i < s->tree.n && !wrong; i++)
		wrong = check_place(&s->tree, i, message.n);
	return wrong;
}
