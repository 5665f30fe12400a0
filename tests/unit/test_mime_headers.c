/* tests/unit/test_mime_headers.c - fields, folding, trace fields, limits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mime/mime.h"

static void
assert_span(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		print_message("got <%.*s>, want <%s>\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

/* Fields as "name=value|", opaque ones as "?raw|", then what is left. */
static void
walk_to_text(struct span message, struct buf *out)
{
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init(&walk, message);
	while (mime_headers_next(&walk, &field)) {
		buf_put(out, field.id == MIME_HEADER_OPAQUE ? SPAN("?") : field.name);
		if (field.id != MIME_HEADER_OPAQUE)
			buf_put_char(out, '=');
		buf_put(out, field.id == MIME_HEADER_OPAQUE ? field.raw : field.value);
		buf_put_char(out, '|');
	}
	buf_put(out, walk.rest);
}

static void
test_headers_walk_as_they_stand(void **state)
{
	static const struct {
		const char *name, *message, *want;
	} rows[] = {
	    {"two fields",           "A: b\r\nC: d\r\n\r\nbody",           "A= b|C= d|body"         },
	    {"folded",               "A: b\r\n c\r\n\td\r\nE: f\r\n\r\n",  "A= b\r\n c\r\n\td|E= f|"},
	    {"no space",             "A:b\r\n\r\n",                        "A=b|"                   },
	    {"space before colon",   "A : b\r\n\r\n",                      "A= b|"                  },
	    {"no value",             "A:\r\n\r\n",                         "A=|"                    },
	    {"no colon",             "junk\r\nA: b\r\n\r\nx",              "?junk\r\n|A= b|x"       },
	    {"space in name",        "a b: c\r\n\r\nx",                    "?a b: c\r\n|x"          },
	    {"first line folded",    " x\r\nA: b\r\n\r\n",                 "? x\r\n|A= b|"          },
	    {"no empty line",        "A: b\r\n",                           "A= b|"                  },
	    {"no line end",          "A: b",                               "A= b|"                  },
	    {"cr at the end",        "A: b\r",                             "A= b|"                  },
	    {"empty",                "",				   ""                       },
	    {"body alone",           "\r\nx",                              "x"                      },
	    {"blank line of spaces", "A: b\r\n \r\nC: d\r\n\r\n",          "A= b\r\n |C= d|"        },
	    {"bare lf inside",       "X: y\r\nA: b\nC: d\r\nE: f\r\n\r\n",
	     "X= y|A= b\nC: d|E= f|"								},
	    {"bare lf file",         "A: b\nC: d\n\nx\n",                  "A= b|C= d|x\n"          },
	    {"bare cr inside",       "A: b\rC: d\r\n\r\n",                 "A= b\rC: d|"            },
	    {"lf lf does not end",   "A: b\r\nC: d\n\nE: f\r\n\r\nx",
	     "A= b|C= d\n\nE: f|x"								  },
	    {"8-bit name",           "\xe9: b\r\n\r\nx",                   "?\xe9: b\r\n|x"         },
	    {"8-bit value",          "A: \xe9\xff\r\n\r\nx",               "A= \xe9\xff|x"          },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i].name);
		walk_to_text(span_str(rows[i].message), &out);
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
}

static void
put_times(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put_str(b, text);
}

/* Counts the fields that can be read, and those that are opaque. */
static void
count_fields(struct span message, unsigned *known, unsigned *opaque)
{
	struct mime_headers walk;
	struct mime_header field;

	*known = *opaque = 0;
	mime_headers_init(&walk, message);
	while (mime_headers_next(&walk, &field))
		*(field.id == MIME_HEADER_OPAQUE ? opaque : known) += 1;
	assert_span(walk.rest, "body");
}

static void
test_headers_number_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_HEADERS_MAX - 1; n <= MIME_HEADERS_MAX + 1; n++) {
		struct buf message = buf_make(100000);
		unsigned known, opaque;

		put_times(&message, "a: b\r\n", n);
		put_times(&message, "\r\nbody", 1);
		count_fields(buf_span(&message), &known, &opaque);
		assert_int_equal(known, n > MIME_HEADERS_MAX ? MIME_HEADERS_MAX : n);
		assert_int_equal(opaque, n > MIME_HEADERS_MAX);
		buf_release(&message);
	}
}

