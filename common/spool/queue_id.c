#include "common/spool/queue_id.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

void
queue_id_format(uint64_t id, char out[QUEUE_ID_TEXT_SIZE])
{
	for (int i = QUEUE_ID_TEXT - 1; i >= 0; i--, id >>= 5)
		out[i] = digits[id & 31];
	out[QUEUE_ID_TEXT] = 0;
}

/* 0 to 31, or -1. */
static int
digit_value(char c)
{
	c = ascii_lower(c);
	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

bool
queue_id_parse(struct span text, uint64_t *id)
{
	uint64_t value = 0;

	if (text.n != QUEUE_ID_TEXT || digit_value(text.at[0]) > 15)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int digit = digit_value(text.at[i]);

		if (digit < 0)
			return false;
		value = value << 5 | (uint64_t)digit;
	}
	if (value == 0)
		return false;
	*id = value;
	return true;
}
