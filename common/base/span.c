#include "common/base/base.h"

struct span
span_str(const char *text)
{
	return (struct span){text ? text : "", text ? strlen(text) : 0};
}

bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

bool
span_equal_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_equal(span_first(s, prefix.n), prefix);
}

bool
span_starts_nocase(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_equal_nocase(span_first(s, prefix.n), prefix);
}

bool
span_ends_nocase(struct span s, struct span suffix)
{
	return s.n >= suffix.n &&
	       span_equal_nocase(span_after(s, s.n - suffix.n), suffix);
}

int
span_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	if (order != 0 || a.n == b.n)
		return order;
	return a.n < b.n ? -1 : 1;
}

size_t
span_find(struct span s, char c)
{
	const char *hit = s.n ? memchr(s.at, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.at) : s.n;
}

size_t
span_find_last(struct span s, char c)
{
	const char *hit = s.n ? memrchr(s.at, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.at) : s.n;
}

size_t
span_find_span(struct span s, struct span needle)
{
	const char *hit = s.n ? memmem(s.at, s.n, needle.at, needle.n) : NULL;

	return hit ? (size_t)(hit - s.at) : s.n;
}

struct span
span_trim(struct span s, const char *set)
{
	while (s.n > 0 && s.at[0] != '\0' && strchr(set, s.at[0]))
		s = span_after(s, 1);
	while (s.n > 0 && s.at[s.n - 1] != '\0' && strchr(set, s.at[s.n - 1]))
		s.n--;
	return s;
}

struct span
span_cut(struct span *rest, char c)
{
	size_t n = span_find(*rest, c);
	struct span head = span_first(*rest, n);

	*rest = span_after(*rest, n + 1);
	return head;
}

bool
span_copy(struct span s, char *out, size_t size)
{
	ASSERT(size > 0);
	out[0] = '\0';
	if (s.n >= size || span_find(s, '\0') < s.n)
		return false;
	if (s.n > 0)
		memcpy(out, s.at, s.n);
	out[s.n] = '\0';
	return true;
}

char *
span_dup(struct span s)
{
	char *text = memory_new(s.n + 1, 1);

	if (s.n > 0)
		memcpy(text, s.at, s.n);
	return text;
}
