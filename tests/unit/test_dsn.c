#include "common/dsn/dsn.h"

#include "common/spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW_US 1795341600000000u /* Sun, 22 Nov 2026 10:00:00 +0000 */

static const char original[] = "Received: from x by y; now\r\n"
			       "From: s@example.com\r\n"
			       "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
			       " folded\r\n"
			       "Message-ID: <1@example.com>\r\n"
			       "\r\n"
			       "body\r\n";

/* The report on one row, or on no row of a notice; freed by the caller. */
static char *
composed(struct dsn_request *r, const struct dsn_row *row, struct dsn_letter *letter)
{
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX), out = buf_make(1u << 22);
	struct dsn_templates templates;
	struct dsn_letter_made made;
	char *text;

	if (row) {
		dsn_row_put(&rows, row);
		r->rows = buf_span(&rows);
		r->n_rows = 1;
	}
	dsn_templates_init(&templates);
	letter->request = r;
	if (!letter->templates)
		letter->templates = &templates;
	letter->hostname = SPAN("mx.example.net");
	letter->postmaster = SPAN("postmaster@example.net");
	letter->now_us = NOW_US;
	letter->id = 2;
	letter->original_id = 1;
	if (!letter->content.at)
		letter->content = span_str(original);
	if (!letter->to.at)
		letter->to = SPAN("s@example.com");
	assert_true(dsn_compose(&out, letter, &made));
	assert_int_equal(made.utf8,
			 span_find_span(letter->to, SPAN("\xc3")) < letter->to.n);
	text = span_dup(buf_span(&out));
	if (letter->templates == &templates)
		letter->templates = NULL;
	dsn_templates_release(&templates);
	buf_release(&rows);
	buf_release(&out);
	return text;
}

static void
assert_has(const char *name, const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("%s: no \"%s\" in:\n%s", name, wanted, text);
}

static void
assert_lacks(const char *name, const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("%s: \"%s\" in:\n%s", name, unwanted, text);
}

/* --- the fields ----------------------------------------------------------- */

#define S(text)                                                                        \
	{                                                                              \
		"" text, sizeof(text) - 1                                              \
	}

