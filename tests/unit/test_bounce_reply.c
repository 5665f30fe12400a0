/* tests/unit/test_bounce_reply.c - answers of accounts and notices of the real bounce
 */
#include "tests/unit/bounce_house.h"

#define TO_ME "To: me@example.net\r\n"

static void
reply_send(struct house *house, struct span sender, uint32_t segment, size_t bytes)
{
	const struct ipc_reply m = {.job = 42,
				    .id = 4711,
				    .segment = segment,
				    .content_bytes = bytes,
				    .account = 4,
				    .sender = sender,
				    .recipient = SPAN("me@example.net"),
				    .original = SPAN("alias@example.net")};

	ipc_send_reply(house->qmgr, &m);
}

static const struct row {
	const char *name, *sender, *mail;
	enum resolve_outcome at_sender;
	enum reply_outcome reply;
	enum spool_outcome spool;
	enum report_outcome want;
	size_t n_asks, n_letters;
	const char *text;
} rows[] = {
    {"due",			 "a@b.example", TO_ME MAIL,                        RESOLVE_OK,      REPLY_SEND,  SPOOL_STORED,
     REPORT_MADE,																  1, 1, ""					    },
    {"not due",		     "a@b.example", "Precedence: bulk\r\n" TO_ME MAIL, RESOLVE_OK,
     REPLY_SEND,												    SPOOL_STORED,   REPORT_NOBODY, 0, 0, "bulk"                                        },
    {"does not name me",            "a@b.example", MAIL,                              RESOLVE_OK,      REPLY_SEND,  SPOOL_STORED,
     REPORT_NOBODY,																0, 0, "does not name the account"                   },
    {"sent to an alias",            "a@b.example", "Cc: alias@example.net\r\n" MAIL,  RESOLVE_OK,
     REPLY_SEND,												    SPOOL_STORED,   REPORT_MADE,   1, 1, ""                                            },
    {"not twice",		   "a@b.example", TO_ME MAIL,                        RESOLVE_OK,      REPLY_NOT,   SPOOL_STORED,
     REPORT_NOBODY,																1, 0, "none is set up, or the sender had one lately"},
    {"null sender",                 "",            TO_ME MAIL,                        RESOLVE_OK,      REPLY_SEND,  SPOOL_STORED,   REPORT_NOBODY,
     0,																	       0, "null sender"				 },
    {"unknown sender",              "a@b.example", TO_ME MAIL,                        RESOLVE_UNKNOWN, REPLY_SEND,
     SPOOL_STORED,														  REPORT_NOBODY, 0, 0, "the sender takes no mail"                    },
    {"directory without an answer", "a@b.example", TO_ME MAIL,                        RESOLVE_LATER,
     REPLY_SEND,												    SPOOL_STORED,   REPORT_LATER,  0, 0, "the directory does not answer"               },
    {"directory without a note",    "a@b.example", TO_ME MAIL,                        RESOLVE_OK,      REPLY_LATER,
     SPOOL_STORED,														  REPORT_LATER,  1, 0, "the directory does not answer"               },
    {"no space",		    "a@b.example", TO_ME MAIL,                        RESOLVE_OK,      REPLY_SEND,  SPOOL_NO_SPACE,
     REPORT_LATER,																 1, 1, "no space for the report"                     },
};

static void
test_answer_is_made_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct row *row = &rows[i];
		struct house house;

		bounce_house_open(&house, "", span_str(row->mail));
		house.sender = row->at_sender;
		house.reply = row->reply;
		house.reply_text = "I am away.";
		house.outcomes[0] = row->spool;
		print_message("%s\n", row->name);
		reply_send(&house, span_str(row->sender), SEGMENT, strlen(row->mail));
		bounce_reported_wait(&house);
		assert_int_equal(house.reported.outcome, row->want);
		assert_string_equal(house.text, row->text);
		assert_int_equal(house.n_reply_asks, row->n_asks);
		assert_int_equal(house.n_letters, row->n_letters);
		bounce_house_close(&house);
	}
}

static void
test_answer_goes_to_the_sender_from_the_account(void **state)
{
	static const char mail[] = TO_ME MAIL;
	struct envelope_recipient r;
	struct house house;
	struct span content;

	(void)state;
	bounce_house_open(&house, "", span_str(mail));
	house.reply_subject = "Away: $subject";
	house.reply_text = "I am away.";
	reply_send(&house, SPAN("a@b.example"), SEGMENT, strlen(mail));
	bounce_reported_wait(&house);
	bounce_letter(&house.letters[0], &r, &content);
	assert_true(span_equal(r.address, SPAN("a@b.example")));
	assert_int_equal(r.notify, ENVELOPE_NOTIFY_NEVER);
	assert_true(has(content, "\r\nFrom: \"Me\"\r\n <me@example.net>\r\n"));
	assert_true(has(content, "\r\nTo: <a@b.example>\r\n"));
	assert_true(has(content, "\r\nSubject: Away: hello\r\n"));
	assert_true(has(content, "\r\nIn-Reply-To: <1@example.com>\r\n"));
	assert_true(has(content, "\r\nAuto-Submitted: auto-replied\r\n"));
	assert_true(has(content, "\r\n\r\nI am away.\r\n"));
	bounce_house_close(&house);
}

