#include "common/imap/name.h"

#include "common/imap/chars.h"
#include "common/imap/put.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The value of a digit of modified BASE64; 64 for what is none. */
static unsigned
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (ascii_digit(c))
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == ',' ? 63 : 64;
}

/* --- characters ----------------------------------------------------------- */

/* [RFC9051 5.1]: no controls, neither of ASCII nor beyond, no line or paragraph
 * separator. */
static bool
allowed(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && c != 0x2028 && c != 0x2029;
}

static void
put_utf8(struct buf *out, uint32_t c)
{
	char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(lead[n] | c);
	buf_put(out, span_make(bytes, n));
}

/* The next character of valid UTF-8 off the front of *s. */
static uint32_t
take_utf8(struct span *s)
{
	const uint8_t *at = (const uint8_t *)s->at;
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? at[0] : at[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (at[i] & 0x3f);
	*s = span_after(*s, n);
	return c;
}

/* --- from the wire -------------------------------------------------------- */

/* Takes the next 16 bits off a shifted sequence; false at its end. */
struct shifted {
	struct span rest;
	uint32_t bits;
	unsigned n_bits;
};

static bool
take_unit(struct shifted *s, uint32_t *unit)
{
	while (s->n_bits < 16 && s->rest.n > 0) {
		s->bits = (s->bits << 6 | digit_value(*s->rest.at)) & 0x3fffff;
		s->n_bits += 6;
		s->rest = span_after(s->rest, 1);
	}
	if (s->n_bits < 16)
		return false;
	s->n_bits -= 16;
	*unit = s->bits >> s->n_bits & 0xffff;
	return true;
}

/* What stands between '&' and '-', as UTF-8. Only the one canonical form is right:
 * no character that needs no shift, no bits left over but zeros, and few of them. */
static bool
put_shifted(struct buf *out, struct span base64)
{
	struct shifted s = {.rest = base64};
	uint32_t unit, low;

	while (take_unit(&s, &unit)) {
		if (unit >= 0xdc00 && unit <= 0xdfff)
			return false;
		if (unit >= 0xd800 && unit <= 0xdbff) {
			if (!take_unit(&s, &low) || low < 0xdc00 || low > 0xdfff)
				return false;
			unit = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
		}
		if (unit < 0x80 || !allowed(unit))
			return false;
		put_utf8(out, unit);
	}
	return s.n_bits < 6 && (s.bits & ((1u << s.n_bits) - 1)) == 0;
}

/* "&...-" off the front of *wire, whose '&' is there. */
static bool
take_shift(struct buf *out, struct span *wire)
{
	size_t n = 1;

	while (n < wire->n && digit_value(wire->at[n]) < 64)
		n++;
	if (n == wire->n || wire->at[n] != '-')
		return false;
	if (n == 1)
		buf_put_char(out, '&');
	else if (!put_shifted(out, span_make(wire->at + 1, n - 1)))
		return false;
	*wire = span_after(*wire, n + 1);
	/* Two shifts side by side would be one. "&-" shifts nothing. */
	return n == 1 || wire->n < 2 || wire->at[0] != '&' || wire->at[1] == '-';
}

static bool
decode(struct span wire, bool utf8, struct buf *out)
{
	uint32_t c;

	while (wire.n > 0) {
		if (*wire.at == '&' && !utf8) {
			if (!take_shift(out, &wire))
				return false;
			continue;
		}
		c = take_utf8(&wire);
		if (!allowed(c))
			return false;
		put_utf8(out, c);
	}
	return true;
}

/* The name that begins in "INBOX", alone or with levels below it. */
static bool
is_inbox(struct span name)
{
	return span_starts_nocase(name, SPAN("INBOX")) &&
	       (name.n == 5 || name.at[5] == '/');
}

bool
imap_name_decode(struct span wire, bool utf8, struct buf *out)
{
	struct buf before = *out;
	size_t start = out->n;

	if (!utf8_valid(wire) || !decode(wire, utf8, out) || out->full ||
	    out->n - start > IMAP_NAME_MAX) {
		out->n = before.n;
		out->full = before.full;
		return false;
	}
	if (is_inbox(span_make(out->at + start, out->n - start)))
		memcpy(out->at + start, "INBOX", 5);
	return true;
}

/* --- to the wire ---------------------------------------------------------- */

struct shift {
	uint32_t bits;
	unsigned n_bits;
	bool open;
};

static void
put_unit(struct buf *out, struct shift *s, uint32_t unit)
{
	s->bits = s->bits << 16 | unit;
	for (s->n_bits += 16; s->n_bits >= 6; s->n_bits -= 6)
		buf_put_char(out, digits[s->bits >> (s->n_bits - 6) & 0x3f]);
}

static void
close_shift(struct buf *out, struct shift *s)
{
	if (!s->open)
		return;
	if (s->n_bits > 0)
		buf_put_char(out, digits[s->bits << (6 - s->n_bits) & 0x3f]);
	buf_put_char(out, '-');
	*s = (struct shift){0};
}

static void
put_character(struct buf *out, struct shift *s, uint32_t c)
{
	if (c < 0x80) {
		close_shift(out, s);
		buf_put_char(out, (char)c);
		if (c == '&')
			buf_put_char(out, '-');
		return;
	}
	if (!s->open)
		buf_put_char(out, '&');
	s->open = true;
	if (c >= 0x10000) {
		put_unit(out, s, 0xd800 | (c - 0x10000) >> 10);
		c = 0xdc00 | ((c - 0x10000) & 0x3ff);
	}
	put_unit(out, s, c);
}

static bool
is_plain(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.at[i] >= 0x80 || name.at[i] == '&')
			return false;
	return true;
}

