#include "common/base/base.h"

/* Lead bytes, and the range their second byte may have; further bytes are
 * 80..BF. The table of [RFC3629 4]. */
static const struct form {
	uint8_t first, last, n, second_min, second_max;
} forms[] = {
    {0x00, 0x7f, 1, 0,    0   },
    {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Bytes of the character at the front of s, which is not empty; 0 when bad. */
static size_t
character_bytes(struct span s)
{
	const uint8_t *at = (const uint8_t *)s.at;
	const struct form *f = forms;

	while (f < forms + N_ELEMS(forms) && !(at[0] >= f->first && at[0] <= f->last))
		f++;
	if (f == forms + N_ELEMS(forms) || f->n > s.n)
		return 0;
	if (f->n > 1 && (at[1] < f->second_min || at[1] > f->second_max))
		return 0;
	for (size_t i = 2; i < f->n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return f->n;
}

bool
utf8_valid(struct span s)
{
	while (s.n > 0) {
		size_t n = character_bytes(s);

		if (n == 0)
			return false;
		s = span_after(s, n);
	}
	return true;
}

size_t
utf8_encode(uint32_t character, char out[4])
{
	static const struct {
		uint32_t below;
		uint8_t lead;
	} lengths[] = {
	    {0x80,     0   },
            {0x800,    0xc0},
            {0x10000,  0xe0},
            {0x110000, 0xf0}
        };
	size_t n = 1;

	while (n < N_ELEMS(lengths) && character >= lengths[n - 1].below)
		n++;
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	out[0] = (char)(lengths[n - 1].lead | character);
	return n;
}
