/* tests/unit/test_smtp_dialogue.c - whole dialogues, the same at every cut
 *
 * In an input "|" stands where a client waits for its replies; cuts fall between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/smtp_script.h"

#define MAIL    "MAIL FROM:<a@c.example>\r\n"
#define RCPT    "RCPT TO:<b@example.org>\r\n"
#define TO_DATA "EHLO c.example\r\n|" MAIL RCPT "DATA\r\n|"
#define TLS     "EHLO c\r\n|STARTTLS\r\n|EHLO c\r\n|"

static const struct row {
	const char *name;
	enum session_kind kind;
	const char *in, *codes, *mail;
} rows[] = {
    {"a message",			   SESSION_MX,         TO_DATA "x\r\n.\r\n|QUIT\r\n",
     "220 250 250 250 354 250 221 ",																   "a@c.example>b@example.org:x\r\n\n"                                 },
    {"replies of tables",                   SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<table0@d>\r\nRCPT TO:<table1@d>\r\n"
     "RCPT TO:<table2@d>\r\nRCPT TO:<table3@d>\r\nRCPT TO:<table4@d>\r\n"
     "RCPT TO:<table5@d>\r\nRCPT TO:<table9@d>\r\n" RCPT "DATA\r\n|x\r\n.\r\n",
     "220 250 250 554 450 451 451 451 451 451 250 354 250 ",													   "a@c.example>b@example.org:x\r\n\n"                                 },
    {"a table hangs up",                    SESSION_MX,
     "EHLO c\r\n|" MAIL RCPT "RCPT TO:<table6@d>\r\n" RCPT,							    "220 250 250 250 421 ",                         ""                                                                  },
    {"a table hangs up for good",           SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<table7@d>\r\nQUIT\r\n",							      "220 250 250 521 ",                             ""                                                                  },
    {"helo",				SESSION_MX,         "HELO c\r\n|" MAIL RCPT "DATA\r\n|x\r\n.\r\n",
     "220 250 250 250 354 250 ",																       "a@c.example>b@example.org:x\r\n\n"                                 },
    {"empty message",		       SESSION_MX,         TO_DATA ".\r\n",                                       "220 250 250 250 354 250 ",
     "a@c.example>b@example.org:\n"																									},
    {"dots",				SESSION_MX,         TO_DATA "..\r\n.a\r\na.\r\n...\r\n.\r\n",
     "220 250 250 250 354 250 ",																       "a@c.example>b@example.org:.\r\na\r\na.\r\n..\r\n\n"                },
    {"message and quit in one packet",      SESSION_MX,         TO_DATA "x\r\n.\r\nQUIT\r\n",
     "220 250 250 250 354 250 221 ",																   "a@c.example>b@example.org:x\r\n\n"                                 },
    {"null sender",			 SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<>\r\n" RCPT "DATA\r\n|x\r\n.\r\n",
     "220 250 250 250 354 250 ",																       ">b@example.org:x\r\n\n"                                            },
    {"postmaster",			  SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<PostMaster>\r\nDATA\r\n|x\r\n.\r\n",
     "220 250 250 250 354 250 ",																       "a@c.example>PostMaster:x\r\n\n"                                    },
    {"small letters",		       SESSION_MX,
     "ehlo c\r\n|mail from:<a@c>\r\nrcpt to:<b@d>\r\ndata\r\n|x\r\n.\r\n",					     "220 250 250 250 354 250 ",                     "a@c>b@d:x\r\n\n"						   },
    {"source route is dropped",             SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<@x,@y.z:a@c>\r\nRCPT TO:<@x:b@d>\r\nDATA\r\n|.\r\n",				       "220 250 250 250 354 250 ",                     "a@c>b@d:\n"							},
    {"quotes that say nothing are dropped", SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<\"a\"@c>\r\nRCPT TO:<\"b\\c\"@d>\r\n"
     "RCPT TO:<\"b c\"@d>\r\nDATA\r\n|.\r\n",									  "220 250 250 250 250 354 250 ",                 "a@c>bc@d,\"b c\"@d:\n"                                             },
    {"refused recipients",                  SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<unknown@d>\r\nRCPT TO:<relay@d>\r\n"
     "RCPT TO:<disabled@d>\r\nRCPT TO:<overquota@d>\r\nRCPT TO:<later@d>\r\n" RCPT
     "DATA\r\n|x\r\n.\r\n",											    "220 250 250 550 550 550 552 451 250 354 250 ",
     "a@c.example>b@example.org:x\r\n\n"																								   },
    {"no recipient left",                   SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<unknown@d>\r\nDATA\r\n|RSET\r\n",
     "220 250 250 550 503 250 ",																       ""								  },
    {"refused senders",                     SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<foreign@d>\r\nMAIL FROM:<later@d>\r\n"
     "MAIL FROM:<full@d>\r\nMAIL FROM:<rate@d>\r\nMAIL FROM:<refused@d>\r\n" RCPT,
     "220 250 553 451 452 450 550 503 ",															       ""								  },
    {"chunks",			      SESSION_MX,
     "EHLO c\r\n|" MAIL RCPT "BDAT 3\r\na\r\nBDAT 0\r\nBDAT 4 LAST\r\n.\r\nbQUIT\r\n",
     "220 250 250 250 250 250 250 221 ",															       "a@c.example>b@example.org:a\r\n.\r\nb\r\n\n"                       },
    {"chunks cut in a line end",            SESSION_MX,
     "EHLO c\r\n|" MAIL RCPT "BDAT 2\r\na\rBDAT 2 LAST\r\n\nb",
     "220 250 250 250 250 250 ",																       "a@c.example>b@example.org:a\r\nb\r\n\n"                            },
    {"chunk without recipients",            SESSION_MX,
     "EHLO c\r\n|" MAIL "BDAT 6 LAST\r\nNOOP\r\nNOOP\r\nBDAT 6\r\nQUIT\r\nRSET\r\n"
     "BDAT 1\r\nxQUIT\r\n",											    "220 250 250 503 250 503 250 503 221 ",         ""								  },
    {"chunks then data",                    SESSION_MX,
     "EHLO c\r\n|" MAIL RCPT "BDAT 3\r\na\r\n|DATA\r\n|BDAT 0 LAST\r\n",
     "220 250 250 250 250 503 250 ",																   "a@c.example>b@example.org:a\r\n\n"                                 },
    {"chunks then rset",                    SESSION_MX,
     "EHLO c\r\n|" MAIL RCPT "BDAT 3\r\na\r\nRSET\r\nBDAT 1 LAST\r\nx" RCPT,
     "220 250 250 250 250 250 503 503 ",															       ""								  },
    {"two messages",			SESSION_MX,         TO_DATA "1\r\n.\r\n" MAIL RCPT "BDAT 3 LAST\r\n2\r\n",
     "220 250 250 250 354 250 250 250 250 ",															   "a@c.example>b@example.org:1\r\n\na@c.example>b@example.org:2\r\n\n"},
    {"starttls forgets",                    SESSION_MX,         "EHLO c\r\n|STARTTLS\r\n|" MAIL "EHLO c\r\n|" MAIL,
     "220 250 220 503 250 250 ",																       ""								  },
    {"starttls twice",                      SESSION_MX,         TLS "STARTTLS\r\n",                                    "220 250 220 250 503 ",                         ""                                                                  },
    {"login needed",			SESSION_SUBMISSION, TLS MAIL,                                              "220 250 220 250 530 ",                         ""                                                                  },
    {"tls needed",			  SESSION_SUBMISSION, "EHLO c\r\n|" MAIL "AUTH PLAIN\r\n",
     "220 250 530 530 ",																	       ""								  },
    {"plain at once",		       SESSION_SUBMISSION,
     TLS "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n|" MAIL,								  "220 250 220 250 235 250 ",                     ""                                                                  },
    {"plain after a challenge",             SESSION_SUBMISSION,
     TLS "AUTH PLAIN\r\n|AGFsaWNlAHNlY3JldA==\r\n|" MAIL,
     "220 250 220 250 334 235 250 ",																   ""								  },
    {"login without initial response",      SESSION_SUBMISSION,
     TLS "AUTH LOGIN\r\n|YWxpY2U=\r\n|c2VjcmV0\r\n|" MAIL,
     "220 250 220 250 334 334 235 250 ",															       ""								  },
    {"login with initial response",         SESSION_SUBMISSION,
     TLS "auth login YWxpY2U=\r\n|c2VjcmV0\r\n|" MAIL,								 "220 250 220 250 334 235 250 ",
     ""																												    },
    {"wrong password",                      SESSION_SUBMISSION, TLS "AUTH PLAIN AGEAYg==\r\n|" MAIL,
     "220 250 220 250 535 530 ",																       ""								  },
    {"cancelled",			   SESSION_SUBMISSION, TLS "AUTH LOGIN\r\n|*\r\n|" MAIL,
     "220 250 220 250 334 501 530 ",																   ""								  },
    {"bad base64",			  SESSION_SUBMISSION, TLS "AUTH PLAIN !\r\n|",                               "220 250 220 250 501 ",
     ""																												    },
    {"unknown mechanism",                   SESSION_SUBMISSION, TLS "AUTH FOO\r\n|AUTH\r\n|",
     "220 250 220 250 504 501 ",																       ""								  },
    {"login twice",			 SESSION_SUBMISSION,
     TLS "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n|AUTH PLAIN\r\n",
     "220 250 220 250 235 503 ",																       ""								  },
    {"login in a transaction",              SESSION_MX,         TLS MAIL "AUTH PLAIN\r\n",
     "220 250 220 250 250 503 ",																       ""								  },
    {"lmtp",				SESSION_LMTP,
     "EHLO c\r\n|LHLO c\r\n|" MAIL "RCPT TO:<x@d>\r\nRCPT TO:<unknown@d>\r\n"
     "RCPT TO:<y@d>\r\nDATA\r\n|m\r\n.\r\n",									   "220 500 250 250 250 550 250 354 250 250 ",     "a@c.example>x@d,y@d:m\r\n\n"                                       },
    {"lmtp without recipients",             SESSION_LMTP,       "LHLO c\r\n|" MAIL "DATA\r\n",
     "220 250 250 503 ",																	       ""								  },
    {"lmtp bare newline",                   SESSION_LMTP,
     "LHLO c\r\n|" MAIL RCPT RCPT "DATA\r\n|m\nn\r\n.\r\n",
     "220 250 250 250 250 354 550 550 ",															       ""								  },
    {"lhlo on mx",			  SESSION_MX,         "LHLO c\r\n|",                                         "220 500 ",                                     ""								  },
    {"xclient",			     SESSION_LOCAL,
     "EHLO c\r\n|XCLIENT LOGIN=alice\r\n|" MAIL "EHLO c\r\n|" MAIL,
     "220 250 220 503 250 250 ",																       ""								  },
    {"xclient from a stranger",             SESSION_MX,         "EHLO c\r\n|XCLIENT LOGIN=a\r\n|",
     "220 250 550 ",																		   ""								  },
    {"order",			       SESSION_MX,
     MAIL RCPT "DATA\r\n|EHLO c\r\n|" RCPT MAIL MAIL "EHLO c\r\n|" RCPT,
     "220 503 503 503 250 503 250 503 250 503 ",														       ""								  },
    {"other commands",                      SESSION_MX,
     "NOOP x\r\nHELP\r\nVRFY a\r\nVRFY\r\nEXPN a\r\nFOO\r\n\r\nRSET\r\nRSET x\r\n",				    "220 250 214 252 501 502 500 500 250 501 ",     ""								  },
    {"hello syntax",			SESSION_MX,
     "EHLO\r\n|EHLO a b\r\n|EHLO a(b\r\n|EHLO [192.0.2.1]\r\n|EHLO my_pc\r\n|",					"220 501 501 501 250 250 ",                     ""								  },
    {"sender syntax",		       SESSION_MX,
     "EHLO c\r\n|MAIL <a@b>\r\nMAIL FROM:a@b\r\nMAIL FROM:<a@b\r\nMAIL FROM:<a>\r\n"
     "MAIL FROM:<a@b>x\r\nMAIL FROM: <a@b>\r\n",								       "220 250 501 501 501 501 501 250 ",             ""								  },
    {"recipient syntax",                    SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<>\r\nRCPT TO:<a b@c>\r\nRCPT TO:<a@>\r\n"
     "RCPT TO:<a@[1.2.3]>\r\nRCPT TO:<a@[192.0.2.1]>\r\n",							     "220 250 250 501 501 501 501 250 ",             ""								  },
    {"parameters of mail",                  SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<a@b> FOO=1\r\nMAIL FROM:<a@b> SIZE=x\r\n"
     "MAIL FROM:<a@b> SIZE=1 SIZE=1\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\n"
     "MAIL FROM:<a@b> SMTPUTF8=1\r\nMAIL FROM:<a@b> SIZE\r\n"
     "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n"
     "MAIL FROM:<a@b> RET=HDRS ENVID=a+20 SIZE=9 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n",				  "220 250 555 501 501 501 501 501 552 250 ",     ""								  },
    {"parameters after helo",               SESSION_MX,         "HELO c\r\n|MAIL FROM:<a@b> SIZE=1\r\n" MAIL,
     "220 250 555 250 ",																	       ""								  },
    {"parameters of rcpt",                  SESSION_MX,
     "EHLO c\r\n|" MAIL "RCPT TO:<a@b> NOTIFY=NEVER,DELAY\r\n"
     "RCPT TO:<a@b> NOTIFY=\r\nRCPT TO:<a@b> ORCPT=x\r\nRCPT TO:<a@b> SIZE=1\r\n"
     "RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+40b\r\n",						    "220 250 250 501 501 501 555 250 ",             ""								  },
    {"utf8 not asked for",                  SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<\xc3\xa4@b>\r\n" MAIL "RCPT TO:<\xc3\xa4@b>\r\n",
     "220 250 553 250 553 ",																	   ""								  },
    {"utf8",				SESSION_MX,
     "EHLO c\r\n|MAIL FROM:<\xc3\xa4@b> SMTPUTF8\r\nRCPT TO:<b@\xc3\xa4.de>\r\n"
     "RCPT TO:<\xc3@b>\r\nDATA\r\n|\xc3\xa4\r\n.\r\n",								 "220 250 250 250 501 354 250 ",                 "\xc3\xa4@b>b@\xc3\xa4.de:\xc3\xa4\r\n\n"                           },
    {"bare newlines in commands",           SESSION_MX,
     "EHLO c\r\n|NOOP\nNOOP\r\nNOOP\rNOOP\r\nNOOP\r\r\nNOOP\r\n",						      "220 250 500 500 500 250 ",                     ""								  },
    {"bad chunk size",                      SESSION_MX,         "EHLO c\r\n|" MAIL RCPT "BDAT x\r\nNOOP\r\n",
     "220 250 250 250 501 ",																	   ""								  },
};

/* Gives the groups of a row, one of them cut in two. */
static void
run(struct script *t, const struct row *row, size_t cut, bool bytes)
{
	struct session_policy policy = script_policy(row->kind);
	struct span in = span_str(row->in);
	size_t at = 0;

	script_init(t, &policy, NULL);
	while (in.n > 0) {
		struct span group = span_cut(&in, '|');

		if (bytes)
			script_feed_bytes(t, group);
		else
			script_feed_cut(t, group, cut >= at ? cut - at : group.n);
		at += group.n + 1;
	}
}

