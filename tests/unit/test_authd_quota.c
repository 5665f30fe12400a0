/* tests/unit/test_authd_quota.c - domains that are full, notices, automatic replies */
#include "tests/unit/authd_fixture.h"

static void
set(enum directory_kind kind, const char *name, size_t field, uint64_t number)
{
	struct directory_object object = {.kind = kind, .name = span_str(name)};
	struct err err;

	directory_put_number(&object, field, number);
	assert_int_equal(directory_set(fix.authd->directory, &object, &err),
			 DIRECTORY_DONE);
}

static void
set_text(enum directory_kind kind, const char *name, size_t field, const char *text)
{
	struct directory_object object = {.kind = kind, .name = span_str(name)};
	struct err err;

	directory_put_text(&object, field, span_str(text));
	assert_int_equal(directory_set(fix.authd->directory, &object, &err),
			 DIRECTORY_DONE);
}

static void
resolve(const char *address, uint64_t size)
{
	ASK(SMTPD, resolve, .tag = 5, .size = size, .address = span_str(address));
}

static void
expect(enum resolve_outcome outcome)
{
	assert_int_equal(fix.sides[SMTPD].n, 1);
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_resolved);
	assert_int_equal(fix.sides[SMTPD].last.resolved.outcome, outcome);
}

static void
tell(uint64_t account, uint64_t bytes)
{
	ASK(LOCAL, usage, .account = account, .bytes = bytes);
}

/* ---- domains */

static void
test_domain_is_full_when_its_accounts_are_together(void **state)
{
	(void)state;
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 1000);
	fix.sides[LOCAL].n = 0;
	memset(fix.sides[LOCAL].of, 0, sizeof(fix.sides[LOCAL].of));
	resolve("you@example.org", 100);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	assert_int_equal(fix.sides[LOCAL].of[IPC_NUMBER_usage_ask], 3);
	tell(fix.you, 300);
	tell(fix.off, 300);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	tell(fix.big, 300);
	expect(RESOLVE_OK);
	resolve("you@example.org", 101);
	expect(RESOLVE_FULL);
	/* Whoever it is that has less now. */
	tell(fix.off, 200);
	resolve("you@example.org", 200);
	expect(RESOLVE_OK);
	resolve("you@example.org", 201);
	expect(RESOLVE_FULL);
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 0);
	resolve("you@example.org", 201);
	expect(RESOLVE_OK);
}

static void
test_domain_that_cannot_be_counted_is_a_later(void **state)
{
	(void)state;
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 1000);
	resolve("you@example.org", 100);
	tell(fix.you, 1);
	pass(3000);
	assert_int_equal(fix.sides[SMTPD].last.resolved.outcome, RESOLVE_LATER);
	tell(fix.off, 1);
	tell(fix.big, 1);
	resolve("you@example.org", 100);
	expect(RESOLVE_OK);
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 0);
}

static void
test_message_may_be_too_big_for_the_mailbox(void **state)
{
	(void)state;
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_MESSAGE_BYTES_MAX, 500);
	resolve("you@example.org", 500);
	expect(RESOLVE_OK);
	resolve("you@example.org", 501);
	expect(RESOLVE_TOO_BIG);
	set(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_MESSAGE_BYTES_MAX, 600);
	resolve("you@example.org", 600);
	expect(RESOLVE_OK);
	set(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_MESSAGE_BYTES_MAX, 0);
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_MESSAGE_BYTES_MAX, 0);
}

static void
ask_use(uint64_t account)
{
	ASK(IMAPD, domain_use_ask, .tag = 8, .account = account);
}

static void
expect_use(uint8_t known, uint64_t bytes)
{
	const struct ipc_domain_use *m = &fix.sides[IMAPD].last.domain_use;

	assert_int_equal(fix.sides[IMAPD].of[IPC_NUMBER_domain_use], 1);
	assert_int_equal(m->tag, 8);
	assert_int_equal(m->known, known);
	assert_int_equal(m->bytes, bytes);
}

static void
test_imapd_hears_what_a_domain_holds(void **state)
{
	(void)state;
	ask_use(fix.you);
	assert_int_equal(fix.sides[IMAPD].n, 0); /* it is being counted */
	tell(fix.you, 300);
	tell(fix.off, 20);
	assert_int_equal(fix.sides[IMAPD].n, 0);
	tell(fix.big, 1);
	expect_use(1, 321);
	/* From now on at once, and as of the last change. */
	tell(fix.you, 400);
	ask_use(fix.big);
	expect_use(1, 421);
	ask_use(99999);
	expect_use(0, 0);
}

