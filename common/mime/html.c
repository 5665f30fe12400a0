#include "common/mime/html.h"
#include "common/mime/charset.h"

/* Elements whose content is not for reading. */
static const char *const unread[] = {"style", "script", "head", "title", "template"};

/* Elements that do not part words. */
static const char *const inline_tags[] = {
    "a",    "abbr", "b",     "big",  "code",   "del", "em",  "font", "i", "ins",
    "mark", "s",    "small", "span", "strong", "sub", "sup", "tt",   "u", "wbr"};

static bool
is_among(struct span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal_nocase(name, span_str(names[i])))
			return true;
	return false;
}

static void
put_code(uint32_t code, struct buf *out)
{
	char bytes[4];

	buf_put(out, span_make(bytes, utf8_encode(code, bytes)));
}

/* "#233" or "#xe9"; 0 when it is none. */
static uint32_t
number_code(struct span digits)
{
	bool hexadecimal = digits.n > 1 && ascii_lower(digits.at[0]) == 'x';
	uint32_t code = 0;

	for (size_t i = hexadecimal; i < digits.n; i++) {
		char c = ascii_lower(digits.at[i]);

		if (ascii_digit(c))
			code = code * (hexadecimal ? 16 : 10) + (uint32_t)(c - '0');
		else if (hexadecimal && c >= 'a' && c <= 'f')
			code = code * 16 + (uint32_t)(c - 'a') + 10;
		else
			return 0;
		if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return 0;
	}
	/* What browsers take those for. */
	return code >= 0x80 && code < 0xa0 ? mime_windows_1252((uint8_t)code) : code;
}

/* The character reference at the front of s; its size, or 0 when it is none. */
static size_t
put_reference(struct span s, struct buf *out)
{
	size_t n = span_find(span_first(s, 12), ';');
	struct span name = span_after(span_first(s, n), 1);
	uint32_t code = 0;

	if (n >= 12 || n == s.n || name.n == 0)
		return 0;
	if (name.at[0] == '#')
		code = number_code(span_after(name, 1));
	else
		code = mime_html_code(name);
	if (code == 0)
		return 0;
	put_code(code, out);
	return n + 1;
}

static struct span
tag_name(struct span tag)
{
	size_t n = 0;

	while (n < tag.n && ascii_alnum(tag.at[n]))
		n++;
	return span_first(tag, n);
}

/* Up to the '>' that ends a tag; one inside a quoted value does not. */
static size_t
tag_size(struct span s)
{
	char quote = '\0';

	for (size_t i = 1; i < s.n; i++) {
		char c = s.at[i];

		if (quote ? c == quote : c == '>') {
			if (!quote)
				return i + 1;
			quote = '\0';
		} else if (!quote && (c == '"' || c == '\'') && s.at[i - 1] == '=') {
			quote = c;
		}
	}
	return s.n;
}

/* Bytes from the front of s up to "</name". */
static size_t
content_size(struct span s, struct span name)
{
	for (size_t at = 0; at < s.n;) {
		struct span rest = span_after(s, at);
		size_t n = span_find(rest, '<');

		rest = span_after(rest, n);
		if (span_starts(rest, SPAN("</")) &&
		    span_equal_nocase(tag_name(span_after(rest, 2)), name))
			return at + n;
		at += n + 1;
	}
	return s.n;
}

static size_t
comment_size(struct span s)
{
	size_t n = 4 + span_find_span(span_after(s, 4), SPAN("-->")) + 3;

	return n < s.n ? n : s.n;
}

/* The tag, comment or unread element at the front of s. */
static size_t
take_markup(struct span s, struct buf *out)
{
	bool closing = s.n > 1 && s.at[1] == '/';
	struct span name = tag_name(span_after(s, closing ? 2 : 1));
	size_t n;

	if (span_starts(s, SPAN("<!--")))
		return comment_size(s);
	if (name.n == 0 && !closing && s.n > 1 && s.at[1] != '!' && s.at[1] != '?') {
		buf_put_char(out, '<');
		return 1;
	}
	n = tag_size(s);
	if (!is_among(name, inline_tags, N_ELEMS(inline_tags)))
		buf_put_char(out, ' ');
	if (!closing && is_among(name, unread, N_ELEMS(unread)))
		n += content_size(span_after(s, n), name);
	return n;
}

void
mime_html_put_text(struct span html, struct buf *out)
{
	while (html.n > 0) {
		size_t n = 0;

		while (n < html.n && html.at[n] != '<' && html.at[n] != '&')
			n++;
		buf_put(out, span_first(html, n));
		html = span_after(html, n);
		if (html.n == 0)
			return;
		n = html.at[0] == '<' ? take_markup(html, out)
				      : put_reference(html, out);
		if (n == 0) {
			buf_put_char(out, '&');
			n = 1;
		}
		html = span_after(html, n);
	}
}
