/* tests/unit/test_mime_structure.c - the tree of parts, and what broken mail makes of
 * it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/mime_check.h"

static struct mime_parser *parser;

static int
setup(void **state)
{
	(void)state;
	parser = mime_parser_new(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mime_parser_free(&parser);
	return 0;
}

static struct mime_summary
summarize(struct span message)
{
	struct mime_summary summary;
	const char *wrong;

	mime_summarize(parser, message, &summary);
	wrong = mime_check(message, &summary);
	if (wrong)
		print_message("%s: %.*s\n", wrong, SPAN_ARG(summary.bodystructure));
	assert_null(wrong);
	return summary;
}

/* Bodies of leaves as "type/subtype<body>lines", containers as "name(...)". */
static void
tree_to_text(const struct mime_tree *tree, struct span message, uint32_t part,
	     struct buf *out)
{
	const struct mime_place *place = &tree->places[part];
	const struct mime_content *content = &tree->contents[part];

	if (place->kind != MIME_LEAF) {
		buf_put_str(out, place->kind == MIME_MULTIPART ? "multi(" : "msg(");
		for (uint32_t i = part + 1; i < place->next; i = tree->places[i].next)
			tree_to_text(tree, message, i, out);
		buf_put_char(out, ')');
		return;
	}
	buf_put(out, content->subtype);
	buf_put_char(out, '<');
	buf_put(out, span_make(message.at + place->body_start,
			       place->body_end - place->body_start));
	buf_putf(out, ">%u ", place->body_lines);
}

#define MULTI(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\r\n\r\n"

static const struct {
	const char *name, *message, *want;
} trees[] = {
    {"no mime at all",		       "A: b\r\n\r\nx\r\ny\r\n",                                      "plain<x\r\ny\r\n>2 "            },
    {"body without line end",                "\r\nx",						       "plain<x>0 "                     },
    {"bad type is plain text",               "Content-Type: nonsense\r\n\r\nx",                             "plain<x>0 "                     },
    {"two parts",
     MULTI("b") "pre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n",
     "multi(plain<one>0 plain<two\r\n>1 )"												   },
    {"no closing boundary",                  MULTI("b") "--b\r\n\r\none\r\n",                               "multi(plain<one\r\n>1 )"        },
    {"no boundary line",                     MULTI("b") "text\r\n",                                         "multi()"                        },
    {"no boundary parameter",                "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
     "plain<--b\r\n\r\nx>2 "														 },
    {"empty boundary",
     "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx",				     "plain<--\r\n\r\nx>2 "           },
    {"closing first",			MULTI("b") "--b--\r\n--b\r\n\r\nx",                            "multi()"                        },
    {"space after boundary",                 MULTI("b") "--b \t\r\n\r\nx\r\n--b-- \r\n",
     "multi(plain<x>0 )"														     },
    {"boundary not at line start",           MULTI("b") "--b\r\n\r\nx --b\r\n",
     "multi(plain<x --b\r\n>1 )"													     },
    {"part without empty line",
     MULTI("b") "--b\r\nContent-Type: text/html\r\n--b--\r\n",                                              "multi(html<>0 )"                },
    {"part without header",                  MULTI("b") "--b\r\n--b\r\n\r\nx\r\n--b--",
     "multi(plain<>0 plain<x>0 )"													    },
    {"nested",
     MULTI("o") "--o\r\n" MULTI(
	 "i") "--i\r\n\r\n1\r\n--i--\r\n--o\r\n\r\n2\r\n--o--\r\n",
     "multi(multi(plain<1>0 )plain<2>0 )"												    },
    {"inner never closed",
     MULTI("o") "--o\r\n" MULTI("i") "--i\r\n\r\n1\r\n--o\r\n\r\n2\r\n--o--\r\n",
     "multi(multi(plain<1>0 )plain<2>0 )"												    },
    {"same boundary",
     MULTI("b") "--b\r\n" MULTI(
	 "b") "--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n--b--\r\n",
     "multi(multi(plain<1>0 )plain<2>0 )"												    },
    {"outer begins inner",
     MULTI("a") "--a\r\n" MULTI(
	 "ab") "--ab\r\n\r\n1\r\n--ab--\r\n--a\r\n\r\n2\r\n--a--\r\n",
     "multi(multi(plain<1>0 )plain<2>0 )"												    },
    {"inner begins outer",
     MULTI("ab") "--ab\r\n" MULTI(
	 "a") "--a\r\n\r\n1\r\n--a--\r\n--ab\r\n\r\n2\r\n--ab--\r\n",
     "multi(multi(plain<1>0 )plain<2>0 )"												    },
    {"boundary begins line",                 MULTI("b") "--bc\r\n\r\n1\r\n--b--x\r\n",
     "multi(plain<1>0 )"														     },
    {"closed by dashes of another",          MULTI("b--") "--b--\r\n\r\n1\r\n--b----\r\n",
     "multi(plain<1>0 )"														     },
    {"message",			      "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n",
     "msg(plain<y\r\n>1 )"														   },
    {"message without header",               "Content-Type: message/rfc822\r\n\r\n",
     "msg(plain<>0 )"															},
    {"message in a part",
     MULTI(
	 "b") "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n--b--",
     "multi(msg(plain<y>0 ))"														},
    {"message cut by boundary",
     MULTI("b") "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n--b--",
     "multi(msg(plain<>0 ))"														 },
    {"digest",
     "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
     "x\r\n\r\ny\r\n"
     "--b\r\nContent-Type: text/html\r\n\r\nz\r\n--b--",						    "multi(msg(plain<y>0 )html<z>0 )"},
    {"quoted boundary with escapes",
     "Content-Type: multipart/mixed; boundary=\"a\\\"b c\" (x)\r\n\r\n--a\"b "
     "c\r\n\r\n1\r\n--a\"b c--",									    "multi(plain<1>0 )"              },
    {"unquoted boundary with equals signs",
     MULTI("----=_Part_1.2") "------=_Part_1.2\r\n\r\n1",                                                   "multi(plain<1>0 )"              },
    {"boundary in pieces",
     "Content-Type: multipart/mixed; boundary*1=b; boundary*0=a\r\n\r\n--ab\r\n\r\n1",		      "multi(plain<1>0 )"              },
    {"unclosed quote",
     "Content-Type: multipart/mixed; boundary=\"b\r\n\r\n--b\r\n\r\n1",				     "multi(plain<1>0 )"              },
    {"bare lf in a crlf message",            MULTI("b") "--b\r\n\r\n1\n--b\n\n2\r\n--b--",
     "multi(plain<1\n--b\n\n2>0 )"													   },
    {"bare lf file",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n2\n--b--\n",				   "multi(plain<1\n2>1 )"           },
    {"boundary in the message's own header", "--b\r\n" MULTI("b") "--b\r\n\r\n1",
     "multi(plain<1>0 )"														     },
};

static void
test_structure_of_good_and_broken_mail(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(trees); i++) {
		struct span message = span_str(trees[i].message);
		struct buf out = buf_make(1000);
		struct mime_summary summary;

		print_message("%s\n", trees[i].name);
		summary = summarize(message);
		tree_to_text(&summary.tree, message, 0, &out);
		if (!span_equal(buf_span(&out), span_str(trees[i].want)))
			print_message("got %.*s\n", SPAN_ARG(buf_span(&out)));
		assert_true(span_equal(buf_span(&out), span_str(trees[i].want)));
		buf_release(&out);
	}
}

