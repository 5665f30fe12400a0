/* tests/unit/test_mime_keys.c - encoded words, subjects, dates, ids, decoders, preview
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mime/mime.h"

#include <time.h>

#define REPLACED "\xef\xbf\xbd"

static void
assert_span(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		print_message("got <%.*s>, want <%s>\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

/* A converter that knows one charset, in which every byte is an "x". */
static bool
convert(void *context, struct span charset, struct span bytes, struct buf *out)
{
	(void)context;
	if (!span_equal_nocase(charset, SPAN("x-test")))
		return false;
	for (size_t i = 0; i < bytes.n; i++)
		buf_put_char(out, 'x');
	return true;
}

static const struct mime_charsets charsets = {convert, NULL};

static void
test_words_decoded(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
  /* [RFC2047 8] */
	    {"name",		     "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
	     "Keith Moore <moore@cs.utk.edu>"												},
	    {"latin 1",
	     "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=",                                      "Keld J\xc3\xb8rn Simonsen"                       },
	    {"base64 in two",
	     "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n "
	     "=?ISO-8859-1?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",		      "If you can read this you understand the example."},
	    {"one",		      "(=?ISO-8859-1?Q?a?=)",                           "(a)"                                             },
	    {"word and text",            "(=?ISO-8859-1?Q?a?= b)",                         "(a b)"                                           },
	    {"two words",                "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)",        "(ab)"                                            },
	    {"two words, two spaces",    "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)",
	     "(ab)"															  },
	    {"two words, folded",        "(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)",
	     "(ab)"															  },
	    {"underscore",               "(=?ISO-8859-1?Q?a_b?=)",                         "(a b)"                                           },
	    {"space kept by underscore", "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?_b?=)",
	     "(a b)"															 },
 /* beyond the examples */
	    {"language",                 "=?utf-8*en?q?a=C3=A9?=",                         "a\xc3\xa9"                                       },
	    {"character cut in two",     "=?utf-8?q?=C3?= =?UTF-8?q?=A9?=",                "\xc3\xa9"                                        },
	    {"broken utf-8",             "=?utf-8?q?=C3?=x",                               REPLACED "x"                                      },
	    {"unknown charset",          "=?klingon?q?a=E9?=",                             "a\xc3\xa9"                                       },
	    {"caller's charset",         "=?X-Test?q?=01=02?=",                            "xx"                                              },
	    {"no encoding",              "=?utf-8?x?a?=",                                  "=?utf-8?x?a?="                                   },
	    {"no end",                   "=?utf-8?q?a",                                    "=?utf-8?q?a"                                     },
	    {"no charset",               "=??q?a?=",				       "=??q?a?="                                        },
	    {"empty text",
	     "a =?utf-8?q?"
	     "?= b",								       "a  b"					    },
	    {"bare 8-bit utf-8",         "caf\xc3\xa9",                                    "caf\xc3\xa9"                                     },
	    {"bare 8-bit other",         "caf\xe9",                                        "caf\xc3\xa9"                                     },
	    {"bad escape",               "=?utf-8?q?=zz=4?=",                              "=zz=4"                                           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i].name);
		mime_words_put(&charsets, span_str(rows[i].text), &out);
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
}

static void
test_subject_base(void **state)
{
	static const struct {
		const char *subject, *want;
		bool is_reply;
	} rows[] = {
	    {"hello",			   "hello",           false},
	    {"Re: hello",                       "hello",           true },
	    {"RE : hello",                      "hello",           true },
	    {"re: Fwd: FW: hello",              "hello",           true },
	    {"Re[2]: hello",                    "hello",           true },
	    {"Re: [list] hello",                "hello",           true },
	    {"[list] Re: hello",                "hello",           true },
	    {"[list] hello",                    "hello",           false},
	    {"[a] [b] Re: [c] hello",           "hello",           true },
	    {"[list]",			  "[list]",          false},
	    {"[a] [list]",                      "[list]",          false},
	    {"hello (fwd)",                     "hello",           true },
	    {"hello (FWD)  (fwd) ",             "hello",           true },
	    {"[fwd: hello]",                    "hello",           true },
	    {"[Fwd: Re: hello (fwd)]",          "hello",           true },
	    {"Reply to all",                    "Reply to all",    false},
	    {"Re",			      "Re",              false},
	    {"Re:",			     "",                true },
	    {"(fwd)",			   "",                true },
	    {"  a \t b\r\n c ",                 "a b c",           false},
	    {"[unclosed hello",                 "[unclosed hello", false},
	    {"[[a]] hello",                     "[[a]] hello",     false},
	    {"=?utf-8?q?Re:_gr=C3=BC=C3=9Fe?=",
	     "gr\xc3\xbc\xc3\x9f"
	     "e",						  true },
	    {"",				"",                false},
	    {"[fwd:]",			  "",                true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i].subject);
		assert_int_equal(
		    mime_subject_put(NULL, span_str(rows[i].subject), &out),
		    rows[i].is_reply);
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
}

