#include "common/maildir/name.h"

#include "common/imap/imap.h"
#include "common/maildir/source.h"

#define TIME_MAX_S UINT64_C(0xffffffff)

/* --- files of messages ---------------------------------------------------- */

static const struct {
	char letter;
	uint32_t flag;
} letters[] = {
    {'D', MAIL_DRAFT   },
    {'F', MAIL_FLAGGED },
    {'R', MAIL_ANSWERED},
    {'S', MAIL_SEEN    },
    {'T', MAIL_DELETED },
};

static void
flag_take(char c, struct mail_name *out)
{
	for (size_t i = 0; i < N_ELEMS(letters); i++)
		if (letters[i].letter == c)
			out->flags |= letters[i].flag;
	if (c == 'P')
		out->passed = true;
	if (c >= 'a' && c <= 'z')
		out->keywords |= UINT32_C(1) << (c - 'a');
}

/* Digits at the front of *s. */
static uint64_t
digits_take(struct span *s, uint64_t max)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < s->n && ascii_digit(s->at[n]))
		n++;
	if (!number_parse(span_first(*s, n), max, &value))
		value = 0;
	*s = span_after(*s, n);
	return value;
}

/* "1276528487.M364837P9451.host" */
static int64_t
time_of(struct span base)
{
	uint64_t seconds = digits_take(&base, TIME_MAX_S), us = 0;

	if (span_starts(base, SPAN(".M"))) {
		base = span_after(base, 2);
		us = digits_take(&base, 999999);
	} else if (!span_starts(base, SPAN("."))) {
		return 0;
	}
	return (int64_t)(seconds * 1000000 + us);
}

/* Behind `key`, ",S=": a number; UINT64_MAX: none. */
static uint64_t
size_of(struct span base, struct span key)
{
	struct span rest = span_after(base, span_find_span(base, key) + key.n);

	return rest.n > 0 && ascii_digit(rest.at[0]) ? digits_take(&rest, UINT32_MAX)
						     : UINT64_MAX;
}

void
mail_name_parse(struct span file, uint64_t bytes, struct mail_name *out)
{
	static const char separators[] = ":;!";
	size_t at = file.n;

	*out = (struct mail_name){0};
	/* ':' as it should be; the others where a file system has none. */
	for (size_t i = 0; i < sizeof(separators) - 1 && at == file.n; i++) {
		const char mark[] = {separators[i], '2', ','};

		at = span_find_span(file, span_make(mark, sizeof(mark)));
	}
	if (at == file.n)
		at = span_find(file, ':');
	out->base = span_first(file, at);
	if (file.n - at > 3 && file.at[at + 1] == '2')
		for (size_t i = at + 3; i < file.n; i++)
			flag_take(file.at[i], out);
	out->time_us = time_of(out->base);
	out->exact = size_of(out->base, SPAN(",S=")) == bytes &&
		     size_of(out->base, SPAN(",W=")) == bytes;
}

void
mail_name_put_flags(uint32_t flags, uint32_t keywords, bool passed, struct buf *out)
{
	buf_put_str(out, ":2,");
	for (char c = 'A'; c <= 'Z'; c++) {
		bool on = c == 'P' && passed;

		for (size_t i = 0; i < N_ELEMS(letters); i++)
			on = on || (letters[i].letter == c && flags & letters[i].flag);
		if (on)
			buf_put_char(out, c);
	}
	for (unsigned i = 0; i < 26; i++)
		if (keywords >> i & 1)
			buf_put_char(out, (char)('a' + i));
}

/* --- folders -------------------------------------------------------------- */

/* Bytes that are neither modified UTF-7 nor UTF-8 become what they are in Latin-1. */
static void
level_put_raw(struct span level, struct buf *out)
{
	bool utf8 = utf8_valid(level);

	for (size_t i = 0; i < level.n; i++) {
		uint8_t c = (uint8_t)level.at[i];

		if (c < 0x20 || c == 0x7f || c == '/') {
			buf_put_char(out, '_');
		} else if (c < 0x80 || utf8) {
			buf_put_char(out, (char)c);
		} else {
			buf_put_char(out, (char)(0xc0 | c >> 6));
			buf_put_char(out, (char)(0x80 | (c & 0x3f)));
		}
	}
}

