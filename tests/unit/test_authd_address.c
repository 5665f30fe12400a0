/* tests/unit/test_authd_address.c - where addresses lead, quota, senders, the operator
 */
#include "tests/unit/authd_fixture.h"
#include "tests/unit/directory_make.h"

#include "common/spool/spool.h"

#include <stdio.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct ipc_message *
resolve(const char *address, uint64_t size, uint8_t may_relay)
{
	return ASK(SMTPD, resolve, .tag = 5, .size = size, .may_relay = may_relay,
		   .address = span_str(address));
}

static void
test_resolve_outcomes(void **state)
{
	static const struct {
		const char *address;
		uint8_t may_relay;
		enum resolve_outcome want;
		const char *target;
	} rows[] = {
	    {"you@example.org",        0, RESOLVE_OK,        "you@example.org"     },
	    {"You+Shop@example.org",   0, RESOLVE_OK,        "you+shop@example.org"},
	    {"postmaster@example.org", 0, RESOLVE_OK,        "you@example.org"     },
	    {"postmaster",             0, RESOLVE_OK,        "big@example.org"     },
	    {"nobody@example.org",     0, RESOLVE_UNKNOWN,   NULL                  },
	    {"off@example.org",        0, RESOLVE_DISABLED,  NULL                  },
	    {"x@elsewhere.example",    0, RESOLVE_NO_DOMAIN, NULL                  },
	    {"x@elsewhere.example",    1, RESOLVE_OK,        "x@elsewhere.example" },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct ipc_message *m;
		struct cursor list;

		print_message("%s\n", rows[i].address);
		usages_set(fix.authd->usages, fix.big, 0, 0);
		m = resolve(rows[i].address, 0, rows[i].may_relay);
		assert_int_equal(m->number, IPC_NUMBER_resolved);
		assert_int_equal(m->resolved.outcome, rows[i].want);
		list = cursor_make(m->resolved.targets);
		assert_int_equal(target_next(&list, &t), rows[i].target != NULL);
		if (rows[i].target)
			assert_true(span_equal(t.address, span_str(rows[i].target)));
	}
}

static void
test_quota_is_asked_for_and_answered_at_its_limit(void **state)
{
	static const struct {
		uint64_t size;
		enum resolve_outcome want;
	} rows[] = {
	    {99,  RESOLVE_OK  },
            {100, RESOLVE_OK  },
            {101, RESOLVE_FULL}
        };

	(void)state;
	fix.sides[LOCAL].n = 0;
	resolve("big@example.org", 100, 0);
	resolve("big@example.org", 100, 0);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	assert_int_equal(fix.sides[LOCAL].n, 1); /* one question for both */
	assert_int_equal(fix.sides[LOCAL].last.usage_ask.account, fix.big);
	ASK(LOCAL, usage, .account = fix.big, .bytes = 900);
	assert_int_equal(fix.sides[SMTPD].n, 2);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(
		    resolve("big@example.org", rows[i].size, 0)->resolved.outcome,
		    rows[i].want);
	/* A list with one full member still takes mail. */
	ASK(LOCAL, usage, .account = fix.big, .bytes = 1000);
	assert_int_equal(resolve("big@example.org", 0, 0)->resolved.outcome,
			 RESOLVE_FULL);
	assert_int_equal(resolve("all@example.org", 5, 0)->resolved.outcome,
			 RESOLVE_OK);
}

static void
test_quota_that_cannot_be_asked_is_a_later(void **state)
{
	(void)state;
	cut_side(LOCAL);
	resolve("big@example.org", 1, 0);
	pass(2999);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	pass(1);
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_resolved);
	assert_int_equal(fix.sides[SMTPD].last.resolved.outcome, RESOLVE_LATER);
	resolve("big@example.org", 1, 0);
	assert_int_equal(fix.authd->n_questions, 1);
	cut_side(SMTPD);
	assert_int_equal(fix.authd->n_questions, 0);
}

