/* common/base/number.h - the one place where text becomes a number */
#pragma once

#include "common/base/span.h"

/* All of s, digits only, at least one, at most `max`; *out untouched on failure. */
MUST_USE bool number_parse(struct span s, uint64_t max, uint64_t *out);

/* As above with an optional unit at the end: k, M, G, T (powers of 1,024, in
 * either case), optionally followed by B. "10G" is 10 * 2^30. */
MUST_USE bool number_parse_bytes(struct span s, uint64_t *out);

/* A duration such as "90", "30s", "5m", "4h", "5d", "2w"; no unit means seconds. */
MUST_USE bool number_parse_seconds(struct span s, uint64_t *out);

/* Lower-case hexadecimal of n bytes into out, which has room for 2 * n + 1. */
void hex_put(const void *bytes, size_t n, char *out);

/* Exactly n bytes from 2 * n hexadecimal digits. */
MUST_USE bool hex_parse(struct span s, void *out, size_t n);
