/* tests/unit/test_maildir.c - what other systems keep mail in, read and written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/maildir/maildir.h"

#define assert_span(s, text) assert_true(span_equal((s), span_str(text)))

static void
test_name_of_a_file_is_base_and_flags(void **state)
{
	static const struct row {
		const char *file, *base;
		uint64_t bytes;
		uint32_t flags, keywords;
		bool passed, exact;
		int64_t time_us;
	} rows[] = {
	    {"1276528487.M364837P9451.h,S=1355,W=1394:2,FS",
	     "1276528487.M364837P9451.h,S=1355,W=1394",                                   1355, MAIL_FLAGGED | MAIL_SEEN,
	     0,															  false, false, INT64_C(1276528487364837)},
	    {"1276528487.M1P1.h,S=7,W=7:2,",                 "1276528487.M1P1.h,S=7,W=7", 7,    0,                        0,
	     false,															     true,  INT64_C(1276528487000001)},
	    {"1276528487.M1P1.h,S=7,W=7:2,",                 "1276528487.M1P1.h,S=7,W=7", 8,    0,                        0,
	     false,															     false, INT64_C(1276528487000001)},
	    {"12.a:2,DFPRSTaz",                              "12.a",                      0,    (1u << 5) - 1,            1u | 1u << 25, true,  false,
	     12000000																			   },
	    {"plain",					"plain",                     0,    0,                        0,             false, false, 0                        },
	    {"x;2,S",					"x",                         0,    MAIL_SEEN,                0,             false, false, 0                        },
	    {"x!2,R",					"x",                         0,    MAIL_ANSWERED,            0,             false, false, 0                        },
	    {"x:1,S",					"x",                         0,    0,                        0,             false, false, 0                        },
	    {":2,S",					 "",			  0,    MAIL_SEEN,                0,             false, false, 0                        },
	    {"",					     "",			  0,    0,                        0,             false, false, 0                        },
	    {"99999999999999999999.a",                       "99999999999999999999.a",    0,    0,                        0,             false, false,
	     0																				  },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct mail_name name;

		mail_name_parse(span_str(rows[i].file), rows[i].bytes, &name);
		assert_span(name.base, rows[i].base);
		assert_int_equal(name.flags, rows[i].flags);
		assert_int_equal(name.keywords, rows[i].keywords);
		assert_int_equal(name.passed, rows[i].passed);
		assert_int_equal(name.exact, rows[i].exact);
		assert_int_equal(name.time_us, rows[i].time_us);
	}
}

static void
test_flags_are_written_in_order(void **state)
{
	struct buf out = buf_make(100);

	(void)state;
	mail_name_put_flags(MAIL_SEEN | MAIL_DRAFT | MAIL_DELETED, 5, true, &out);
	assert_span(buf_span(&out), ":2,DPSTac");
	buf_release(&out);
}

static void
test_names_of_folders(void **state)
{
	static const struct row {
		const char *folder;
		char separator;
		const char *name; /* null: none */
		const char *back; /* as Maildir++; null: not asked */
	} rows[] = {
	    {"Sent",            '.', "Sent",                                 ".Sent"        },
	    {"Lists.a.b",       '.', "Lists/a/b",                            ".Lists.a.b"   },
	    {"Lists/a.b",       '/', "Lists/a.b",                            ".Lists.a\\2eb"},
	    {"Entw&APw-rfe",    '.', "Entw\xc3\xbcrfe",                      ".Entw&APw-rfe"},
	    {"Entw\xc3\xbcrfe", '.', "Entw\xc3\xbcrfe",                      ".Entw&APw-rfe"},
	    {"R&D",             '.', "R&D",				  ".R&-D"        },
	    {"R&-D",            '.', "R&D",				  ".R&-D"        },
	    {"&ZeVnLIqe-",      '.', "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", ".&ZeVnLIqe-"  },
	    {"&2D3eAA-",        '.', "\xf0\x9f\x98\x80",                     ".&2D3eAA-"    },
	    {"caf\xe9",         '.', "caf\xc3\xa9",                          NULL           },
	    {"a\\2eb",          '.', "a.b",                                  ".a\\2eb"      },
	    {"a\\2fb",          '.', "a_b",                                  NULL           },
	    {"a..b",            '.', "a/b",				  NULL           },
	    {"inbox.x",         '.', "INBOX/x",                              NULL           },
	    {"...",             '.', NULL,				   NULL           },
	    {"",                '.', NULL,				   NULL           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf name = buf_make(2000), back = buf_make(2000);
		bool good = mail_folder_decode(span_str(rows[i].folder),
					       rows[i].separator, &name);

		assert_int_equal(good, rows[i].name != NULL);
		if (good &&
		    !span_equal_nocase(span_first(buf_span(&name), 5), SPAN("INBOX")))
			assert_span(buf_span(&name), rows[i].name);
		if (rows[i].back) {
			mail_folder_encode(buf_span(&name), &back);
			assert_span(buf_span(&back), rows[i].back);
		}
		buf_release(&name);
		buf_release(&back);
	}
}

