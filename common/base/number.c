#include "common/base/base.h"

bool
number_parse(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.at[i]) ||
		    __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

static bool
parse_scaled(struct span digits, uint64_t scale, uint64_t *out)
{
	uint64_t value;

	if (!number_parse(digits, UINT64_MAX, &value) ||
	    __builtin_mul_overflow(value, scale, &value))
		return false;
	*out = value;
	return true;
}

bool
number_parse_bytes(struct span s, uint64_t *out)
{
	static const char units[] = "kmgt";
	uint64_t scale = 1;

	if (s.n > 1 && ascii_lower(s.at[s.n - 1]) == 'b')
		s.n--;
	if (s.n > 1 && !ascii_digit(s.at[s.n - 1])) {
		const char *unit = strchr(units, ascii_lower(s.at[s.n - 1]));

		if (!unit || !*unit)
			return false;
		scale = (uint64_t)1 << (10 * (unit - units + 1));
		s.n--;
	}
	return parse_scaled(s, scale, out);
}

bool
number_parse_seconds(struct span s, uint64_t *out)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {
	    {'s', 1     },
            {'m', 60    },
            {'h', 3600  },
            {'d', 86400 },
            {'w', 604800}
        };

	for (size_t i = 0; i < N_ELEMS(units); i++)
		if (s.n > 1 && s.at[s.n - 1] == units[i].unit)
			return parse_scaled(span_first(s, s.n - 1), units[i].seconds,
					    out);
	return parse_scaled(s, 1, out);
}

void
hex_put(const void *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[at[i] >> 4];
		*out++ = digits[at[i] & 15];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
hex_parse(struct span s, void *out, size_t n)
{
	uint8_t *at = out;

	if (s.n != 2 * n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (hex_digit(s.at[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		at[i] =
		    (uint8_t)(hex_digit(s.at[2 * i]) << 4 | hex_digit(s.at[2 * i + 1]));
	return true;
}
