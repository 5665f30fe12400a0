#include "common/smtp/smtp.h"

/* Four numbers of one to three digits, each below 256. */
static bool
ipv4_valid(struct span s)
{
	for (int i = 0; i < 4; i++) {
		struct span part = span_cut(&s, '.');
		uint64_t value;

		if (part.n > 3 || !number_parse(part, 255, &value))
			return false;
		if (i < 3 && s.n == 0)
			return false;
	}
	return s.n == 0;
}

static bool
hex_group_valid(struct span group)
{
	if (group.n == 0 || group.n > 4)
		return false;
	for (size_t i = 0; i < group.n; i++)
		if (!ascii_digit(group.at[i]) && !(ascii_lower(group.at[i]) >= 'a' &&
						   ascii_lower(group.at[i]) <= 'f'))
			return false;
	return true;
}

/* Number of 16-bit groups in "a:b:c" or "a:b:192.0.2.1" (`v4_end` only);
 * 0 for an empty text, 9 when bad. */
static size_t
groups_of(struct span s, bool v4_end)
{
	size_t n = 0;
	bool more = s.n > 0;

	while (more && n < 9) {
		more = span_find(s, ':') < s.n;
		struct span group = span_cut(&s, ':');

		if (hex_group_valid(group))
			n++;
		else if (!more && v4_end && ipv4_valid(group))
			n += 2;
		else
			return 9;
	}
	return n;
}

/* [RFC4291 2.2] */
static bool
ipv6_valid(struct span s)
{
	size_t gap = span_find_span(s, SPAN("::"));
	size_t before = groups_of(span_first(s, gap), gap == s.n);

	if (gap == s.n)
		return before == 8;
	size_t after = groups_of(span_after(s, gap + 2), true);

	return before < 9 && after < 9 && before + after < 8;
}

bool
smtp_literal_valid(struct span text)
{
	static const struct span tag = SPAN("IPv6:");
	struct span inner;

	if (text.n < 3 || text.at[0] != '[' || text.at[text.n - 1] != ']')
		return false;
	inner = span_make(text.at + 1, text.n - 2);
	if (span_starts_nocase(inner, tag))
		return ipv6_valid(span_after(inner, tag.n));
	return ipv4_valid(inner);
}