static void
assert_spans_equal(struct span got, const char *want)
{
	if (!span_equal(got, span_str(want)))
		fail_msg("got \"%.*s\", want \"%s\"", SPAN_ARG(got), want);
}

static void
check(struct script *t, const struct row *row)
{
	struct buf codes = buf_make(4096);

	script_codes(buf_span(&t->out), &codes);
	assert_spans_equal(buf_span(&codes), row->codes);
	assert_spans_equal(buf_span(&t->mail), row->mail);
	buf_release(&codes);
}

static void
test_dialogues_same_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= strlen(rows[i].in) + 1; cut++) {
			struct script t;

			run(&t, &rows[i], cut, cut > strlen(rows[i].in));
			check(&t, &rows[i]);
			script_release(&t);
		}
	}
}

/* Input that must not have been sent yet ends the dialogue. */
static const struct rude_row {
	const char *name;
	enum session_kind kind;
	const char *in, *codes;
} rude_rows[] = {
    {"behind ehlo",            SESSION_MX, "EHLO c\r\n" MAIL,                            "220 503 "                },
    {"behind helo",            SESSION_MX, "HELO c\r\n" MAIL,                            "220 503 "                },
    {"behind starttls",        SESSION_MX, "EHLO c\r\n|STARTTLS\r\nEHLO c\r\n",
     "220 250 503 "												},
    {"behind auth",            SESSION_MX, TLS "AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n",
     "220 250 220 250 503 "											},
    {"behind a response",      SESSION_MX,
     TLS "AUTH PLAIN\r\n|AGFsaWNlAHNlY3JldA==\r\nNOOP\r\n",                              "220 250 220 250 334 503 "},
    {"behind data",            SESSION_MX, "EHLO c\r\n|" MAIL RCPT "DATA\r\nx\r\n.\r\n",
     "220 250 250 250 503 "											},
    {"behind quit is ignored", SESSION_MX, "QUIT\r\nNOOP\r\n",                           "220 221 "                },
};