static double
processor_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Some ms of work; a look at all the blobs behind each would be minutes of it. */
static void
test_subject_of_very_many_blobs(void **state)
{
	static const char *const blobs[] = {"[]", "[a] ", "[fwd: [] ", "re: [] "};
	const size_t bytes = 1u << 20;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(blobs); i++) {
		struct buf value = buf_make(bytes + 64), out = buf_make(bytes + 64);
		double since = processor_s();

		while (value.n < bytes)
			buf_put_str(&value, blobs[i]);
		buf_put_str(&value, "hello");
		(void)mime_subject_put(NULL, buf_span(&value), &out);
		assert_true(span_ends_nocase(buf_span(&out), SPAN("hello")));
		assert_true(processor_s() - since < 60);
		buf_release(&value);
		buf_release(&out);
	}
}

static void
test_date_to_utc(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
	    {"Fri, 21 Nov 1997 09:55:06 -0600",                       880127706   },
	    {"21 Nov 97 09:55:06 GMT",                                880106106   },
	    {"Thu, 13 Feb 1969 23:32 -0330",                          0           },
	    {"Thu,\r\n      13\r\n        Feb\r\n          1997\r\n      23:32\r\n"
	     "               -0330 (Newfoundland Time)", 855889320   },
	    {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",       880127706   },
	    {"Mon, 7 Feb 1994 21:52:25 -0800 (PST)",                  760686745   },
	    {"7 Feb 94 21:52:25 PST",                                 760686745   },
	    {"Thu, 29 Feb 2024 12:00:00 +0000",                       1709208000  },
	    {"1 Jan 100 00:00:00 +0000",                              946684800   },
	    {"1 Jan 49 00:00:00 Z",                                   2493072000  },
	    {"1 Jan 2024 00:00:00 A",                                 1704067200  },
	    {"1 Jan 2024 00:00:00",                                   1704067200  },
	    {"1-Jan-2024 00:00:00 +0100",                             1704063600  },
	    {"Mon Jan  1 00:00:00 2024",                              1704067200  },
	    {"Mon, 1 January 2024 00.00.00 +0000",                    1704067200  },
	    {"Thu, 31 Dec 1998 23:59:60 +0000",                       915148800   },
	    {"1 Jan 1970 00:00:00 +0000",                             0           },
	    {"1 Jan 9999 00:00:00 +0000",                             253370764800},
	    {"",						      -1          },
	    {"yesterday",					     -1          },
	    {"32 Jan 2024 00:00:00",                                  -1          },
	    {"1 Foo 2024 00:00:00",                                   -1          },
	    {"1 Jan 2024 24:00:00",                                   -1          },
	    {"1 Jan 2024",					    -1          },
	    {"1 Jan 20240 00:00:00",                                  -1          },
	    {"1 Jan 2024 00:99:00",                                   -1          },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(mime_date_parse(span_str(rows[i].text)).seconds,
				 rows[i].want);
	}
}

static void
test_msgid_normalised(void **state)
{
	static const char *const rows[][2] = {
	    {"<a@b>",			     "a@b|"        },
	    {" <a@b>\r\n\t<c@d> (x <y@z>) <e@f>", "a@b|c@d|e@f|"},
	    {"<\"a\"@b> <\"a\\.b\"@c>",           "a@b|a.b@c|"  },
	    {"<a @ b>",			   "a@b|"        },
	    {"\"Fred <x@y>\" wrote <a@b>",        "a@b|"        },
	    {"<a\r\n @b>",                        "a@b|"        },
	    {"<>",				""            },
	    {"<a@b",			      ""            },
	    {"a@b",			       ""            },
	    {"",				  ""            },
	    {"(unclosed <a@b>",                   ""            },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span rest = span_str(rows[i][0]);
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i][0]);
		while (mime_msgid_next(&rest, &out))
			buf_put_char(&out, '|');
		assert_span(buf_span(&out), rows[i][1]);
		buf_release(&out);
	}
}