static void
test_sender_belongs_to_the_login(void **state)
{
	static const struct {
		const char *address;
		enum sender_outcome want;
	} rows[] = {
	    {"",		    SENDER_OK       },
	    {"you+x@example.org",   SENDER_OK       },
	    {"big@example.org",     SENDER_NOT_OWNED},
	    {"x@elsewhere.example", SENDER_NOT_OWNED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct ipc_message *m =
		    ASK(SMTPD, sender_check, .tag = i, .account = fix.you,
			.address = span_str(rows[i].address));

		assert_int_equal(m->number, IPC_NUMBER_sender_checked);
		assert_int_equal(m->sender_checked.outcome, rows[i].want);
	}
}

static void
test_admin_operations_over_the_channel(void **state)
{
	struct directory_request list = {.verb = DIRECTORY_LISTING,
					 .object = {.kind = DIRECTORY_ACCOUNT}};
	struct directory_request bad = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = SPAN("x@y")}
        };
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	const struct ipc_message *m;

	(void)state;
	directory_request_put(&list, &bytes);
	m = ASK(ADMIN, directory_ask, .tag = 3, .request = buf_span(&bytes));
	assert_int_equal(fix.sides[ADMIN].rows, 3);
	assert_int_equal(m->number, IPC_NUMBER_directory_done);
	assert_int_equal(directory_result_of(m->directory_done.outcome),
			 DIRECTORY_DONE);
	buf_reset(&bytes);
	directory_request_put(&bad, &bytes);
	m = ASK(ADMIN, directory_ask, .tag = 4, .request = buf_span(&bytes));
	assert_int_equal(directory_result_of(m->directory_done.outcome),
			 DIRECTORY_NOT_FOUND);
	buf_release(&bytes);
}

/* --- senders of mail that leads outside ------------------------------------ */

static const struct ipc_message *
resolve_from(const char *sender, const char *address)
{
	return ASK(SMTPD, resolve, .tag = 5, .address = span_str(address),
		   .sender = span_str(sender));
}

/* The one target outside; its sender into `sender`. */
static enum target_kind
outside(const struct ipc_message *m, char *sender)
{
	struct cursor list = cursor_make(m->resolved.targets);
	struct target t;

	assert_int_equal(m->resolved.outcome, RESOLVE_OK);
	while (target_next(&list, &t) && t.kind == TARGET_ACCOUNT)
		;
	assert_true(span_equal(t.address, SPAN("x@elsewhere.example")));
	assert_true(span_copy(t.sender, sender, SRS_ADDRESS_MAX + 1));
	return t.kind;
}

static void
test_alias_outside_gets_a_sender_of_ours(void **state)
{
	static const struct {
		const char *sender;
		enum target_kind want;
	} rows[] = {
	    {"a@stranger.example", TARGET_FORWARD},
	    {"a@[192.0.2.1]",      TARGET_FORWARD},
	    {"",		   TARGET_REMOTE },
	    {"you@example.org",    TARGET_REMOTE },
	    {"nobody@EXAMPLE.org", TARGET_REMOTE },
	    {"postmaster",         TARGET_REMOTE },
	};
	char sender[SRS_ADDRESS_MAX + 1];

	(void)state;
	usages_set(fix.authd->usages, fix.big, 0, 0);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].sender);
		assert_int_equal(
		    outside(resolve_from(rows[i].sender, "all@Example.org"), sender),
		    rows[i].want);
		assert_int_equal(strstr(sender, "SRS0=") != NULL,
				 rows[i].want == TARGET_FORWARD);
		assert_true(rows[i].want == TARGET_REMOTE ||
			    span_ends_nocase(span_str(sender), SPAN("@example.org")));
	}
	fix.proc.settings.srs = false;
	assert_int_equal(
	    outside(resolve_from("a@stranger.example", "all@example.org"), sender),
	    TARGET_REMOTE);
}

static void
assert_remote(const struct ipc_message *m, const char *address)
{
	struct cursor list = cursor_make(m->resolved.targets);
	struct target t;

	assert_int_equal(m->resolved.outcome, RESOLVE_OK);
	assert_true(target_next(&list, &t));
	assert_int_equal(t.kind, TARGET_REMOTE);
	assert_true(span_equal(t.address, span_str(address)));
	assert_false(target_next(&list, &t));
}

static void
test_report_to_a_rewritten_sender_goes_on(void **state)
{
	char sender[SRS_ADDRESS_MAX + 1], forged[SRS_ADDRESS_MAX + 1];

	(void)state;
	usages_set(fix.authd->usages, fix.big, 0, 0);
	outside(resolve_from("a@stranger.example", "all@example.org"), sender);
	assert_remote(resolve_from("", sender), "a@stranger.example");
	assert_remote(resolve_from("mailer-daemon@elsewhere.example", sender),
		      "a@stranger.example");
	memcpy(forged, sender, sizeof(forged));
	forged[strlen("SRS0=HHHHHHHH=TT=")] = 'x';
	assert_int_equal(resolve_from("", forged)->resolved.outcome, RESOLVE_FORGED);
	assert_int_equal(
	    resolve_from("", "SRS0=AAAAAAAA=AA=a.example=b@elsewhere.example")
		->resolved.outcome,
	    RESOLVE_NO_DOMAIN);
}

