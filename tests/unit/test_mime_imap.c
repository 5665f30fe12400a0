/* tests/unit/test_mime_imap.c - addresses, ENVELOPE, BODY and BODYSTRUCTURE */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/mime_check.h"

/* The two big tables are not formatted: clang-format 14 crashes on them. */

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

static void
assert_span(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		print_message("got  %.*s\nwant %s\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

static struct mime_summary
summarize(struct span message)
{
	struct mime_summary summary;
	const char *wrong;

	mime_summarize(parser, message, &summary);
	wrong = mime_check(message, &summary);
	if (wrong)
		print_message("%s: %.*s %.*s\n", wrong, SPAN_ARG(summary.envelope),
			      SPAN_ARG(summary.bodystructure));
	assert_null(wrong);
	return summary;
}

/* name<route:mailbox@host>| with ~ for what was absent; groups in { }. */
static void
list_to_text(const struct mime_addresses *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mime_address *a = &list->at[i];

		if (a->kind == MIME_ADDRESS_GROUP_END) {
			buf_put_char(out, '}');
			continue;
		}
		buf_put(out, a->name.at ? a->name : SPAN("~"));
		if (a->kind == MIME_ADDRESS_GROUP_START) {
			buf_put_char(out, '{');
			continue;
		}
		buf_put_char(out, '<');
		if (a->route.at) {
			buf_put(out, a->route);
			buf_put_char(out, ':');
		}
		buf_put(out, a->mailbox.at ? a->mailbox : SPAN("~"));
		buf_put_char(out, '@');
		buf_put(out, a->host.at ? a->host : SPAN("~"));
		buf_put_str(out, ">|");
	}
}

static void
test_addresses_of_rfc5322_and_real_mail(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
	    {"[RFC5322 A.1.1]", "John Doe <jdoe@machine.example>", "John Doe<jdoe@machine.example>|"},
	    {"[RFC5322 A.1.2] from", "\"Joe Q. Public\" <john.q.public@example.com>",
	     "Joe Q. Public<john.q.public@example.com>|"},
	    {"[RFC5322 A.1.2] to", "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	     "Mary Smith<mary@x.test>|~<jdoe@example.org>|Who?<one@y.test>|"},
	    {"[RFC5322 A.1.2] cc", "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
	     "~<boss@nil.test>|Giant; \"Big\" Box<sysservices@example.net>|"},
	    {"[RFC5322 A.1.3] to", "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
	     "A Group{Ed Jones<c@a.test>|~<joe@where.test>|John<jdoe@one.test>|}"},
	    {"[RFC5322 A.1.3] cc", "Undisclosed recipients:;", "Undisclosed recipients{}"},
	    {"[RFC5322 A.5] from", "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	     "Pete<pete@silly.test>|"},
	    {"[RFC5322 A.5] to",
	     "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
	     "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
	     "A Group{Chris Jones<c@public.example>|~<joe@example.org>|John<jdoe@one.test>|}"},
	    {"[RFC5322 A.5] cc", "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	     "Hidden recipients{}"},
	    {"[RFC5322 A.6.1] from", "Joe Q. Public <john.q.public@example.com>",
	     "Joe Q. Public<john.q.public@example.com>|"},
	    {"[RFC5322 A.6.1] to",
	     "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
	     "Mary Smith<@node.test:mary@example.net>|~<jdoe@test.example>|"},
	    {"[RFC5322 A.6.3]", "John Doe <jdoe@machine(comment).  example>",
	     "John Doe<jdoe@machine.example>|"},
	    {"route of two", "<@a,@b:c@d>", "~<@a,@b:c@d>|"},
	    {"comment as name", "jdoe@example.org (John Doe)", "John Doe<jdoe@example.org>|"},
	    {"quoted local part", "\"john doe\"@example.org", "~<john doe@example.org>|"},
	    {"local part in pieces", "john . \"d o e\" @ example . org", "~<john.d o e@example.org>|"},
	    {"domain literal", "a@[192.0.2.1], b@[IPv6:::1]", "~<a@[192.0.2.1]>|~<b@[IPv6:::1]>|"},
	    {"encoded word", "=?utf-8?q?a?= =?utf-8?q?b?= <a@b>", "=?utf-8?q?a?= =?utf-8?q?b?=<a@b>|"},
	    {"8-bit", "J\xc3\xb8rn <j\xe9@d>", "J\xc3\xb8rn<j\xe9@d>|"},
	    {"address as its own name", "a@b <a@b>", "a@b<a@b>|"},
	    {"words before an address", "John Doe a@b", "John Doe<a@b>|"},
	    {"no domain", "root", "~<root@~>|"},
	    {"no domain in brackets", "Root <root>", "Root<root@~>|"},
	    {"no domain after the at", "<root@>", "~<root@~>|"},
	    {"empty brackets", "Nobody <>", "Nobody<~@~>|"},
	    {"only brackets", "<>", ""},
	    {"unclosed brackets", "A <a@b, c@d", "A<a@b>|~<c@d>|"},
	    {"junk in brackets", "A <a@b c>, d@e", "A<a@b>|~<d@e>|"},
	    {"semicolons as commas", "a@b; c@d", "~<a@b>|~<c@d>|"},
	    {"unclosed group", "g: a@b", "g{~<a@b>|}"},
	    {"unclosed quote", "\"a b", "~<a b@~>|"},
	    {"unclosed comment", "a@b (c", "c<a@b>|"},
	    {"only specials", ">)[]\\@,;:<", "{}"},
	    {"empty", " \r\n ", ""},
	};
	/* clang-format on */
	struct mime_addresses list;

	(void)state;
	mime_addresses_init(&list);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);

		print_message("%s\n", rows[i].name);
		assert_true(mime_addresses_parse(&list, span_str(rows[i].text)));
		list_to_text(&list, &out);
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
	mime_addresses_release(&list);
}

static void
put_times(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put_str(b, text);
}

static void
test_addresses_limits(void **state)
{
	struct mime_addresses list;

	(void)state;
	mime_addresses_init(&list);
	for (unsigned n = MIME_COMMENT_DEPTH_MAX - 1; n <= MIME_COMMENT_DEPTH_MAX + 1;
	     n++) {
		struct buf text = buf_make(1000);

		put_times(&text, "(", n);
		put_times(&text, ")", n);
		put_times(&text, "a@b", 1);
		assert_int_equal(mime_addresses_parse(&list, buf_span(&text)),
				 n <= MIME_COMMENT_DEPTH_MAX);
		assert_int_equal(list.n, n <= MIME_COMMENT_DEPTH_MAX);
		buf_release(&text);
	}
	for (size_t n = MIME_ADDRESS_TOKENS_MAX - 1; n <= MIME_ADDRESS_TOKENS_MAX + 1;
	     n++) {
		struct buf text = buf_make(100000);

		put_times(&text, "a ", n);
		assert_int_equal(mime_addresses_parse(&list, buf_span(&text)),
				 n <= MIME_ADDRESS_TOKENS_MAX);
		buf_release(&text);
	}
	mime_addresses_release(&list);
}

static void
test_imap_strings_hold_any_byte(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		size_t n;
		const char *want;
	} rows[] = {
	    {"plain",               "abc",      3, "\"abc\""        },
	    {"empty",               "",         0, "\"\""           },
	    {"absent",              NULL,       0, "NIL"            },
	    {"quote and backslash", "a\"b\\",   4, "\"a\\\"b\\\\\"" },
	    {"8-bit",               "\xc3\xa9", 2, "{2}\r\n\xc3\xa9"},
	    {"line end",            "a\r\nb",   4, "{4}\r\na\r\nb"  },
	    {"nul",                 "a\0b",     3,
	     "{3}\r\na\x80"
	     "b"						    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(100);

		print_message("%s\n", rows[i].name);
		mime_imap_put_nstring(&out, span_make(rows[i].text, rows[i].n));
		assert_span(buf_span(&out), rows[i].want);
		buf_release(&out);
	}
}

static void
test_envelope_of_headers(void **state)
{
	static const struct {
		const char *name, *message, *want;
	} rows[] = {
	    {"[RFC9051 8]",
	     "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
	     "From: Terry Gray <gray@cac.washington.edu>\r\n"
	     "Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
	     "To: imap@cac.washington.edu\r\n"
	     "cc: minutes@CNRI.Reston.VA.US,   John Klensin <KLENSIN@MIT.EDU>\r\n"
	     "Message-Id: <B27397-0100000@cac.washington.ed>\r\n"
	     "MIME-Version: 1.0\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n",   "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
	     "\"IMAP4rev2 WG mtg summary and minutes\" "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	     "((NIL NIL \"imap\" \"cac.washington.edu\")) "
	     "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
	     "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
	     "\"<B27397-0100000@cac.washington.ed>\")"           },
	    {"no headers",            "\r\n",					     "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"                   },
	    {"empty fields",          "Subject:\r\nSender: \r\nFrom: a@b\r\nTo:\r\n\r\n",
	     "(NIL \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
	     "((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)"											     },
	    {"group",                 "To: g: a@b;\r\nReply-To: x\r\n\r\n",
	     "(NIL NIL NIL NIL ((NIL NIL \"x\" \"MISSING_DOMAIN\")) "
	     "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL "
	     "NIL)"																     },
	    {"folded and 8-bit",
	     "Subject: a\r\n \xe9\r\nIn-Reply-To: <x>\r\n\t<y>\r\n\r\n",		  "(NIL {3}\r\na \xe9 NIL NIL NIL NIL NIL NIL \"<x>\t<y>\" NIL)"},
	    {"first field of a name", "Subject: a\r\nSubject: b\r\n\r\n",
	     "(NIL \"a\" NIL NIL NIL NIL NIL NIL NIL NIL)"											      },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_span(summarize(span_str(rows[i].message)).envelope,
			    rows[i].want);
	}
}

/* 2,279 bytes in 48 lines, as the message in the RFC has them. */
static void
test_body_of_the_rfc3501_example(void **state)
{
	struct buf message = buf_make(10000);
	struct mime_summary s;

	(void)state;
	buf_put_str(&message, "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n");
	for (int i = 0; i < 47; i++)
		buf_put_str(&message,
			    "1234567890123456789012345678901234567890123456\r\n");
	buf_put_str(&message, "123456789012345678901\r\n");
	s = summarize(buf_span(&message));
	assert_span(s.body,
		    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" "
		    "2279 48)");
	assert_span(s.bodystructure,
		    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL "
		    "\"7bit\" 2279 48 NIL NIL NIL NIL)");
	buf_release(&message);
}

static void
test_body_and_bodystructure(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *message, *body, *extension;
	} rows[] = {
	    {"default", "\r\nx\r\n",
	     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1)",
	     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL)"},
	    {"every field",
	     "Content-Type: image/PNG; name=\"a b\\\"\"\r\nContent-ID: <i@d>\r\n"
	     "Content-Description: a\r\n b\r\nContent-Transfer-Encoding: BASE64 (x)\r\n"
	     "Content-MD5: abc==\r\nContent-Disposition: Attachment; filename=x\r\n"
	     "Content-Language: en, de-AT\r\nContent-Location: http://x/\r\n\r\nabc",
	     "(\"image\" \"PNG\" (\"name\" \"a b\\\"\") \"<i@d>\" \"a b\" \"BASE64\" 3)",
	     "(\"image\" \"PNG\" (\"name\" \"a b\\\"\") \"<i@d>\" \"a b\" \"BASE64\" 3 \"abc==\" "
	     "(\"Attachment\" (\"filename\" \"x\")) (\"en\" \"de-AT\") \"http://x/\")"},
	    {"multipart",
	     "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en\r\n\r\n"
	     "--b\r\n\r\na\r\nb\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\nc\r\n--b--\r\n",
	     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 1)"
	     "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 1 0) \"mixed\")",
	     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 1 NIL NIL NIL NIL)"
	     "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL) "
	     "\"mixed\" (\"boundary\" \"b\") NIL (\"en\") NIL)"},
	    {"multipart without parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\nx",
	     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")",
	     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\" "
	     "(\"boundary\" \"b\") NIL NIL NIL)"},
	    {"message", "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
	     "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 "
	     "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3)",
	     "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 "
	     "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL) 3 "
	     "NIL NIL NIL NIL)"},
	    {"[RFC2231 3] in pieces, one extended",
	     "Content-Type: application/x-stuff\r\n title*0*=us-ascii'en'This%20is%20even;\r\n"
	     " ; title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n"
	     " title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n title*2=\"isn't it!\"\r\n\r\n",
	     "(\"application\" \"x-stuff\" (\"title*\" \"us-ascii'en'This%20is%20even%20more%20"
	     "%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!\") NIL NIL \"7bit\" 0)",
	     NULL},
	    {"[RFC2231 3] in pieces, plain",
	     "Content-Type: message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
	     " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"\r\n\r\n",
	     "(\"message\" \"external-body\" (\"access-type\" \"URL\" \"URL\" "
	     "\"ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\") NIL NIL \"7bit\" 0)",
	     NULL},
	    {"[RFC2231 4] extended", "Content-Type: a/b; title*=us-ascii'en-us'This%20is\r\n\r\n",
	     "(\"a\" \"b\" (\"title*\" \"us-ascii'en-us'This%20is\") NIL NIL \"7bit\" 0)", NULL},
	    {"[RFC2045 5.1] comment", "Content-type: text/plain; charset=us-ascii (Plain text)\r\n\r\n",
	     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)", NULL},
	    {"piece missing", "Content-Type: a/b; x*0=a; x*2=c; y\r\n\r\n",
	     "(\"a\" \"b\" (\"x\" \"a\") NIL NIL \"7bit\" 0)", NULL},
	    {"8-bit parameter", "Content-Type: a/b; x=\"\xe9\"\r\n\r\n",
	     "(\"a\" \"b\" (\"x\" {1}\r\n\xe9) NIL NIL \"7bit\" 0)", NULL},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct mime_summary s;

		print_message("%s\n", rows[i].name);
		s = summarize(span_str(rows[i].message));
		assert_span(s.body, rows[i].body);
		if (rows[i].extension)
			assert_span(s.bodystructure, rows[i].extension);
	}
}

