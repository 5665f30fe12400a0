/* tests/unit/test_authd_upgrade.c - passwords in another form, made anew at a login */
#include "tests/unit/authd_fixture.h"
#include "tests/unit/directory_make.h"

static const uint8_t client[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};

#define USER "big@example.org"
#define MD5  "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"
#define SHA512                                                                         \
	"$6$abcdefgh$ltjgWl6579NluT/"                                                  \
	"Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLt"                           \
	"ip/cZ/1GM/O6IND4WQhG."
#define CHEAP                                                                          \
	"$y$j75$glXxUsObSSxAW3CockaRq1$5Zb1kR8u0ZP6n2JHAi0w.tyO7u2QNH8y4aCqkrzVyS1"

static int
setup(void **state)
{
	int r = authd_setup(state);

	fix.proc.settings.password_upgrade = true;
	return r;
}

static void
keep(const char *crypt_text)
{
	struct directory_password p;
	struct err err;

	assert_int_equal(directory_password_import(span_str(crypt_text), &p, &err), 0);
	assert_int_equal(
	    make_account_password(fix.authd->directory, SPAN(USER), &p, &err),
	    DIRECTORY_DONE);
}

static struct directory_password
kept(void)
{
	struct directory_account account;
	struct err err;

	assert_int_equal(
	    directory_account_find(fix.authd->directory, SPAN(USER), &account, &err),
	    DIRECTORY_DONE);
	return account.password;
}

static void
expect_kept(const char *crypt_text)
{
	struct directory_password p = kept();

	assert_string_equal(p.crypt, crypt_text);
}

static void
expect_ours(const char *password)
{
	struct directory_password p = kept();

	assert_true(directory_password_current(&p));
	assert_true(directory_password_matches(p.crypt, span_str(password)));
	assert_false(directory_password_matches(p.crypt, SPAN("another")));
}

static void
begin(uint64_t tag, struct span initial)
{
	ASK(SMTPD, auth_start, .tag = tag, .tls = 1, .has_initial = 1,
	    .client = span_make(client, 16), .mechanism = SPAN("PLAIN"),
	    .initial = initial);
}

#define GOOD SPAN("\0big@example.org\0secret")
#define BAD  SPAN("\0big@example.org\0wrong")

static void
expect(enum auth_outcome outcome)
{
	settle();
	assert_int_equal(fix.sides[SMTPD].n, 1);
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_auth_done);
	assert_int_equal(fix.sides[SMTPD].last.auth_done.outcome, outcome);
}

static void
test_login_is_answered_before_its_password_is_made_anew(void **state)
{
	static const char *const olds[] = {MD5, SHA512};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(olds); i++) {
		keep(olds[i]);
		begin(1, GOOD);
		run_job(&fix.proc);
		expect(AUTH_OK);
		expect_kept(olds[i]);
		assert_int_equal(fix.proc.n_jobs, 1);
		run_job(&fix.proc);
		expect_ours("secret");
		assert_int_equal(fix.authd->count.upgrades, i + 1);
		/* Nobody has to leave. */
		settle();
		assert_int_equal(fix.sides[SMTPD].of[IPC_NUMBER_account_closed], 0);
		/* And not again. */
		begin(2, GOOD);
		run_job(&fix.proc);
		expect(AUTH_OK);
		assert_int_equal(fix.proc.n_jobs, 0);
	}
}

static void
test_login_with_a_wrong_password_changes_nothing(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, BAD);
	run_jobs(&fix.proc);
	pass(2000);
	expect(AUTH_FAILED);
	expect_kept(MD5);
}

static void
test_upgrade_is_not_made_when_it_is_switched_off(void **state)
{
	(void)state;
	keep(MD5);
	fix.proc.settings.password_upgrade = false;
	begin(1, GOOD);
	run_jobs(&fix.proc);
	expect(AUTH_OK);
	expect_kept(MD5);
}

static void
test_upgrade_is_not_made_of_an_operators_own_tables(void **state)
{
	(void)state;
	keep(MD5);
	fix.proc.settings.directory = CONF_DIRECTORY_SQL;
	begin(1, GOOD);
	run_jobs(&fix.proc);
	expect(AUTH_OK);
	expect_kept(MD5);
}

static void
test_password_that_was_changed_meanwhile_stays(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, GOOD);
	run_job(&fix.proc);
	expect(AUTH_OK);
	keep(SHA512);
	run_job(&fix.proc);
	expect_kept(SHA512);
	assert_int_equal(fix.authd->count.upgrades, 0);
}