static void
test_rewritten_sender_of_another_server_is_kept_inside(void **state)
{
	char sender[SRS_ADDRESS_MAX + 1];

	(void)state;
	usages_set(fix.authd->usages, fix.big, 0, 0);
	outside(
	    resolve_from("SRS0=ab=CD=a.example=b@stranger.example", "all@example.org"),
	    sender);
	assert_true(span_starts(span_str(sender), SPAN("SRS1=")));
	assert_remote(resolve_from("", sender),
		      "SRS0=ab=CD=a.example=b@stranger.example");
}

/* 2023-11-14 is the fixture's day. */
static void
test_rewritten_sender_expires(void **state)
{
	struct buf sender = buf_make(SRS_ADDRESS_MAX + 1);
	uint64_t today = srs_day(1700000000);

	(void)state;
	for (uint64_t age = SRS_DAYS; age <= SRS_DAYS + 1; age++) {
		buf_reset(&sender);
		assert_true(srs_forward(&fix.authd->rewriting.keys,
					SPAN("a@stranger.example"), SPAN("example.org"),
					today - age, &sender));
		buf_put_char(&sender, '\0');
		assert_int_equal(resolve_from("", sender.at)->resolved.outcome,
				 age > SRS_DAYS ? RESOLVE_EXPIRED : RESOLVE_OK);
	}
	buf_release(&sender);
}

