#include "common/text/fold.h"

#include <stdatomic.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include <unistring/version.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define RULES_VERSION 1 /* ours; more when the rule in fold.h or render.h changes */

#define CHAR_BYTES_MAX 64 /* of what one character folds to; U+FDFA has most, 34 */
#define BLOCK          4096
#define REPLACEMENT    0xfffdu

uint32_t
text_rules(void)
{
	return (uint32_t)RULES_VERSION << 16 | ((uint32_t)_libunistring_version >> 8);
}

/* --- one character -------------------------------------------------------- */

static bool
is_dropped(ucs4_t c)
{
	return uc_is_general_category(c, UC_NON_SPACING_MARK) ||
	       uc_is_general_category(c, UC_CONTROL) ||
	       uc_is_general_category(c, UC_FORMAT);
}

/* Replaces c[0 .. n] by its NFKD. Returns how many there are then. */
static size_t
decompose(ucs4_t c[CHAR_BYTES_MAX], size_t n)
{
	ucs4_t out[CHAR_BYTES_MAX];
	size_t made = CHAR_BYTES_MAX;

	if (!u32_normalize(UNINORM_NFKD, c, n, out, &made) || made > CHAR_BYTES_MAX)
		return n;
	memcpy(c, out, made * sizeof(*c));
	return made;
}

static size_t
fold_case(ucs4_t c[CHAR_BYTES_MAX], size_t n)
{
	ucs4_t out[CHAR_BYTES_MAX];
	size_t made = CHAR_BYTES_MAX;

	if (!u32_casefold(c, n, NULL, NULL, out, &made) || made > CHAR_BYTES_MAX)
		return n;
	memcpy(c, out, made * sizeof(*c));
	return made;
}

/* What the rule makes of a character, as UTF-8; returns the bytes. */
static size_t
fold_one(ucs4_t c, char out[CHAR_BYTES_MAX])
{
	ucs4_t chars[CHAR_BYTES_MAX] = {c};
	size_t n = decompose(chars, 1), made = 0;

	n = fold_case(chars, n);
	n = decompose(chars, n);
	for (size_t i = 0; i < n; i++) {
		int bytes;

		if (uc_is_property_white_space(chars[i]))
			chars[i] = ' ';
		else if (is_dropped(chars[i]))
			continue;
		bytes = u8_uctomb((uint8_t *)out + made, chars[i],
				  (ptrdiff_t)(CHAR_BYTES_MAX - made));
		if (bytes > 0)
			made += (size_t)bytes;
	}
	return made;
}

/* --- the table, 256 characters a page, made when one of them is met ------- */

#define ENTRY_BYTES 14
#define ENTRY_LONG  255 /* in n: does not fit */
#define PAGES       0x1100

struct entry {
	uint8_t n;
	bool plain; /* of at least one byte, none a blank */
	char text[ENTRY_BYTES];
};

struct page {
	struct entry entries[256];
};

static _Atomic(struct page *) pages[PAGES];
static struct page unchanged; /* stands for pages of which nothing changes */

static bool
entry_make(ucs4_t c, struct entry *e)
{
	char folded[CHAR_BYTES_MAX] = {0}, plain[6];
	size_t n = fold_one(c, folded);
	int plain_n = u8_uctomb((uint8_t *)plain, c, sizeof(plain));

	*e = (struct entry){.n = n > ENTRY_BYTES ? ENTRY_LONG : (uint8_t)n};
	if (n <= ENTRY_BYTES)
		memcpy(e->text, folded, n);
	e->plain = n > 0 && n <= ENTRY_BYTES && !memchr(folded, ' ', n);
	return (int)n != plain_n || memcmp(folded, plain, n) != 0;
}

static const struct page *
page_make(uint32_t number)
{
	struct page *page = memory_new(1, sizeof(*page)), *other = NULL;
	bool changes = false;

	for (uint32_t i = 0; i < 256; i++)
		changes |= entry_make(number << 8 | i, &page->entries[i]);
	if (!changes) {
		free(page);
		page = &unchanged;
	}
	if (atomic_compare_exchange_strong(&pages[number], &other, page))
		return page;
	if (page != &unchanged)
		free(page);
	return other;
}

static const struct page *
page_of(ucs4_t c)
{
	const struct page *page =
	    atomic_load_explicit(&pages[c >> 8], memory_order_acquire);

	return page ? page : page_make(c >> 8);
}

/* --- text ----------------------------------------------------------------- */

struct folding {
	const char *at, *end;
	char *to, *limit; /* there is room for CHAR_BYTES_MAX bytes beyond `limit` */
	bool blank;       /* one was the last that was put, or nothing since */
};

static inline bool
follows(const unsigned char *at)
{
	return (*at & 0xc0) == 0x80;
}

/* The character at the front, which is not ASCII, and how many bytes it has; U+FFFD and
 * 1 when there is none [RFC3629 4]. Most have two bytes, or three without a special
 * case. */
