/* tests/unit/test_text.c - folding, charsets, finding and rendering */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "common/text/text.h"

static void
assert_span(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		print_message("got <%.*s>, want <%s>\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

static uint64_t
seed_make(void)
{
	const char *text = getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

	print_message("SEED=%llu\n", (unsigned long long)seed);
	return seed | 1;
}

static uint64_t
next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* --- folding -------------------------------------------------------------- */

static void
test_fold_makes_one_of_what_reads_the_same(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
	    {"empty", "", ""},
	    {"ascii", "Hello, World 0-9!", "hello, world 0-9!"},
	    {"sharp s", "Stra\xc3\x9f" "e STRASSE \xe1\xba\x9e", "strasse strasse ss"},
	    {"diacritics", "\xc3\x85ngstr\xc3\xb6m A\xcc\x8a", "angstrom a"},
	    {"no decomposition", "\xc3\x98re \xc5\x81\xc3\xb3" "d\xc5\xba",
	     "\xc3\xb8re \xc5\x82odz"},
	    {"ligature", "\xef\xac\x81n \xef\xac\x84", "fin ffl"},
	    {"final sigma", "\xce\x9f\xce\x94\xce\x9f\xce\xa3 \xce\xbf\xce\xb4\xcf\x8c\xcf\x82",
	     "\xce\xbf\xce\xb4\xce\xbf\xcf\x83 \xce\xbf\xce\xb4\xce\xbf\xcf\x83"},
	    {"cyrillic", "\xd0\x99\xd0\x81", "\xd0\xb8\xd0\xb5"},
	    {"full width", "\xef\xbc\xa1\xef\xbc\xa2\xe3\x80\x80\xef\xbc\x91", "ab 1"},
	    {"roman numeral", "\xe2\x85\xa0\xe2\x85\xab", "ixii"},
	    {"dotted i", "\xc4\xb0stanbul \xc4\xb1", "istanbul \xc4\xb1"},
	    {"blanks", "a  b\t\tc\r\n d \xc2\xa0\xe2\x80\x83 e", "a b c d e"},
	    {"blanks at the ends", "\r\n a \n", " a "},
	    {"blank from a blank", "a \xc2\xa8 b", "a b"},
	    {"soft hyphen", "hy\xc2\xadphen zero\xe2\x80\x8bwidth", "hyphen zerowidth"},
	    {"controls", "a\x01" "b\x7f" "c\xc2\x80" "d", "abcd"},
	    {"no utf-8", "a\xff" "b\xc3", "a\xef\xbf\xbd" "b\xef\xbf\xbd"},
	    {"surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"longest", "\xef\xb7\xba",
	     "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 "
	     "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 \xd9\x88\xd8\xb3\xd9\x84\xd9\x85"},
	    {"hangul", "\xea\xb0\x81", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"},
	    {"dakuten", "\xe3\x81\x8c", "\xe3\x81\x8b"},
	    {"emoji", "\xf0\x9f\x98\x80\xef\xb8\x8f", "\xf0\x9f\x98\x80"},
	    {"kelvin", "\xe2\x84\xaa", "k"},
	};
	/* clang-format on */
	struct buf out = buf_make(1000);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		buf_reset(&out);
		text_fold(span_str(rows[i].text), &out);
		assert_span(buf_span(&out), rows[i].want);
	}
	buf_release(&out);
}

static void
check_stays(struct span text)
{
	struct buf once = buf_make(1 << 16), twice = buf_make(1 << 16);

	text_fold(text, &once);
	text_fold(buf_span(&once), &twice);
	assert_true(span_equal(buf_span(&once), buf_span(&twice)));
	assert_true(utf8_valid(buf_span(&once)));
	assert_true(span_find_span(buf_span(&once), SPAN("  ")) == once.n ||
		    once.n == 0);
	buf_release(&once);
	buf_release(&twice);
}

static void
test_folded_text_stays_as_it_is(void **state)
{
	uint64_t seed = seed_make();
	char text[600];

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++)
		if (c < 0xd800 || c > 0xdfff)
			check_stays(span_make(text, utf8_encode(c, text)));
	for (int round = 0; round < 3000; round++) {
		size_t n = 0;

		while (n < sizeof(text) - 4 && next(&seed) % 100 > 0) {
			uint64_t kind = next(&seed) % 10;
			uint32_t c = (uint32_t)(next(&seed) % 0x110000);

			if (kind < 4)
				c %= 0x80;
			else if (kind < 8)
				c %= 0x3000;
			if (kind == 9)
				text[n++] = (char)c;
			else if (c < 0xd800 || c > 0xdfff)
				n += utf8_encode(c, text + n);
		}
		check_stays(span_make(text, n));
	}
}