static void
test_uidlist_of_both_versions(void **state)
{
	struct span three = SPAN("3 V1275660208 N25022 G3085f01b\r\n"
				 "25006 S1234 W1260 Pabc G00ff T17 I18 FRS :a,S=1:2,S\n"
				 "broken\n"
				 "0 :zero\n"
				 "25007 :../etc/passwd\n"
				 "25008 :b\n");
	struct span one = SPAN("1 12 34\n5 a b\n");
	struct uidlist_head head;
	struct uidlist_row row;

	(void)state;
	assert_true(uidlist_head_next(&three, &head));
	assert_int_equal(head.version, 3);
	assert_int_equal(head.uidvalidity, 1275660208);
	assert_int_equal(head.uidnext, 25022);
	assert_true(uidlist_row_next(&three, 3, &row));
	assert_int_equal(row.uid, 25006);
	assert_span(row.file, "a,S=1:2,S");
	assert_span(row.uidl, "abc");
	assert_span(row.guid, "00ff");
	assert_span(row.flags, "RS");
	assert_int_equal(row.saved_us, 17);
	assert_int_equal(row.internal_us, 18);
	assert_true(uidlist_row_next(&three, 3, &row));
	assert_int_equal(row.uid, 25008);
	assert_int_equal(row.uidl.n, 0);
	assert_false(uidlist_row_next(&three, 3, &row));
	assert_true(uidlist_head_next(&one, &head));
	assert_int_equal(head.version, 1);
	assert_int_equal(head.uidvalidity, 12);
	assert_int_equal(head.uidnext, 34);
	assert_true(uidlist_row_next(&one, 1, &row));
	assert_int_equal(row.uid, 5);
	assert_span(row.file, "a b");
}

static void
test_what_is_no_uidlist_is_refused(void **state)
{
	static const char *const rows[] = {
	    "",        "2 V1 N1\n",           "3 V N1\n", "3 N1\n",
	    "1 x 2\n", "3 V99999999999 N1\n", "\n",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span rest = span_str(rows[i]);
		struct uidlist_head head;

		assert_false(uidlist_head_next(&rest, &head));
	}
}

static void
test_uidlist_is_read_as_written(void **state)
{
	const struct uidlist_head head = {.uidvalidity = 7, .uidnext = 9};
	const struct uidlist_row row = {.uid = 8,
					.file = SPAN("x y:z"),
					.uidl = SPAN("!u"),
					.guid = SPAN("00"),
					.saved_us = 1,
					.internal_us = 2,
					.flags = SPAN("FS"),
					.keywords = UINT64_C(1) << 63 | 1};
	struct buf out = buf_make(1000);
	struct uidlist_head found;
	struct uidlist_row got;
	struct span rest;

	(void)state;
	uidlist_head_put(&head, &out);
	uidlist_row_put(&row, &out);
	rest = buf_span(&out);
	assert_true(uidlist_head_next(&rest, &found));
	assert_int_equal(found.uidnext, 9);
	assert_true(uidlist_row_next(&rest, 3, &got));
	assert_true(span_equal(got.file, row.file) && span_equal(got.uidl, row.uidl) &&
		    span_equal(got.guid, row.guid) && span_equal(got.flags, row.flags));
	assert_true(got.keywords == row.keywords && got.saved_us == 1 &&
		    got.internal_us == 2);
	buf_release(&out);
}

static void
test_keywords_have_letters(void **state)
{
	struct span text = SPAN("0 NonJunk\nx\n26 far\n25 $z\r\n1 \n");
	struct span name;
	unsigned letter;

	(void)state;
	assert_true(mail_keyword_next(&text, MAILDIR_KEYWORDS, &letter, &name));
	assert_int_equal(letter, 0);
	assert_span(name, "NonJunk");
	assert_true(mail_keyword_next(&text, MAILDIR_KEYWORDS, &letter, &name));
	assert_int_equal(letter, 25);
	assert_span(name, "$z");
	assert_false(mail_keyword_next(&text, MAILDIR_KEYWORDS, &letter, &name));
}

