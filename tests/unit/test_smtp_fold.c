/* tests/unit/test_smtp_fold.c - lines that are too long are broken */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "common/smtp/smtp.h"

#define MAX FOLD_LINE_BYTES_MAX

/* "3x" is three times the letter, "|" a CRLF, "," a CR, ";" an LF, "_" a space, "u" a
 * character of two bytes, "w" one of four, "l" a byte that no UTF-8 has. */
static void
text_make(const char *recipe, struct buf *out)
{
	while (*recipe) {
		unsigned n = 0;

		while (ascii_digit(*recipe))
			n = n * 10 + (unsigned)(*recipe++ - '0');
		for (unsigned i = 0; i < (n ? n : 1); i++)
			buf_put_str(out, *recipe == '|'   ? "\r\n"
					 : *recipe == ',' ? "\r"
					 : *recipe == ';' ? "\n"
					 : *recipe == '_' ? " "
					 : *recipe == 'u' ? "\xc3\xbc"
					 : *recipe == 'w' ? "\xf0\x9f\x93\xae"
					 : *recipe == 'l' ? "\x80"
							  : "x");
		recipe++;
	}
}

static void
fold_all(struct span body, size_t piece, struct buf *out)
{
	struct fold f = {.line_bytes_max = MAX};

	for (size_t at = 0; at < body.n; at += piece) {
		struct span rest = span_first(span_after(body, at), piece);

		while (rest.n > 0) {
			buf_put(out, fold_next(&f, &rest));
			if (rest.n > 0)
				buf_put(out, FOLD_BREAK);
		}
	}
}

static const struct row {
	const char *name, *in, *want;
	bool whole_only; /* pieces may cut a character, too */
} rows[] = {
    {"nothing",           "",		      "",			 false},
    {"no line end",       "997x",                  "997x",                     false},
    {"short lines",       "x|||xx|x",              "x|||xx|x",                 false},
    {"one less",          "997x|x",                "997x|x",                   false},
    {"just fits",         "998x|x",                "998x|x",                   false},
    {"one more",          "999x|x",                "998x|_x|x",                false},
    {"much more",         "2995x|x",               "998x|_997x|_997x|_3x|x",   false},
    {"fits, no line end", "998x",                  "998x",                     false},
    {"fits, ends in CR",  "998x,",                 "998x,",                    false},
    {"bare CR",           "998x,998x,999x,x",      "998x,998x,998x|_x,x",      false},
    {"bare LF",           "998x;998x;999x;x",      "998x;998x;998x|_x;x",      false},
    {"mixed ends",        "500x;900x,997x||999x|", "500x;900x,997x||998x|_x|", false},
    {"characters",        "499u|500u|",            "499u|499u|_u|",            false},
    {"two bytes, odd",    "x499u|",                "x498u|_u|",                true },
    {"four bytes",        "xx249w|xxx249w|",       "xx249w|3x248w|_w|",        true },
    {"no UTF-8",          "1000l|",                "998l|_2l|",                false},
};

static void
row_check(const struct row *row, size_t piece)
{
	struct buf in = buf_make(20000), want = buf_make(20000), out = buf_make(20000);

	text_make(row->in, &in);
	text_make(row->want, &want);
	fold_all(buf_span(&in), piece ? piece : in.n + 1, &out);
	if (!span_equal(buf_span(&out), buf_span(&want)))
		fail_msg("%s, pieces of %zu", row->name, piece);
	buf_release(&in);
	buf_release(&want);
	buf_release(&out);
}

/* Whole, and cut so that the cuts fall on both sides of each break. */
static void
test_fold_breaks_lines_that_are_too_long(void **state)
{
	static const size_t pieces[] = {0,    1,    2,    3,    7,    31,   497,  498,
					499,  996,  997,  998,  999,  1000, 1001, 1494,
					1497, 1995, 1996, 1997, 2992, 2993, 2994};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t k = 0; k < (rows[i].whole_only ? 1 : N_ELEMS(pieces)); k++)
			row_check(&rows[i], pieces[k]);
}

/* No line is longer, and without the breaks it is what it was. */
static void
random_check(uint64_t *seed)
{
	static const char *const parts[] = {"x", "x", "|", ";", ",", "u", "w", "l"};
	struct buf recipe = buf_make(2000), in = buf_make(100000);
	struct buf out = buf_make(100000), back = buf_make(100000);
	struct span rest;
	size_t line = 0;

	for (int i = 0; i < 12; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		buf_putf(&recipe, "%u%s", 1 + (unsigned)(*seed >> 40) % 1200,
			 parts[(*seed >> 33) % N_ELEMS(parts)]);
	}
	buf_put_char(&recipe, '\0');
	text_make(recipe.at, &in);
	fold_all(buf_span(&in), 1 + (size_t)(*seed >> 35) % 5000, &out);
	for (size_t i = 0; i < out.n; i++) {
		line = out.at[i] == '\r' || out.at[i] == '\n' ? 0 : line + 1;
		assert_true(line <= MAX);
	}
	for (rest = buf_span(&out); rest.n > 0;) {
		size_t n = span_find_span(rest, FOLD_BREAK);

		buf_put(&back, span_first(rest, n));
		rest = span_after(rest, n + FOLD_BREAK.n);
	}
	assert_true(span_equal(buf_span(&back), buf_span(&in)));
	buf_release(&recipe);
	buf_release(&in);
	buf_release(&out);
	buf_release(&back);
}

static void
test_fold_random_bodies_keep_their_bytes(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 100; i++)
		random_check(&seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fold_breaks_lines_that_are_too_long),
	    cmocka_unit_test(test_fold_random_bodies_keep_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