static void
test_forbidden_pipelining_closes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rude_rows); i++) {
		const struct row row = {rude_rows[i].name, rude_rows[i].kind,
					rude_rows[i].in, rude_rows[i].codes, ""};
		struct script t;

		print_message("%s\n", row.name);
		run(&t, &row, SIZE_MAX, false);
		check(&t, &row);
		assert_true(t.closed);
		script_release(&t);
	}
}

static void
test_early_talker_is_refused(void **state)
{
	struct session_policy policy = script_policy(SESSION_MX);
	struct script t;

	(void)state;
	policy.limits.greet_ms = 100;
	script_init(&t, &policy, NULL);
	assert_int_equal(t.out.n, 0);
	script_feed(&t, SPAN("EHLO c\r\n"));
	assert_true(t.closed);
	assert_true(span_starts(buf_span(&t.out), SPAN("554 5.5.1 ")));
	script_release(&t);

	script_init(&t, &policy, NULL);
	assert_int_equal(session_deadline_ms(t.s), t.now_ms + 100);
	session_timeout(t.s, t.now_ms + 99);
	assert_int_equal(session_out(t.s)->n, 0);
	session_timeout(t.s, t.now_ms + 100);
	script_feed(&t, SPAN("QUIT\r\n"));
	assert_true(span_starts(buf_span(&t.out), SPAN("220 mx.example.org ESMTP")));
	script_release(&t);
}

