/* tests/unit/test_reply.c - which messages a program may answer, and the answer */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/reply/reply.h"

static const struct span own[] = {SPAN("me+lists@here.example"),
				  SPAN("alias@here.example")};

#define TO_ME "To: Me <me@here.example>\r\n"

static const struct row {
	const char *name, *sender, *header;
	enum reply_reason want;
} rows[] = {
    {"plain",		   "a@b.example",                 "Subject: x\r\n" TO_ME "\r\n",                             REPLY_DUE           },
    {"no empty line",           "a@b.example",                 TO_ME,						     REPLY_DUE           },
    {"null sender",             "",			    TO_ME,						     REPLY_NULL_SENDER   },
 /* who writes */
    {"mailer-daemon",           "MAILER-DAEMON@b.example",     TO_ME,                                                     REPLY_SENDER_PROGRAM},
    {"mailer-daemon alone",     "MAILER-DAEMON",               TO_ME,						     REPLY_SENDER_PROGRAM},
    {"owner",		   "owner-list@b.example",        TO_ME,						     REPLY_SENDER_PROGRAM},
    {"owner behind",            "list-owner@b.example",        TO_ME,						     REPLY_SENDER_PROGRAM},
    {"request",		 "list-Request@b.example",      TO_ME,						     REPLY_SENDER_PROGRAM},
    {"bounces",		 "list-bounces+me=x@b.example", TO_ME,                                                     REPLY_SENDER_PROGRAM},
    {"noreply",		 "NoReply@b.example",           TO_ME,						     REPLY_SENDER_PROGRAM},
    {"no more than a name",     "ownerless@b.example",         TO_ME,                                                     REPLY_DUE           },
    {"request as a word",       "requests@b.example",          TO_ME,                                                     REPLY_DUE           },
    {"self",		    "ME@here.example",             TO_ME,						     REPLY_SENDER_SELF   },
    {"self with a detail",      "me+x@here.example",           TO_ME,                                                     REPLY_SENDER_SELF   },
    {"same name elsewhere",     "me@b.example",                TO_ME,						     REPLY_DUE           },
 /* what it says of itself [RFC3834 5] */
    {"not automatic",           "a@b.example",                 "Auto-Submitted: no\r\n" TO_ME,                            REPLY_DUE           },
    {"not automatic, and why",  "a@b.example",                 "Auto-Submitted: No (a person)\r\n" TO_ME,
     REPLY_DUE																},
    {"generated",               "a@b.example",                 "auto-submitted: auto-generated\r\n" TO_ME,
     REPLY_AUTOMATIC															  },
    {"replied, folded",         "a@b.example",
     "Auto-Submitted:\r\n auto-replied; x=1\r\n" TO_ME,								   REPLY_AUTOMATIC     },
    {"unknown word",            "a@b.example",                 "Auto-Submitted: maybe\r\n" TO_ME,                         REPLY_AUTOMATIC     },
    {"empty word",              "a@b.example",                 "Auto-Submitted:\r\n" TO_ME,                               REPLY_AUTOMATIC     },
    {"the second says it",      "a@b.example",
     "Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n" TO_ME,                                                      REPLY_AUTOMATIC     },
    {"behind the address",      "a@b.example",                 TO_ME "Auto-Submitted: auto-notified\r\n",
     REPLY_AUTOMATIC															  },
    {"autoreply",               "a@b.example",                 "X-Autoreply: yes\r\n" TO_ME,                              REPLY_AUTOMATIC     },
    {"bulk",		    "a@b.example",                 "Precedence: bulk\r\n" TO_ME,                              REPLY_BULK          },
    {"list",		    "a@b.example",                 "Precedence: LIST\r\n" TO_ME,                              REPLY_BULK          },
    {"junk",		    "a@b.example",                 "Precedence: junk\r\n" TO_ME,                              REPLY_BULK          },
    {"first class",             "a@b.example",                 "Precedence: first-class\r\n" TO_ME,                       REPLY_DUE           },
    {"list id",		 "a@b.example",                 "List-Id: <l.example>\r\n" TO_ME,                          REPLY_LIST          },
    {"list unsubscribe",        "a@b.example",                 "LIST-UNSUBSCRIBE: <mailto:x>\r\n" TO_ME,
     REPLY_LIST															       },
    {"no list",		 "a@b.example",                 "Listing: 1\r\n" TO_ME,                                    REPLY_DUE           },
    {"suppressed",              "a@b.example",                 "X-Auto-Response-Suppress: DR, OOF\r\n" TO_ME,
     REPLY_SUPPRESSED															 },
    {"all suppressed",          "a@b.example",                 "X-Auto-Response-Suppress: All\r\n" TO_ME,
     REPLY_SUPPRESSED															 },
    {"only reports suppressed", "a@b.example",
     "X-Auto-Response-Suppress: DR, RN, NRN\r\n" TO_ME,								   REPLY_DUE           },
    {"report",		  "a@b.example",
     "Content-Type: multipart/report; report-type=delivery-status\r\n" TO_ME,
     REPLY_REPORT															     },
    {"mixed",		   "a@b.example",                 "Content-Type: multipart/mixed; boundary=x\r\n" TO_ME,
     REPLY_DUE																},
    {"spam",		    "a@b.example",                 "X-Spam-Flag: YES\r\n" TO_ME,                              REPLY_SPAM          },
    {"spam status",             "a@b.example",                 "X-Spam-Status: Yes, score=9\r\n" TO_ME,                   REPLY_SPAM          },
    {"no spam",		 "a@b.example",                 "X-Spam-Status: No, score=0\r\n" TO_ME,                    REPLY_DUE           },
 /* whom it names [RFC3834 2] */
    {"nobody",		  "a@b.example",                 "Subject: x\r\n",                                          REPLY_NOT_NAMED     },
    {"somebody else",           "a@b.example",                 "To: you@here.example\r\n",                                REPLY_NOT_NAMED     },
    {"another domain",          "a@b.example",                 "To: me@there.example\r\n",                                REPLY_NOT_NAMED     },
    {"blind copy to us",        "a@b.example",                 "To: undisclosed-recipients:;\r\n",
     REPLY_NOT_NAMED															  },
    {"cc",		      "a@b.example",                 "To: x@b.example\r\nCc: y@b.example, ME@Here.Example\r\n",
     REPLY_DUE																},
    {"bcc",		     "a@b.example",                 "Bcc: me@here.example\r\n",                                REPLY_DUE           },
    {"in a group",              "a@b.example",                 "To: all: x@b.example, me@here.example;\r\n",
     REPLY_DUE																},
    {"resent",		  "a@b.example",                 "To: you@b.example\r\nResent-To: me@here.example\r\n",
     REPLY_DUE																},
    {"resent, blind",           "a@b.example",                 "Resent-Bcc: me@here.example\r\n",                         REPLY_DUE           },
    {"alias",		   "a@b.example",                 "To: alias@here.example\r\n",                              REPLY_DUE           },
    {"detail",		  "a@b.example",                 "To: me+other@here.example\r\n",                           REPLY_DUE           },
    {"quoted",		  "a@b.example",                 "To: \"me\"@here.example\r\n",                             REPLY_DUE           },
    {"in the name only",        "a@b.example",                 "To: \"me@here.example\" <x@b.example>\r\n",
     REPLY_NOT_NAMED															  },
    {"in the body only",        "a@b.example",                 "Subject: x\r\n\r\n" TO_ME,                                REPLY_NOT_NAMED     },
    {"second To",               "a@b.example",                 "To: x@b.example\r\n" TO_ME,                               REPLY_DUE           },
};

