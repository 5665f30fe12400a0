/* tests/unit/test_smtp_dot.c - the end of a message is where it is, at every cut */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/smtp/smtp.h"

#define S(text)                                                                        \
	{                                                                              \
		"" text, sizeof(text) - 1                                              \
	}

static const struct row {
	const char *name;
	bool stuffed;
	struct span wire, body;
	unsigned faults;
	struct span rest; /* behind the end; what dot_finish() adds for BDAT */
	bool end;
} rows[] = {
    {"plain",		     true,  S("a\r\n.\r\nNOOP"),                S("a\r\n"),              0,              S("NOOP"), true },
    {"nothing",		   true,  S(".\r\n"),                         S(""),                   0,              S(""),     true },
    {"empty line",                true,  S("\r\n.\r\n"),                     S("\r\n"),               0,              S(""),     true },
    {"stuffed dot",               true,  S("..a\r\n.\r\n"),                  S(".a\r\n"),             0,              S(""),     true },
    {"dot with text",             true,  S(".a\r\n.\r\n"),                   S("a\r\n"),              0,              S(""),     true },
    {"two dots",		  true,  S("..\r\n.\r\n"),                   S(".\r\n"),              0,              S(""),     true },
    {"dot last",		  true,  S("a.\r\n.\r\n"),                   S("a.\r\n"),             0,              S(""),     true },
    {"lf . lf",		   true,  S("a\n.\nb\r\n.\r\n"),              S("a\r\n.\r\nb\r\n"),    DOT_FAULT_BARE,
     S(""),														      true },
    {"lf . crlf",                 true,  S("a\n.\r\nb\r\n.\r\n"),            S("a\r\n.\r\nb\r\n"),    DOT_FAULT_BARE,
     S(""),														      true },
    {"crlf . lf",                 true,  S("a\r\n.\nb\r\n.\r\n"),            S("a\r\n\r\nb\r\n"),     DOT_FAULT_BARE,
     S(""),														      true },
    {"crlf . cr",                 true,  S("a\r\n.\rb\r\n.\r\n"),            S("a\r\n\r\nb\r\n"),     DOT_FAULT_BARE,
     S(""),														      true },
    {"crlf . cr cr lf",           true,  S("a\r\n.\r\r\nb\r\n.\r\n"),        S("a\r\n\r\n\r\nb\r\n"),
     DOT_FAULT_BARE,												  S(""),     true },
    {"cr . cr",		   true,  S("a\r.\rb\r\n.\r\n"),              S("a\r\n.\r\nb\r\n"),    DOT_FAULT_BARE,
     S(""),														      true },
    {"cr . crlf",                 true,  S("a\r.\r\nb\r\n.\r\n"),            S("a\r\n.\r\nb\r\n"),    DOT_FAULT_BARE,
     S(""),														      true },
    {"cr cr lf . crlf",           true,  S("a\r\r\n.\r\nb"),                 S("a\r\n\r\n"),          DOT_FAULT_BARE,
     S("b"),														     true },
    {"lf cr . crlf",              true,  S("a\n\r.\r\n.\r\n"),               S("a\r\n\r\n.\r\n"),     DOT_FAULT_BARE,
     S(""),														      true },
    {"crlf nul . crlf",           true,  S("a\r\n\0.\r\n.\r\n"),             S("a\r\n.\r\n"),         DOT_FAULT_NUL,
     S(""),														      true },
    {"crlf . nul crlf",           true,  S("a\r\n.\0\r\n.\r\n"),             S("a\r\n\r\n"),          DOT_FAULT_NUL,
     S(""),														      true },
    {"cr nul lf",                 true,  S("a\r\0\n.\r\n.\r\n"),             S("a\r\n\r\n.\r\n"),
     DOT_FAULT_BARE | DOT_FAULT_NUL,										  S(""),     true },
    {"nul in text",               true,  S("a\0b\0\0c\r\n.\r\n"),            S("abc\r\n"),            DOT_FAULT_NUL,  S(""),
     true															     },
    {"lf first",		  true,  S("\n.\r\n.\r\n"),                  S("\r\n.\r\n"),          DOT_FAULT_BARE, S(""),     true },
    {"no end",		    true,  S("a\r\n."),                        S("a\r\n"),              0,              S(""),     false},
    {"line at the limit",         true,  S("12345678\r\n.\r\n"),             S("12345678\r\n"),       0,              S(""),
     true															     },
    {"line over the limit",       true,  S("123456789\r\n.\r\n"),            S("123456789\r\n"),
     DOT_FAULT_LINE,												  S(""),     true },
    {"stuffed line at the limit", true,  S(".12345678\r\n.\r\n"),            S("12345678\r\n"),       0,
     S(""),														      true },
    {"lines mended",              true,  S("12345678\n12345678\n\r\n.\r\n"),
     S("12345678\r\n12345678\r\n\r\n"),							       DOT_FAULT_BARE, S(""),     true },
    {"chunk",		     false, S("a\r\n.\r\n..b\r\n"),             S("a\r\n.\r\n..b\r\n"),  0,              S(""),     false},
    {"chunk without crlf",        false, S("a\r\nb"),                        S("a\r\nb"),             0,              S("\r\n"), false},
    {"chunk with cr last",        false, S("a\r"),                           S("a"),                  DOT_FAULT_BARE, S("\r\n"), false},
    {"chunk with lf last",        false, S("a\n"),                           S("a\r\n"),              DOT_FAULT_BARE, S(""),     false},
    {"chunk empty",               false, S(""),                              S(""),                   0,              S(""),     false},
};

