/* tests/unit/test_authd_waits.c - a directory that answers later, and one that does not
 */
#include "tests/unit/authd_fixture.h"

#include "common/spool/spool.h"

static const uint8_t client[16] = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 7};

#define GOOD SPAN("\0you@example.org\0secret")

static void
ask_resolve(const char *address)
{
	ASK(SMTPD, resolve, .tag = 5, .address = span_str(address));
}

static void
ask_sender(void)
{
	ASK(SMTPD, sender_check, .tag = 6, .account = fix.you,
	    .address = SPAN("you@example.org"));
}

static void
ask_login(void)
{
	ASK(SMTPD, auth_start, .tag = 7, .service = AUTH_SERVICE_SMTP, .tls = 1,
	    .has_initial = 1, .client = span_make(client, 16),
	    .mechanism = SPAN("PLAIN"), .initial = GOOD);
}

static void
ask_list(void)
{
	struct directory_request list = {.verb = DIRECTORY_LISTING,
					 .object = {.kind = DIRECTORY_ACCOUNT}};
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);

	directory_request_put(&list, &bytes);
	ASK(ADMIN, directory_ask, .tag = 3, .request = buf_span(&bytes));
	buf_release(&bytes);
}

static void
make_ticket(uint8_t ticket[TICKET_BYTES])
{
	assert_true(ticket_make(fix.authd, fix.you, AUTH_SERVICE_POP3, ticket));
}

static void
ask_ticket(void)
{
	uint8_t ticket[TICKET_BYTES];

	make_ticket(ticket);
	ASK(POP3D, ticket_redeem, .tag = 1, .service = AUTH_SERVICE_POP3,
	    .ticket = span_make(ticket, sizeof(ticket)));
}

static void
test_answers_come_when_the_directory_has_answered(void **state)
{
	const struct ipc_message *last;

	(void)state;
	set_database(SLOW);
	ask_resolve("you@example.org");
	assert_int_equal(fix.sides[SMTPD].n, 0);
	run_tasks();
	last = &fix.sides[SMTPD].last;
	assert_int_equal(last->resolved.outcome, RESOLVE_OK);
	ask_sender();
	assert_int_equal(fix.sides[SMTPD].n, 0);
	run_tasks();
	assert_int_equal(last->sender_checked.outcome, SENDER_OK);
	ask_ticket();
	assert_int_equal(fix.sides[POP3D].n, 0);
	run_tasks();
	assert_int_equal(fix.sides[POP3D].last.ticket_redeemed.account, fix.you);
	ask_list();
	assert_int_equal(fix.sides[ADMIN].n, 0);
	run_tasks();
	assert_int_equal(fix.sides[ADMIN].rows,
			 3); /* once, though the work ran twice */
	ask_login();
	assert_int_equal(fix.proc.n_jobs, 0);
	run_tasks();
	assert_int_equal(fix.proc.n_jobs, 1);
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(last->auth_done.outcome, AUTH_OK);
}

static void
test_who_goes_away_leaves_nothing_behind(void **state)
{
	(void)state;
	set_database(SLOW);
	ask_resolve("you@example.org");
	ask_sender();
	ask_login();
	assert_int_equal(fix.authd->n_errands, 3);
	assert_int_equal(fix.n_tasks, 3);
	ASK(SMTPD, auth_cancel, .tag = 7);
	assert_int_equal(fix.n_tasks, 2);
	cut_side(SMTPD);
	assert_int_equal(fix.n_tasks, 0);
	assert_int_equal(fix.authd->n_exchanges, 0);
	ask_list();
	assert_int_equal(fix.n_tasks, 1);
	cut_side(ADMIN);
	assert_int_equal(fix.n_tasks, 0);
}

static void
test_only_so_many_wait(void **state)
{
	struct ipc_resolve m = {.tag = 5, .address = SPAN("you@example.org")};
	struct far *smtpd = &fix.sides[SMTPD];

	(void)state;
	set_database(SLOW);
	smtpd->n = 0;
	for (size_t i = 0; i < ERRANDS_MAX; i++) {
		ipc_send_resolve(smtpd->theirs, &m);
		if (i % 1000 == 0)
			settle();
	}
	settle();
	assert_int_equal(fix.authd->n_errands, ERRANDS_MAX);
	assert_int_equal(smtpd->n, 0);
	ask_resolve("you@example.org");
	assert_int_equal(smtpd->last.resolved.outcome, RESOLVE_LATER);
	ask_sender();
	assert_int_equal(smtpd->last.sender_checked.outcome, SENDER_LATER);
	ask_login();
	assert_int_equal(smtpd->last.auth_done.outcome, AUTH_LATER);
	ask_ticket();
	assert_int_equal(fix.sides[POP3D].last.ticket_redeemed.ok, 0);
	cut_side(SMTPD);
	assert_int_equal(fix.authd->n_errands, 0);
}

static void
test_a_directory_that_is_down_is_a_later_for_everybody(void **state)
{
	const struct ipc_message *last = &fix.sides[SMTPD].last;

	(void)state;
	/* The password was right a moment ago. */
	ask_login();
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(last->auth_done.outcome, AUTH_OK);
	set_database(DOWN);
	ask_resolve("you@example.org");
	assert_int_equal(last->resolved.outcome, RESOLVE_LATER);
	ask_resolve("nobody@example.org");
	assert_int_equal(last->resolved.outcome, RESOLVE_LATER);
	ask_sender();
	assert_int_equal(last->sender_checked.outcome, SENDER_LATER);
	ask_login();
	assert_int_equal(last->auth_done.outcome, AUTH_LATER);
	ask_ticket();
	assert_int_equal(fix.sides[POP3D].last.ticket_redeemed.ok, 0);
	ask_list();
	assert_int_equal(
	    directory_result_of(fix.sides[ADMIN].last.directory_done.outcome),
	    DIRECTORY_FAULT);
	ASK(BOUNCE, reply_ask, .tag = 1, .account = fix.you,
	    .sender = SPAN("a@b.example"));
	assert_int_equal(fix.sides[BOUNCE].last.reply_answer.outcome, REPLY_LATER);
	set_database(NEAR);
	ask_resolve("you@example.org");
	assert_int_equal(last->resolved.outcome, RESOLVE_OK);
}

/* A login that is under way when its account is closed must not succeed. */
static void
test_a_login_does_not_outlive_its_account(void **state)
{
	struct closing closing = {.accounts = &fix.you, .n = 1};

	(void)state;
	ask_login();
	assert_int_equal(fix.proc.n_jobs, 1);
	closing_tell(fix.authd, &closing);
	settle();
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(fix.sides[SMTPD].last.auth_done.outcome, AUTH_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_answers_come_when_the_directory_has_answered),
	    WITH(test_who_goes_away_leaves_nothing_behind),
	    WITH(test_only_so_many_wait),
	    WITH(test_a_directory_that_is_down_is_a_later_for_everybody),
	    WITH(test_a_login_does_not_outlive_its_account),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