static void
test_structure_holds_for_every_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(trees); i++) {
		size_t n = strlen(trees[i].message);

		for (size_t cut = 0; cut <= n; cut++) {
			/* An exact block, so that a read past its end is seen. */
			char *exact = memory_new(cut + 1, 1);
			struct span message = span_make(exact + 1, cut);

			memcpy(exact + 1, trees[i].message, cut);
			(void)summarize(message);
			free(exact);
		}
	}
}

static void
put_times(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put_str(b, text);
}

static void
test_structure_depth_limit(void **state)
{
	(void)state;
	for (unsigned depth = MIME_DEPTH_MAX - 1; depth <= MIME_DEPTH_MAX + 1;
	     depth++) {
		struct buf message = buf_make(100000);
		struct mime_summary summary;
		uint32_t last;

		put_times(&message, "Content-Type: message/rfc822\r\n\r\n", depth);
		put_times(&message, "Subject: x\r\n\r\ny", 1);
		summary = summarize(buf_span(&message));
		last = summary.tree.n - 1;
		assert_int_equal(last, depth > MIME_DEPTH_MAX ? MIME_DEPTH_MAX : depth);
		assert_true(span_equal(summary.tree.contents[last].subtype,
				       depth > MIME_DEPTH_MAX ? SPAN("octet-stream")
							      : SPAN("plain")));
		buf_release(&message);
	}
}