/* The checker that the other tests lean on must see what is wrong. */
static void
test_check_refuses_what_is_no_imap_list(void **state)
{
	static const char *const bad[] = {
	    "",
	    "(",
	    ")",
	    "(NIL",
	    "NIL",
	    "(NIL))",
	    "(NIL NIL",
	    "(\"a)",
	    "(\"\xe9\")",
	    "({3}\r\nab)",
	    "({1}\r\nab)",
	    "(a)",
	    "( NIL)",
	    "(NIL )",
	    "(NIL  NIL)",
	    "(NILNIL)",
	    "(\"a\"\"b\")",
	    "(1\"b\")",
	    "()",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(mime_check_imap_list(span_str(bad[i])));
	assert_true(mime_check_imap_list(SPAN("((\"a\" 1)(NIL {2}\r\n)() \"\\\"\")")));
}

static void
test_rendering_beyond_its_limit_is_one_part(void **state)
{
	struct buf message = buf_make(MIME_RENDERED_MAX * 4);
	struct mime_summary s;

	(void)state;
	buf_put_str(&message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 60; i++) {
		buf_put_str(&message, "--b\r\nContent-Description: ");
		put_times(&message, "1234567890", 10000);
		buf_put_str(&message, "\r\n\r\n");
	}
	s = summarize(buf_span(&message));
	assert_int_equal(s.tree.n, 61);
	assert_true(span_starts(s.body, SPAN("(\"application\" \"octet-stream\" NIL")));
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses_of_rfc5322_and_real_mail),
	    cmocka_unit_test(test_addresses_limits),
	    cmocka_unit_test(test_imap_strings_hold_any_byte),
	    cmocka_unit_test(test_envelope_of_headers),
	    cmocka_unit_test(test_body_of_the_rfc3501_example),
	    cmocka_unit_test(test_body_and_bodystructure),
	    cmocka_unit_test(test_check_refuses_what_is_no_imap_list),
	    cmocka_unit_test(test_rendering_beyond_its_limit_is_one_part),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