static void
test_keywords_of_courier(void **state)
{
	static const struct row {
		const char *file, *name;
		uint64_t number; /* 0: no message's */
	} rows[] = {
	    {"1.a.host",    "1.a.host", 1 },
            {".17.1.a",     "1.a",      19},
            {".0.1.a",      "1.a",      2 },
	    {":list",       NULL,       0 },
            {".x.1.a",      NULL,       0 },
            {".5.",         NULL,       0 },
	    {".tmp.17.1.a", NULL,       0 },
            {"",            NULL,       0 },
	};
	struct span list = SPAN("$Label1\nwork\n\nx\n1.a:0 1\n2.b: 7 64 x\n"), name,
		    numbers;
	uint64_t number;
	unsigned n;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		bool good = mail_courier_file(span_str(rows[i].file), &name, &number);

		assert_int_equal(good, rows[i].number > 0);
		if (good) {
			assert_int_equal(number, rows[i].number);
			assert_span(name, rows[i].name);
		}
	}
	assert_true(mail_courier_word(&list, &name));
	assert_span(name, "$Label1");
	assert_true(mail_courier_word(&list, &name));
	assert_false(mail_courier_word(&list, &name));
	assert_true(mail_courier_row(&list, &name, &numbers));
	assert_span(name, "1.a");
	assert_true(mail_courier_number(&numbers, 64, &n) && n == 0);
	assert_true(mail_courier_number(&numbers, 64, &n) && n == 1);
	assert_false(mail_courier_number(&numbers, 64, &n));
	assert_true(mail_courier_row(&list, &name, &numbers));
	assert_span(name, "2.b");
	assert_true(mail_courier_number(&numbers, 64, &n) && n == 7);
	assert_false(mail_courier_number(&numbers, 64, &n));
	assert_false(mail_courier_row(&list, &name, &numbers));
}