static void
test_ehlo_offers_what_is_there(void **state)
{
	struct session_policy policy = script_policy(SESSION_SUBMISSION);
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	buf_reset(&t.out);
	script_feed(&t, SPAN("EHLO c\r\n"));
	assert_spans_equal(
	    buf_span(&t.out),
	    "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
	    "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
	    "250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	    "250-LIMITS MAILMAX=100 RCPTMAX=1000\r\n250 HELP\r\n");
	script_feed(&t, SPAN("STARTTLS\r\n"));
	buf_reset(&t.out);
	script_feed(&t, SPAN("EHLO c\r\n"));
	assert_spans_equal(
	    buf_span(&t.out),
	    "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
	    "250-AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n"
	    "250-CHUNKING\r\n250-LIMITS MAILMAX=100 RCPTMAX=1000\r\n250 HELP\r\n");
	script_release(&t);
}

static const struct trace_row {
	const char *name;
	enum session_kind kind;
	struct session_peer peer;
	const char *in, *want;
} trace_rows[] = {
    {"plain",
     SESSION_MX,    {.address = SPAN("192.0.2.1"), .name = SPAN("host.example")},
     TO_DATA ".\r\n",
     "Received: from c.example (host.example [192.0.2.1])\r\n"
     "\tby mx.example.org (Postroad) with ESMTP id q7\r\n\tfor <b@example.org>;\r\n"
     "\tSat, 17 Oct 2026 10:34:56 +0000\r\n"},
    {"tls, utf8, no name, two recipients",
     SESSION_MX,    {.address = SPAN("2001:db8::1")},
     TLS "MAIL FROM:<a@c> SMTPUTF8\r\n" RCPT RCPT "DATA\r\n|.\r\n",
     "Received: from c ([IPv6:2001:db8::1])\r\n\t(using TLSv1.3)\r\n"
     "\tby mx.example.org (Postroad) with UTF8SMTPS id q7;\r\n"
     "\tSat, 17 Oct 2026 10:34:56 +0000\r\n"},
    {"helo",
     SESSION_MX,    {.address = SPAN("192.0.2.1"), .name = SPAN("bad(name")},
     "HELO c\r\n|MAIL FROM:<>\r\n" RCPT "DATA\r\n|.\r\n",
     "Received: from c ([192.0.2.1])\r\n"
     "\tby mx.example.org (Postroad) with SMTP id q7\r\n\tfor <b@example.org>;\r\n"
     "\tSat, 17 Oct 2026 10:34:56 +0000\r\n"},
    {"local, logged in",
     SESSION_LOCAL, {.login = SPAN("alice")},
     TO_DATA ".\r\n",
     "Received: from c.example (local)\r\n"
     "\tby mx.example.org (Postroad) with ESMTPA id q7\r\n\tfor <b@example.org>;\r\n"
     "\tSat, 17 Oct 2026 10:34:56 +0000\r\n"},
};

static void
test_received_field_tells_the_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(trace_rows); i++) {
		struct session_policy policy = script_policy(trace_rows[i].kind);
		struct span in = span_str(trace_rows[i].in);
		struct script t;

		print_message("%s\n", trace_rows[i].name);
		script_init(&t, &policy, &trace_rows[i].peer);
		while (in.n > 0)
			script_feed(&t, span_cut(&in, '|'));
		assert_int_equal(t.finished, 1);
		assert_spans_equal(buf_span(&t.trace), trace_rows[i].want);
		script_release(&t);
	}
}