static void
test_headers_one_header_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_HEADER_MAX - 1; n <= MIME_HEADER_MAX + 1; n++) {
		struct buf message = buf_make(200000);
		unsigned known, opaque;

		put_times(&message, "a:", 1);
		put_times(&message, "x", n - 4);
		put_times(&message, "\r\nb: c\r\n\r\nbody", 1);
		count_fields(buf_span(&message), &known, &opaque);
		assert_int_equal(known, n > MIME_HEADER_MAX ? 1 : 2);
		assert_int_equal(opaque, n > MIME_HEADER_MAX);
		buf_release(&message);
	}
}

static void
test_headers_block_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_HEADER_BLOCK_MAX - 1; n <= MIME_HEADER_BLOCK_MAX + 1;
	     n++) {
		struct buf message = buf_make(MIME_HEADER_BLOCK_MAX * 2);
		unsigned known, opaque;

		for (size_t left = n; left > 0;) {
			size_t take = left > 65536 ? 32768 : left;

			put_times(&message, "a:", 1);
			put_times(&message, "x", take - 4);
			put_times(&message, "\r\n", 1);
			left -= take;
		}
		put_times(&message, "b: c\r\n\r\nbody", 1);
		count_fields(buf_span(&message), &known, &opaque);
		assert_int_equal(opaque, n >= MIME_HEADER_BLOCK_MAX);
		buf_release(&message);
	}
}

static void
test_header_find_any_case_first_one(void **state)
{
	const struct span block =
	    SPAN("X: 1\r\nSubject: a\r\n b\r\nSUBJECT: c\r\n\r\nTo: x");
	struct span value = SPAN("untouched");
	struct buf out = buf_make(100);

	(void)state;
	assert_true(mime_header_find(block, SPAN("sUBJECT"), &value));
	mime_header_unfold(value, &out);
	assert_span(buf_span(&out), "a b");
	assert_false(mime_header_find(block, SPAN("to"), &value));
	buf_release(&out);
}

static void
test_header_unfold_leaves_one_line(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
	    {"plain",         " a b ",       "a b" },
	    {"fold",          " a\r\n b",    "a b" },
	    {"fold with tab", "a\r\n\tb",    "a\tb"},
	    {"bare fold",     "a\n b",       "a b" },
	    {"bare cr",       "a\rb",        "a b" },
	    {"bare lf",       "a\nb",        "a b" },
	    {"empty",         "",            ""    },
	    {"only folds",    "\r\n \r\n\t", ""    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(100);

		print_message("%s\n", rows[i].name);
		mime_header_unfold(span_str(rows[i].value), &out);
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
}

static void
test_trace_fields_are_counted_and_dropped(void **state)
{
	const struct span block =
	    SPAN("Received: a\r\n b\r\nRETURN-PATH: <x>\r\nSubject: s\r\n"
		 "ARC-Seal: i=1\r\nX-MS-Exchange-Foo: 1\r\n"
		 "delivered-to: y\r\nReceived: c\r\nReceived-By: k\r\n"
		 "junk\r\nTo: z\r\n\r\n");
	struct mime_hops hops = mime_hops_count(block);
	struct buf out = buf_make(1000);

	(void)state;
	mime_headers_put_kept(block, &out);
	assert_span(buf_span(&out),
		    "Subject: s\r\nReceived-By: k\r\njunk\r\nTo: z\r\n\r\n");
	assert_int_equal(hops.received, 2);
	assert_int_equal(hops.delivered_to, 1);
	buf_release(&out);
}

static void
test_trace_kept_block_ends_as_the_message_does(void **state)
{
	static const char *const rows[][2] = {
	    {"A: b\r\n\r\nbody", "A: b\r\n\r\n"},
	    {"A: b\r\n",         "A: b\r\n"    },
	    {"A: b",             "A: b"        },
	    {"A: b\n\nbody",     "A: b\n\n"    },
	    {"\r\nbody",         "\r\n"        },
	    {"",		 ""            },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		mime_headers_put_kept(span_str(rows[i][0]), &out);
		assert_span(buf_span(&out), rows[i][1]);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_headers_walk_as_they_stand),
	    cmocka_unit_test(test_headers_number_limit),
	    cmocka_unit_test(test_headers_one_header_limit),
	    cmocka_unit_test(test_headers_block_limit),
	    cmocka_unit_test(test_header_find_any_case_first_one),
	    cmocka_unit_test(test_header_unfold_leaves_one_line),
	    cmocka_unit_test(test_trace_fields_are_counted_and_dropped),
	    cmocka_unit_test(test_trace_kept_block_ends_as_the_message_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
