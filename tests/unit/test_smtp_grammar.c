/* tests/unit/test_smtp_grammar.c - paths, parameters, headers and replies */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/smtp/smtp.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define D60 X10 X10 X10 X10 X10 "xxxxxxxxx."

static void
assert_span(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		fail_msg("got \"%.*s\", want \"%s\"", SPAN_ARG(got), want);
}

static void
test_path_is_parsed_or_refused(void **state)
{
	static const struct {
		const char *name, *text;
		enum smtp_path_result want;
		const char *canonical, *rest;
	} rows[] = {
	    {"mailbox",                "<a@b.c> SIZE=1",                     SMTP_PATH_OK,          "a@b.c",                 " SIZE=1"},
	    {"null",                   "<>",				 SMTP_PATH_OK,          "",                      ""       },
	    {"postmaster",             "<POSTMASTER>",                       SMTP_PATH_OK,          "POSTMASTER",            ""       },
	    {"postmaster of a domain", "<postmaster@b>",                     SMTP_PATH_OK,          "postmaster@b",
	     ""														       },
	    {"atext",                  "<!#$%&'*+-/=?^_`{|}~@b>",            SMTP_PATH_OK,          "!#$%&'*+-/=?^_`{|}~@b",
	     ""														       },
	    {"quoted",                 "<\"a b\"@c>",                        SMTP_PATH_OK,          "\"a b\"@c",             ""       },
	    {"quoted without need",    "<\"a.b\"@c>",                        SMTP_PATH_OK,          "a.b@c",                 ""       },
	    {"quoted pair",            "<\"a\\\"\\\\\\c\"@c>",               SMTP_PATH_OK,          "\"a\\\"\\\\c\"@c",
	     ""														       },
	    {"quoted bracket",         "<\"a>b\"@c>x",                       SMTP_PATH_OK,          "\"a>b\"@c",             "x"      },
	    {"quoted at",              "<\"a@b\"@c>",                        SMTP_PATH_OK,          "\"a@b\"@c",             ""       },
	    {"route",                  "<@a.b,@c:d@e>",                      SMTP_PATH_OK,          "d@e",                   ""       },
	    {"literal",                "<a@[192.0.2.1]>",                    SMTP_PATH_OK,          "a@[192.0.2.1]",         ""       },
	    {"literal six",            "<a@[IPv6:2001:db8::1]>",             SMTP_PATH_OK,
	     "a@[IPv6:2001:db8::1]",											 ""       },
	    {"utf8",                   "<\xc3\xa4@\xe4\xbe\x8b>",            SMTP_PATH_OK,          "\xc3\xa4@\xe4\xbe\x8b",
	     ""														       },
	    {"underscore",             "<a@b_c>",                            SMTP_PATH_OK,          "a@b_c",                 ""       },
	    {"local 256",              "<" X60 X60 X60 X60 X10 "xxxxxx@b>",  SMTP_PATH_OK,
	     X60 X60 X60 X60 X10 "xxxxxx@b",										 ""       },
	    {"local 257",              "<" X60 X60 X60 X60 X10 "xxxxxxx@b>", SMTP_PATH_LOCAL_LONG,
	     "",													     ""       },
	    {"domain 255",             "<a@" D60 D60 D60 D60 X10 "xxxxx>",   SMTP_PATH_OK,
	     "a@" D60 D60 D60 D60 X10 "xxxxx",									       ""       },
	    {"domain 256",             "<a@" D60 D60 D60 D60 X10 "xxxxxx>",  SMTP_PATH_DOMAIN_LONG,
	     "",													     ""       },
	    {"label 63",               "<a@" X60 "xxx>",                     SMTP_PATH_OK,          "a@" X60 "xxx",          ""       },
	    {"label 64",               "<a@" X60 "xxxx>",                    SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"empty",                  "",				   SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"bracket alone",          "<",                                  SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"not closed",             "<a@b",                               SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"no brackets",            "a@b",                                SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"no domain",              "<a>",                                SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"empty domain",           "<a@>",                               SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"no local part",          "<@b>",                               SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"empty quotes",           "<\"\"@b>",                           SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"open quote",             "<\"a@b>",                            SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"open pair",              "<\"a\\",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"two dots",               "<a..b@c>",                           SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"leading dot",            "<.a@c>",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"trailing dot",           "<a.@c>",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"domain dot last",        "<a@b.>",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"domain two dots",        "<a@b..c>",                           SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"hyphen first",           "<a@-b>",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"hyphen last",            "<a@b->",                             SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"space",                  "<a b@c>",                            SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"two ats",                "<a@b@c>",                            SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"bad utf8",               "<\xc3@b>",                           SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"overlong utf8",          "<\xc0\xaf@b>",                       SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"bad utf8 domain",        "<a@\xc3>",                           SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"route without end",      "<@a,@b>",                            SMTP_PATH_SYNTAX,      "",                      ""       },
	    {"control",                "<a\x01@b>",                          SMTP_PATH_SYNTAX,      "",                      ""       },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span in = span_str(rows[i].text);
		struct smtp_path path = {0};
		struct buf out = buf_make(SMTP_ADDRESS_BYTES_MAX);

		print_message("%s\n", rows[i].name);
		assert_int_equal(smtp_path_parse(&in, &path), rows[i].want);
		if (rows[i].want != SMTP_PATH_OK) {
			assert_span(in, rows[i].text);
			continue;
		}
		smtp_path_canonical(&path, &out);
		assert_false(out.full);
		assert_span(buf_span(&out), rows[i].canonical);
		assert_span(in, rows[i].rest);
		buf_release(&out);
	}
}

