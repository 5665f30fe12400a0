#include "common/mime/transfer.h"

static const struct {
	const char *name;
	enum mime_encoding encoding;
} encodings[] = {
    {"7bit",	     MIME_7BIT            },
    {"8bit",             MIME_8BIT            },
    {"base64",           MIME_BASE64          },
    {"quoted-printable", MIME_QUOTED_PRINTABLE},
    {"binary",           MIME_BINARY          },
    {"7-bit",            MIME_7BIT            },
    {"8-bit",            MIME_8BIT            },
};

enum mime_encoding
mime_encoding_identify(struct span name)
{
	for (size_t i = 0; i < N_ELEMS(encodings); i++)
		if (span_equal_nocase(name, span_str(encodings[i].name)))
			return encodings[i].encoding;
	return MIME_ENCODING_UNKNOWN;
}

void
mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding)
{
	*d = (struct mime_decoder){.encoding = encoding};
}

/* Value + 1, so that all else is 0. */
static const uint8_t sextets[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
    ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
    ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
    ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
    ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
    ['/'] = 64,
};

/* What is left of a group when it ends: two sextets make a byte, three make two. */
static void
base64_flush(struct mime_decoder *d, struct buf *out)
{
	const char bytes[] = {(char)(d->bits >> (d->n * 6 >= 8 ? d->n * 6 - 8 : 0)),
			      (char)(d->bits >> 2)};

	if (d->n >= 2)
		buf_put(out, span_make(bytes, d->n - 1));
	d->n = 0;
	d->bits = 0;
}

/* Padding ends a group, not the data: some mailers encode in pieces. */
static void
base64_feed(struct mime_decoder *d, struct span in, struct buf *out)
{
	char *at = buf_extend(out, in.n / 4 * 3 + 3);
	size_t made = 0;

	if (!at)
		return;
	for (size_t i = 0; i < in.n; i++) {
		unsigned value = sextets[(unsigned char)in.at[i]];

		if (value > 0) {
			d->bits = d->bits << 6 | (value - 1);
			d->n++;
		}
		if (d->n == 4) {
			at[made++] = (char)(d->bits >> 16);
			at[made++] = (char)(d->bits >> 8);
			at[made++] = (char)d->bits;
		}
		if (in.at[i] == '=' && d->n >= 2) {
			at[made++] = (char)(d->bits >> (d->n * 6 - 8));
			if (d->n == 3)
				at[made++] = (char)(d->bits >> 2);
		}
		if (d->n == 4 || in.at[i] == '=') {
			d->n = 0;
			d->bits = 0;
		}
	}
	out->n -= in.n / 4 * 3 + 3 - made;
}

static int
hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the bytes held back are so far [RFC2045 6.7]. */
enum {
	QP_TEXT,    /* nothing held */
	QP_BLANK,   /* white space, dropped if the line ends with it */
	QP_CR,      /* that and a CR */
	QP_ESCAPE,  /* "=" */
	QP_HEX,     /* "=" and one digit */
	QP_SOFT,    /* "=" and white space */
	QP_SOFT_CR, /* that and a CR */
};

/* The state after c too is held; QP_TEXT when c decides about what is held. */
static unsigned
state_after(unsigned state, char c)
{
	bool blank = c == ' ' || c == '\t';

	switch (state) {
	case QP_TEXT:
		if (c == '=')
			return QP_ESCAPE;
		return c == '\r' ? QP_CR : blank ? QP_BLANK : QP_TEXT;
	case QP_BLANK:
		return c == '\r' ? QP_CR : blank ? QP_BLANK : QP_TEXT;
	case QP_ESCAPE:
		if (hex_digit(c) >= 0)
			return QP_HEX;
		return c == '\r' ? QP_SOFT_CR : blank ? QP_SOFT : QP_TEXT;
	case QP_SOFT:
		return c == '\r' ? QP_SOFT_CR : blank ? QP_SOFT : QP_TEXT;
	default:
		return QP_TEXT;
	}
}

static bool
hold(struct mime_decoder *d, char c)
{
	unsigned state = state_after(d->state, c);

	if (state == QP_TEXT || d->n == sizeof(d->held))
		return false;
	d->held[d->n++] = c;
	d->state = state;
	return true;
}

/* c decides what is held. True when c was part of it. */
static bool
resolve(struct mime_decoder *d, char c, struct buf *out)
{
	bool taken = c == '\n';

	if (d->state == QP_HEX && hex_digit(c) >= 0) {
		buf_put_char(out, (char)(hex_digit(d->held[1]) * 16 + hex_digit(c)));
		taken = true;
	} else if (c == '\n' && d->state == QP_CR) {
		buf_put(out, SPAN("\r\n"));
	} else if (c == '\n' && d->state == QP_BLANK) {
		buf_put(out, SPAN("\n"));
	} else if (c != '\n' || d->state == QP_HEX) {
		buf_put(out, span_make(d->held, d->n));
		taken = false;
	}
	d->n = 0;
	d->state = QP_TEXT;
	return taken;
}

static bool
is_held_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Bytes at the front of s that stand for themselves: no escape, and no white
 * space that may end a line. */
static size_t
plain_size(struct span s)
{
	size_t n = 0;

	for (; n < s.n && s.at[n] != '='; n++) {
		if ((unsigned char)s.at[n] > ' ' || !is_held_space(s.at[n]))
			continue;
		if (n + 1 == s.n || is_held_space(s.at[n + 1]) || s.at[n + 1] == '\n')
			break;
	}
	return n;
}

static void
quoted_feed(struct mime_decoder *d, struct span in, struct buf *out)
{
	while (in.n > 0) {
		if (d->n == 0) {
			size_t n = plain_size(in);

			buf_put(out, span_first(in, n));
			in = span_after(in, n);
			if (in.n == 0)
				return;
		}
		if (hold(d, in.at[0]) || resolve(d, in.at[0], out))
			in = span_after(in, 1);
	}
}

void
mime_decoder_feed(struct mime_decoder *d, struct span in, struct buf *out)
{
	if (d->encoding == MIME_BASE64)
		base64_feed(d, in, out);
	else if (d->encoding == MIME_QUOTED_PRINTABLE)
		quoted_feed(d, in, out);
	else
		buf_put(out, in);
}

void
mime_decoder_end(struct mime_decoder *d, struct buf *out)
{
	bool soft =
	    d->state == QP_ESCAPE || d->state == QP_SOFT || d->state == QP_SOFT_CR;

	if (d->encoding == MIME_BASE64)
		base64_flush(d, out);
	else if (!soft)
		buf_put(out, span_make(d->held, d->n));
	mime_decoder_init(d, d->encoding);
}
