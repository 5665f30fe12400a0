#include "common/transfer/import_internal.h"

/* "%08Xu": what stands behind the '%'. */
struct field {
	unsigned width;
	bool zeros, hex;
};

static void
number_put(const struct field *f, uint32_t number, struct buf *out)
{
	char text[16];
	size_t n = 0;

	do {
		text[n++] = "0123456789abcdef"[number % (f->hex ? 16 : 10)];
		number /= f->hex ? 16 : 10;
	} while (number > 0);
	for (size_t i = n; i < f->width; i++)
		buf_put_char(out, f->zeros ? '0' : ' ');
	while (n > 0)
		buf_put_char(out, text[--n]);
}

static struct span
field_parse(struct span rest, struct field *f)
{
	*f = (struct field){0};
	for (; rest.n > 0; rest = span_after(rest, 1)) {
		char c = rest.at[0];

		if (c == '0' && f->width == 0)
			f->zeros = true;
		else if (ascii_digit(c) && f->width < 100)
			f->width = 10 * f->width + (unsigned)(c - '0');
		else if (c == 'X' || c == 'x')
			f->hex = true;
		else
			break;
	}
	return rest;
}

static void
guid_put(const struct mail_message *m, struct buf *out)
{
	char hex[2 * STORE_GUID_BYTES + 1];

	hex_put(m->guid, STORE_GUID_BYTES, hex);
	if (m->has_guid)
		buf_put_str(out, hex);
	else
		buf_put(out, m->name);
}

bool
uidl_format(const char *format, const struct mail_message *m, uint32_t uidvalidity,
	    struct buf *out)
{
	struct span rest = span_str(format);
	struct field f;

	buf_reset(out);
	while (rest.n > 0) {
		char c = rest.at[0];

		rest = span_after(rest, 1);
		if (c != '%') {
			buf_put_char(out, c);
			continue;
		}
		rest = field_parse(rest, &f);
		c = rest.n > 0 ? rest.at[0] : '%';
		rest = span_after(rest, 1);
		if (c == 'u')
			number_put(&f, m->uid, out);
		else if (c == 'v')
			number_put(&f, uidvalidity, out);
		else if (c == 'f')
			buf_put(out, m->name);
		else if (c == 'g')
			guid_put(m, out);
		else
			buf_put_char(out, c);
	}
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i] < '!' || out->at[i] > '~')
			return false;
	return m->uid > 0 && out->n > 0 && out->n <= STORE_UIDL_MAX;
}