static void
test_literal_is_an_address(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
	    {"[0.0.0.0]",                    true },
	    {"[255.255.255.255]",            true },
	    {"[256.0.0.1]",                  false},
	    {"[1.2.3]",                      false},
	    {"[1.2.3.4.5]",                  false},
	    {"[1.2.3.]",                     false},
	    {"[1.2.3.0004]",                 false},
	    {"[]",			   false},
	    {"1.2.3.4",                      false},
	    {"[IPv6:::]",                    true },
	    {"[ipv6:::1]",                   true },
	    {"[IPv6:1:2:3:4:5:6:7:8]",       true },
	    {"[IPv6:1:2:3:4:5:6:7]",         false},
	    {"[IPv6:1:2:3:4:5:6:7:8:9]",     false},
	    {"[IPv6:1::3::5]",               false},
	    {"[IPv6:::ffff:192.0.2.1]",      true },
	    {"[IPv6:1:2:3:4:5:6:192.0.2.1]", true },
	    {"[IPv6:192.0.2.1::1]",          false},
	    {"[IPv6:12345::]",               false},
	    {"[IPv6:g::]",                   false},
	    {"[IPv6:1:]",                    false},
	    {"[2001:db8::1]",                false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(smtp_literal_valid(span_str(rows[i].text)),
				 rows[i].want);
	}
}

static void
test_xtext_round_trip_and_strictness(void **state)
{
	static const char *bad[] = {"a b",  "a+",  "a+4",     "a+4g",
				    "a+2b", "a=b", "\xc3\xa4"};
	struct buf text = buf_make(64), back = buf_make(64);

	(void)state;
	smtp_xtext_put(&text, span_make("a+=b \xff\0", 7));
	assert_span(buf_span(&text), "a+2B+3Db+20+FF+00");
	assert_true(smtp_xtext_parse(buf_span(&text), &back));
	assert_true(span_equal(buf_span(&back), span_make("a+=b \xff\0", 7)));
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(smtp_xtext_parse(span_str(bad[i]), &back));
	assert_int_equal(back.n, 7);
	buf_release(&text);
	buf_release(&back);
}