static void
write_keys(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" REWRITE_FILE, fix.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void
test_keys_are_kept_private_and_can_be_changed(void **state)
{
	struct rewriting *r = &fix.authd->rewriting;
	char path[128], sender[SRS_ADDRESS_MAX + 1], old[100], text[300];
	struct stat info;

	(void)state;
	snprintf(path, sizeof(path), "%s/" REWRITE_FILE, fix.folder);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(r->keys.n, 1);
	assert_int_equal(r->keys.at[0].n, 64);
	assert_true(span_copy(r->keys.at[0], old, sizeof(old)));
	usages_set(fix.authd->usages, fix.big, 0, 0);
	outside(resolve_from("a@stranger.example", "all@example.org"), sender);

	snprintf(text, sizeof(text), "a new key of a file\n%s\n", old);
	write_keys(text);
	authd_reload(&fix.proc);
	assert_int_equal(r->keys.n, 2);
	assert_remote(resolve_from("", sender), "a@stranger.example");
	write_keys("short\n");
	authd_reload(&fix.proc);
	assert_int_equal(r->keys.n, 2);
	assert_remote(resolve_from("", sender), "a@stranger.example");
	write_keys("a new key of a file\n");
	authd_reload(&fix.proc);
	assert_int_equal(resolve_from("", sender)->resolved.outcome, RESOLVE_FORGED);
	snprintf(text, sizeof(text), "%s\n", old);
	write_keys(text);
	authd_reload(&fix.proc);
}

/* What waits for a mailbox's size keeps its sender. */
static void
test_sender_is_kept_while_a_question_waits(void **state)
{
	struct target t;
	struct cursor list;

	(void)state;
	usages_forget_all(fix.authd->usages);
	resolve_from("a@stranger.example", "all@example.org");
	assert_int_equal(fix.sides[SMTPD].n, 0);
	ASK(LOCAL, usage, .account = fix.big, .bytes = 0);
	assert_int_equal(fix.sides[SMTPD].n, 1);
	list = cursor_make(fix.sides[SMTPD].last.resolved.targets);
	while (target_next(&list, &t) && t.kind != TARGET_FORWARD)
		;
	assert_true(span_starts(t.sender, SPAN("SRS0=")));
}

/* ---- alias tables */

#define TABLE_TEXT_MAX (64U << 10)

/* "all" stands for you, n times over another alias. */
static void
write_aliases(const char *path, size_t n)
{
	const struct timespec old[2] = {{.tv_sec = time(NULL) - 100 - (time_t)n},
					{.tv_sec = time(NULL) - 100 - (time_t)n}};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("b@example.org you@example.org\nall@example.org b", f);
	for (size_t i = 1; i < n; i++)
		fputs(",b", f);
	fputs("\n", f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static bool
all_leads(const char *path, size_t n)
{
	enum resolve_outcome outcome;

	write_aliases(path, n);
	authd_reload(&fix.proc);
	outcome =
	    (enum resolve_outcome)resolve("all@example.org", 0, 0)->resolved.outcome;
	if (outcome != RESOLVE_OK)
		assert_int_equal(outcome, RESOLVE_LATER);
	return outcome == RESOLVE_OK;
}

/* Right up to where it is too wide, wherever that is. */
static void
test_alias_that_is_too_wide_is_a_later(void **state)
{
	char path[100], *names[] = {(char *)(uintptr_t) "t"};
	char *empty = (char *)(uintptr_t) "";
	struct conf_table table = {.name = names[0],
				   .type = CONF_TABLE_TEXT,
				   .file = path,
				   .connection = empty,
				   .password_file = empty,
				   .query = empty};
	const struct conf_tables tables = fix.proc.settings.tables;
	const struct conf_list alias_tables = fix.proc.settings.alias_tables;
	size_t good = 1, bad = TABLE_TEXT_MAX / 2 - 10;

	(void)state;
	snprintf(path, sizeof(path), "%s/aliases", fix.folder);
	fix.proc.settings.tables = (struct conf_tables){&table, 1};
	fix.proc.settings.alias_tables = (struct conf_list){names, 1};
	assert_true(all_leads(path, good));
	assert_false(all_leads(path, bad));
	while (bad - good > 1) {
		size_t n = good + (bad - good) / 2;

		*(all_leads(path, n) ? &good : &bad) = n;
	}
	fix.proc.settings.tables = tables;
	fix.proc.settings.alias_tables = alias_tables;
	authd_reload(&fix.proc);
	assert_int_equal(unlink(path), 0);
}

/* ---- domains of the settings */

static enum directory_result
find_domain(const char *name)
{
	struct directory_domain domain;
	struct err err;

	return directory_domain_find(fix.authd->directory, span_str(name), &domain,
				     &err);
}

/* As they are after a reload that names these. */
static void
name_domains(const char **names, size_t n)
{
	const struct conf_list before = fix.proc.settings.domains;

	fix.proc.settings.domains = (struct conf_list){(char **)names, n};
	authd_reload(&fix.proc);
	authd_reload(&fix.proc); /* one while the last is under way */
	for (int i = 0; i < 20 && fix.authd->opening; i++)
		settle();
	assert_null(fix.authd->opening);
	fix.proc.settings.domains = before;
}

static void
test_domains_of_the_settings_are_made_at_a_reload(void **state)
{
	const char *more[] = {"one.example", "example.org", "two.example"};
	const char *fewer[] = {"two.example"};
	struct err err;

	(void)state;
	name_domains(more, 3);
	assert_int_equal(find_domain("one.example"), DIRECTORY_DONE);
	assert_int_equal(find_domain("two.example"), DIRECTORY_DONE);
	name_domains(fewer, 1);
	assert_int_equal(find_domain("one.example"), DIRECTORY_DONE);
	assert_int_equal(
	    make_domain_gone(fix.authd->directory, SPAN("one.example"), &err),
	    DIRECTORY_DONE);
	assert_int_equal(
	    make_domain_gone(fix.authd->directory, SPAN("two.example"), &err),
	    DIRECTORY_DONE);
	name_domains(fewer, 1);
	assert_int_equal(find_domain("one.example"), DIRECTORY_NOT_FOUND);
	assert_int_equal(find_domain("two.example"), DIRECTORY_DONE);
}

/* While the database makes one wait, the settings may become others. */
static void
test_domains_of_the_settings_may_change_while_they_are_made(void **state)
{
	const char *more[] = {"three.example", "four.example"};
	const char *fewer[] = {"five.example"};
	const struct conf_list before = fix.proc.settings.domains;

	(void)state;
	set_database(SLOW);
	fix.proc.settings.domains = (struct conf_list){(char **)more, 2};
	authd_reload(&fix.proc);
	settle();
	fix.proc.settings.domains = (struct conf_list){(char **)fewer, 1};
	authd_reload(&fix.proc);
	for (int i = 0; i < 20 && fix.authd->opening; i++) {
		run_tasks();
		settle();
	}
	assert_null(fix.authd->opening);
	set_database(NEAR);
	fix.proc.settings.domains = before;
	assert_int_equal(find_domain("five.example"), DIRECTORY_DONE);
	assert_int_equal(find_domain("four.example"), DIRECTORY_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_resolve_outcomes),
	    WITH(test_quota_is_asked_for_and_answered_at_its_limit),
	    WITH(test_quota_that_cannot_be_asked_is_a_later),
	    WITH(test_sender_belongs_to_the_login),
	    WITH(test_admin_operations_over_the_channel),
	    WITH(test_alias_outside_gets_a_sender_of_ours),
	    WITH(test_report_to_a_rewritten_sender_goes_on),
	    WITH(test_rewritten_sender_of_another_server_is_kept_inside),
	    WITH(test_rewritten_sender_expires),
	    WITH(test_keys_are_kept_private_and_can_be_changed),
	    WITH(test_sender_is_kept_while_a_question_waits),
	    WITH(test_alias_that_is_too_wide_is_a_later),
	    WITH(test_domains_of_the_settings_are_made_at_a_reload),
	    WITH(test_domains_of_the_settings_may_change_while_they_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
