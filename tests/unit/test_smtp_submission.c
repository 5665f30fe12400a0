/* tests/unit/test_smtp_submission.c - what becomes of a message that a user submits
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

#define HELLO   "EHLO c\r\n|MAIL FROM:<a@c>\r\nRCPT TO:<b@d>\r\n"
#define TO_DATA HELLO "DATA\r\n|"
#define DATE    "Date: Sat, 17 Oct 2026 10:34:56 +0000\r\n"
#define ID      "Message-ID: <1792233296.q7@mx.example.org>\r\n"
#define ADDED   DATE ID

static const struct row {
	const char *name, *in, *body;
} rows[] = {
    {"DATA",			 TO_DATA "To: x\r\nBcc: y,\r\n z\r\n\r\nbody\r\n.\r\n",
     "To: x\r\n" ADDED "\r\nbody\r\n"									      },
    {"complete",		     TO_DATA "Date: x\r\nMessage-ID: <y>\r\n\r\n..\r\n.\r\n",
     "Date: x\r\nMessage-ID: <y>\r\n\r\n.\r\n"								     },
    {"empty",			TO_DATA ".\r\n",					 ADDED                },
    {"a header alone",               TO_DATA "Bcc: y\r\nTo: x\r\n.\r\n",                      "To: x\r\n" ADDED    },
    {"a bare newline",               TO_DATA "To: x\nBcc: y\n\nb\n.\r\n.\r\n",
     "To: x\r\n" ADDED "\r\nb\r\n.\r\n"									    },
    {"BDAT",			 HELLO "BDAT 14 LAST\r\nBcc: y\r\n\r\nb\n\r\n",           ADDED "\r\nb\r\n\r\n"},
    {"BDAT in chunks",
     HELLO "BDAT 4\r\nBcc:|BDAT 6\r\n y\r\n z|BDAT 2\r\n\r\n|BDAT 0 LAST\r\n",                ADDED                },
    {"BDAT without a last line end", HELLO "BDAT 7\r\nTo: x\r\n|BDAT 4 LAST\r\nCc:y",
     "To: x\r\nCc:y\r\n" ADDED										     },
    {"BDAT cut in a line end",       HELLO "BDAT 6\r\nTo: x\r|BDAT 4 LAST\r\n\n\r\nb",
     "To: x\r\n" ADDED "\r\nb\r\n"										 },
};

static void
feed(struct script *t, const char *text, size_t cut)
{
	struct span in = span_str(text);
	size_t at = 0;

	while (in.n > 0) {
		struct span group = span_cut(&in, '|');

		script_feed_cut(t, group, cut >= at ? cut - at : group.n);
		at += group.n + 1;
	}
}

static struct session_policy
policy_that_mends(void)
{
	struct session_policy policy = script_policy(SESSION_LOCAL);

	policy.mend = true;
	return policy;
}

static void
test_submission_mends_the_same_at_every_cut(void **state)
{
	struct session_policy policy = policy_that_mends();

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= strlen(rows[i].in); cut++) {
			struct script t;

			script_init(&t, &policy, NULL);
			feed(&t, rows[i].in, cut);
			assert_int_equal(t.finished, 1);
			buf_put_char(&t.body, '\0');
			assert_string_equal(t.body.at, rows[i].body);
			script_release(&t);
		}
	}
}

static void
test_submission_two_messages_in_one_session(void **state)
{
	struct session_policy policy = policy_that_mends();
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	feed(&t, TO_DATA "Bcc: y\r\n\r\n1\r\n.\r\n", SIZE_MAX);
	assert_true(span_equal(buf_span(&t.body), SPAN(ADDED "\r\n1\r\n")));
	feed(&t, TO_DATA "Date: x\r\n\r\n2\r\n.\r\n", SIZE_MAX);
	assert_true(span_equal(buf_span(&t.body), SPAN("Date: x\r\n" ID "\r\n2\r\n")));
	script_release(&t);
}

static void
test_submission_other_listeners_change_nothing(void **state)
{
	struct session_policy policy = script_policy(SESSION_MX);
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	feed(&t, TO_DATA "Bcc: y\r\n\r\nx\r\n.\r\n", SIZE_MAX);
	assert_true(span_equal(buf_span(&t.body), SPAN("Bcc: y\r\n\r\nx\r\n")));
	script_release(&t);
}

/* What is added is not the client's, and what is left out was. */
static void
test_submission_size_limit_counts_what_came(void **state)
{
	static const char text[] = "Bcc: y\r\n\r\nbody\r\n";
	struct session_policy policy = policy_that_mends();

	(void)state;
	for (size_t less = 0; less < 2; less++) {
		struct script t;

		policy.limits.message_bytes_max = strlen(text) - less;
		script_init(&t, &policy, NULL);
		feed(&t, TO_DATA, SIZE_MAX);
		script_feed(&t, span_str(text));
		script_feed(&t, SPAN(".\r\n"));
		assert_int_equal(t.finished, 1 - less);
		assert_int_equal(t.aborted, less);
		script_release(&t);
	}
}