/* Words of it folded are found in it folded: what a search relies on. */
static void
test_folding_a_piece_is_a_piece_of_the_folded(void **state)
{
	const struct span text = SPAN("Der \xc3\x84rger \xef\xac\x81ng an; "
				      "\xd0\x81\xd0\xb6 \xe4\xb8\xad\xe6\x96\x87 "
				      "\xea\xb0\x80\xea\xb0\x81 na\xc3\xafve 42");
	struct buf whole = buf_make(1000), piece = buf_make(1000);

	(void)state;
	text_fold(text, &whole);
	for (size_t i = 0; i < text.n; i++)
		for (size_t k = i; k <= text.n; k++) {
			struct span s = span_make(text.at + i, k - i);

			if (!utf8_valid(s))
				continue;
			buf_reset(&piece);
			text_fold(s, &piece);
			assert_true(piece.n == 0 ||
				    text_find(buf_span(&whole), buf_span(&piece)) <
					whole.n);
		}
	buf_release(&whole);
	buf_release(&piece);
}

static void
test_fold_fills_up_to_the_limit_with_whole_characters(void **state)
{
	const struct span text = SPAN("ab\xc3\x9f\xe4\xb8\xad\xef\xb7\xba z");
	struct buf whole = buf_make(200);

	(void)state;
	text_fold(text, &whole);
	for (size_t max = 0; max <= whole.n + 1; max++) {
		struct buf out = buf_make(max);

		text_fold(text, &out);
		assert_true(utf8_valid(buf_span(&out)));
		assert_true(span_starts(buf_span(&whole), buf_span(&out)));
		assert_int_equal(out.full, max < whole.n);
		buf_release(&out);
	}
	buf_release(&whole);
}

/* --- charsets ------------------------------------------------------------- */