static void
test_reply_is_due_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct reply_question q = {.sender = span_str(rows[i].sender),
						 .header = span_str(rows[i].header),
						 .own = own,
						 .n_own = N_ELEMS(own),
						 .delimiters = SPAN("-+")};
		enum reply_reason got = reply_decide(&q);

		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].name, reply_reason_text(got));
	}
}

static void
test_detail_is_nothing_without_a_delimiter(void **state)
{
	(void)state;
	struct reply_question q = {.sender = SPAN("a@b.example"),
				   .header = SPAN("To: me+x@here.example\r\n"),
				   .own = own,
				   .n_own = N_ELEMS(own)};

	assert_int_equal(reply_decide(&q), REPLY_NOT_NAMED);
	q.delimiters = SPAN("-+");
	assert_int_equal(reply_decide(&q), REPLY_DUE);
}

/* An answer of ours is none to be answered, by us or by anyone who keeps to the rules,
 * even if its sender was not null. */
static void
test_answer_is_never_answered(void **state)
{
	(void)state;
	const struct reply_letter l = {.to = SPAN("me@here.example"),
				       .address = SPAN("a@b.example"),
				       .text = SPAN("away"),
				       .header = SPAN("Subject: x\r\n"),
				       .hostname = SPAN("b.example")};
	struct buf out = buf_make(REPLY_BYTES_MAX);
	struct reply_made made;

	assert_true(reply_compose(&out, &l, &made));
	const struct reply_question q = {.sender = SPAN("a@b.example"),
					 .header = buf_span(&out),
					 .own = own,
					 .n_own = N_ELEMS(own)};
	assert_int_equal(reply_decide(&q), REPLY_AUTOMATIC);
	buf_release(&out);
}