static const struct field_row {
	const char *name;
	enum dsn_kind kind;
	uint32_t flags; /* enum envelope_flag */
	struct dsn_row row;
	const char *fields; /* those of the recipient, whole */
} field_rows[] = {
    {"refused",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 550,
      .enhanced = {5, 1, 1},
      .final = S("a@example.org"),
      .text = S("no such user"),
      .host = S("mx.example.org[192.0.2.1]"),
      .tried_us = NOW_US},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.1.1\r\n"
     "Remote-MTA: dns; mx.example.org (192.0.2.1)\r\n"
     "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
     "Last-Attempt-Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"  },
    {"without an enhanced code",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 554,
      .final = S("a@example.org"),
      .text = S("no"),
      .host = S("[192.0.2.1]:25")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"
     "Remote-MTA: dns; [192.0.2.1]\r\n"
     "Diagnostic-Code: smtp; 554 no\r\n"                       },
    {"our own words",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .enhanced = {5, 1, 2},
      .final = S("a@example.org"),
      .text = S("there is no such domain")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.1.2\r\n"
     "Diagnostic-Code: X-Postroad; there is no such domain\r\n"},
    {"expired",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .flags = DSN_EXPIRED,
      .code = 451,
      .enhanced = {4, 7, 1},
      .final = S("a@example.org"),
      .text = S("later")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 4.4.7\r\n"
     "Diagnostic-Code: smtp; 451 4.7.1 later\r\n"              },
    {"given up by the operator",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .flags = DSN_OPERATOR,
      .code = 451,
      .enhanced = {4, 7, 1},
      .final = S("a@example.org"),
      .text = S("later")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.7.1\r\n"
     "Diagnostic-Code: smtp; 451 4.7.1 later\r\n"              },
    {"failed though it said yes",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 250,
      .enhanced = {2, 0, 0},
      .final = S("a@example.org")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"
     "Diagnostic-Code: smtp; 250 2.0.0\r\n"                    },
    {"delayed",
     DSN_DELAY,   0,
     {.action = DSN_DELAYED,
      .code = 451,
      .enhanced = {4, 2, 2},
      .final = S("a@example.org"),
      .text = S("full")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: delayed\r\n"
     "Status: 4.2.2\r\n"
     "Diagnostic-Code: smtp; 451 4.2.2 full\r\n"
     "Will-Retry-Until: Mon, 23 Nov 2026 10:00:00 +0000\r\n"   },
    {"delayed by a 5xx",
     DSN_DELAY,   0,
     {.action = DSN_DELAYED, .code = 550, .final = S("a@example.org")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: delayed\r\n"
     "Status: 4.0.0\r\n"
     "Diagnostic-Code: smtp; 550\r\n"
     "Will-Retry-Until: Mon, 23 Nov 2026 10:00:00 +0000\r\n"   },
    {"delivered",
     DSN_SUCCESS, 0,
     {.action = DSN_DELIVERED,
      .final = S("a@example.org"),
      .orcpt = S("rfc822;b+2Bc@example.org")},
     "Original-Recipient: rfc822; b+c@example.org\r\n"
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: delivered\r\n"
     "Status: 2.1.5\r\n"				       },
    {"relayed",
     DSN_SUCCESS, 0,
     {.action = DSN_RELAYED,
      .code = 250,
      .final = S("a@example.org"),
      .text = S("ok"),
      .host = S("mx[2001:db8::1]:25")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: relayed\r\n"
     "Status: 2.0.0\r\n"
     "Remote-MTA: dns; mx (2001:db8::1)\r\n"
     "Diagnostic-Code: smtp; 250 ok\r\n"                       },
    {"expanded",
     DSN_SUCCESS, 0,
     {.action = DSN_EXPANDED, .final = S("list@example.org")},
     "Final-Recipient: rfc822; list@example.org\r\n"
     "Action: expanded\r\n"
     "Status: 2.1.5\r\n"				       },
    {"in other letters",
     DSN_FAILURE, ENVELOPE_SMTPUTF8,
     {.action = DSN_FAILED,
      .code = 550,
      .enhanced = {5, 1, 1},
      .final = S("gr\xc3\xbc\xc3\x9f"
		 "e@example.org"),
      .orcpt = S("utf-8;gr\\x{FC}\\x{DF}e@example.org"),
      .text = S("n\xc3\xb6")},
     "Original-Recipient: utf-8; gr\xc3\xbc\xc3\x9f"
     "e@example.org\r\n"
     "Final-Recipient: utf-8; gr\xc3\xbc\xc3\x9f"
     "e@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.1.1\r\n"
     "Diagnostic-Code: smtp; 550 5.1.1 n\xc3\xb6\r\n"          },
    {"ORCPT with what is no code point",
     DSN_FAILURE, ENVELOPE_SMTPUTF8,
     {.action = DSN_FAILED,
      .final = S("a@example.org"),
      .orcpt = S("utf-8;a\\x{}\\x{1234567}\\x{zz}\\x{D\\x{1F600}")},
     "Original-Recipient: utf-8; a\\x{}\\x{1234567}\\x{zz}\\x{D\xf0\x9f\x98\x80\r\n"
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"				       },
    {"a reply in other letters, to who cannot read them",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 550,
      .final = S("a@example.org"),
      .text = S("n\xc3\xb6")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"
     "Diagnostic-Code: smtp; 550 n??\r\n"                      },
    {"a reply that would be a field",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 550,
      .final = S("a@example.org"),
      .text = S("no\r\nAction: delivered\n\nx"),
      .host = S("evil\r\nX: y[1]")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"
     "Remote-MTA: dns; evil  X: y (1)\r\n"
     "Diagnostic-Code: smtp; 550 no  Action: delivered  x\r\n" },
    {"a long reply",
     DSN_FAILURE, 0,
     {.action = DSN_FAILED,
      .code = 550,
      .final = S("a@example.org"),
      .text = S("aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccc "
		"dddddddddddd eeeeeeeeeeee")},
     "Final-Recipient: rfc822; a@example.org\r\n"
     "Action: failed\r\n"
     "Status: 5.0.0\r\n"
     "Diagnostic-Code: smtp; 550 aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"
     " cccccccccccccccccc dddddddddddd eeeeeeeeeeee\r\n"       },
};

static void
test_rows_become_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(field_rows); i++) {
		const struct field_row *row = &field_rows[i];
		struct dsn_request r = {.kind = row->kind,
					.flags = row->flags,
					.until_us = NOW_US + 86400000000u};
		struct dsn_letter letter = {.reader = DSN_TO_SENDER};
		char *text = composed(&r, &row->row, &letter);
		char *at = strstr(text, "X-Postroad-Queue-Id: ");

		assert_non_null(at);
		at = strstr(at, "\r\n\r\n") + 4;
		if (strncmp(at, row->fields, strlen(row->fields)) != 0 ||
		    strncmp(at + strlen(row->fields), "\r\n--", 4) != 0)
			fail_msg("%s: %s", row->name, at);
		free(text);
	}
}

static const struct {
	const char *name;
	struct dsn_request request;
	const char *fields;
} message_rows[] = {
    {"bare",			    {.kind = DSN_FAILURE}, "Reporting-MTA: dns; mx.example.net\r\nX-P"},
    {"all",
     {.kind = DSN_FAILURE,
      .envid = S("QQ+2B3"),
      .helo = S("client.example"),
      .client = S("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"),
      .arrived_us = NOW_US},
     "Original-Envelope-Id: QQ+3\r\n"
     "Reporting-MTA: dns; mx.example.net\r\n"
     "Received-From-MTA: dns; client.example (192.0.2.1)\r\n"
     "Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"                                                  },
    {"ENVID that is no xtext",
     {.kind = DSN_FAILURE, .envid = S("a+zz")},
     "\r\n\r\nReporting-MTA: dns; mx.example.net\r\n"						     },
    {"a client that is not to be told",
     {.kind = DSN_FAILURE, .client = S("0123456789abcdef")},
     "Reporting-MTA: dns; mx.example.net\r\nX-P"							  },
};

static void
test_message_fields(void **state)
{
	static const struct dsn_row row = {.action = DSN_FAILED,
					   .final = S("a@example.org")};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(message_rows); i++) {
		struct dsn_request r = message_rows[i].request;
		struct dsn_letter letter = {.reader = DSN_TO_SENDER};
		char *text = composed(&r, &row, &letter);

		assert_has(message_rows[i].name, text, message_rows[i].fields);
		free(text);
	}
}

