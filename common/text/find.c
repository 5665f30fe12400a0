#include "common/text/find.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* How often a byte stands in folded text, more for the frequent ones; only the order
 * matters. Of UTF-8, first bytes are frequent where they are there at all. */
static const uint8_t frequency[256] = {
    [' '] = 60,  ['e'] = 59,  ['t'] = 58,  ['a'] = 57,  ['i'] = 56,  ['o'] = 55,
    ['n'] = 54,  ['s'] = 53,  ['r'] = 52,  ['l'] = 51,  ['c'] = 50,  ['d'] = 49,
    ['m'] = 48,  ['h'] = 47,  ['p'] = 46,  ['u'] = 45,  ['.'] = 44,  ['g'] = 43,
    ['0'] = 42,  ['-'] = 41,  ['f'] = 40,  ['1'] = 39,  ['2'] = 38,  ['b'] = 37,
    ['w'] = 36,  ['v'] = 35,  ['3'] = 34,  ['y'] = 33,  ['5'] = 32,  ['4'] = 31,
    [':'] = 30,  ['k'] = 29,  [','] = 28,  ['9'] = 27,  ['6'] = 26,  ['7'] = 25,
    ['8'] = 24,  ['/'] = 23,  ['@'] = 22,  ['<'] = 21,  ['>'] = 20,  ['='] = 19,
    ['_'] = 18,  ['x'] = 17,  ['j'] = 16,  ['z'] = 15,  ['q'] = 14,  ['"'] = 13,
    ['('] = 12,  [')'] = 12,  [';'] = 11,  ['\''] = 11, [0xc2] = 50, [0xc3] = 50,
    [0xce] = 59, [0xcf] = 58, [0xd0] = 59, [0xd1] = 58, [0xd7] = 59, [0xd8] = 59,
    [0xd9] = 59, [0xe0] = 59, [0xe1] = 59, [0xe2] = 50, [0xe3] = 59, [0xe4] = 58,
    [0xe5] = 58, [0xe6] = 58, [0xe7] = 58, [0xe8] = 58, [0xe9] = 58, [0xf0] = 58,
};

/* A search: two places in the needle that are compared first, and what it cost to
 * be wrong about them. */
struct search {
	struct span haystack, needle;
	size_t first, second;
	size_t last;  /* the last place where the needle could stand */
	size_t spent; /* bytes compared in vain */
};

static size_t
rarest(struct span needle, size_t but)
{
	size_t best = but == 0 ? 1 : 0;

	for (size_t i = best + 1; i < needle.n; i++)
		if (i != but && frequency[(unsigned char)needle.at[i]] <
				    frequency[(unsigned char)needle.at[best]])
			best = i;
	return best;
}

/* The C library's search, which is linear whatever the bytes are. */
static size_t
find_plain(struct span haystack, struct span needle, size_t from)
{
	const char *hit =
	    memmem(haystack.at + from, haystack.n - from, needle.at, needle.n);

	return hit ? (size_t)(hit - haystack.at) : haystack.n;
}

#if defined(__x86_64__)

/* More than that is what text does not cost, but what was made to. */
static bool
is_dear(const struct search *s)
{
	return s->spent > 4 * s->haystack.n + 4096;
}

/* Is it at one of the places at + i, for each bit i? The answer, or haystack.n. */
static size_t
candidates(struct search *s, size_t at, uint32_t bits)
{
	for (; bits != 0; bits &= bits - 1) {
		size_t place = at + (unsigned)__builtin_ctz(bits);

		if (memcmp(s->haystack.at + place, s->needle.at, s->needle.n) == 0)
			return place;
		s->spent += s->needle.n;
	}
	return s->haystack.n;
}

__attribute__((target("avx2"))) static inline uint32_t
look_32(const struct search *s, size_t at, __m256i first, __m256i second)
{
	const char *p = s->haystack.at + at;
	__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + s->first));
	__m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(p + s->second));

	return (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(
	    _mm256_cmpeq_epi8(x, first), _mm256_cmpeq_epi8(y, second)));
}

static inline uint32_t
look_16(const struct search *s, size_t at, __m128i first, __m128i second)
{
	const char *p = s->haystack.at + at;
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + s->first));
	__m128i y = _mm_loadu_si128((const __m128i *)(const void *)(p + s->second));

	return (uint32_t)_mm_movemask_epi8(
	    _mm_and_si128(_mm_cmpeq_epi8(x, first), _mm_cmpeq_epi8(y, second)));
}

/* At least 32 places. The last look overlaps the one before. */
__attribute__((target("avx2"))) static size_t
find_32(struct search *s)
{
	const __m256i first = _mm256_set1_epi8(s->needle.at[s->first]);
	const __m256i second = _mm256_set1_epi8(s->needle.at[s->second]);
	size_t at = 0, hit;
	uint32_t bits;

	for (; at + 95 <= s->last; at += 64) {
		uint32_t more;

		bits = look_32(s, at, first, second);
		more = look_32(s, at + 32, first, second);
		if ((bits | more) == 0)
			continue;
		if ((hit = candidates(s, at, bits)) < s->haystack.n ||
		    (hit = candidates(s, at + 32, more)) < s->haystack.n)
			return hit;
		if (is_dear(s))
			return find_plain(s->haystack, s->needle, at + 64);
	}
	for (;; at = at + 63 <= s->last ? at + 32 : s->last - 31) {
		bits = look_32(s, at, first, second);
		hit = candidates(s, at, bits);
		if (hit < s->haystack.n || at + 31 == s->last)
			return hit;
	}
}

/* At least 16 places. */
static size_t
find_16(struct search *s)
{
	const __m128i first = _mm_set1_epi8(s->needle.at[s->first]);
	const __m128i second = _mm_set1_epi8(s->needle.at[s->second]);
	size_t at = 0;

	for (;; at = at + 31 <= s->last ? at + 16 : s->last - 15) {
		uint32_t bits = look_16(s, at, first, second);
		size_t hit = candidates(s, at, bits);

		if (hit < s->haystack.n || at + 15 == s->last)
			return hit;
		if (is_dear(s))
			return find_plain(s->haystack, s->needle, at);
	}
}

static size_t
find_fast(struct search *s)
{
	if (s->last + 1 >= 32 && __builtin_cpu_supports("avx2"))
		return find_32(s);
	if (s->last + 1 >= 16)
		return find_16(s);
	return find_plain(s->haystack, s->needle, 0);
}

#else

static size_t
find_fast(struct search *s)
{
	return find_plain(s->haystack, s->needle, 0);
}

#endif

size_t
text_find(struct span haystack, struct span needle)
{
	struct search s = {.haystack = haystack, .needle = needle};

	if (needle.n == 0)
		return 0;
	if (needle.n > haystack.n)
		return haystack.n;
	if (needle.n == 1)
		return span_find(haystack, needle.at[0]);
	s.first = rarest(needle, needle.n);
	s.second = rarest(needle, s.first);
	s.last = haystack.n - needle.n;
	return find_fast(&s);
}