static void
test_structure_parts_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_PARTS_MAX - 1; n <= MIME_PARTS_MAX + 1; n++) {
		struct buf message = buf_make(1 << 20);
		struct mime_summary summary;
		uint32_t last;

		put_times(&message, MULTI("b"), 1);
		put_times(&message, "--b\r\n\r\nx\r\n", n - 1);
		put_times(&message, "--b--\r\n", 1);
		summary = summarize(buf_span(&message));
		last = summary.tree.n - 1;
		assert_int_equal(last + 1, n > MIME_PARTS_MAX ? MIME_PARTS_MAX : n);
		assert_true(span_equal(summary.tree.contents[last].subtype,
				       n > MIME_PARTS_MAX ? SPAN("octet-stream")
							  : SPAN("plain")));
		buf_release(&message);
	}
}

static void
test_structure_params_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_PARAMS_MAX - 1; n <= MIME_PARAMS_MAX + 1; n++) {
		struct buf message = buf_make(100000);
		struct mime_summary summary;
		bool opaque = n > MIME_PARAMS_MAX;

		put_times(&message, "Content-Type: text/plain", 1);
		put_times(&message, "; a=b", n);
		put_times(&message, "\r\n\r\nx", 1);
		summary = summarize(buf_span(&message));
		assert_int_equal(summary.tree.contents[0].type_params.n,
				 opaque ? 0 : n);
		assert_true(span_equal(summary.tree.contents[0].subtype,
				       opaque ? SPAN("octet-stream") : SPAN("plain")));
		buf_release(&message);
	}
}

static void
test_structure_boundary_limit(void **state)
{
	(void)state;
	for (size_t n = MIME_BOUNDARY_MAX - 1; n <= MIME_BOUNDARY_MAX + 1; n++) {
		struct buf message = buf_make(100000);
		struct mime_summary summary;

		put_times(&message, "Content-Type: multipart/mixed; boundary=", 1);
		put_times(&message, "b", n);
		put_times(&message, "\r\n\r\n--", 1);
		put_times(&message, "b", n);
		put_times(&message, "\r\n\r\nx", 1);
		summary = summarize(buf_span(&message));
		assert_int_equal(summary.tree.n, n > MIME_BOUNDARY_MAX ? 1 : 2);
		buf_release(&message);
	}
}

static void
test_section_numbers_as_imap_has_them(void **state)
{
	/* 1 text, 2 message (2.1 text, 2.2 html), 3 message of one text (3.1) */
	const struct span message = SPAN(
	    MULTI("o") "--o\r\n\r\n1\r\n--o\r\nContent-Type: "
		       "message/rfc822\r\n\r\n" MULTI(
			   "i") "--i\r\n\r\n2.1\r\n--i\r\n\r\n2.2\r\n--i--\r\n--o\r\n"
				"Content-Type: message/rfc822\r\n\r\nSubject: "
				"x\r\n\r\n3.1\r\n--o--\r\n");
	static const struct {
		uint32_t path[3];
		size_t depth;
		uint32_t want;
	} rows[] = {
	    {{0},       0, 0           },
	    {{1},       1, 1           },
	    {{2},       1, 2           },
	    {{2, 1},    2, 4           },
	    {{2, 2},    2, 5           },
	    {{3},       1, 6           },
	    {{3, 1},    2, 7           },
	    {{1, 1},    2, MIME_NO_PART},
	    {{0},       1, MIME_NO_PART},
	    {{4},       1, MIME_NO_PART},
	    {{2, 3},    2, MIME_NO_PART},
	    {{3, 2},    2, MIME_NO_PART},
	    {{2, 1, 1}, 3, MIME_NO_PART},
	};
	struct mime_summary s = summarize(message);

	(void)state;
	assert_int_equal(s.tree.n, 8);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(mime_section_find(s.tree.places, s.tree.n,
						   rows[i].path, rows[i].depth),
				 rows[i].want);
	s = summarize(SPAN("Subject: x\r\n\r\ny"));
	assert_int_equal(mime_section_find(s.tree.places, 1, rows[1].path, 1), 0);
	assert_int_equal(mime_section_find(s.tree.places, 1, rows[2].path, 1),
			 MIME_NO_PART);
	assert_int_equal(mime_section_find(s.tree.places, 0, rows[1].path, 1),
			 MIME_NO_PART);
}