/* --- the whole ------------------------------------------------------------ */

static const struct dsn_row failed = {
    .action = DSN_FAILED,
    .code = 550,
    .enhanced = {5, 1, 1},
    .final = S("a@example.org"),
    .original = S("alias@example.net"),
    .text = S("no such user"),
    .host = S("mx.example.org[192.0.2.1]")
};

static void
test_header_of_a_report(void **state)
{
	struct dsn_request r = {.kind = DSN_FAILURE, .sender = S("s@example.com")};
	struct dsn_letter letter = {.reader = DSN_TO_SENDER};
	char *text = composed(&r, &failed, &letter);

	(void)state;
	assert_has("date", text, "\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n");
	assert_has("from", text,
		   "\r\nFrom: MAILER-DAEMON@mx.example.net (Mail Delivery System)\r\n");
	assert_has("to", text, "\r\nTo: s@example.com\r\n");
	assert_has("subject", text,
		   "\r\nSubject: Not delivered: mail to alias@example.net\r\n");
	assert_has("id", text, "\r\nMessage-ID: <0000000000002@mx.example.net>\r\n");
	assert_has("reply", text, "\r\nIn-Reply-To: <1@example.com>\r\n");
	assert_has("refs", text, "\r\nReferences: <1@example.com>\r\n");
	assert_has("auto", text, "\r\nAuto-Submitted: auto-replied\r\n");
	assert_has("first sentence", text,
		   "\r\n\r\nThe message to alias@example.net could not be delivered."
		   "\r\nThe address leads to a@example.org.\r\n");
	assert_has("their words", text,
		   "\r\nThe server mx.example.org[192.0.2.1] said:\r\n"
		   "    550 5.1.1 no such user\r\n");
	assert_has("subject inside", text,
		   "    Subject: Gr\xc3\xbc\xc3\x9f"
		   "e folded\r\n");
	assert_has("header", text, "text/rfc822-headers\r\n");
	assert_lacks("no body", text, "\r\nbody\r\n");
	free(text);
}