static const struct coded {
	const char *name;
	enum mime_encoding encoding;
	const char *text, *want;
} coded[] = {
    {"base64",		MIME_BASE64,           "Zm9v\r\nYmFy",  "foobar"       },
    {"base64 one pad",        MIME_BASE64,           "Zm9vYmE=",      "fooba"        },
    {"base64 two pads",       MIME_BASE64,           "Zm9vYg==",      "foob"         },
    {"base64 no pad",         MIME_BASE64,           "Zm9vYg",        "foob"         },
    {"base64 in pieces",      MIME_BASE64,           "Zg==Zm8=Zm9v",  "ffofoo"       },
    {"base64 junk",           MIME_BASE64,           "Z*m 9\tv!",     "foo"          },
    {"base64 one sextet",     MIME_BASE64,           "Zm9vY",         "foo"          },
    {"base64 empty",          MIME_BASE64,           "",              ""             },
    {"qp escape",             MIME_QUOTED_PRINTABLE, "a=3Db=c3=A9",   "a=b\xc3\xa9"  },
    {"qp soft break",         MIME_QUOTED_PRINTABLE, "a=\r\nb",       "ab"           },
    {"qp soft break, space",  MIME_QUOTED_PRINTABLE, "a= \t\r\nb",    "ab"           },
    {"qp soft break, bare",   MIME_QUOTED_PRINTABLE, "a=\nb",         "ab"           },
    {"qp space at end",       MIME_QUOTED_PRINTABLE, "a \t\r\nb ",    "a\r\nb "      },
    {"qp space inside",       MIME_QUOTED_PRINTABLE, "a  b c\r\n",    "a  b c\r\n"   },
    {"qp bad escape",         MIME_QUOTED_PRINTABLE, "=XY =4Z =",     "=XY =4Z "     },
    {"qp escape twice",       MIME_QUOTED_PRINTABLE, "==41=",         "=A"           },
    {"qp bare cr",            MIME_QUOTED_PRINTABLE, "a\rb\r",        "a\rb\r"       },
    {"qp soft that is none",  MIME_QUOTED_PRINTABLE, "a=  b",         "a=  b"        },
    {"qp control characters", MIME_QUOTED_PRINTABLE, "\x01\x02 \x01", "\x01\x02 \x01"},
    {"8bit",		  MIME_8BIT,             "a=3D \r\n",     "a=3D \r\n"    },
};

static void
test_decoder_same_answer_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(coded); i++) {
		struct span text = span_str(coded[i].text);

		print_message("%s\n", coded[i].name);
		for (size_t cut = 0; cut <= text.n; cut++) {
			struct buf out = buf_make(1000);
			struct mime_decoder decoder;

			mime_decoder_init(&decoder, coded[i].encoding);
			mime_decoder_feed(&decoder, span_first(text, cut), &out);
			mime_decoder_feed(&decoder, span_after(text, cut), &out);
			mime_decoder_end(&decoder, &out);
			assert_span(buf_span(&out), coded[i].want);
			buf_release(&out);
		}
	}
}

static void
test_utf8_valid_and_whole(void **state)
{
	static const struct {
		const char *name, *text;
		size_t valid, whole;
	} rows[] = {
	    {"ascii",                  "abc",				  3, 3},
	    {"two, three, four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 9},
	    {"cut two",                "a\xc3",                                1, 1},
	    {"cut four",               "a\xf0\x9f\x98",                        1, 1},
	    {"overlong",               "\xc0\x80",                             0, 2},
	    {"overlong three",         "\xe0\x80\x80",                         0, 3},
	    {"surrogate",              "\xed\xa0\x80",                         0, 3},
	    {"too high",               "\xf4\x90\x80\x80",                     0, 4},
	    {"lone continuation",      "a\x80",                                1, 2},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(mime_utf8_valid(span_str(rows[i].text)),
				 rows[i].valid);
		assert_int_equal(mime_utf8_whole(span_str(rows[i].text)).n,
				 rows[i].whole);
	}
}

static void
test_html_to_text(void **state)
{
	static const char *const rows[][2] = {
	    {"<p>a</p>b",                      " a b"                         },
	    {"a<b>b</b>c",                     "abc"                          },
	    {"<head><title>x</title></head>a", "  a"                          },
	    {"<STYLE>p > x</sTyle >a",         "  a"                          },
	    {"<!-- <p> -->a",                  "a"                            },
	    {"<!-- unclosed",                  ""                             },
	    {"a < b & c",                      "a < b & c"                    },
	    {"&lt;&amp;&#65;&#x263A;&eacute;", "<&A\xe2\x98\xba\xc3\xa9"      },
	    {"&bogus; &#xd800; &#1114112; &",  "&bogus; &#xd800; &#1114112; &"},
	    {"<a href=\"x>y\">z</a>",          "z"                            },
	    {"<script>if (a<b) {}</script>c",  "  c"                          },
	    {"<script>never",                  " "                            },
	    {"<p",			     " "			    },
	    {"",			       ""			     },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i][0]);
		mime_html_put_text(span_str(rows[i][0]), &out);
		assert_span(buf_span(&out), rows[i][1]);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_decoded),
	    cmocka_unit_test(test_subject_base),
	    cmocka_unit_test(test_subject_of_very_many_blobs),
	    cmocka_unit_test(test_date_to_utc),
	    cmocka_unit_test(test_msgid_normalised),
	    cmocka_unit_test(test_decoder_same_answer_at_every_cut),
	    cmocka_unit_test(test_utf8_valid_and_whole),
	    cmocka_unit_test(test_html_to_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