/* Who starts the exchange sees its first message, whichever way it came; only LOGIN is
 * begun by the server. */
static void
test_auth_exchange_starts_with_the_first_message(void **state)
{
	static const struct {
		const char *name, *line;
		enum session_want want;
		bool first, has_text;
		const char *text;
	} steps[] = {
	    {"plain",                 "AUTH PLAIN\r\n",              SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"given up",              "*\r\n",                       SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"scram",                 "AUTH SCRAM-SHA-256\r\n",      SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"its first",             "bg==\r\n",                    SESSION_WANT_AUTH,  true,  true,  "bg=="},
	    {"its second",            "eA==\r\n",                    SESSION_WANT_AUTH,  false, true,  "eA=="},
	    {"its last, empty",       "\r\n",                        SESSION_WANT_AUTH,  false, true,  ""    },
	    {"given up then",         "*\r\n",                       SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"all at once",           "AUTH SCRAM-SHA-256 bg==\r\n", SESSION_WANT_AUTH,  true,
	     true,										     "bg=="},
	    {"and its second",        "eA==\r\n",                    SESSION_WANT_AUTH,  false, true,  "eA=="},
	    {"given up again",        "*\r\n",                       SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"an empty first",        "AUTH PLAIN =\r\n",            SESSION_WANT_AUTH,  true,  true,  ""    },
	    {"given up once more",    "*\r\n",                       SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"plain, an empty first", "AUTH PLAIN\r\n",              SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"which comes now",       "\r\n",                        SESSION_WANT_AUTH,  true,  true,  ""    },
	    {"given up at last",      "*\r\n",                       SESSION_WANT_INPUT, 0,     0,     NULL  },
	    {"login",                 "AUTH LOGIN\r\n",              SESSION_WANT_AUTH,  true,  false, ""    },
	};
	struct session_policy policy = script_policy(SESSION_MX);
	struct session_peer peer = {.address = SPAN("192.0.2.1")};
	struct session *s;
	struct span in = SPAN("EHLO c\r\n");

	(void)state;
	policy.auth_without_tls = true;
	s = session_new(&policy, &peer);
	session_open(s, 0);
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_INPUT);
	for (size_t i = 0; i < N_ELEMS(steps); i++) {
		const struct session_ask *ask = session_ask(s);

		print_message("%s\n", steps[i].name);
		in = span_str(steps[i].line);
		assert_int_equal(session_step(s, &in, 0), steps[i].want);
		if (steps[i].want != SESSION_WANT_AUTH)
			continue;
		assert_int_equal(ask->first, steps[i].first);
		assert_int_equal(ask->has_text, steps[i].has_text);
		assert_true(span_equal(ask->text, span_str(steps[i].text)));
		session_answer_auth(s, SESSION_AUTH_CHALLENGE, SPAN("Yw=="));
		assert_int_equal(session_last_code(s), 334);
	}
	session_free(&s);
}