static void
test_common_charsets_are_read(void **state)
{
	/* clang-format off */
	static const struct {
		const char *charset, *bytes;
		size_t n;
		const char *want;
	} rows[] = {
	    {"windows-1251", "\xd1\xfa\xe5\xf8\xfc \xe5\xf9\xb8 \xe1\xf3\xeb\xee\xea", 15, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c \xd0\xb5\xd1\x89\xd1\x91 \xd0\xb1\xd1\x83\xd0\xbb\xd0\xbe\xd0\xba"},
	    {"koi8-r", "\xf3\xdf\xc5\xdb\xd8 \xc5\xdd\xa3 \xc2\xd5\xcc\xcf\xcb", 15, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c \xd0\xb5\xd1\x89\xd1\x91 \xd0\xb1\xd1\x83\xd0\xbb\xd0\xbe\xd0\xba"},
	    {"koi8-u", "\xb7\xd6\xc1\xcb", 4, "\xd0\x87\xd0\xb6\xd0\xb0\xd0\xba"},
	    {"ISO-8859-5", "\xc1\xea\xd5\xe8\xec", 5, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c"},
	    {"iso-8859-2", "Za\xbf\xf3\xb3\xe6 g\xea\xb6l\xb1", 12, "Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 g\xc4\x99\xc5\x9bl\xc4\x85"},
	    {"windows-1250", "P\xf8\xedli\x9a \x9elu\x9dou\xe8k\xfd", 16, "P\xc5\x99\xc3\xadli\xc5\xa1 \xc5\xbelu\xc5\xa5ou\xc4\x8dk\xc3\xbd"},
	    {"iso-8859-15", "5 \xa4 \xbduvre", 9, "5 \xe2\x82\xac \xc5\x93uvre"},
	    {"iso-8859-1", "\x93\xc5ngstr\xf6m\x94 \x97 \x80", 14, "\xe2\x80\x9c\xc3\x85ngstr\xc3\xb6m\xe2\x80\x9d \xe2\x80\x94 \xe2\x82\xac"},
	    {"Windows-1252", "\x93na\xefve\x94", 7, "\xe2\x80\x9cna\xc3\xafve\xe2\x80\x9d"},
	    {"iso-8859-7", "\xce\xe5\xf3\xea\xe5\xf0\xdc\xe6\xf9", 9, "\xce\x9e\xce\xb5\xcf\x83\xce\xba\xce\xb5\xcf\x80\xce\xac\xce\xb6\xcf\x89"},
	    {"windows-1253", "\xce\xe5\xf3\xea\xe5\xf0\xdc\xe6\xf9", 9, "\xce\x9e\xce\xb5\xcf\x83\xce\xba\xce\xb5\xcf\x80\xce\xac\xce\xb6\xcf\x89"},
	    {"iso-8859-8-i", "\xe3\xe2 \xf1\xf7\xf8\xef", 7, "\xd7\x93\xd7\x92 \xd7\xa1\xd7\xa7\xd7\xa8\xd7\x9f"},
	    {"windows-1255", "\xe3\xe2 \xf1\xf7\xf8\xef", 7, "\xd7\x93\xd7\x92 \xd7\xa1\xd7\xa7\xd7\xa8\xd7\x9f"},
	    {"iso-8859-6", "\xe6\xd5 \xcd\xe3\xea\xe5", 7, "\xd9\x86\xd8\xb5 \xd8\xad\xd9\x83\xd9\x8a\xd9\x85"},
	    {"windows-1256", "\xe4\xd5 \xcd\xdf\xed\xe3", 7, "\xd9\x86\xd8\xb5 \xd8\xad\xd9\x83\xd9\x8a\xd9\x85"},
	    {"iso-8859-9", "Pijamal\xfd \x93hasta\x94", 16, "Pijamal\xc4\xb1 \xe2\x80\x9chasta\xe2\x80\x9d"},
	    {"windows-1254", "Pijamal\xfd", 8, "Pijamal\xc4\xb1"},
	    {"iso-8859-4", "\xde\x64\x65ns", 5, "\xc5\xaa\x64\x65ns"},
	    {"iso-8859-13", "\xde\xe0sis", 5, "\xc5\xbd\xc4\x85sis"},
	    {"windows-1257", "\xde\xe0sis", 5, "\xc5\xbd\xc4\x85sis"},
	    {"iso-8859-10", "K\xe6mi", 4, "K\xc3\xa6mi"},
	    {"iso-8859-14", "\xd0yth", 4, "\xc5\xb4yth"},
	    {"iso-8859-16", "\xde\x61r\xe3", 4, "\xc8\x9a\x61r\xc4\x83"},
	    {"iso-8859-3", "\xc6iu\xbc\x61\xfd\x64\x65", 8, "\xc4\x88iu\xc4\xb5\x61\xc5\xad\x64\x65"},
	    {"windows-1258", "T\xf4i", 3, "T\xc3\xb4i"},
	    {"tis-620", "\xc0\xd2\xc9\xd2\xe4\xb7\xc2", 7, "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2"},
	    {"windows-874", "\xc0\xd2\xc9\xd2\x85", 5, "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2\xe2\x80\xa6"},
	    {"iso-2022-jp", "\x1b$BF|K\x5c\x38l%F%9%H\x1b(B", 18, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"},
	    {"shift_jis", "\x93\xfa\x96{\x8c\xea\x87@", 8, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe2\x91\xa0"},
	    {"x-sjis", "\x93\xfa\x96{\x8c\xea", 6, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
	    {"euc-jp", "\xc6\xfc\xcb\xdc\xb8\xec", 6, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
	    {"gb2312", "\xd6\xd0\xce\xc4\xb2\xe2\xca\xd4\xe9\x46", 10, "\xe4\xb8\xad\xe6\x96\x87\xe6\xb5\x8b\xe8\xaf\x95\xe9\x95\x95"},
	    {"GBK", "\xd6\xd0\xce\xc4\xe9\x46", 6, "\xe4\xb8\xad\xe6\x96\x87\xe9\x95\x95"},
	    {"gb18030", "\xd6\xd0\xce\xc4\xa2\xe3", 6, "\xe4\xb8\xad\xe6\x96\x87\xe2\x82\xac"},
	    {"big5", "\xa4\xa4\xa4\xe5\xb4\xfa\xb8\xd5", 8, "\xe4\xb8\xad\xe6\x96\x87\xe6\xb8\xac\xe8\xa9\xa6"},
	    {"big5-hkscs", "\xa4\xa4\xa4\xe5", 4, "\xe4\xb8\xad\xe6\x96\x87"},
	    {"euc-kr", "\xc7\xd1\xb1\xb9\xbe\xee \x94\xee", 9, "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xeb\xb7\x81"},
	    {"ks_c_5601-1987", "\xc7\xd1\xb1\xb9\xbe\xee \x94\xee", 9, "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xeb\xb7\x81"},
	    {"iso-2022-kr", "\x1b$)C\x0eGQ19>n\x0f", 12, "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4"},
	    {"cp949", "\x94\xee", 2, "\xeb\xb7\x81"},
	    {"utf-7", "Gr+APwA3w-e", 11, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"unicode-1-1-utf-7", "Gr+APwA3w-e", 11, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"utf-16le", "G\x00r\x00\xfc\x00\xdf\x00\x65\x00", 10, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"utf-16be", "\x00G\x00r\x00\xfc\x00\xdf\x00\x65", 10, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"utf-16", "\xff\xfeG\x00r\x00\xfc\x00\xdf\x00\x65\x00", 12, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"utf-32be", "\x00\x00\x00G\x00\x00\x00r\x00\x00\x00\xfc\x00\x00\x00\xdf\x00\x00\x00\x65", 20, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"cp-850", "Gr\x81\xe1\x65", 5, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"cp437", "Gr\x81\xe1\x65", 5, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"ibm866", "\x91\xea\xa5\xe8\xec", 5, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c"},
	    {"cp866", "\x91\xea\xa5\xe8\xec", 5, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c"},
	    {"macintosh", "Gr\x9f\xa7\x65\xc9", 6, "Gr\xc3\xbc\xc3\x9f\x65\xe2\x80\xa6"},
	    {"x-mac-cyrillic", "\x91\xfa\xe5\xf8\xfc", 5, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c"},
	    {"x-mac-roman", "Gr\x9f\xa7\x65", 5, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"cp1252", "\x93x\x94", 3, "\xe2\x80\x9cx\xe2\x80\x9d"},
	    {"windows1251", "\xd1\xfa\xe5\xf8\xfc", 5, "\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c"},
	    {"utf8", "Gr\xc3\xbc\xc3\x9f\x65", 7, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"x-utf-8", "Gr\xc3\xbc\xc3\x9f\x65", 7, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"IBM037", "\xc8\x85\x93\x93\x96", 5, "Hello"},
	    {"koi8-t", "\xd4\xcf\x8d\xc9\xcb\xa5", 6, "\xd1\x82\xd0\xbe\xd2\xb7\xd0\xb8\xd0\xba\xd3\xa3"},
	    {"hp-roman8", "Gr\xcf\xde\x65", 5, "Gr\xc3\xbc\xc3\x9f\x65"},
	    {"johab", "\xd0\x65\x8a\x82\xb4\xe1", 6, "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4"},
	};
	/* clang-format on */
	struct text_charsets *set = text_charsets_new();
	struct buf out = buf_make(1000);

	(void)state;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < N_ELEMS(rows); i++) {
			print_message("%s\n", rows[i].charset);
			buf_reset(&out);
			mime_charset_put(text_charsets_mime(set),
					 span_str(rows[i].charset),
					 span_make(rows[i].bytes, rows[i].n), &out);
			assert_span(buf_span(&out), rows[i].want);
		}
	buf_release(&out);
	text_charsets_free(&set);
}

static void
test_broken_and_unknown_charsets_never_fail(void **state)
{
	/* clang-format off */
	static const struct {
		const char *charset, *bytes, *want;
	} rows[] = {
	    {"shift_jis", "a\x81", "a\xef\xbf\xbd"},
	    {"euc-jp", "\xa4\xff" "b", "\xef\xbf\xbd\xef\xbf\xbd" "b"},
	    {"gb2312", "\xff" "c", "\xef\xbf\xbd" "c"},
	    {"iso-8859-1", "\x81\x93x\x94", "\xef\xbf\xbd\xe2\x80\x9cx\xe2\x80\x9d"},
	    {"unknown-8bit", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f"},
	    {"unknown-8bit", "gr\xc3\xbc", "gr\xc3\xbc"},
	    {"//IGNORE", "a\xe9", "a\xc3\xa9"},
	    {"../../x", "a\xe9", "a\xc3\xa9"},
	    {"utf-16//TRANSLIT", "ab", "ab"},
	    {"INTERNAL", "abcd", "abcd"},
	    {"wchar_t", "abcd", "abcd"},
	};
	/* clang-format on */
	struct text_charsets *set = text_charsets_new();
	struct buf out = buf_make(1000);
	uint64_t seed = seed_make();

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		buf_reset(&out);
		mime_charset_put(text_charsets_mime(set), span_str(rows[i].charset),
				 span_str(rows[i].bytes), &out);
		assert_span(buf_span(&out), rows[i].want);
	}
	/* Random bytes in random charsets: valid UTF-8 comes of it. */
	for (int i = 0; i < 3000; i++) {
		static const char *const names[] = {
		    "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "utf-7",   "utf-16",
		    "ucs-4",       "big5",        "euc-tw",      "gb18030", "euc-kr",
		    "shift_jis",   "koi8-r",      "ibm1364",     "tscii",   "ibm037",
		    "iso-ir-165",  "johab",       "armscii-8",   "cp1255",  "viscii"};
		char bytes[64];
		size_t n = next(&seed) % sizeof(bytes);

		for (size_t k = 0; k < n; k++)
			bytes[k] =
			    (char)(next(&seed) % 3 ? next(&seed) : next(&seed) % 64);
		buf_reset(&out);
		mime_charset_put(text_charsets_mime(set),
				 span_str(names[next(&seed) % N_ELEMS(names)]),
				 span_make(bytes, n), &out);
		assert_true(utf8_valid(buf_span(&out)));
	}
	buf_release(&out);
	text_charsets_free(&set);
}

/* --- finding -------------------------------------------------------------- */

static void
check_find(struct span haystack, struct span needle)
{
	const char *hit = needle.n
			      ? memmem(haystack.at, haystack.n, needle.at, needle.n)
			      : haystack.at;
	size_t want = hit ? (size_t)(hit - haystack.at) : haystack.n;

	assert_int_equal(text_find(haystack, needle), want);
}

/* Memory of exactly that size, so that a look beyond is seen. */
static void
test_find_agrees_with_memmem(void **state)
{
	uint64_t seed = seed_make();

	(void)state;
	for (int round = 0; round < 60000; round++) {
		size_t n = next(&seed) % (round % 50 ? 150 : 3000);
		size_t letters = 1 + next(&seed) % 4, needle_n = next(&seed) % 40;
		char *haystack = malloc(n ? n : 1), needle[40];

		for (size_t i = 0; i < n; i++)
			haystack[i] = (char)('a' + next(&seed) % letters);
		if (needle_n <= n && next(&seed) % 2)
			memcpy(needle, haystack + next(&seed) % (n - needle_n + 1),
			       needle_n);
		else
			for (size_t i = 0; i < needle_n; i++)
				needle[i] = (char)('a' + next(&seed) % letters);
		check_find(span_make(haystack, n), span_make(needle, needle_n));
		free(haystack);
	}
}

static void
test_find_at_every_place_of_every_length(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 200; n++) {
		char *haystack = malloc(n);

		for (size_t needle_n = 2; needle_n <= 5 && needle_n <= n; needle_n++)
			for (size_t at = 0; at + needle_n <= n; at++) {
				memset(haystack, '.', n);
				memcpy(haystack + at, "vwxyz", needle_n);
				assert_int_equal(
				    text_find(span_make(haystack, n),
					      span_make("vwxyz", needle_n)),
				    at);
			}
		free(haystack);
	}
}

/* What would take minutes if each place were tried to its end. */
static void
test_find_is_linear_in_the_worst_case(void **state)
{
	size_t n = 1u << 20, needle_n = 1u << 15;
	char *haystack = malloc(n), *needle = malloc(needle_n);

	(void)state;
	memset(haystack, 'a', n);
	memset(needle, 'a', needle_n);
	needle[needle_n / 2] = 'b';
	needle[needle_n / 2 + 1] = 'b';
	for (size_t i = needle_n / 2; i + 1 < n; i += 3)
		haystack[i] = haystack[i + 1] = 'b';
	check_find(span_make(haystack, n), span_make(needle, needle_n));
	free(haystack);
	free(needle);
}

/* --- rendering ------------------------------------------------------------ */

static void
test_messages_are_rendered(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *message, *headers, *body;
	} rows[] = {
	    {"plain", "Subject: Hello\r\n\r\nBody  Text\r\n", "subject: hello\n",
	     "body text \n"},
	    {"empty", "", "", "\n"},
	    {"header only", "Subject: a\r\n", "subject: a\n", "\n"},
	    {"encoded words, folded",
	     "Subject: =?iso-8859-1?q?Stra=DFe?=\r\n =?utf-8?b?w5xiZXI=?= b\r\n\r\n",
	     "subject: strasseuber b\n", "\n"},
	    {"raw 8-bit", "Subject: Gr\xfc\xdf\x65\r\nTo: Gr\xc3\xbc\xc3\x9f\x65\r\n\r\n",
	     "subject: grusse\nto: grusse\n", "\n"},
	    {"no colon", "what is this\r\nA: b\r\n\r\n", "what is this\na: b\n", "\n"},
	    {"name with space", "Sub: \r\nX-A : b\r\n\r\n", "sub: \nx-a: b\n", "\n"},
	    {"rfc 2231",
	     "Content-Type: text/plain;\r\n name*0*=utf-8''Stra%C3%9F; name*1=e.txt\r\n\r\n",
	     "content-type: text/plain; name*0*=utf-8''stra%c3%9f; name*1=e.txt; "
	     "name=strasse.txt\n",
	     "\n"},
	    {"quoted-printable",
	     "Content-Type: text/plain; charset=iso-8859-1\r\n"
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\nStra=DF=\r\ne",
	     "content-type: text/plain; charset=iso-8859-1\n"
	     "content-transfer-encoding: quoted-printable\n",
	     "strasse\n"},
	    {"base64, koi8",
	     "Content-Type: text/plain; charset=koi8-r\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n8PLp\r\n",
	     "content-type: text/plain; charset=koi8-r\n"
	     "content-transfer-encoding: base64\n",
	     "\xd0\xbf\xd1\x80\xd0\xb8\n"},
	    {"html",
	     "Content-Type: text/html\r\n\r\n<head><title>no</title></head><p "
	     "title=\"no\">Gr&uuml;&szlig;e<br>a<b>b</b>c &#8364; &Scaron;</p>",
	     "content-type: text/html\n", " grusse abc \xe2\x82\xac s \n"},
	    {"multipart",
	     "Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n--x\r\n\r\nOne\r\n"
	     "--x\r\nContent-Type: text/calendar\r\nContent-Disposition: attachment\r\n\r\n"
	     "Two\r\n--x\r\nContent-Type: application/pdf\r\n\r\nThree\r\n--x--\r\nepilogue",
	     "content-type: multipart/mixed; boundary=x\n", "one\ntwo\n"},
	    {"message in a message",
	     "Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=84?=\r\n\r\nInner\r\n",
	     "content-type: message/rfc822\n", "subject: a\ninner \n"},
	    {"multipart without end",
	     "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nA: b\r\n\r\nc",
	     "content-type: multipart/mixed; boundary=x\n", "c\n"},
	    {"multipart without boundary", "Content-Type: multipart/mixed\r\n\r\nc",
	     "content-type: multipart/mixed\n", "c\n"},
	    {"charset that is no superset of ASCII",
	     "Content-Type: text/plain; charset=utf-7\r\n\r\na+AOQ-b",
	     "content-type: text/plain; charset=utf-7\n", "aab\n"},
	    {"bare line ends", "A: b\nC: d\n\ne\nf", "a: b\nc: d\n", "e f\n"},
	};
	/* clang-format on */
	struct text_charsets *set = text_charsets_new();
	struct text_renderer *r = text_renderer_new(text_charsets_mime(set));

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct text_parts parts;

		print_message("%s\n", rows[i].name);
		parts = text_view(text_render(r, SPAN(""), span_str(rows[i].message)));
		assert_span(parts.headers, rows[i].headers);
		assert_span(parts.body, rows[i].body);
		parts = text_view(text_render(r, SPAN("Return-Path: <A@b>\r\n"),
					      span_str(rows[i].message)));
		assert_true(span_starts(parts.headers, SPAN("return-path: <a@b>\n")));
		assert_span(span_after(parts.headers, 19), rows[i].headers);
	}
	text_renderer_free(&r);
	text_charsets_free(&set);
}

static void
test_long_text_is_cut_at_a_character(void **state)
{
	struct text_renderer *r = text_renderer_new(NULL);
	size_t n = TEXT_BYTES_MAX + 100;
	struct buf message = buf_make(2 * n);
	struct text_parts parts;
	struct span stored;

	(void)state;
	buf_put_str(&message, "A: b\r\n\r\n");
	while (message.n < n)
		buf_put_str(&message, "\xd0\xb6");
	stored = text_render(r, SPAN(""), buf_span(&message));
	assert_true(stored.n <= TEXT_BYTES_MAX && stored.n > TEXT_BYTES_MAX - 4);
	parts = text_view(stored);
	assert_span(parts.headers, "a: b\n");
	assert_true(utf8_valid(parts.body));
	/* A header without end leaves room for the body's. */
	buf_reset(&message);
	while (message.n < n)
		buf_put_str(&message, "Ab: cdefgh\r\n");
	buf_put_str(&message, "\r\nbody");
	parts = text_view(text_render(r, SPAN(""), buf_span(&message)));
	assert_true(parts.headers.n <= TEXT_HEADERS_MAX);
	assert_span(parts.body, "body\n");
	buf_release(&message);
	text_renderer_free(&r);
}

static void
test_header_lines_are_found_by_name(void **state)
{
	const struct span headers = SPAN("subject: hello subject: x\nto: a@b\n"
					 "subject: again\nx-empty: \n");
	/* clang-format off */
	static const struct {
		const char *name, *needle;
		bool want;
	} rows[] = {
	    {"Subject", "hello", true},   {"subject", "again", true},
	    {"SUBJECT", "a@b", false},    {"To", "a@b", true},
	    {"to", "to", false},	  {"subject", "subject: x", true},
	    {"subject", "", true},	{"cc", "", false},
	    {"x-empty", "", true},	{"x-empty", "x", false},
	    {"sub", "hello", false},      {"subject", "hello again", false},
	    {"subject:", "hello", false}, {"", "hello", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s %s\n", rows[i].name, rows[i].needle);
		assert_int_equal(text_header_has(headers, span_str(rows[i].name),
						 span_str(rows[i].needle)),
				 rows[i].want);
	}
	assert_false(text_header_has(SPAN(""), SPAN("a"), SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fold_makes_one_of_what_reads_the_same),
	    cmocka_unit_test(test_folded_text_stays_as_it_is),
	    cmocka_unit_test(test_folding_a_piece_is_a_piece_of_the_folded),
	    cmocka_unit_test(test_fold_fills_up_to_the_limit_with_whole_characters),
	    cmocka_unit_test(test_common_charsets_are_read),
	    cmocka_unit_test(test_broken_and_unknown_charsets_never_fail),
	    cmocka_unit_test(test_find_agrees_with_memmem),
	    cmocka_unit_test(test_find_at_every_place_of_every_length),
	    cmocka_unit_test(test_find_is_linear_in_the_worst_case),
	    cmocka_unit_test(test_messages_are_rendered),
	    cmocka_unit_test(test_long_text_is_cut_at_a_character),
	    cmocka_unit_test(test_header_lines_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
