/* tests/unit/test_authd.c - logins: every mechanism, penalties, tickets */
#include "tests/unit/authd_fixture.h"
#include "tests/unit/directory_make.h"

#include <openssl/sha.h>

#include "common/sasl/sasl.h"

static const uint8_t client[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};
static const uint8_t elsewhere[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 7};
static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};

static const struct ipc_message *
plain_from(enum side side, const uint8_t *from, uint64_t tag, struct span initial)
{
	return ASK(side, auth_start, .tag = tag, .service = AUTH_SERVICE_POP3, .tls = 1,
		   .has_initial = 1, .client = span_make(from, 16),
		   .mechanism = SPAN("PLAIN"), .initial = initial);
}

static const struct ipc_message *
plain(enum side side, uint64_t tag, struct span initial)
{
	return plain_from(side, client, tag, initial);
}

static void
expect_done(enum side side, enum auth_outcome outcome)
{
	assert_int_equal(fix.sides[side].n, 1);
	assert_int_equal(fix.sides[side].last.number, IPC_NUMBER_auth_done);
	assert_int_equal(fix.sides[side].last.auth_done.outcome, outcome);
}

#define GOOD SPAN("\0you@example.org\0secret")
#define BAD  SPAN("\0you@example.org\0wrong")

static void
test_plain_login_and_ticket(void **state)
{
	const struct ipc_message *m = plain(GATE, 7, GOOD);
	uint8_t ticket[16];

	(void)state;
	assert_int_equal(fix.sides[GATE].n, 0); /* a thread has it */
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
	assert_int_equal(m->auth_done.tag, 7);
	assert_int_equal(m->auth_done.account, fix.you);
	assert_true(span_equal(m->auth_done.address, SPAN("you@example.org")));
	assert_int_equal(m->auth_done.ticket.n, 16);
	memcpy(ticket, m->auth_done.ticket.at, 16);
	for (int i = 0; i < 2; i++) {
		m = ASK(POP3D, ticket_redeem, .tag = 1, .service = AUTH_SERVICE_POP3,
			.ticket = span_make(ticket, 16));
		assert_int_equal(m->number, IPC_NUMBER_ticket_redeemed);
		assert_int_equal(m->ticket_redeemed.ok, i == 0);
		assert_int_equal(m->ticket_redeemed.account, i == 0 ? fix.you : 0);
	}
}