/* --- the answer ------------------------------------------------------------ */

static bool
has(const struct buf *out, const char *text)
{
	return span_find_span(buf_span(out), span_str(text)) < out->n;
}

static void
compose(struct buf *out, const char *header, const char *subject, const char *name,
	const char *text, struct reply_made *made)
{
	const struct reply_letter l = {.to = SPAN("a@b.example"),
				       .address = SPAN("me@here.example"),
				       .name = span_str(name),
				       .subject = span_str(subject),
				       .text = span_str(text),
				       .header = span_str(header),
				       .hostname = SPAN("mail.here.example"),
				       .id = 77,
				       .now_us = 1000000};

	buf_reset(out);
	assert_true(reply_compose(out, &l, made));
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i] == '\n')
			assert_true(i > 0 && out->at[i - 1] == '\r');
}

static const struct answer {
	const char *name, *header, *subject, *from, *text;
	const char *want[4];
} answers[] = {
    {"the least",
     "Subject: hello\r\nMessage-ID: <1@b.example>\r\n\r\n",  "",
     "",									 "I am away.",
     {"Subject: Auto: hello\r\n", "From: <me@here.example>\r\nTo: <a@b.example>\r\n",
      "In-Reply-To: <1@b.example>\r\nReferences: <1@b.example>\r\n",
      "charset=us-ascii; format=flowed\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
      "I am away.\r\n"}																	   },
    {"of its own",
     "Subject: hello\r\n",				   "Away",
     "Me",								       "x",
     {"Subject: Away\r\n", "From: \"Me\"\r\n <me@here.example>\r\n", NULL, NULL}										  },
    {"with the message's",
     "Subject: =?utf-8?Q?h=C3=A9?= you\r\n",		 "Re: $subject",
     "",									 "x",
     {"Subject: =?utf-8?B?UmU6IGjDqSB5b3U=?=\r\n", NULL, NULL, NULL}											      },
    {"no subject",		    "To: x\r\n",           "",             "", "x",                                     {"Subject: Auto:\r\n", NULL, NULL, NULL}},
    {"a long way back",
     "Message-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x>\r\n", "",
     "",									 "x",
     {"References: <1@x>\r\n <2@x>\r\n <3@x>\r\n", "In-Reply-To: <3@x>\r\n", NULL,
      NULL}																		       },
    {"a step back",
     "Message-ID: <3@x>\r\nIn-Reply-To: <1@x>\r\n",	  "",
     "",									 "x",
     {"References: <1@x>\r\n <3@x>\r\n", NULL, NULL, NULL}													},
    {"other letters",
     "Subject: x\r\n",				       "W\xc3\xa4g",
     "J\xc3\xb6",								"gr\xc3\xbc\xc3\x9f",
     {"From: =?utf-8?B?SsO2?=\r\n <me@here.example>\r\n",
      "Subject: =?utf-8?B?V8OkZw==?=\r\n", "charset=utf-8; format=flowed\r\n",
      "8bit\r\n\r\ngr\xc3\xbc\xc3\x9f\r\n"}														       },
    {"a name with quotes",
     "",						     "s",
     "A \"B\" \\ C",							     "x",
     {"From: \"A \\\"B\\\" \\\\ C\"\r\n", NULL, NULL, NULL}												       },
    {"nothing of theirs ends a line",
     "Subject: a\r\nMessage-ID: <x\r\n y>\r\n",	      "b\nBcc: x",
     "c\r\nBcc: x",							      "d\r\n.\r\ne",
     {"Subject: b Bcc: x\r\n", "From: \"c  Bcc: x\"\r\n", "\r\n\r\nd\r\n.\r\ne\r\n",
      NULL}																		       },
    {"text that flows",
     "",						     "s",
     "",									 " in\n> out\nFrom here\nend  \n-- \nme",
     {"\r\n\r\n  in\r\n > out\r\n From here\r\nend\r\n-- \r\nme\r\n", NULL, NULL,
      NULL}																		       },
};