static void
test_answer_without_neighbours_is_for_later(void **state)
{
	static const char mail[] = TO_ME MAIL;
	struct house house;

	(void)state;
	bounce_house_open(&house, "", span_str(mail));
	reply_send(&house, SPAN("a@b.example"), SEGMENT + 1, strlen(mail));
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);

	ipc_peer_free(&house.spoold);
	reply_send(&house, SPAN("a@b.example"), SEGMENT, strlen(mail));
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_int_equal(house.n_reply_asks, 0);

	house.authd_silent = true;
	reply_send(&house, SPAN("a@b.example"), SEGMENT, strlen(mail));
	ipc_flush_all();
	ipc_peer_free(&house.authd);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	bounce_house_close(&house);
}

/* --- notices --------------------------------------------------------------- */

static void
notice_send(struct house *house, enum notice_kind kind, uint64_t account,
	    const char *address, const char *name)
{
	const struct ipc_notice m = {.tag = 99,
				     .kind = (uint8_t)kind,
				     .account = account,
				     .percent = 95,
				     .used_bytes = 973 * 1024 + 512 * 1024,
				     .limit_bytes = (uint64_t)1536 * 1024,
				     .address = span_str(address),
				     .name = span_str(name)};

	ipc_send_notice(house->authd, &m);
}

static bool
was_noticed(void *context)
{
	return ((const struct house *)context)->n_noticed > 0;
}

/* Where an account's mailbox is is not asked: it would be called full. */
static void
test_notice_of_a_quota_goes_into_the_mailbox(void **state)
{
	struct envelope_recipient r;
	struct house house;
	struct span content;
	struct cursor c;
	struct target t;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	house.sender = RESOLVE_FULL;
	notice_send(&house, NOTICE_QUOTA, 9, "me@example.net", "me@example.net");
	hosted_until(&house.h, was_noticed, &house);
	assert_int_equal(house.noticed.tag, 99);
	assert_int_equal(house.noticed.ok, 1);
	assert_int_equal(house.n_resolves, 0);
	assert_int_equal(house.n_letters, 1);
	bounce_letter(&house.letters[0], &r, &content);
	c = cursor_make(r.targets);
	assert_true(target_next(&c, &t));
	assert_int_equal(t.account, 9);
	assert_true(has(content, "\r\nSubject: Your mailbox is 95% full\r\n"));
	assert_true(has(content, "\r\nTo: me@example.net\r\n"));
	assert_true(has(content, "holds 1.4 MB of the 1.5 MB that"));
	assert_true(has(content, "\r\nAuto-Submitted: auto-generated\r\n"));
	assert_true(has(content, "\r\nContent-Type: text/plain"));
	bounce_house_close(&house);
}

static void
test_notice_of_a_domain_goes_to_its_administrator(void **state)
{
	struct envelope_recipient r;
	struct house house;
	struct span content;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	notice_send(&house, NOTICE_DOMAIN_QUOTA, 0, "boss@example.net", "example.net");
	hosted_until(&house.h, was_noticed, &house);
	assert_int_equal(house.noticed.ok, 1);
	assert_int_equal(house.n_resolves, 1);
	bounce_letter(&house.letters[0], &r, &content);
	assert_true(span_equal(r.address, SPAN("boss@example.net")));
	assert_true(has(content, "The mailboxes of example.net are 95% full"));
	bounce_house_close(&house);
}

/* qmgr's going has nothing to do with it; spoold's has. */
static void
test_notice_is_asked_for_again_when_it_cannot_be(void **state)
{
	struct house house;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	ipc_peer_free(&house.qmgr);
	house.outcomes[0] = SPOOL_NO_SPACE;
	notice_send(&house, NOTICE_QUOTA, 9, "me@example.net", "me@example.net");
	hosted_until(&house.h, was_noticed, &house);
	assert_int_equal(house.noticed.ok, 0);
	bounce_house_close(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answer_is_made_or_not),
	    cmocka_unit_test(test_answer_goes_to_the_sender_from_the_account),
	    cmocka_unit_test(test_answer_without_neighbours_is_for_later),
	    cmocka_unit_test(test_notice_of_a_quota_goes_into_the_mailbox),
	    cmocka_unit_test(test_notice_of_a_domain_goes_to_its_administrator),
	    cmocka_unit_test(test_notice_is_asked_for_again_when_it_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