static void
test_params_are_taken_one_by_one(void **state)
{
	struct span rest = SPAN(" SIZE=10  SMTPUTF8 X-Y=a;b ");
	struct smtp_param param;

	(void)state;
	assert_int_equal(smtp_param_next(&rest, &param), SMTP_PARAM_OK);
	assert_span(param.key, "SIZE");
	assert_span(param.value, "10");
	assert_int_equal(smtp_param_next(&rest, &param), SMTP_PARAM_OK);
	assert_span(param.key, "SMTPUTF8");
	assert_false(param.has_value);
	assert_int_equal(smtp_param_next(&rest, &param), SMTP_PARAM_OK);
	assert_span(param.value, "a;b");
	assert_int_equal(smtp_param_next(&rest, &param), SMTP_PARAM_END);

	static const char *bad[] = {"x",   " =1",    " A=",    " A=b=c",
				    " -A", " A\x01", " A=\xff"};

	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		rest = span_str(bad[i]);
		print_message("%s\n", bad[i]);
		assert_int_equal(smtp_param_next(&rest, &param), SMTP_PARAM_BAD);
	}
}

static void
test_dsn_values(void **state)
{
	unsigned bits;
	enum smtp_ret ret;
	char long_value[502] = "rfc822;";

	(void)state;
	assert_true(smtp_notify_parse(SPAN("never"), &bits) &&
		    bits == SMTP_NOTIFY_NEVER);
	assert_true(smtp_notify_parse(SPAN("DELAY,success,Failure"), &bits) &&
		    bits == 14);
	assert_false(smtp_notify_parse(SPAN("NEVER,DELAY"), &bits));
	assert_false(smtp_notify_parse(SPAN("DELAY,DELAY"), &bits));
	assert_false(smtp_notify_parse(SPAN("DELAY,"), &bits));
	assert_false(smtp_notify_parse(SPAN(""), &bits));
	assert_true(smtp_ret_parse(SPAN("full"), &ret) && ret == SMTP_RET_FULL);
	assert_false(smtp_ret_parse(SPAN("some"), &ret));
	assert_true(smtp_orcpt_valid(SPAN("rfc822;a+40b"), false));
	assert_false(smtp_orcpt_valid(SPAN("rfc822;"), false));
	assert_false(smtp_orcpt_valid(SPAN("rfc822"), false));
	assert_false(smtp_orcpt_valid(SPAN(";a"), false));
	assert_false(smtp_orcpt_valid(SPAN("utf-8;\xc3\xa4@b"), false));
	assert_true(smtp_orcpt_valid(SPAN("utf-8;\xc3\xa4@b"), true));
	memset(long_value + 7, 'a', sizeof(long_value) - 7);
	assert_true(smtp_orcpt_valid(span_make(long_value, 499), false));
	assert_true(smtp_orcpt_valid(span_make(long_value, 500), false));
	assert_false(smtp_orcpt_valid(span_make(long_value, 501), false));
	assert_true(smtp_envid_valid(span_make(long_value + 7, 99)));
	assert_true(smtp_envid_valid(span_make(long_value + 7, 100)));
	assert_false(smtp_envid_valid(span_make(long_value + 7, 101)));
	assert_false(smtp_envid_valid(SPAN("")));
}

static const struct header_row {
	const char *name, *text;
	unsigned fields, hops;
	bool over_limit; /* of block 60, field 20, fields 4 */
} header_rows[] = {
    {"none",		      "\r\nReceived: x\r\n",					     0, 0, false},
    {"hops",		      "Received: x\r\nreceived : x\r\nDelivered-To: x\r\n\r\nReceived:", 3, 3,
     false												      },
    {"folded",		    "A: b\r\n Received: x\r\nB:\r\n\r\n",                              2, 0, false},
    {"name begins so",            "Received-SPF: x\r\nDelivered-To-: y\r\n\r\n",                     2, 0, false},
    {"no header field",           "A: b\r\nhello there\r\nReceived: x\r\n",                          1, 0, false},
    {"mbox line",                 "From a@b c\r\nReceived: x\r\n\r\n",                               1, 1, false},
    {"body at once",              " x\r\nReceived: x\r\n",                                           0, 0, false},
    {"field at the limit",        "A: 45678901234567\r\n\r\nbody that is long enough",               1, 0,
     false												      },
    {"field folded at the limit", "A: b\r\n 78901234567\r\n\r\n",                                    1, 0, false},
    {"field over the limit",      "A: b\r\n 789012345678\r\n\r\n",                                   1, 0, true },
    {"fields at the limit",       "A:\r\nB:\r\nC:\r\nD:\r\n\r\n",                                    4, 0, false},
    {"fields over the limit",     "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n",                              5, 0, true },
    {"block at the limit",
     "A:45678901234567\r\nA:45678901234567\r\nA:45678901234567\r\n"
     "B:45\r\n",										     4, 0, false},
    {"block over the limit",
     "A:45678901234567\r\nA:45678901234567\r\nA:45678901234567\r\n"
     "B:456\r\n",										    4, 0, true },
};