/* A header larger than what is mended at once, given in one piece. */
static void
test_submission_large_header_in_one_piece(void **state)
{
	struct session_policy policy = policy_that_mends();
	struct buf text = buf_make(1 << 22), want = buf_make(1 << 22);
	struct script t;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		for (int k = 0; k < 9; k++)
			buf_putf(&text, "X-%d: %090d\r\n", k, i);
		buf_put(&want, span_after(buf_span(&text), text.n - 9 * 97));
		buf_putf(&text, "Bcc: %0300d\r\n\tmore\r\n", i);
	}
	buf_put_str(&text, "\r\nbody\r\n");
	buf_put_str(&want, ADDED "\r\nbody\r\n");
	policy.limits.header_fields_max = 20000;
	script_init(&t, &policy, NULL);
	feed(&t, TO_DATA, SIZE_MAX);
	buf_put_str(&text, ".\r\n");
	script_feed(&t, buf_span(&text));
	assert_int_equal(t.finished, 1);
	assert_true(span_equal(buf_span(&t.body), buf_span(&want)));
	script_release(&t);
	buf_release(&text);
	buf_release(&want);
}

static void
test_submission_message_id_added_is_known(void **state)
{
	struct session_policy policy = policy_that_mends();
	struct script t;

	(void)state;
	script_init(&t, &policy, NULL);
	feed(&t, TO_DATA "To: x\r\n\r\nx\r\n", SIZE_MAX);
	assert_true(
	    span_equal(session_message_id(t.s), SPAN("1792233296.q7@mx.example.org")));
	script_release(&t);
}

/* [RFC6409 8] the Received field need not tell where a user is. */
static void
test_submission_client_can_be_hidden(void **state)
{
	static const char want[] =
	    "Received: (using TLSv1.3)\r\n\tby mx.example.org (Postroad) with ESMTPS "
	    "id q7\r\n\tfor <b@d>;\r\n\tSat, 17 Oct 2026 10:34:56 +0000\r\n";
	struct session_policy policy = policy_that_mends();
	struct session_peer peer = {.address = SPAN("192.0.2.1"),
				    .name = SPAN("home.example"),
				    .tls = true,
				    .tls_text = SPAN("TLSv1.3")};
	struct script t;

	(void)state;
	policy.hide_client = true;
	script_init(&t, &policy, &peer);
	feed(&t, TO_DATA "x\r\n.\r\n", SIZE_MAX);
	buf_put_char(&t.trace, '\0');
	assert_string_equal(t.trace.at, want);
	script_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_submission_mends_the_same_at_every_cut),
	    cmocka_unit_test(test_submission_two_messages_in_one_session),
	    cmocka_unit_test(test_submission_other_listeners_change_nothing),
	    cmocka_unit_test(test_submission_size_limit_counts_what_came),
	    cmocka_unit_test(test_submission_large_header_in_one_piece),
	    cmocka_unit_test(test_submission_message_id_added_is_known),
	    cmocka_unit_test(test_submission_client_can_be_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
