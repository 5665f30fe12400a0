/* tests/unit/test_authd_address.c - where addresses lead, quota, senders, the operator
 */
#include "tests/unit/authd_fixture.h"

#include "common/spool/spool.h"

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
		usages_set(fix.authd->usages, fix.big, 0);
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
	struct directory_request list = {.verb = DIRECTORY_ACCOUNT_LIST};
	struct directory_request bad = {.verb = DIRECTORY_ACCOUNT_SHOW,
					.name = SPAN("x@y")};
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_resolve_outcomes),
	    WITH(test_quota_is_asked_for_and_answered_at_its_limit),
	    WITH(test_quota_that_cannot_be_asked_is_a_later),
	    WITH(test_sender_belongs_to_the_login),
	    WITH(test_admin_operations_over_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, authd_remove_folder);
}