static void
test_answer_is_as_set_up(void **state)
{
	(void)state;
	struct buf out = buf_make(REPLY_BYTES_MAX);
	struct reply_made made;

	for (size_t i = 0; i < N_ELEMS(answers); i++) {
		const struct answer *a = &answers[i];

		compose(&out, a->header, a->subject, a->from, a->text, &made);
		assert_true(has(&out, "\r\nAuto-Submitted: auto-replied\r\n"));
		assert_false(has(&out, "\r\nBcc:"));
		assert_false(made.utf8);
		for (size_t k = 0; k < N_ELEMS(a->want) && a->want[k]; k++)
			if (!has(&out, a->want[k]))
				fail_msg("%s: no %s in\n%.*s", a->name, a->want[k],
					 SPAN_ARG(buf_span(&out)));
	}
	buf_release(&out);
}

static void
test_long_text_is_broken_behind_spaces(void **state)
{
	(void)state;
	struct buf out = buf_make(REPLY_BYTES_MAX), text = buf_make(100000);
	struct reply_made made;
	size_t column = 0;

	for (int i = 0; i < 300; i++)
		buf_put_str(&text, "word ");
	for (int i = 0; i < 5000; i++)
		buf_put_char(&text, 'x');
	buf_put_char(&text, '\0');
	compose(&out, "", "s", "", text.at, &made);
	for (size_t i = 0; i < out.n; i++, column++) {
		if (out.at[i] != '\n')
			continue;
		assert_true(column <= 998);
		column = 0;
	}
	assert_true(has(&out, "word \r\nword "));
	buf_release(&out);
	buf_release(&text);
}

static void
test_many_references_keep_the_first_and_the_last(void **state)
{
	(void)state;
	struct buf out = buf_make(REPLY_BYTES_MAX), header = buf_make(100000);
	struct reply_made made;

	buf_put_str(&header, "Message-ID: <last@x>\r\nReferences:");
	for (unsigned i = 0; i < 2 * REPLY_IDS_MAX; i++)
		buf_putf(&header, " <%u@x>\r\n", i);
	buf_put_char(&header, '\0');
	compose(&out, header.at, "s", "", "t", &made);
	assert_true(has(&out, "References: <0@x>\r\n <22@x>\r\n"));
	assert_true(has(&out, " <39@x>\r\n <last@x>\r\nAuto-Submitted"));
	buf_release(&out);
	buf_release(&header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reply_is_due_or_not),
	    cmocka_unit_test(test_detail_is_nothing_without_a_delimiter),
	    cmocka_unit_test(test_answer_is_never_answered),
	    cmocka_unit_test(test_answer_is_as_set_up),
	    cmocka_unit_test(test_long_text_is_broken_behind_spaces),
	    cmocka_unit_test(test_many_references_keep_the_first_and_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