static void
test_summary_of_one_message(void **state)
{
	const struct span message =
	    SPAN("Received: a\r\nDelivered-To: b\r\nReceived: c\r\n"
		 "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n"
		 "From: =?ISO-8859-1?Q?Keld_J=F8rn?= <Keld@dkuug.dk>\r\n"
		 "To: Group: \"J. Doe\" <jdoe@example.org>;\r\nCc: x@y\r\n"
		 "Subject: Re: [list] hi\r\nMessage-ID: <\"a\"@b>\r\n"
		 "References: <1@a> <2@b>\r\nIn-Reply-To: <3@c>\r\n"
		 "Content-Type: text/html\r\n\r\n<p>Hi &amp;\r\n  hello</p>\r\n");
	struct mime_summary s = summarize(message);

	(void)state;
	assert_int_equal(s.date_seconds, 760686745);
	assert_true(span_equal(s.base_subject, SPAN("hi")));
	assert_true(s.is_reply);
	assert_true(span_equal(s.from_mailbox, SPAN("Keld")));
	assert_true(span_equal(s.from_display, SPAN("Keld J\xc3\xb8rn")));
	assert_true(span_equal(s.to_mailbox, SPAN("jdoe")));
	assert_true(span_equal(s.to_display, SPAN("Group")));
	assert_true(span_equal(s.cc_mailbox, SPAN("x")));
	assert_true(span_equal(s.message_id, SPAN("a@b")));
	assert_true(span_equal(s.references, SPAN("1@a\n2@b\n")));
	assert_true(span_equal(s.preview, SPAN("Hi & hello")));
	assert_int_equal(s.hops.received, 2);
	assert_int_equal(s.hops.delivered_to, 1);
	assert_int_equal(s.lines, 15);
	assert_int_equal(s.header_bytes, mime_header_block_size(message));
	assert_true(s.headers_whole);
	assert_true(span_starts(s.headers, SPAN("Date: ")));
	assert_true(span_ends_nocase(s.headers, SPAN("text/html\r\n\r\n")));
	s = summarize(SPAN("In-Reply-To: <3@c> <4@d>\r\n\r\n"));
	assert_true(span_equal(s.references, SPAN("3@c\n")));
	assert_int_equal(s.date_seconds, -1);
}

static void
test_preview_is_readable_and_short(void **state)
{
	static const struct {
		const char *name, *message, *want;
	} rows[] = {
	    {"plain",			    "\r\n  a \r\n\r\n\tb\r\n",                 "a b"             },
	    {"plain wins over html",
	     MULTI("b") "--b\r\nContent-Type: "
			"text/html\r\n\r\nh\r\n--b\r\n\r\np\r\n--b--",		      "p"               },
	    {"empty plain, then html",
	     MULTI(
		 "b") "--b\r\n\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nh\r\n--b--",
	     "h"											      },
	    {"attachment is not the text",
	     MULTI("b") "--b\r\nContent-Disposition: "
			"attachment\r\n\r\nno\r\n--b\r\n\r\nyes",			   "yes"             },
	    {"attached message is not the text",
	     MULTI("b") "--b\r\nContent-Type: "
			"message/rfc822\r\n\r\n\r\nno\r\n--b\r\n\r\nyes",		   "yes"             },
	    {"base64 latin 1",
	     "Content-Type: text/plain; charset=iso-8859-1\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n4+k=",			       "\xc3\xa3\xc3\xa9"},
	    {"nbsp and invisible",               "\r\na\xc2\xa0\xe2\x80\x8b\xef\xbb\xbf b", "a b"             },
	    {"control characters",               "\r\na\x01\x1b[0mb",                       "a [0mb"          },
	    {"nothing",			  "\r\n",				    ""                },
	    {"no text at all",                   "Content-Type: image/png\r\n\r\nx",        ""                },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct mime_summary s;

		print_message("%s\n", rows[i].name);
		s = summarize(span_str(rows[i].message));
		assert_true(span_equal(s.preview, span_str(rows[i].want)));
	}
}

static void
test_preview_ends_at_its_limit(void **state)
{
	struct buf message = buf_make(10000);
	struct mime_summary s;

	(void)state;
	put_times(&message, "\r\n", 1);
	put_times(&message, "\xe2\x82\xac", 300);
	s = summarize(buf_span(&message));
	assert_int_equal(s.preview.n, MIME_PREVIEW_CHARS_MAX * 3);
	buf_reset(&message);
	put_times(&message, "\r\n", 1);
	put_times(&message, "a ", 300);
	s = summarize(buf_span(&message));
	assert_int_equal(s.preview.n, MIME_PREVIEW_CHARS_MAX - 1);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_structure_of_good_and_broken_mail),
	    cmocka_unit_test(test_structure_holds_for_every_prefix),
	    cmocka_unit_test(test_structure_depth_limit),
	    cmocka_unit_test(test_structure_parts_limit),
	    cmocka_unit_test(test_structure_params_limit),
	    cmocka_unit_test(test_structure_boundary_limit),
	    cmocka_unit_test(test_section_numbers_as_imap_has_them),
	    cmocka_unit_test(test_summary_of_one_message),
	    cmocka_unit_test(test_preview_is_readable_and_short),
	    cmocka_unit_test(test_preview_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
