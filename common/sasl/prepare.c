#include "common/sasl/sasl.h"

#include <uniconv.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Longer than any name or password; keeps what normalisation may need small. */
#define TEXT_MAX 4096

/* [RFC3454 B.1] mapped to nothing. */
static bool
is_dropped(ucs4_t c)
{
	return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) ||
	       (c >= 0x200b && c <= 0x200d) || c == 0x2060 ||
	       (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/* [RFC4013 2.3] controls, private use, surrogates, formatting; and what is not
 * assigned, since its normal form is not known yet. */
static bool
is_refused(ucs4_t c)
{
	return uc_is_general_category_withtable(
	    c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
		   UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl |
		   UC_CATEGORY_MASK_Zp);
}

static bool
is_printable_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.at[i] < 0x20 || text.at[i] > 0x7e)
			return false;
	return true;
}

/* Spaces made plain, invisible characters dropped. Each character gets at most
 * as long as it was, so `out` has room for text.n. Returns the length. */
static size_t
map_characters(struct span text, uint8_t *out)
{
	const uint8_t *in = (const uint8_t *)text.at;
	size_t n = 0;
	ucs4_t c;

	for (size_t i = 0; i < text.n;) {
		int taken = u8_mbtouc(&c, in + i, text.n - i);

		i += (size_t)taken;
		if (is_dropped(c))
			continue;
		if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Zs))
			c = ' ';
		n += (size_t)u8_uctomb(out + n, c, (ptrdiff_t)(text.n - n));
	}
	return n;
}

static bool
characters_allowed(const uint8_t *text, size_t n)
{
	ucs4_t c;

	for (size_t i = 0; i < n;) {
		i += (size_t)u8_mbtouc(&c, text + i, n - i);
		if (is_refused(c))
			return false;
	}
	return n > 0;
}

static bool
prepare_unicode(struct span text, struct buf *out)
{
	uint8_t mapped[TEXT_MAX];
	uint8_t *normal;
	size_t n = map_characters(text, mapped), n_normal = 0;
	bool ok;

	normal = u8_normalize(UNINORM_NFKC, mapped, n, NULL, &n_normal);
	ok = normal && characters_allowed(normal, n_normal) && buf_room(out, n_normal);
	if (ok)
		buf_put(out, span_make(normal, n_normal));
	explicit_bzero(mapped, n);
	if (normal)
		explicit_bzero(normal, n_normal);
	free(normal);
	return ok;
}

bool
sasl_prepare(struct span text, struct buf *out)
{
	if (text.n == 0 || text.n > TEXT_MAX)
		return false;
	if (!is_printable_ascii(text)) {
		if (u8_check((const uint8_t *)text.at, text.n))
			return false;
		return prepare_unicode(text, out);
	}
	if (!buf_room(out, text.n))
		return false;
	buf_put(out, text);
	return true;
}