static const struct part_row {
	const char *name;
	uint8_t ret;
	uint32_t flags;
	enum dsn_kind kind;
	enum dsn_action action;
	enum dsn_reader reader;
	const char *type;
} part_rows[] = {
    {"no wish",         ENVELOPE_RET_NONE,    0,                   DSN_FAILURE, DSN_FAILED,    DSN_TO_SENDER,
     "text/rfc822-headers"														     },
    {"header",          ENVELOPE_RET_HEADERS, 0,                   DSN_FAILURE, DSN_FAILED,    DSN_TO_SENDER,
     "text/rfc822-headers"														     },
    {"full",            ENVELOPE_RET_FULL,    0,                   DSN_FAILURE, DSN_FAILED,    DSN_TO_SENDER,
     "message/rfc822"															  },
    {"full of delay",   ENVELOPE_RET_FULL,    0,                   DSN_DELAY,   DSN_DELAYED,   DSN_TO_SENDER,
     "text/rfc822-headers"														     },
    {"full of success", ENVELOPE_RET_FULL,    0,                   DSN_SUCCESS, DSN_DELIVERED, DSN_TO_SENDER,
     "text/rfc822-headers"														     },
    {"binary",          ENVELOPE_RET_FULL,    ENVELOPE_BINARYMIME, DSN_FAILURE, DSN_FAILED,
     DSN_TO_SENDER,												    "text/rfc822-headers"   },
    {"full, global",    ENVELOPE_RET_FULL,    ENVELOPE_SMTPUTF8,   DSN_FAILURE, DSN_FAILED,
     DSN_TO_SENDER,												    "message/global"        },
    {"header, global",  ENVELOPE_RET_NONE,    ENVELOPE_SMTPUTF8,   DSN_FAILURE, DSN_FAILED,
     DSN_TO_SENDER,												    "message/global-headers"},
    {"copy",            ENVELOPE_RET_FULL,    0,                   DSN_FAILURE, DSN_FAILED,    DSN_COPY_TO_POSTMASTER,
     "text/rfc822-headers"														     },
    {"double",          ENVELOPE_RET_FULL,    0,                   DSN_FAILURE, DSN_FAILED,    DSN_TO_POSTMASTER,
     "text/rfc822-headers"														     },
};

static void
test_what_of_the_message_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(part_rows); i++) {
		const struct part_row *p = &part_rows[i];
		struct dsn_request r = {
		    .kind = p->kind, .ret = p->ret, .flags = p->flags};
		struct dsn_row row = {.action = p->action, .final = S("a@example.org")};
		struct dsn_letter letter = {.reader = p->reader,
					    .whole = dsn_wants_whole(&r)};
		char *text = composed(&r, &row, &letter), type[64];

		snprintf(type, sizeof(type), "\r\nContent-Type: %s\r\n", p->type);
		assert_has(p->name, text, type);
		if (strncmp(p->type, "message/global", 14) == 0) {
			assert_has(p->name, text, "report-type=global-delivery-status");
			assert_has(p->name, text, "message/global-delivery-status\r\n");
		}
		assert_int_equal(strstr(text, "\r\nbody\r\n") != NULL,
				 strstr(p->type, "eaders") == NULL);
		free(text);
	}
}

/* Who knows the random bytes still cannot end a part. */
static void
test_boundary_is_not_in_the_content(void **state)
{
	static const char content[] =
	    "Subject: x\r\n\r\n--=_00000000000000000000000000000000.0--\r\n"
	    "--=_00000000000000000000000000000000.1\r\n";
	struct dsn_request r = {.kind = DSN_FAILURE, .ret = ENVELOPE_RET_FULL};
	struct dsn_letter letter = {.reader = DSN_TO_SENDER, .whole = true};
	char *text;

	(void)state;
	letter.content = span_str(content);
	text = composed(&r, &failed, &letter);
	assert_has("boundary", text,
		   "boundary=\"=_00000000000000000000000000000000.2\"\r\n");
	free(text);
}

