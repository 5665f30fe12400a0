#include "common/smtp/smtp.h"

static bool
upper_hex(char c)
{
	return ascii_digit(c) || (c >= 'A' && c <= 'F');
}

bool
smtp_xtext_valid(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.at[i];

		if (c < 33 || c > 126 || c == '=')
			return false;
		if (c != '+')
			continue;
		if (text.n - i < 3 || !upper_hex(text.at[i + 1]) ||
		    !upper_hex(text.at[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

bool
smtp_xtext_parse(struct span text, struct buf *out)
{
	if (!smtp_xtext_valid(text) || !buf_room(out, text.n))
		return false;
	while (text.n > 0) {
		size_t n = span_find(text, '+');
		char byte;

		buf_put(out, span_first(text, n));
		text = span_after(text, n);
		if (text.n == 0)
			break;
		if (!hex_parse(span_first(span_after(text, 1), 2), &byte, 1))
			return false;
		buf_put_char(out, byte);
		text = span_after(text, 3);
	}
	return true;
}

void
smtp_xtext_put(struct buf *out, struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.at[i];

		if (c >= 33 && c <= 126 && c != '=' && c != '+')
			buf_put_char(out, c);
		else
			buf_putf(out, "+%02X", (unsigned)(unsigned char)c);
	}
}
