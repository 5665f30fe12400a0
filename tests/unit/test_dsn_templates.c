#include "common/dsn/dsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
	const char *name, *text, *error; /* null: it is good */
} file_rows[] = {
    {"empty",		      "",					 NULL				       },
    {"comments",		   "# a\n\n#b",				NULL				       },
    {"one section",                "[failure]\nSubject: x\n\n$rows\n",         NULL                                       },
    {"CRLF",		       "[failure]\r\nSubject: x\r\n\r\n$rows\r\n", NULL                                       },
    {"a paragraph",                "[failed]\n$recipient: $reason\n",          NULL                                       },
    {"text before a section",      "\nhello\n",                                "f:2: this stands before the first section"},
    {"unknown section",            "[x]\n",				    "f:1: no such section: x"                  },
    {"twice",		      "[failed]\na\n[failed]\n",                  "f:3: a second section failed"             },
    {"no subject",                 "[failure]\n\n$rows\n",                     "f:3: a section begins with \"Subject: \"" },
    {"no text",		    "[failure]\nSubject: x\n",                  "f:2: a section without a text: failure"   },
    {"no rows",		    "[failure]\nSubject: x\n\ntext\n",
     "f:4: a section without $rows: failure"									      },
    {"notice without text",        "[notice]\nSubject: x\n\nx\n",
     "f:4: a section without $text: notice"									       },
    {"rows in a line",             "[failure]\nSubject: x\n\nsee $rows\n",
     "f:4: it must stand alone in a line: $rows"									  },
    {"rows in a paragraph",        "[failed]\n$rows\n",
     "f:2: it must stand alone in a line: $rows"									  },
    {"rows in a subject",          "[failure]\nSubject: $rows\n",
     "f:2: it must stand alone in a line: $rows"									  },
    {"text of a notice elsewhere", "[failure]\nSubject: x\n\n$text\n",
     "f:4: not in this section: $text"										    },
    {"unknown key",                "[failed]\na\n$sendr\n",                    "f:3: no such key: $sendr"                 },
    {"a dollar alone",             "[failed]\n5 $\n",                          "f:2: no such key: $"                      },
    {"recipient in a whole text",  "[failure]\nSubject: $recipient\n",
     "f:2: a key of recipients only: $recipient"									  },
    {"tab",			"[failed]\na\tb\n",                         "f:2: a control character, or a tab"       },
    {"no UTF-8",		   "[failed]\n\xff\n",                         "f:2: this is not UTF-8"                   },
};

static void
test_files_are_checked_line_by_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(file_rows); i++) {
		struct dsn_templates t;
		struct err err = {0};
		int result;

		dsn_templates_init(&t);
		result =
		    dsn_templates_parse(&t, span_str(file_rows[i].text), "f", &err);
		if ((result == 0) != (file_rows[i].error == NULL) ||
		    (result != 0 && strcmp(err.text, file_rows[i].error) != 0))
			fail_msg("%s: %s", file_rows[i].name, err.text);
		dsn_templates_release(&t);
	}
}

static void
test_a_long_line_is_refused(void **state)
{
	(void)state;
	for (size_t n = DSN_TEMPLATE_LINE_MAX - 1; n <= DSN_TEMPLATE_LINE_MAX + 1;
	     n++) {
		struct buf text = buf_make(4096);
		struct dsn_templates t;
		struct err err;

		dsn_templates_init(&t);
		buf_put_str(&text, "[failed]\n");
		for (size_t i = 0; i < n; i++)
			buf_put_char(&text, 'x');
		assert_int_equal(dsn_templates_parse(&t, buf_span(&text), "f", &err) ==
				     0,
				 n <= DSN_TEMPLATE_LINE_MAX);
		dsn_templates_release(&t);
		buf_release(&text);
	}
}

/* The example for operators is what is built in. */
static void
test_example_is_what_is_built_in(void **state)
{
	FILE *file = fopen("etc/reports.conf", "r");
	struct buf text = buf_make(1u << 16);
	int c;

	(void)state;
	assert_non_null(file);
	while ((c = getc(file)) != EOF)
		buf_put_char(&text, (char)c);
	fclose(file);
	assert_true(span_equal(buf_span(&text), dsn_templates_builtin()));
	buf_release(&text);
}

static const struct {
	const char *name, *text, *want;
} expand_rows[] = {
    {"no keys",             "a\n",			 "a\r\n"             },
    {"a key",	       "to $recipient.\n",            "to r@x.\r\n"       },
    {"an empty key",        "a\nto $final\nb\n",           "a\r\nb\r\n"        },
    {"one of two is empty", "$recipient$final\n",          "r@x\r\n"           },
    {"comment",             "a\n# b\nc\n",                 "a\r\nc\r\n"        },
    {"no two empty lines",  "a\n\n$final\n\nb\n",          "a\r\n\r\nb\r\n"    },
    {"none at the ends",    "\n$final\n\na\n\n$final\n\n", "a\r\n"             },
    {"indent",              "    $reason\n",               "    r r\r\n"       },
    {"rows",		"a\n$rows\nb\n",               "a\r\nROWS\r\nb\r\n"},
};

static void
test_keys_are_replaced(void **state)
{
	struct span values[DSN_KEYS] = {[DSN_KEY_RECIPIENT] = SPAN("r@x"),
					[DSN_KEY_REASON] = SPAN("r r"),
					[DSN_KEY_ROWS] = SPAN("ROWS\r\n")};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(expand_rows); i++) {
		struct buf out = buf_make(4096);

		dsn_expand(&out, span_str(expand_rows[i].text), values);
		if (!span_equal(buf_span(&out), span_str(expand_rows[i].want)))
			fail_msg("%s: %.*s", expand_rows[i].name, (int)out.n, out.at);
		buf_release(&out);
	}
}

static void
test_long_lines_are_broken_with_their_indent(void **state)
{
	struct span values[DSN_KEYS] = {{0}};
	struct buf out = buf_make(4096);

	(void)state;
	dsn_expand(&out,
		   SPAN("  aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa "
			"aaaaaaaaaa aaaaaaaaaa b c\n"),
		   values);
	assert_true(
	    span_equal(buf_span(&out),
		       SPAN("  aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa "
			    "aaaaaaaaaa\r\n  aaaaaaaaaa b c\r\n")));
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files_are_checked_line_by_line),
	    cmocka_unit_test(test_a_long_line_is_refused),
	    cmocka_unit_test(test_example_is_what_is_built_in),
	    cmocka_unit_test(test_keys_are_replaced),
	    cmocka_unit_test(test_long_lines_are_broken_with_their_indent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