static void
test_imapd_hears_that_nobody_can_say(void **state)
{
	(void)state;
	ask_use(fix.you);
	pass(2999);
	domain_uses_tick(fix.authd, fix.now_ms);
	settle();
	assert_int_equal(fix.sides[IMAPD].n, 0);
	fix.now_ms++;
	domain_uses_tick(fix.authd, fix.now_ms);
	settle();
	expect_use(0, 0);
	set_database(DOWN);
	ask_use(fix.you);
	set_database(NEAR);
	expect_use(0, 0);
	/* Who has gone is told nothing. */
	ask_use(fix.you);
	assert_int_equal(fix.authd->n_domain_uses, 1);
	cut_side(IMAPD);
	assert_int_equal(fix.authd->n_domain_uses, 0);
}

static void
test_imapd_hears_of_another_quota_of_a_domain(void **state)
{
	struct directory_request change = {
	    .verb = DIRECTORY_UPDATE,
	    .object = {.kind = DIRECTORY_DOMAIN, .name = SPAN("example.org")}
        };
	const struct ipc_domain_quota *m = &fix.sides[IMAPD].last.domain_quota;
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	uint8_t ticket[TICKET_BYTES];

	(void)state;
	fix.sides[IMAPD].of[IPC_NUMBER_domain_quota] = 0;
	directory_put_number(&change.object, FIELD_DOMAIN_QUOTA_BYTES, 5000);
	directory_request_put(&change, &bytes);
	ASK(ADMIN, directory_ask, .tag = 3, .request = buf_span(&bytes));
	buf_release(&bytes);
	assert_int_equal(fix.sides[IMAPD].of[IPC_NUMBER_domain_quota], 1);
	assert_int_equal(m->quota_bytes, 5000);
	assert_true(ticket_make(fix.authd, fix.you, AUTH_SERVICE_IMAP, ticket));
	ASK(IMAPD, ticket_redeem, .tag = 1, .service = AUTH_SERVICE_IMAP,
	    .ticket = span_make(ticket, sizeof(ticket)));
	assert_int_equal(fix.sides[IMAPD].last.ticket_redeemed.domain_quota_bytes,
			 5000);
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 0);
}

/* ---- notices */

/* How many letters bounce is asked for when so much is used; the last is in
 * fix.sides[BOUNCE].last. */
static size_t
letters(uint64_t used)
{
	struct far *bounce = &fix.sides[BOUNCE];

	bounce->of[IPC_NUMBER_notice] = 0;
	tell(fix.big, used);
	return bounce->of[IPC_NUMBER_notice];
}

static void
answer(uint8_t ok)
{
	const struct ipc_notice *m = &fix.sides[BOUNCE].last.notice;

	ASK(BOUNCE, noticed, .tag = m->tag, .ok = ok);
}