static void
test_smtpd_gets_no_ticket(void **state)
{
	(void)state;
	plain(SMTPD, 1, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
	assert_int_equal(fix.sides[SMTPD].last.auth_done.ticket.n, 0);
}

static void
test_wrong_unknown_and_disabled_are_told_alike(void **state)
{
	static const struct {
		const char *name;
		struct span initial;
	} rows[] = {
	    {"wrong password", BAD				    },
	    {"unknown user",   SPAN("\0nobody@example.org\0secret")   },
	    {"unknown domain", SPAN("\0you@elsewhere.example\0secret")},
	    {"disabled",       SPAN("\0off@example.org\0secret")      },
	    {"no address",     SPAN("\0@@\0secret")                   },
	};
	uint8_t from[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		memcpy(from, client, 16);
		from[13] = (uint8_t)i; /* a site of its own */
		plain_from(SMTPD, from, i + 1, rows[i].initial);
		assert_int_equal(fix.proc.n_jobs, 1); /* the same work for each */
		run_jobs(&fix.proc);
		settle();
		pass(1999);
		assert_int_equal(fix.sides[SMTPD].n, 0);
		pass(1);
		expect_done(SMTPD, AUTH_FAILED);
		assert_int_equal(fix.sides[SMTPD].last.auth_done.account, 0);
	}
}

static void
test_bare_name_means_the_first_domain(void **state)
{
	(void)state;
	plain(GATE, 1, SPAN("\0You\0secret"));
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
}

static void
test_site_that_guesses_waits_longer_for_good_answers_too(void **state)
{
	static const uint64_t delays[] = {2000, 4000, 8000, 15000, 15000};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(delays); i++) {
		plain(SMTPD, i, BAD);
		run_jobs(&fix.proc);
		pass(delays[i] - 1);
		assert_int_equal(fix.sides[SMTPD].n, 0);
		pass(1);
		expect_done(SMTPD, AUTH_FAILED);
	}
	plain(SMTPD, 10, GOOD);
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(fix.sides[SMTPD].n, 0);
	pass(15000);
	expect_done(SMTPD, AUTH_OK);
	/* Another site is not concerned. */
	plain_from(SMTPD, elsewhere, 11, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
}

static void
test_exempt_client_is_delayed_once_but_not_counted(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		plain_from(SMTPD, loopback, i, BAD);
		run_jobs(&fix.proc);
		pass(2000);
		expect_done(SMTPD, AUTH_FAILED);
	}
	plain_from(SMTPD, loopback, 9, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
}

static void
test_right_password_is_remembered_until_it_changes(void **state)
{
	struct directory_password p;
	struct err err;

	(void)state;
	plain(GATE, 1, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
	plain(GATE, 2, GOOD);
	expect_done(GATE, AUTH_OK); /* at once, without a thread */
	plain(GATE, 3, BAD);
	assert_int_equal(fix.proc.n_jobs, 1);
	run_jobs(&fix.proc);
	pass(2000);
	expect_done(GATE, AUTH_FAILED);
	assert_int_equal(directory_password_import(SPAN("$5$other$x"), &p, &err), 0);
	assert_int_equal(make_account_password(fix.authd->directory,
					       SPAN("big@example.org"), &p, &err),
			 DIRECTORY_DONE);
	pass(GOOD_MS);
	plain(GATE, 4, GOOD);
	assert_int_equal(fix.proc.n_jobs, 1);
	run_jobs(&fix.proc);
	settle();
}

static void
test_cancel_and_lost_peer_leave_nothing_behind(void **state)
{
	(void)state;
	plain(SMTPD, 1, GOOD);
	assert_int_equal(fix.authd->n_exchanges, 1);
	ASK(SMTPD, auth_cancel, .tag = 1);
	assert_int_equal(fix.authd->n_exchanges, 0);
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(fix.sides[SMTPD].n, 0);
	plain(GATE, 1, GOOD);
	cut_side(GATE);
	assert_int_equal(fix.authd->n_exchanges, 0);
	run_jobs(&fix.proc);
}

static unsigned failures_told;

static void
count_failures(enum logline_level level, struct span line)
{
	(void)level;
	failures_told += span_find_span(line, SPAN("auth.failed")) < line.n;
}

/* Who was right is answered at once: whoever hears nothing need not wait. */
static void
test_wrong_guess_is_told_though_the_client_has_left(void **state)
{
	(void)state;
	failures_told = 0;
	logline_set_sink(count_failures);
	plain(SMTPD, 1, BAD);
	run_jobs(&fix.proc);
	settle();
	ASK(SMTPD, auth_cancel, .tag = 1);
	assert_int_equal(failures_told, 1);
	plain(GATE, 1, BAD);
	run_jobs(&fix.proc);
	settle();
	cut_side(GATE);
	assert_int_equal(failures_told, 2);
	plain(SMTPD, 2, GOOD);
	run_jobs(&fix.proc);
	settle();
	ASK(SMTPD, auth_cancel, .tag = 2); /* it was right, but late */
	assert_int_equal(failures_told, 2);
	logline_set_sink(NULL);
}

static void
test_full_queue_of_checks_answers_later(void **state)
{
	(void)state;
	fix.proc.refuse_jobs = true;
	plain(SMTPD, 1, GOOD);
	expect_done(SMTPD, AUTH_LATER);
	fix.proc.refuse_jobs = false;
	for (uint64_t i = 0; i <= CHECKS_MAX; i++)
		plain(SMTPD, i, GOOD);
	expect_done(SMTPD, AUTH_LATER);
	cut_side(SMTPD);
	/* Their exchanges are gone; the jobs need not be run for real. */
	for (struct proc_job *job = fix.proc.jobs, *next; job; job = next) {
		next = job->next;
		job->done(job);
	}
	fix.proc.jobs = NULL;
	fix.proc.n_jobs = 0;
}

static void
test_silent_client_is_given_up(void **state)
{
	(void)state;
	ASK(SMTPD, auth_start, .tag = 1, .tls = 1, .client = span_make(client, 16),
	    .mechanism = SPAN("LOGIN"));
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_auth_challenge);
	assert_true(span_equal(fix.sides[SMTPD].last.auth_challenge.challenge,
			       SPAN("Username:")));
	pass(59999);
	assert_int_equal(fix.sides[SMTPD].n, 1);
	fix.sides[SMTPD].n = 0;
	pass(1);
	expect_done(SMTPD, AUTH_BAD_EXCHANGE);
	ASK(SMTPD, auth_step, .tag = 1, .response = SPAN("you"));
	assert_int_equal(fix.sides[SMTPD].n, 0);
}

static void
test_mechanisms_that_are_not_for_this_connection(void **state)
{
	static const struct {
		const char *name;
		struct span mechanism;
		uint8_t tls, binding;
		enum auth_outcome want;
	} rows[] = {
	    {"plain in the clear",   SPAN("PLAIN"),              0, 0, AUTH_NO_MECHANISM},
	    {"login in the clear",   SPAN("LOGIN"),              0, 0, AUTH_NO_MECHANISM},
	    {"plus without binding", SPAN("SCRAM-SHA-256-PLUS"), 1, 0,
	     AUTH_NO_MECHANISM							  },
	    {"unknown",              SPAN("CRAM-MD5"),           1, 0, AUTH_NO_MECHANISM},
	    {"broken",               SPAN("SCRAM-SHA-256"),      1, 0, AUTH_BAD_EXCHANGE},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		ASK(SMTPD, auth_start, .tag = i, .tls = rows[i].tls, .has_initial = 1,
		    .binding_type = rows[i].binding, .client = span_make(client, 16),
		    .mechanism = rows[i].mechanism, .initial = SPAN("x"));
		expect_done(SMTPD, rows[i].want);
	}
}

static void
test_messages_that_cannot_be_drop_the_peer(void **state)
{
	(void)state;
	ASK(SMTPD, auth_start, .tag = 1, .service = 3, .client = span_make(client, 16),
	    .mechanism = SPAN("PLAIN"));
	assert_true(fix.sides[SMTPD].down);
	ASK(GATE, auth_start, .tag = 1, .client = span_make(client, 15),
	    .mechanism = SPAN("PLAIN"));
	assert_true(fix.sides[GATE].down);
	ASK(ADMIN, directory_ask, .tag = 1, .request = SPAN("\1\377"));
	assert_true(fix.sides[ADMIN].down);
	ASK(POP3D, ticket_redeem, .tag = 1, .ticket = SPAN(""));
	assert_false(fix.sides[POP3D].down);
}

/* ---- SCRAM */

/* client-final for the challenge that came; the password's keys are known. */
static void
scram_final(struct span password, struct span header, struct span bare,
	    struct span server_first, struct buf *out)
{
	struct buf message = buf_make(4096), first = buf_make(256);
	uint8_t salted[32], u[32], client_key[32], stored[32], signature[32];
	struct span rest = server_first;

	buf_put_str(&first, "salt of the test");
	buf_put(&first, span_make("\0\0\0\1", 4));
	scram_hmac(password, buf_span(&first), u);
	memcpy(salted, u, 32);
	for (int i = 1; i < 4096; i++) {
		scram_hmac(password, span_make(u, 32), u);
		for (size_t j = 0; j < 32; j++)
			salted[j] ^= u[j];
	}
	scram_hmac(span_make(salted, 32), SPAN("Client Key"), client_key);
	SHA256(client_key, 32, stored);
	buf_reset(out);
	buf_put_str(out, "c=");
	base64_put(out, header);
	buf_put_char(out, ',');
	buf_put(out, span_cut(&rest, ','));
	buf_put(&message, bare);
	buf_put_char(&message, ',');
	buf_put(&message, server_first);
	buf_put_char(&message, ',');
	buf_put(&message, buf_span(out));
	scram_hmac(span_make(stored, 32), buf_span(&message), signature);
	for (size_t i = 0; i < 32; i++)
		client_key[i] ^= signature[i];
	buf_put_str(out, ",p=");
	base64_put(out, span_make(client_key, 32));
	buf_release(&message);
	buf_release(&first);
}

/* Up to client-final; the answer to it is in the side's last message. */
static void
run_scram(const char *user, struct span password, uint64_t tag)
{
	struct buf in = buf_make(1024), final = buf_make(1024);
	struct far *f = &fix.sides[SMTPD];

	buf_putf(&in, "n,,n=%s,r=clientnonce", user);
	ASK(SMTPD, auth_start, .tag = tag, .has_initial = 1,
	    .client = span_make(client, 16), .mechanism = SPAN("SCRAM-SHA-256"),
	    .initial = buf_span(&in));
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	scram_final(password, SPAN("n,,"), span_after(buf_span(&in), 3),
		    f->last.auth_challenge.challenge, &final);
	ASK(SMTPD, auth_step, .tag = tag, .response = buf_span(&final));
	buf_release(&in);
	buf_release(&final);
}

static void
test_scram_login_and_refusals(void **state)
{
	struct far *f = &fix.sides[SMTPD];

	(void)state;
	run_scram("you@example.org", SPAN("secret"), 1);
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	assert_true(span_starts(f->last.auth_challenge.challenge, SPAN("v=")));
	ASK(SMTPD, auth_step, .tag = 1, .response = SPAN(""));
	expect_done(SMTPD, AUTH_OK);
	assert_int_equal(f->last.auth_done.account, fix.you);
	run_scram("you@example.org", SPAN("wrong"), 2);
	assert_int_equal(f->n, 0);
	pass(2000);
	expect_done(SMTPD, AUTH_FAILED);
	run_scram("nobody@example.org", SPAN("secret"), 3);
	assert_int_equal(f->n, 0);
	pass(4000);
	expect_done(SMTPD, AUTH_FAILED);
	/* Now the site waits for good answers too, already for "v=". */
	run_scram("you@example.org", SPAN("secret"), 4);
	assert_int_equal(f->n, 0);
	pass(4000);
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	ASK(SMTPD, auth_step, .tag = 4, .response = SPAN(""));
	expect_done(SMTPD, AUTH_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_plain_login_and_ticket),
	    WITH(test_smtpd_gets_no_ticket),
	    WITH(test_wrong_unknown_and_disabled_are_told_alike),
	    WITH(test_bare_name_means_the_first_domain),
	    WITH(test_site_that_guesses_waits_longer_for_good_answers_too),
	    WITH(test_exempt_client_is_delayed_once_but_not_counted),
	    WITH(test_right_password_is_remembered_until_it_changes),
	    WITH(test_cancel_and_lost_peer_leave_nothing_behind),
	    WITH(test_wrong_guess_is_told_though_the_client_has_left),
	    WITH(test_full_queue_of_checks_answers_later),
	    WITH(test_silent_client_is_given_up),
	    WITH(test_mechanisms_that_are_not_for_this_connection),
	    WITH(test_messages_that_cannot_be_drop_the_peer),
	    WITH(test_scram_login_and_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