static void
test_header_scan_same_at_every_cut(void **state)
{
	static const struct header_limits limits = {60, 20, 4};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(header_rows); i++) {
		const struct header_row *row = &header_rows[i];
		struct span in = span_str(row->text);

		print_message("%s\n", row->name);
		for (size_t cut = 0; cut <= in.n; cut++) {
			struct header_scan h;

			header_scan_init(&h, &limits);
			header_scan_feed(&h, span_first(in, cut));
			header_scan_feed(&h, span_after(in, cut));
			assert_int_equal(h.fields, row->fields);
			assert_int_equal(h.hops, row->hops);
			assert_int_equal(h.over_limit, row->over_limit);
		}
	}
}

static void
test_header_scan_notes_the_message_id(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"Message-ID: <a@b>\r\n\r\n",                          "a@b"},
	    {"message-id:\r\n <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", "a@b"},
	    {"Subject: x\r\nMessage-Id :<a@b> \r\n\r\n",           "a@b"},
	    {"In-Reply-To: <a@b>\r\n\r\n",                         ""   },
	    {"\r\nMessage-ID: <a@b>\r\n",                          ""   },
	    {"Message-ID: <" X60 X60 X60 X60 X10 ">\r\n",          ""   },
	};
	static const struct header_limits limits = {1000, 1000, 10};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span in = span_str(rows[i].text);

		for (size_t cut = 0; cut <= in.n; cut++) {
			struct header_scan h;

			header_scan_init(&h, &limits);
			header_scan_feed(&h, span_first(in, cut));
			header_scan_feed(&h, span_after(in, cut));
			assert_span(header_scan_message_id(&h), rows[i].want);
		}
	}
}

static const struct reply_row {
	const char *name, *wire;
	enum smtp_reply_result want;
	unsigned code, lines;
	unsigned enhanced[3];
	const char *text, *rest;
} reply_rows[] = {
    {"one line",
     "250 2.1.0 Ok\r\n220",			     SMTP_REPLY_DONE,
     250,								     1,
     {2, 1, 0},
     "2.1.0 Ok\n",									       "220"         },
    {"no text",		   "250\r\n",            SMTP_REPLY_DONE, 250, 1, {0}, "\n",      ""            },
    {"lines",
     "250-a\r\n250-5.1.1 b\r\n250 c\r\n",	       SMTP_REPLY_DONE,
     250,								     3,
     {0},
     "a\n5.1.1 b\nc\n",									  ""	    },
    {"code of the first of two",
     "550-5.1.1 a\r\n550 b\r\n",			SMTP_REPLY_DONE,
     550,								     2,
     {5, 1, 1},
     "5.1.1 a\nb\n",									     ""	    },
    {"not whole",                 "250-a\r\n250",       SMTP_REPLY_MORE, 250, 1, {0}, "a\n",     "250"         },
    {"codes differ",              "250-a\r\n251 b\r\n", SMTP_REPLY_BAD,  250, 1, {0}, "a\n",     ""            },
    {"bare lf",		   "250 a\n",            SMTP_REPLY_BAD,  0,   0, {0}, "",        "250 a\n"     },
    {"bare cr",		   "250 a\rb\r\n",       SMTP_REPLY_BAD,  0,   0, {0}, "",        "250 a\rb\r\n"},
    {"no code",		   "hello\r\n",          SMTP_REPLY_BAD,  0,   0, {0}, "",        ""            },
    {"code too low",              "199 a\r\n",          SMTP_REPLY_BAD,  0,   0, {0}, "",        ""            },
    {"code too high",             "600 a\r\n",          SMTP_REPLY_BAD,  0,   0, {0}, "",        ""            },
    {"no space",		  "250x\r\n",           SMTP_REPLY_BAD,  0,   1, {0}, "",        ""            },
    {"enhanced nonsense",         "250 2.1 x\r\n",      SMTP_REPLY_DONE, 250, 1, {0}, "2.1 x\n", ""            },
    {"enhanced of another class",
     "250 5.1.1 x\r\n",				 SMTP_REPLY_DONE,
     250,								     1,
     {0},
     "5.1.1 x\n",										""	    },
};