static void
test_owner_is_told_once_at_each_share(void **state)
{
	static const struct {
		uint64_t used, letters;
		uint8_t percent;
	} rows[] = {
	    {799,  0, 0 },
            {800,  1, 80},
            {801,  0, 0 },
            {949,  0, 0 },
            {950,  1, 95},
	    {999,  0, 0 },
            {2000, 0, 0 },
            {850,  0, 0 },
            {960,  1, 95},
            {100,  0, 0 },
	    {790,  0, 0 },
            {800,  1, 80},
            {0,    0, 0 },
            {990,  1, 95},
            {0,    0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct ipc_notice *m = &fix.sides[BOUNCE].last.notice;

		print_message("%llu\n", (unsigned long long)rows[i].used);
		assert_int_equal(letters(rows[i].used), rows[i].letters);
		if (!rows[i].letters)
			continue;
		assert_int_equal(m->kind, NOTICE_QUOTA);
		assert_int_equal(m->percent, rows[i].percent);
		assert_int_equal(m->used_bytes, rows[i].used);
		assert_int_equal(m->limit_bytes, 1000);
		assert_true(span_equal(m->address, SPAN("big@example.org")));
		answer(1);
	}
}

static void
test_what_was_told_is_known_to_the_next_life(void **state)
{
	(void)state;
	assert_int_equal(letters(800), 1);
	answer(1);
	assert_int_equal(authd_teardown(state), 0);
	assert_int_equal(authd_setup(state), 0);
	assert_int_equal(letters(810), 0);
	assert_int_equal(letters(950), 1);
	answer(1);
	assert_int_equal(letters(0), 0);
}

static void
test_letter_that_was_not_written_is_asked_for_again(void **state)
{
	(void)state;
	assert_int_equal(letters(800), 1);
	answer(0);
	assert_int_equal(letters(801), 1);
	cut_side(BOUNCE);
	tell(fix.big, 802);
	assert_int_equal(authd_teardown(state), 0);
	assert_int_equal(authd_setup(state), 0);
	assert_int_equal(letters(803), 1);
	answer(1);
	assert_int_equal(letters(0), 0);
}

static void
test_nobody_is_told_when_that_is_switched_off(void **state)
{
	(void)state;
	fix.proc.settings.quota_warning_percent = 0;
	assert_int_equal(letters(900), 0);
	assert_int_equal(letters(950), 1);
	answer(1);
	assert_int_equal(letters(0), 0);
	fix.proc.settings.quota_warning_last_percent = 0;
	assert_int_equal(letters(1000), 0);
}

static void
test_domain_tells_its_administrators_or_postmaster(void **state)
{
	const struct ipc_notice *m = &fix.sides[BOUNCE].last.notice;

	(void)state;
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 1000);
	resolve("you@example.org", 1);
	tell(fix.you, 0);
	tell(fix.off, 0);
	tell(fix.big, 0);
	fix.sides[BOUNCE].of[IPC_NUMBER_notice] = 0;
	tell(fix.you, 800);
	assert_int_equal(fix.sides[BOUNCE].of[IPC_NUMBER_notice], 1);
	assert_int_equal(m->kind, NOTICE_DOMAIN_QUOTA);
	assert_int_equal(m->percent, 80);
	assert_true(span_equal(m->address, SPAN("postmaster@example.org")));
	answer(1);
	fix.sides[BOUNCE].of[IPC_NUMBER_notice] = 0;
	tell(fix.you, 0);
	tell(fix.you, 700);
	assert_int_equal(fix.sides[BOUNCE].of[IPC_NUMBER_notice], 0);
	tell(fix.you, 0);
	set(DIRECTORY_DOMAIN, "example.org", FIELD_DOMAIN_QUOTA_BYTES, 0);
}

/* ---- automatic replies */

static enum reply_outcome
reply(const char *sender)
{
	ASK(BOUNCE, reply_ask, .tag = 9, .account = fix.you,
	    .sender = span_str(sender));
	assert_int_equal(fix.sides[BOUNCE].last.number, IPC_NUMBER_reply_answer);
	assert_int_equal(fix.sides[BOUNCE].last.reply_answer.tag, 9);
	return (enum reply_outcome)fix.sides[BOUNCE].last.reply_answer.outcome;
}

static void
test_sender_is_told_once_in_an_interval(void **state)
{
	const struct ipc_reply_answer *m = &fix.sides[BOUNCE].last.reply_answer;

	(void)state;
	assert_int_equal(reply("a@b.example"), REPLY_NOT);
	set_text(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_REPLY_TEXT,
		 "Away");
	set(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_REPLY_INTERVAL_S, 3600);
	set(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_REPLY_ENABLED, 1);
	assert_int_equal(reply("a@b.example"), REPLY_SEND);
	assert_true(span_equal(m->text, SPAN("Away")));
	assert_int_equal(reply("A@B.example"), REPLY_NOT);
	assert_int_equal(reply("c@b.example"), REPLY_SEND);
	fix.later_s = 3599;
	assert_int_equal(reply("a@b.example"), REPLY_NOT);
	assert_int_equal(authd_teardown(state), 0);
	assert_int_equal(authd_setup(state), 0);
	fix.later_s = 3599;
	assert_int_equal(reply("a@b.example"), REPLY_NOT);
	fix.later_s = 3600;
	assert_int_equal(reply("a@b.example"), REPLY_SEND);
	set(DIRECTORY_ACCOUNT, "you@example.org", FIELD_ACCOUNT_REPLY_ENABLED, 0);
	assert_int_equal(reply("d@b.example"), REPLY_NOT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_domain_is_full_when_its_accounts_are_together),
	    WITH(test_domain_that_cannot_be_counted_is_a_later),
	    WITH(test_message_may_be_too_big_for_the_mailbox),
	    WITH(test_imapd_hears_what_a_domain_holds),
	    WITH(test_imapd_hears_that_nobody_can_say),
	    WITH(test_imapd_hears_of_another_quota_of_a_domain),
	    WITH(test_owner_is_told_once_at_each_share),
	    WITH(test_what_was_told_is_known_to_the_next_life),
	    WITH(test_letter_that_was_not_written_is_asked_for_again),
	    WITH(test_nobody_is_told_when_that_is_switched_off),
	    WITH(test_domain_tells_its_administrators_or_postmaster),
	    WITH(test_sender_is_told_once_in_an_interval),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