static const struct {
	const char *name, *content, *wanted, *unwanted;
} content_rows[] = {
    {"nothing",		 "",
     "rfc822-headers\r\nContent-Description: "
     "Header of the message\r\n\r\n\r\n--",						     "In-Reply-To"},
    {"no empty line",           "Subject: a\r\n",                   "\r\nSubject: a\r\n\r\n--", "body"       },
    {"cut inside a line",       "Subject: a\r\nX-Long: 12",         "\r\nSubject: a\r\n\r\n--",
     "X-Long"												},
    {"8-bit header",            "Subject: \xff\xfe\r\n\r\nx\r\n",
     "Content-Transfer-Encoding: 8bit\r\n\r\n"
     "Subject: \xff\xfe\r\n",								   "\r\nx\r\n"  },
    {"Message-ID with no end",  "Message-ID: <a\r\n\r\n",           "Message-ID: <a\r\n",
     "References"											    },
    {"Message-ID of two lines", "Message-ID: <a\r\n b@c>\r\n\r\n",
     "In-Reply-To: <ab@c>\r\n",								 "To: <a\r"   },
    {"Message-ID in 8 bits",    "Message-ID: <\xc3\xa4@c>\r\n\r\n", "Auto-Submitted",
     "References"											    },
    {"Message-ID in brackets",  "Message-ID: <a<b@c>\r\n\r\n",      "Auto-Submitted",
     "References"											    },
};

static void
test_odd_originals(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(content_rows); i++) {
		struct dsn_request r = {.kind = DSN_FAILURE};
		struct dsn_letter letter = {.reader = DSN_TO_SENDER};
		char *text;

		letter.content = span_str(content_rows[i].content);
		text = composed(&r, &failed, &letter);
		assert_has(content_rows[i].name, text, content_rows[i].wanted);
		assert_lacks(content_rows[i].name, text, content_rows[i].unwanted);
		free(text);
	}
}

static void
test_subject_in_other_letters_is_encoded(void **state)
{
	struct dsn_request r = {.kind = DSN_FAILURE, .flags = ENVELOPE_SMTPUTF8};
	struct dsn_row row = {.action = DSN_FAILED,
			      .final = S("gr\xc3\xbc\xc3\x9f"
					 "e-gr\xc3\xbc\xc3\x9f"
					 "e-gr\xc3\xbc\xc3\x9f"
					 "e-gr\xc3\xbc\xc3\x9f"
					 "e@example.org")};
	struct dsn_letter letter = {.reader = DSN_TO_SENDER,
				    .to = S("s\xc3\xb6@example.com")};
	char *text = composed(&r, &row, &letter);

	(void)state;
	assert_has("encoded", text,
		   "\r\nSubject: =?utf-8?B?"
		   "Tm90IGRlbGl2ZXJlZDogbWFpbCB0byBncsO8w59lLWdyw7zDn2UtZ3I=?=\r\n"
		   " =?utf-8?B?w7zDn2UtZ3LDvMOfZUBleGFtcGxlLm9yZw==?=\r\n");
	assert_has("to", text, "\r\nTo: s\xc3\xb6@example.com\r\n");
	free(text);
}

static void
test_notice_is_a_plain_text(void **state)
{
	struct dsn_request r = {.kind = DSN_NOTICE,
				.subject = S("mail of a@example.org is held"),
				.text = S("One.\n  two\r\nAction: x\n")};
	struct dsn_letter letter = {.reader = DSN_TO_POSTMASTER};
	char *text = composed(&r, NULL, &letter);

	(void)state;
	assert_has("subject", text, "\r\nSubject: mail of a@example.org is held\r\n");
	assert_has("text", text, "\r\n\r\nOne.\r\n  two\r\nAction: x\r\n");
	assert_lacks("no parts", text, "multipart");
	free(text);
}

static void
test_many_rows_are_shown_up_to_a_limit(void **state)
{
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	struct dsn_request r = {.kind = DSN_FAILURE};
	struct dsn_letter letter = {.reader = DSN_TO_SENDER};
	char *text;

	(void)state;
	for (; r.n_rows < DSN_ROWS_SHOWN_MAX + 2; r.n_rows++)
		dsn_row_put(&rows, &failed);
	r.rows = buf_span(&rows);
	text = composed(&r, NULL, &letter);
	assert_has("subject", text, "mail to alias@example.net and 51 others\r\n");
	assert_has("rest", text, "(2 further recipients are listed below.)\r\n");
	free(text);
	buf_release(&rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows_become_fields),
	    cmocka_unit_test(test_message_fields),
	    cmocka_unit_test(test_header_of_a_report),
	    cmocka_unit_test(test_what_of_the_message_comes_back),
	    cmocka_unit_test(test_boundary_is_not_in_the_content),
	    cmocka_unit_test(test_odd_originals),
	    cmocka_unit_test(test_subject_in_other_letters_is_encoded),
	    cmocka_unit_test(test_notice_is_a_plain_text),
	    cmocka_unit_test(test_many_rows_are_shown_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