static inline size_t
char_get(const char *front, size_t left, ucs4_t *c)
{
	const unsigned char *at = (const unsigned char *)front;
	int n;

	if (left >= 2 && at[0] >= 0xc2 && at[0] < 0xe0 && follows(at + 1)) {
		*c = (ucs4_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
		return 2;
	}
	if (left >= 3 && at[0] > 0xe0 && at[0] < 0xed && follows(at + 1) &&
	    follows(at + 2)) {
		*c = (ucs4_t)(at[0] & 0x0f) << 12 | (ucs4_t)(at[1] & 0x3f) << 6 |
		     (at[2] & 0x3f);
		return 3;
	}
	n = u8_mbtoucr(c, at, left);
	if (n > 0)
		return (size_t)n;
	*c = REPLACEMENT;
	return 1;
}

static void
put_bytes(struct folding *f, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == ' ' && f->blank)
			continue;
		f->blank = text[i] == ' ';
		*f->to++ = text[i];
	}
}

static void
put_unchanged(struct folding *f, ucs4_t c)
{
	f->to += u8_uctomb((uint8_t *)f->to, c, CHAR_BYTES_MAX);
	f->blank = false;
}

/* A character that the table has no short answer for. */
static void
put_rare(struct folding *f, ucs4_t c, const struct page *page)
{
	const struct entry *e = &page->entries[c & 255];
	char text[CHAR_BYTES_MAX] = {0};
	size_t n = e->n == ENTRY_LONG ? fold_one(c, text) : 0;

	if (page == &unchanged)
		put_unchanged(f, c);
	else if (e->n == ENTRY_LONG)
		put_bytes(f, text, n);
	else
		put_bytes(f, e->text, e->n);
}

/* Characters that are not ASCII, as many as follow one another. */
static void
fold_wide(struct folding *f)
{
	const char *at = f->at;
	char *to = f->to;

	while (at < f->end && to < f->limit && (*at & 0x80)) {
		const struct page *page;
		const struct entry *e;
		ucs4_t c;

		at += char_get(at, (size_t)(f->end - at), &c);
		page = page_of(c);
		e = &page->entries[c & 255];
		if (e->plain) {
			memcpy(to, e->text, sizeof(e->text));
			to += e->n;
			f->blank = false;
			continue;
		}
		f->to = to;
		put_rare(f, c, page);
		to = f->to;
	}
	f->at = at;
	f->to = to;
}

static void
fold_narrow(struct folding *f)
{
	unsigned char c = (unsigned char)*f->at++;

	if (c > ' ' && c < 0x7f) {
		*f->to++ = ascii_lower((char)c);
		f->blank = false;
	} else if (c == ' ' || (c >= '\t' && c <= '\r')) {
		if (!f->blank)
			*f->to++ = ' ';
		f->blank = true;
	}
}

#if defined(__x86_64__)
/* Sixteen bytes at a time, as long as they only change case. Stops before what is
 * not ASCII, a control, or a blank after a blank. */
static void
fold_plain(struct folding *f)
{
	const __m128i below_a = _mm_set1_epi8('A' - 1),
		      above_z = _mm_set1_epi8('Z' + 1);
	const __m128i blank = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f);

	while (f->end - f->at >= 16 && f->to < f->limit) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)f->at);
		__m128i upper = _mm_and_si128(_mm_cmpgt_epi8(x, below_a),
					      _mm_cmplt_epi8(x, above_z));
		__m128i odd =
		    _mm_or_si128(_mm_cmplt_epi8(x, blank), _mm_cmpeq_epi8(x, del));
		unsigned blanks = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, blank));
		unsigned stops = (unsigned)_mm_movemask_epi8(odd);
		unsigned n = 16;

		stops |= blanks & (blanks << 1 | f->blank);
		if (stops != 0)
			n = (unsigned)__builtin_ctz(stops);
		x = _mm_or_si128(x, _mm_and_si128(upper, blank));
		_mm_storeu_si128((__m128i *)(void *)f->to, x);
		f->at += n;
		f->to += n;
		if (n > 0)
			f->blank = blanks >> (n - 1) & 1;
		if (n < 16)
			return;
	}
}
#else
static void
fold_plain(struct folding *f)
{
	(void)f;
}
#endif

static void
fold_block(struct folding *f)
{
	while (f->at < f->end && f->to < f->limit) {
		fold_plain(f);
		if (f->at == f->end || f->to >= f->limit)
			return;
		if ((unsigned char)*f->at < 0x80)
			fold_narrow(f);
		else
			fold_wide(f);
	}
}

/* With less room than a block: one character after the other, while they fit. */
static void
fold_last(struct folding *f, struct buf *out)
{
	while (f->at < f->end && !out->full) {
		char one[CHAR_BYTES_MAX + 16];

		f->to = one;
		f->limit = one + 1; /* one character */
		if ((unsigned char)*f->at < 0x80)
			fold_narrow(f);
		else
			fold_wide(f);
		buf_put(out, span_make(one, (size_t)(f->to - one)));
	}
}

void
text_fold(struct span s, struct buf *out)
{
	struct folding f = {.at = s.at};

	if (s.n == 0)
		return;
	f.end = s.at + s.n;
	while (f.at < f.end) {
		size_t left = (size_t)(f.end - f.at), n = left < BLOCK ? left : BLOCK;
		char *room;

		if (!buf_room(out, n + CHAR_BYTES_MAX)) {
			fold_last(&f, out);
			return;
		}
		room = buf_extend(out, n + CHAR_BYTES_MAX);
		f.to = room;
		f.limit = room + n;
		fold_block(&f);
		out->n -= n + CHAR_BYTES_MAX - (size_t)(f.to - room);
	}
}