static void
test_account_that_was_closed_meanwhile_is_left(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, GOOD);
	exchanges_close(fix.authd, fix.big);
	run_jobs(&fix.proc);
	expect(AUTH_FAILED);
	expect_kept(MD5);
}

static void
test_upgrades_are_few_at_a_time_and_one_an_account(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, GOOD);
	begin(2, GOOD);
	/* Both are checked before either is made anew. */
	run_job(&fix.proc);
	assert_int_equal(fix.proc.n_jobs, 2);
	{
		struct proc_job *upgrade = fix.proc.jobs;

		fix.proc.jobs = upgrade->next;
		run_job(&fix.proc);
		assert_null(fix.proc.jobs);
		upgrade->next = NULL;
		fix.proc.jobs = upgrade;
	}
	run_jobs(&fix.proc);
	expect_ours("secret");
	assert_int_equal(fix.authd->count.upgrades, 1);
	settle();
	keep(MD5);
	for (size_t i = 0; i < UPGRADES_MAX; i++)
		fix.authd->upgrading[i] = 1000 + i;
	begin(3, GOOD);
	run_jobs(&fix.proc);
	memset(fix.authd->upgrading, 0, sizeof(fix.authd->upgrading));
	expect(AUTH_OK);
	expect_kept(MD5);
}

static void
test_upgrade_that_cannot_be_written_is_tried_again(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, GOOD);
	run_job(&fix.proc);
	expect(AUTH_OK);
	set_database(DOWN);
	run_job(&fix.proc);
	set_database(NEAR);
	expect_kept(MD5);
	pass(GOOD_MS);
	begin(2, GOOD);
	run_job(&fix.proc);
	set_database(SLOW);
	run_job(&fix.proc);
	assert_int_equal(fix.n_tasks, 1);
	run_tasks();
	set_database(NEAR);
	expect_ours("secret");
}

static void
test_password_of_a_login_that_went_away_is_not_made_anew(void **state)
{
	(void)state;
	keep(MD5);
	begin(1, GOOD);
	ASK(SMTPD, auth_cancel, .tag = 1);
	run_jobs(&fix.proc);
	expect_kept(MD5);
}

static void
test_password_current_is_ours_of_today(void **state)
{
	static const struct {
		const char *name, *crypt;
		bool scram, few_rounds, want;
	} rows[] = {
	    {"ours",           "",     true,  false, true },
	    {"no keys",        "",     false, false, false},
	    {"keys of 4096",   "",     true,  true,  false},
	    {"cheap yescrypt", CHEAP,  true,  false, false},
	    {"another, keys",  SHA512, true,  false, false},
	    {"another",        MD5,    false, false, false},
	    {"none",           NULL,   false, false, false},
	};
	struct directory_password ours, p;
	struct err err;

	(void)state;
	assert_int_equal(directory_password_make(SPAN("secret"), &ours, &err), 0);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		p = ours;
		if (!rows[i].crypt || rows[i].crypt[0])
			assert_true(
			    span_copy(span_str(rows[i].crypt ? rows[i].crypt : ""),
				      p.crypt, sizeof(p.crypt)));
		p.has_scram = rows[i].scram;
		if (rows[i].few_rounds)
			p.scram.iterations = 4096;
		assert_int_equal(directory_password_current(&p), rows[i].want);
	}
}

#define UPGRADING(test) cmocka_unit_test_setup_teardown(test, setup, authd_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    UPGRADING(test_login_is_answered_before_its_password_is_made_anew),
	    UPGRADING(test_login_with_a_wrong_password_changes_nothing),
	    UPGRADING(test_upgrade_is_not_made_when_it_is_switched_off),
	    UPGRADING(test_upgrade_is_not_made_of_an_operators_own_tables),
	    UPGRADING(test_password_that_was_changed_meanwhile_stays),
	    UPGRADING(test_account_that_was_closed_meanwhile_is_left),
	    UPGRADING(test_upgrades_are_few_at_a_time_and_one_an_account),
	    UPGRADING(test_upgrade_that_cannot_be_written_is_tried_again),
	    UPGRADING(test_password_of_a_login_that_went_away_is_not_made_anew),
	    cmocka_unit_test(test_password_current_is_ours_of_today),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