/* "\2e" is '.': what Dovecot's listescape puts. */
static void
level_unescape(struct span level, struct buf *out)
{
	for (size_t i = 0; i < level.n; i++) {
		char c = level.at[i], code;

		if (c == '\\' && i + 2 < level.n &&
		    hex_parse(span_make(level.at + i + 1, 2), &code, 1) &&
		    (uint8_t)code >= 0x20 && (uint8_t)code < 0x7f) {
			c = code == '/' ? '_' : code;
			i += 2;
		}
		buf_put_char(out, c);
	}
}

static void
level_put(struct span level, struct buf *out)
{
	struct buf decoded = buf_make(4 * IMAP_NAME_MAX);

	if (!imap_name_decode(level, false, &decoded) ||
	    span_find(buf_span(&decoded), '/') < decoded.n) {
		buf_reset(&decoded);
		level_put_raw(level, &decoded);
	}
	level_unescape(buf_span(&decoded), out);
	buf_release(&decoded);
}

bool
mail_folder_decode(struct span folder, char separator, struct buf *out)
{
	size_t start = out->n;

	while (folder.n > 0) {
		struct span level = span_cut(&folder, separator);

		if (level.n == 0)
			continue;
		if (out->n > start)
			buf_put_char(out, '/');
		level_put(level, out);
	}
	return out->n > start && !out->full && out->n - start <= IMAP_NAME_MAX &&
	       utf8_valid(span_after(buf_span(out), start));
}

/* The next character of UTF-8 as UTF-16; how many units. */
static size_t
take_utf16(struct span *s, uint16_t out[2])
{
	const uint8_t *at = (const uint8_t *)s->at;
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? at[0] : at[0] & (0x7fu >> n);

	for (size_t i = 1; i < n && i < s->n; i++)
		c = c << 6 | (at[i] & 0x3f);
	*s = span_after(*s, n);
	out[0] = (uint16_t)c;
	if (c < 0x10000)
		return 1;
	out[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
	out[1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
	return 2;
}

static bool
plain(char c)
{
	return c >= 0x20 && c < 0x7f;
}

/* Characters beyond ASCII off the front of *name, as "&...-" [RFC3501 5.1.3]. */
static void
shifted_put(struct span *name, struct buf *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
	uint32_t bits = 0;
	unsigned n = 0;

	buf_put_char(out, '&');
	while (name->n > 0 && !plain(name->at[0])) {
		uint16_t units[2];
		size_t count = take_utf16(name, units);

		for (size_t i = 0; i < count; i++) {
			bits = bits << 16 | units[i];
			for (n += 16; n >= 6; n -= 6)
				buf_put_char(out, digits[bits >> (n - 6) & 63]);
		}
	}
	if (n > 0)
		buf_put_char(out, digits[bits << (6 - n) & 63]);
	buf_put_char(out, '-');
}

void
mail_utf7_put(struct span name, struct buf *out)
{
	while (name.n > 0) {
		if (!plain(name.at[0])) {
			shifted_put(&name, out);
			continue;
		}
		buf_put_char(out, name.at[0]);
		if (name.at[0] == '&')
			buf_put_char(out, '-');
		name = span_after(name, 1);
	}
}

void
mail_folder_encode(struct span name, struct buf *out)
{
	struct buf coded = buf_make(8 * IMAP_NAME_MAX);

	mail_utf7_put(name, &coded);
	buf_put_char(out, '.');
	for (size_t i = 0; i < coded.n; i++) {
		char c = coded.at[i];

		if (c == '/')
			buf_put_char(out, '.');
		else if (c == '.' || c == '\\')
			buf_putf(out, "\\%02x", (unsigned)c);
		else
			buf_put_char(out, c);
	}
	buf_release(&coded);
}