static void
test_line_ends(void **state)
{
	static const struct row {
		const char *in, *out;
		bool lf, mixed, whole;
	} rows[] = {
	    {"a\nb\n",     "a\r\nb\r\n", true,  false, false},
	    {"a\nb\r\n",   "a\r\nb\r\n", true,  true,  false},
	    {"a\r\nb\n",   "a\r\nb\r\n", false, true,  false},
	    {"a\r\nb\r\n", "a\r\nb\r\n", false, true,  true },
	    {"\n",         "\r\n",       true,  false, false},
	    {"a\rb\n",     "a\rb\r\n",   true,  false, false},
	    {"a\rb\r\n",   "a\rb\r\n",   false, true,  false},
	    {"a",          "a",          false, false, false},
	    {"",           "",           false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span in = span_str(rows[i].in);
		struct buf out = buf_make(100);
		bool mixed = false;

		lines_put_crlf(in, &out, &mixed);
		assert_span(buf_span(&out), rows[i].out);
		assert_int_equal(mixed, rows[i].mixed);
		assert_int_equal(lines_are_lf(in), rows[i].lf);
		assert_int_equal(lines_whole(in), rows[i].whole);
		buf_release(&out);
	}
}

static void
test_from_lines_have_a_date(void **state)
{
	static const struct row {
		const char *line;
		int64_t seconds; /* 0: it is none */
	} rows[] = {
	    {"From a@b Tue Nov 10 12:34:56 2020",            1605011696},
	    {"From a@b Tue Nov 10 12:34:56 +0100 2020",      1605008096},
	    {"From a@b Tue Nov 10 12:34:56 2020 -0100",      1605015296},
	    {"From a@b Tue Nov 10 12:34 MET 2020\r\n",       1605011640},
	    {"From \"a b\"@c d  Tue Nov  1 00:00:00 2020\n", 1604188800},
	    {"From MAILER-DAEMON Thu Jan  1 00:00:00 1970",  0         },
	    {"From here it goes on",                         0         },
	    {"From Tue",				     0         },
	    {"From ",					0         },
	    {">From a@b Tue Nov 10 12:34:56 2020",           0         },
	    {"From a@b Tue Nov 32 12:34:56 2020",            0         },
	    {"From a@b Tue Nov 10 25:34:56 2020",            0         },
	    {"From a@b Tue Nov 10 12:34:56 20",              0         },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int64_t us = 0;
		bool is = mbox_from_line(span_str(rows[i].line), &us);

		assert_int_equal(is && us != 0, rows[i].seconds != 0);
		if (rows[i].seconds)
			assert_int_equal(us, rows[i].seconds * 1000000);
	}
}

static void
test_mbox_state_is_not_the_message(void **state)
{
	struct span text = SPAN("X-IMAPbase: 17 0000000044 NonJunk work\n"
				"Subject: x\nstatus: RO\nX-Status: AFTD\n"
				"X-Keywords: work $L\nX-UID: 44\n"
				"Content-Length: 21\n\n>From a\n>>From b\nbody\n");
	struct buf out = buf_make(1000);
	struct mbox_state s;
	bool mixed = false;

	(void)state;
	mbox_state_parse(text, &s);
	assert_int_equal(s.uidvalidity, 17);
	assert_int_equal(s.uidlast, 44);
	assert_span(s.base_keywords, "NonJunk work");
	assert_int_equal(s.flags, (1u << 5) - 1);
	assert_span(s.keywords, "work $L");
	assert_int_equal(s.uid, 44);
	assert_true(s.has_length);
	assert_int_equal(s.length, 21);
	mbox_content_put(text, true, &out, &mixed);
	assert_span(buf_span(&out), "Subject: x\r\n\r\nFrom a\r\n>From b\r\nbody\r\n");
	buf_reset(&out);
	mbox_content_put(text, false, &out, &mixed);
	assert_span(buf_span(&out),
		    "Subject: x\r\n\r\n>From a\r\n>>From b\r\nbody\r\n");
	assert_false(mixed);
	buf_release(&out);
}

/* Whatever a message is, it comes back. */
static void
test_mbox_gives_back_what_was_put(void **state)
{
	static const char *const messages[] = {
	    "Subject: x\r\n\r\nbody\r\n",
	    "Status: mine\r\nX-UID: 4\r\n\r\n",
	    ("From a@b Tue Nov 10 12:34:56 2020\r\n\r\nFrom x\r\n>From y\r\n\r\nFrom "
	     "z\r\n"),
	    "bare\nlf\r\n",
	    "no end",
	    "\r\n\r\n\r\n",
	    "cr\rin\r\n",
	    "",
	    "\n",
	    "X-Postroad: lines=1 bytes=1\r\n\r\nx\r\n",
	};
	const struct span words[] = {SPAN("NonJunk"), SPAN("$L")};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(messages); i++) {
		const struct mbox_entry e = {.content = span_str(messages[i]),
					     .internal_us = INT64_C(1605011696123456),
					     .saved_us = 17,
					     .flags = MAIL_SEEN | MAIL_DRAFT,
					     .uid = 5,
					     .keywords = words,
					     .n_keywords = 2,
					     .uidl = SPAN("!u"),
					     .guid = SPAN("00"),
					     .uidvalidity = i % 2 ? 0 : 9,
					     .uidnext = 10,
					     .base_keywords = words,
					     .n_base_keywords = 2};
		struct buf text = buf_make(4000), back = buf_make(4000);
		struct mbox_state s;
		bool mixed = false;
		struct span rest;
		int64_t us;

		mbox_put(&e, &text);
		rest = buf_span(&text);
		assert_true(mbox_from_line(span_cut(&rest, '\n'), &us));
		assert_int_equal(us, INT64_C(1605011696000000));
		mbox_state_parse(rest, &s);
		assert_true(s.own && s.uid == 5 && s.flags == e.flags);
		assert_true(s.internal_us == e.internal_us && s.saved_us == 17);
		assert_span(s.uidl, "!u");
		assert_span(s.keywords, "NonJunk $L");
		assert_int_equal(s.uidvalidity, e.uidvalidity);
		mbox_content_put(rest, true, &back, &mixed);
		assert_true(span_equal(buf_span(&back), e.content));
		buf_release(&text);
		buf_release(&back);
	}
}

static void
test_uses_are_known_by_name(void **state)
{
	(void)state;
	assert_int_equal(mail_use_of(SPAN("Sent Messages")), MAIL_USE_SENT);
	assert_int_equal(mail_use_of(SPAN("INBOX/spam")), MAIL_USE_JUNK);
	assert_int_equal(mail_use_of(SPAN("Work/Sent")), MAIL_USE_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_of_a_file_is_base_and_flags),
	    cmocka_unit_test(test_flags_are_written_in_order),
	    cmocka_unit_test(test_names_of_folders),
	    cmocka_unit_test(test_uidlist_of_both_versions),
	    cmocka_unit_test(test_what_is_no_uidlist_is_refused),
	    cmocka_unit_test(test_uidlist_is_read_as_written),
	    cmocka_unit_test(test_keywords_have_letters),
	    cmocka_unit_test(test_keywords_of_courier),
	    cmocka_unit_test(test_line_ends),
	    cmocka_unit_test(test_from_lines_have_a_date),
	    cmocka_unit_test(test_mbox_state_is_not_the_message),
	    cmocka_unit_test(test_mbox_gives_back_what_was_put),
	    cmocka_unit_test(test_uses_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