void
imap_put_name(struct buf *out, struct span name, bool utf8)
{
	struct buf wire = buf_make(8 * IMAP_NAME_MAX);
	struct shift s = {0};

	if (utf8 || is_plain(name) || !utf8_valid(name)) {
		imap_put_astring(out, name, utf8);
		return;
	}
	while (name.n > 0)
		put_character(&wire, &s, take_utf8(&name));
	close_shift(&wire, &s);
	imap_put_astring(out, buf_span(&wire), false);
	buf_release(&wire);
}

/* --- patterns ------------------------------------------------------------- */

/* A pattern as the bytes it spells and, before each of them and at the end, what may
 * stand there besides: nothing, one level's worth ('%'), or anything ('*'). */
struct pattern {
	struct span spelt;
	uint8_t gap[IMAP_NAME_MAX + 1]; /* 0, '%' or '*' */
	char bytes[IMAP_NAME_MAX];
};

/* False when it spells more than a name can hold: it matches none. */
static bool
pattern_read(struct span text, struct pattern *p)
{
	size_t n = 0;

	p->gap[0] = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.at[i] == '*' || text.at[i] == '%') {
			if (p->gap[n] != '*')
				p->gap[n] = (uint8_t)text.at[i];
			continue;
		}
		if (n == IMAP_NAME_MAX)
			return false;
		p->bytes[n++] = text.at[i];
		p->gap[n] = 0;
	}
	p->spelt = span_make(p->bytes, n);
	return true;
}

/* Byte by byte of the name, all places in the pattern where a match may stand are
 * carried along: at[i] says that i bytes of it are spelt. */
static bool
pattern_matches(const struct pattern *p, struct span name)
{
	size_t n = p->spelt.n, low = 0, high = 0;
	size_t inbox = is_inbox(name) ? 5 : 0;
	bool at[IMAP_NAME_MAX + 1];

	at[0] = true;
	for (size_t k = 0; k < name.n && low <= high; k++) {
		char c = name.at[k], small = k < inbox ? ascii_lower(c) : c;

		if (high < n)
			at[++high] = false;
		for (size_t i = high + 1; i-- > low;) {
			bool stays = at[i] && (p->gap[i] == '*' ||
					       (p->gap[i] == '%' && c != '/'));
			char want = i > 0 ? p->bytes[i - 1] : '\0';
			bool spelt =
			    i > low && at[i - 1] &&
			    (want == c || (k < inbox && ascii_lower(want) == small));

			at[i] = stays || spelt;
		}
		while (low <= high && !at[low])
			low++;
		while (high > low && !at[high])
			high--;
	}
	return low <= n && high == n && at[n];
}

bool
imap_name_match(struct span pattern, struct span name)
{
	struct pattern p;

	return pattern_read(pattern, &p) && pattern_matches(&p, name);
}
