/* tests/unit/test_smtp_mend.c - what is mended in the header of a submitted message */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/smtp/smtp.h"

#define D "Date: now\r\n"
#define I "Message-ID: <id>\r\n"

static const struct row {
	const char *name, *wire, *want;
} rows[] = {
    {"nothing to mend",               "Date: x\r\nMessage-ID: <y>\r\n\r\nbody\r\n",
     "Date: x\r\nMessage-ID: <y>\r\n\r\nbody\r\n"									      },
    {"both are missing",              "Subject: s\r\n\r\nbody\r\n",
     "Subject: s\r\n" D I "\r\nbody\r\n"										       },
    {"Date is missing",               "Message-Id: <y>\r\n\r\nbody\r\n",
     "Message-Id: <y>\r\n" D "\r\nbody\r\n"										    },
    {"Message-ID is missing",         "DATE: x\r\n\r\nbody\r\n",
     "DATE: x\r\n" I "\r\nbody\r\n"											    },
    {"space before the colon",        "Date \t: x\r\nMessage-ID : y\r\n\r\n",
     "Date \t: x\r\nMessage-ID : y\r\n\r\n"										    },
    {"Bcc goes",		      "Date: x\r\nBcc: a@b\r\nMessage-ID: y\r\n\r\nBcc: c@d\r\n",
     "Date: x\r\nMessage-ID: y\r\n\r\nBcc: c@d\r\n"									    },
    {"Bcc of all spellings goes",     "BCC:a\r\nbcc : b\r\nbCc\t \t:c\r\nBcc:\r\n\r\n",
     D I "\r\n"														},
    {"Resent-Bcc goes",               "Date: x\r\nResent-Bcc: a\r\nMessage-ID: y\r\n\r\n",
     "Date: x\r\nMessage-ID: y\r\n\r\n"											},
    {"folded lines go with it",
     "Bcc: a,\r\n b,\r\n\tc\r\n \r\nTo: d,\r\n e\r\nBcc:\r\n f\r\n\r\n",			  "To: d,\r\n e\r\n" D I "\r\n"},
    {"names that only look alike",    "Bcc-Copy: a\r\nXBcc: b\r\nBc: c\r\nBccc: d\r\n\r\n",
     "Bcc-Copy: a\r\nXBcc: b\r\nBc: c\r\nBccc: d\r\n" D I "\r\n"                                                               },
    {"Resent-Date is not Date",       "Resent-Date: x\r\nResent-Message-ID: y\r\n\r\n",
     "Resent-Date: x\r\nResent-Message-ID: y\r\n" D I "\r\n"								   },
    {"no header",		     "\r\nbody\r\n",					     D I "\r\nbody\r\n"           },
    {"nothing at all",                "",							 D I                          },
    {"only an empty line",            "\r\n",						     D I "\r\n"                   },
    {"a header alone",                "Subject: s\r\n",					   "Subject: s\r\n" D I         },
    {"a header alone, with Bcc last", "Subject: s\r\nBcc: x\r\n",                                 "Subject: s\r\n" D I         },
    {"a last line without its end",   "Subject: s",                                               "Subject: s\r\n" D I         },
    {"text at once",                  "hello world\r\n",					  D I "\r\nhello world\r\n"    },
    {"text at once, with a colon",    "at 12:30\r\n",                                             D I "\r\nat 12:30\r\n"       },
    {"text behind fields",            "To: a\r\nhello\r\nBcc: x\r\n",
     "To: a\r\n" D I "\r\nhello\r\nBcc: x\r\n"										 },
    {"text behind fields, complete",  "Date: x\r\nMessage-ID: y\r\nhello\r\n",
     "Date: x\r\nMessage-ID: y\r\nhello\r\n"										   },
    {"text of one word",              "hello",						    D I "\r\nhello"              },
    {"a space at the start",          " x: y\r\n",						D I "\r\n x: y\r\n"          },
    {"letters beyond ASCII",          "\xc3\xbc: y\r\n",                                          D I "\r\n\xc3\xbc: y\r\n"    },
    {"a line of mbox",                "From a@b Thu\r\nBcc: c\r\n\r\n",                           "From a@b Thu\r\n" D I "\r\n"},
    {"From is a field, too",          "From: a\r\nFrom b\r\n\r\n",
     "From: a\r\n" D I "\r\nFrom b\r\n\r\n"										    },
};

static void
run(struct span wire, size_t cut, struct buf *out)
{
	struct mend m;

	mend_init(&m, SPAN(D), SPAN(I));
	mend_feed(&m, span_first(wire, cut), out);
	mend_feed(&m, span_after(wire, cut), out);
	mend_end(&m, out);
	assert_true(mend_over(&m));
}

static void
test_mend_same_answer_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].wire); cut++) {
			struct buf out = buf_make(10000);

			run(span_str(rows[i].wire), cut, &out);
			buf_put_char(&out, '\0');
			if (strcmp(out.at, rows[i].want) != 0)
				print_message("%s, cut at %zu\n", rows[i].name, cut);
			assert_string_equal(out.at, rows[i].want);
			buf_release(&out);
		}
}

static void
test_mend_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(10000);
		struct mend m;

		mend_init(&m, SPAN(D), SPAN(I));
		for (const char *at = rows[i].wire; *at; at++)
			mend_feed(&m, span_make(at, 1), &out);
		mend_end(&m, &out);
		buf_put_char(&out, '\0');
		print_message("%s\n", rows[i].name);
		assert_string_equal(out.at, rows[i].want);
		buf_release(&out);
	}
}

/* One more letter than a name may have makes it text. */
static void
test_mend_name_at_its_longest(void **state)
{
	(void)state;
	for (size_t n = MEND_NAME_MAX - 1; n <= MEND_NAME_MAX + 1; n++) {
		struct buf wire = buf_make(1000), out = buf_make(2000);
		bool text = n > MEND_NAME_MAX;

		for (size_t i = 0; i < n; i++)
			buf_put_char(&wire, 'x');
		buf_put_str(&wire, ": y\r\n");
		run(buf_span(&wire), 5, &out);
		assert_int_equal(span_starts(buf_span(&out), SPAN(D)), text);
		assert_int_equal(out.n, wire.n + strlen(D I) + (text ? 2 : 0));
		buf_release(&wire);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mend_same_answer_at_every_cut),
	    cmocka_unit_test(test_mend_byte_by_byte),
	    cmocka_unit_test(test_mend_name_at_its_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