static void
test_envelope_keeps_what_was_asked_for(void **state)
{
	struct session_policy policy = script_policy(SESSION_MX);
	const struct session_envelope *e;
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	script_feed(&t, SPAN("EHLO c\r\n"));
	script_feed(&t,
		    SPAN("MAIL FROM:<a@b> RET=HDRS ENVID=x+2By SIZE=77 BODY=8BITMIME "
			 "AUTH=e+3Dmc2@example.com\r\nRCPT TO:<c@d> "
			 "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;q\r\n"));
	e = session_envelope(t.s);
	assert_spans_equal(e->sender, "a@b");
	assert_spans_equal(e->envid, "x+2By");
	assert_spans_equal(e->auth, "e=mc2@example.com");
	assert_int_equal(e->size_declared, 77);
	assert_int_equal(e->ret, SMTP_RET_HDRS);
	assert_true(e->eightbit);
	assert_false(e->utf8);
	assert_int_equal(e->n_rcpts, 1);
	assert_spans_equal(e->rcpts[0].orcpt, "rfc822;q");
	assert_int_equal(e->rcpts[0].notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY);
	script_release(&t);
}

static void
test_spool_answers_become_replies(void **state)
{
	static const struct {
		const char *name, *in;
		enum session_message_answer begin, end;
		const char *codes;
	} spool_rows[] = {
	    {"no spool at data",  TO_DATA "NOOP\r\n",                        SESSION_MESSAGE_LATER, 0,
	     "220 250 250 250 451 250 "													     },
	    {"no space at chunk",
	     "EHLO c\r\n|" MAIL RCPT "BDAT 6 LAST\r\nRSET\r\nNOOP\r\n",
	     SESSION_MESSAGE_FULL,								  0,                    "220 250 250 250 452 250 "},
	    {"no space at end",   TO_DATA ".\r\n",                           0,                     SESSION_MESSAGE_FULL,
	     "220 250 250 250 354 452 "													     },
	    {"refused at end",    "EHLO c\r\n|" MAIL RCPT "BDAT 0 LAST\r\n", 0,
	     SESSION_MESSAGE_REFUSED,										     "220 250 250 250 554 "    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(spool_rows); i++) {
		struct session_policy policy = script_policy(SESSION_MX);
		struct span in = span_str(spool_rows[i].in);
		struct buf codes = buf_make(4096);
		struct script t;

		print_message("%s\n", spool_rows[i].name);
		script_init(&t, &policy, NULL);
		t.begin_answer = spool_rows[i].begin;
		t.end_answer = spool_rows[i].end;
		while (in.n > 0)
			script_feed(&t, span_cut(&in, '|'));
		script_codes(buf_span(&t.out), &codes);
		assert_spans_equal(buf_span(&codes), spool_rows[i].codes);
		assert_false(t.open);
		buf_release(&codes);
		script_release(&t);
	}
}

static void
test_spool_lost_in_a_message_is_451_at_its_end(void **state)
{
	struct session_policy policy = script_policy(SESSION_MX);
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	script_feed(&t, SPAN("EHLO c\r\n"));
	script_feed(&t, SPAN(MAIL RCPT "DATA\r\n"));
	script_feed(&t, SPAN("some text\r\n"));
	session_answer_lost(t.s, SESSION_MESSAGE_LATER);
	t.open = false;
	buf_reset(&t.out);
	script_feed(&t, SPAN("more\r\n"));
	assert_int_equal(t.out.n, 0);
	script_feed(&t, SPAN(".\r\nNOOP\r\n"));
	assert_true(span_starts(buf_span(&t.out), SPAN("451 4.3.0 ")));
	assert_int_equal(session_last_code(t.s), 250);
	assert_int_equal(t.finished, 0);
	script_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dialogues_same_at_every_cut),
	    cmocka_unit_test(test_forbidden_pipelining_closes),
	    cmocka_unit_test(test_early_talker_is_refused),
	    cmocka_unit_test(test_ehlo_offers_what_is_there),
	    cmocka_unit_test(test_received_field_tells_the_way),
	    cmocka_unit_test(test_auth_exchange_starts_with_the_first_message),
	    cmocka_unit_test(test_envelope_keeps_what_was_asked_for),
	    cmocka_unit_test(test_spool_answers_become_replies),
	    cmocka_unit_test(test_spool_lost_in_a_message_is_451_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
