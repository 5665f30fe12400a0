/* common/base/span.h - bytes with a length, owned by somebody else
 *
 * A span is never NUL-terminated by contract: no function here looks at
 * at[n]. Letters are compared as ASCII; the locale plays no part.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/macros.h"

struct span {
	const char *at;
	size_t n;
};

/* A string literal as a span. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

/* printf("%.*s", SPAN_ARG(s)); for texts of our own, never for logs of a peer's. */
#define SPAN_ARG(s) (int)(s).n, (s).at

static inline struct span
span_make(const void *at, size_t n)
{
	return (struct span){at, n};
}

/* A C string; null gives an empty span. */
MUST_USE struct span span_str(const char *text);

MUST_USE bool span_equal(struct span a, struct span b);
MUST_USE bool span_equal_nocase(struct span a, struct span b);
MUST_USE bool span_starts(struct span s, struct span prefix);
MUST_USE bool span_starts_nocase(struct span s, struct span prefix);
MUST_USE bool span_ends_nocase(struct span s, struct span suffix);

/* Order as memcmp() has it, a prefix before what it begins. */
MUST_USE int span_compare(struct span a, struct span b);

/* Where c, or needle, first stands in s; s.n when nowhere. */
MUST_USE size_t span_find(struct span s, char c);
MUST_USE size_t span_find_last(struct span s, char c);
MUST_USE size_t span_find_span(struct span s, struct span needle);

/* The first n bytes, or what follows them; n beyond the end means the end. */
MUST_USE static inline struct span
span_first(struct span s, size_t n)
{
	return (struct span){s.at, n < s.n ? n : s.n};
}

MUST_USE static inline struct span
span_after(struct span s, size_t n)
{
	if (s.n == 0)
		return s; /* whose `at` may be null, to which nothing may be added */
	if (n >= s.n)
		return (struct span){s.at + s.n, 0};
	return (struct span){s.at + n, s.n - n};
}

/* Without the bytes of `set` (spaces, say) at both ends. */
MUST_USE struct span span_trim(struct span s, const char *set);

/* Takes what stands before c out of *rest, and c with it. All of *rest, which
 * is then empty, when there is no c. */
struct span span_cut(struct span *rest, char c);

/* Into a C string of `size` bytes; false, and an empty string, when it does not
 * fit or holds a NUL. */
MUST_USE bool span_copy(struct span s, char *out, size_t size);

/* Into a new C string, freed with free(); a NUL inside ends it early. */
MUST_USE char *span_dup(struct span s);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static inline bool
ascii_alnum(char c)
{
	return ascii_digit(c) || ascii_alpha(c);
}