/* Feeds in pieces of at most `step` bytes behind the first `cut`. */
static void
check(const struct row *row, size_t cut, size_t step)
{
	struct buf body = buf_make(256);
	enum dot_result result = DOT_MORE;
	struct span rest = row->wire, piece;
	struct dot d;
	bool first = true;

	dot_init(&d, row->stuffed, 8);
	while (rest.n > 0 && result != DOT_END) {
		struct span part = span_first(rest, first ? cut : step);
		size_t n = part.n;

		first = false;
		while ((result = dot_next(&d, &part, &piece)) == DOT_PIECE) {
			assert_true(piece.n > 0);
			buf_put(&body, piece);
		}
		rest = span_after(rest, n - part.n);
	}
	assert_int_equal(result == DOT_END, row->end);
	assert_true(span_equal(buf_span(&body), row->body));
	if (!row->stuffed)
		rest = dot_finish(&d);
	assert_true(span_equal(rest, row->rest));
	assert_int_equal(d.faults, row->faults);
	buf_release(&body);
}

static void
test_dot_same_answer_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= rows[i].wire.n; cut++)
			check(&rows[i], cut, SIZE_MAX);
		for (size_t step = 1; step <= 3; step++)
			check(&rows[i], step, step);
	}
}

/* The simplest reading of the rules, one byte at a time. */
static void
slow_take(struct span wire, struct buf *body, size_t *end, unsigned *faults)
{
	bool at_line = true;
	size_t i = 0;

	while (i < wire.n) {
		struct span rest = span_after(wire, i);

		if (at_line && span_starts(rest, SPAN(".\r\n"))) {
			*end = i + 3;
			return;
		}
		if (at_line && rest.at[0] == '.') {
			i++;
			rest = span_after(wire, i);
		}
		at_line = span_starts(rest, SPAN("\r\n"));
		if (at_line || rest.at[0] == '\r' || rest.at[0] == '\n') {
			buf_put_str(body, "\r\n");
			*faults |= at_line ? 0 : DOT_FAULT_BARE;
		} else if (rest.at[0] != '\0') {
			buf_put_char(body, rest.at[0]);
		} else {
			*faults |= DOT_FAULT_NUL;
		}
		i += at_line ? 2 : 1;
	}
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void
check_random(uint64_t *seed)
{
	static const char alphabet[] = {'\r', '\n', '.', '\0', 'a', '\r', '\n'};
	char wire[48];
	size_t n = next_random(seed) % 40, end = 0;
	struct buf body = buf_make(256), want = buf_make(256);
	enum dot_result result = DOT_MORE;
	unsigned faults = 0;
	struct span rest, piece;
	struct dot d;

	for (size_t i = 0; i < n; i++)
		wire[i] = alphabet[next_random(seed) % sizeof(alphabet)];
	memcpy(wire + n, "x\r\n.\r\n", 6);
	rest = span_make(wire, n + 6);
	slow_take(rest, &want, &end, &faults);
	dot_init(&d, true, 1000);
	while (result != DOT_END) {
		struct span part = span_first(rest, next_random(seed) % 9);
		size_t before = part.n;

		while ((result = dot_next(&d, &part, &piece)) == DOT_PIECE)
			buf_put(&body, piece);
		rest = span_after(rest, before - part.n);
		assert_true(rest.n > 0 || result == DOT_END);
	}
	assert_int_equal(n + 6 - rest.n, end);
	assert_true(span_equal(buf_span(&body), buf_span(&want)));
	assert_int_equal(d.faults, faults);
	buf_release(&body);
	buf_release(&want);
}

static void
test_dot_equals_the_slow_reading(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 20261122;

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 100000; i++)
		check_random(&seed);
}

/* What a client sends for a body comes out of a server as that body. */
static void
test_dot_put_and_take_are_inverse(void **state)
{
	static const struct {
		const char *body, *wire;
	} put_rows[] = {
	    {"",		  ".\r\n"                   },
	    {"a",                 "a\r\n.\r\n"              },
	    {"a\r\n",             "a\r\n.\r\n"              },
	    {".\r\n..\r\na.\r\n", "..\r\n...\r\na.\r\n.\r\n"},
	    {"a\n.\nb",           "a\r\n..\r\nb\r\n.\r\n"   },
	    {"a\r.\r\n",          "a\r\n..\r\n.\r\n"        },
	    {"a\r\r\n",           "a\r\n\r\n.\r\n"          },
	    {"a\r",               "a\r\n.\r\n"              },
	    {"\n\n",              "\r\n\r\n.\r\n"           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(put_rows); i++) {
		struct span body = span_str(put_rows[i].body);

		for (size_t cut = 0; cut <= body.n; cut++) {
			struct dot_put put = {0};
			struct buf wire = buf_make(128);

			dot_put(&put, &wire, span_first(body, cut));
			dot_put(&put, &wire, span_after(body, cut));
			dot_put_end(&put, &wire);
			assert_true(
			    span_equal(buf_span(&wire), span_str(put_rows[i].wire)));
			buf_release(&wire);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dot_same_answer_at_every_cut),
	    cmocka_unit_test(test_dot_equals_the_slow_reading),
	    cmocka_unit_test(test_dot_put_and_take_are_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