static void
check_reply(const struct reply_row *row, size_t cut)
{
	struct span wire = span_str(row->wire), part = span_first(wire, cut);
	enum smtp_reply_result result;
	struct smtp_reply r;

	smtp_reply_init(&r);
	result = smtp_reply_feed(&r, &part);
	if (result == SMTP_REPLY_MORE) {
		part = span_after(wire, cut - part.n);
		result = smtp_reply_feed(&r, &part);
	} else {
		part.n += wire.n - cut;
	}
	assert_int_equal(result, row->want);
	assert_int_equal(r.code, row->code);
	assert_int_equal(r.lines, row->lines);
	assert_memory_equal(r.enhanced, row->enhanced, sizeof(r.enhanced));
	assert_span(buf_span(&r.text), row->text);
	assert_span(part, row->rest);
	smtp_reply_release(&r);
}

static void
test_reply_same_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(reply_rows); i++) {
		print_message("%s\n", reply_rows[i].name);
		for (size_t cut = 0; cut <= strlen(reply_rows[i].wire); cut++)
			check_reply(&reply_rows[i], cut);
	}
}

static void
test_reply_limits_are_kept(void **state)
{
	struct buf wire = buf_make(4096);
	struct smtp_reply r;
	struct span in;

	(void)state;
	smtp_reply_init(&r);
	for (size_t n = 2047; n <= 2049; n++) {
		buf_reset(&wire);
		smtp_reply_reset(&r);
		buf_putf(&wire, "250 ");
		while (wire.n < n - 2)
			buf_put_char(&wire, 'x');
		buf_put_str(&wire, "\r\n");
		in = buf_span(&wire);
		assert_int_equal(smtp_reply_feed(&r, &in),
				 n <= 2048 ? SMTP_REPLY_DONE : SMTP_REPLY_BAD);
	}
	for (unsigned n = 99; n <= 101; n++) {
		enum smtp_reply_result result = SMTP_REPLY_MORE;

		smtp_reply_reset(&r);
		for (unsigned i = 1; i <= n && result == SMTP_REPLY_MORE; i++) {
			in = i == n ? SPAN("250 x\r\n") : SPAN("250-x\r\n");
			result = smtp_reply_feed(&r, &in);
		}
		assert_int_equal(result, n <= 100 ? SMTP_REPLY_DONE : SMTP_REPLY_BAD);
	}
	smtp_reply_release(&r);
	buf_release(&wire);
}

static void
test_reply_offers_keywords(void **state)
{
	struct span in = SPAN("250-size.example\r\n250-SIZE 1000\r\n250 DSN\r\n"), args;
	struct smtp_reply r;

	(void)state;
	smtp_reply_init(&r);
	assert_int_equal(smtp_reply_feed(&r, &in), SMTP_REPLY_DONE);
	assert_true(smtp_reply_offers(&r, SPAN("size"), &args));
	assert_span(args, "1000");
	assert_true(smtp_reply_offers(&r, SPAN("DSN"), &args));
	assert_span(args, "");
	assert_false(smtp_reply_offers(&r, SPAN("size.example"), &args));
	smtp_reply_release(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path_is_parsed_or_refused),
	    cmocka_unit_test(test_literal_is_an_address),
	    cmocka_unit_test(test_xtext_round_trip_and_strictness),
	    cmocka_unit_test(test_params_are_taken_one_by_one),
	    cmocka_unit_test(test_dsn_values),
	    cmocka_unit_test(test_header_scan_same_at_every_cut),
	    cmocka_unit_test(test_header_scan_notes_the_message_id),
	    cmocka_unit_test(test_reply_same_at_every_cut),
	    cmocka_unit_test(test_reply_limits_are_kept),
	    cmocka_unit_test(test_reply_offers_keywords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
