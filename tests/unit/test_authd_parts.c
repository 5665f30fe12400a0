/* tests/unit/test_authd_parts.c - penalties, tickets, usage and remembered passwords by
 * themselves */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "authd/authd.h"

static void
test_penalty_doubles_and_wears_off(void **state)
{
	struct net_key site = {{1}}, other = {{2}};
	struct penalties *p = penalties_new(7);

	(void)state;
	assert_int_equal(penalty_delay_ms(0, 2000, 15000), 0);
	assert_int_equal(penalty_delay_ms(1, 2000, 15000), 2000);
	assert_int_equal(penalty_delay_ms(3, 2000, 15000), 8000);
	assert_int_equal(penalty_delay_ms(4, 2000, 15000), 15000);
	assert_int_equal(penalty_delay_ms(9, 0, 15000), 0);
	for (unsigned i = 0; i < PENALTY_MAX + 2; i++) {
		assert_int_equal(penalties_count(p, site, 1000),
				 i < PENALTY_MAX ? i : PENALTY_MAX);
		penalties_add(p, site, 1000);
	}
	assert_int_equal(penalties_count(p, other, 1000), 0);
	assert_int_equal(penalties_count(p, site, 1000 + PENALTY_FORGET_MS - 1),
			 PENALTY_MAX);
	assert_int_equal(penalties_count(p, site, 1000 + PENALTY_FORGET_MS),
			 PENALTY_MAX - 1);
	assert_int_equal(penalties_count(p, site, 1000 + 20 * PENALTY_FORGET_MS), 0);
	/* More sites than places: the table stays as it is, and works. */
	for (uint32_t i = 0; i < 20000; i++) {
		struct net_key key = {{3}};

		memcpy(key.ip + 1, &i, sizeof(i));
		penalties_add(p, key, 2000);
		assert_int_equal(penalties_count(p, key, 2000), 1);
	}
	penalties_free(&p);
}

static void
test_ticket_is_good_once_and_in_time(void **state)
{
	uint8_t bits[TICKET_BYTES] = {1}, other[TICKET_BYTES] = {2};
	struct tickets t;
	uint64_t account = 0;

	(void)state;
	tickets_init(&t);
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(other, 16), 1, 1000, &account));
	assert_false(tickets_redeem(&t, span_make(bits, 15), 1, 1000, &account));
	assert_true(tickets_redeem(&t, span_make(bits, 16), 1, 10999, &account));
	assert_int_equal(account, 5);
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 10999, &account));
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 11000, &account));
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 2, 1000, &account));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 1000, &account));
	for (uint32_t i = 0; i <= TICKETS_MAX; i++) {
		memcpy(bits, &i, sizeof(i));
		assert_int_equal(tickets_add(&t, bits, 5, 1, 1000), i < TICKETS_MAX);
	}
	tickets_release(&t);
}

static void
test_ticket_goes_with_its_account(void **state)
{
	const uint8_t mine[16] = {1}, same[16] = {2}, others[16] = {3};
	struct tickets t;
	uint64_t account;

	(void)state;
	tickets_init(&t);
	assert_true(tickets_add(&t, mine, 5, 1, 1000));
	assert_true(tickets_add(&t, others, 6, 1, 1000));
	assert_true(tickets_add(&t, same, 5, 1, 1000));
	tickets_forget(&t, 5);
	assert_false(tickets_redeem(&t, span_make(mine, 16), 1, 1000, &account));
	assert_false(tickets_redeem(&t, span_make(same, 16), 1, 1000, &account));
	assert_true(tickets_redeem(&t, span_make(others, 16), 1, 1000, &account));
	assert_int_equal(account, 6);
	tickets_release(&t);
}

static void
test_usage_table_keeps_what_it_was_told(void **state)
{
	struct usages *u = usages_new();
	uint64_t bytes = 0;

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++)
		usages_set(u, i * 1000, 0, i);
	assert_int_equal(usages_count(u), 5000);
	for (uint64_t i = 1; i <= 5000; i++) {
		assert_int_equal(usages_get(u, i * 1000, 1, &bytes), USAGE_KNOWN);
		assert_int_equal(bytes, i);
	}
	assert_int_equal(usages_get(u, 7, 100, &bytes), USAGE_UNKNOWN);
	assert_int_equal(usages_get(u, 7, 100 + USAGE_AGAIN_MS - 1, &bytes),
			 USAGE_ASKED);
	assert_int_equal(usages_get(u, 7, 100 + USAGE_AGAIN_MS, &bytes), USAGE_UNKNOWN);
	usages_set(u, 7, 5, 70);
	usages_set(u, 7, 4, 71);
	assert_true(usages_newer(u, 7, 5, 1000));
	assert_true(usages_newer(u, 7, 5, 1000));
	assert_false(usages_newer(u, 7, 4, 1000)); /* late */
	assert_true(usages_newer(u, 7, 6, 1000));
	assert_false(usages_newer(u, 0, 1, 1000));
	assert_false(usages_old(u, 7, 1000 + USAGE_FRESH_MS - 1));
	assert_true(usages_old(u, 7, 1000 + USAGE_FRESH_MS));
	assert_false(usages_old(u, 7, 1000 + USAGE_FRESH_MS)); /* it is being asked */
	assert_false(usages_old(u, 8, UINT64_MAX));
	assert_int_equal(usages_get(u, 7, 9999, &bytes), USAGE_KNOWN);
	assert_int_equal(bytes, 70);
	usages_forget_all(u);
	assert_int_equal(usages_get(u, 7, 9999, &bytes), USAGE_UNKNOWN);
	usages_free(&u);
}

static void
test_domain_is_the_sum_of_its_accounts(void **state)
{
	struct usages *u = usages_new();
	static const uint64_t first[] = {1, 2, 3}, later[] = {2, 3, 4};
	uint64_t bytes = 0;

	(void)state;
	usages_set(u, 1, 0, 100);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_UNKNOWN);
	assert_true(usages_domain_due(u, 9, 1000));
	usages_domain_begin(u, 9, 1000);
	assert_false(usages_domain_due(u, 9, 1000));
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_ASKED);
	usages_domain_set(u, 9, first, 3, 1000);
	assert_int_equal(usages_domain_ask(u, 9, 1000), 2);
	assert_int_equal(usages_domain_ask(u, 9, 1000), 3);
	assert_int_equal(usages_domain_ask(u, 9, 1000), 0);
	usages_set(u, 2, 0, 10);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_ASKED);
	/* What was not answered is asked again. */
	assert_int_equal(usages_domain_ask(u, 9, 1000 + USAGE_AGAIN_MS), 3);
	usages_set(u, 3, 0, 1);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_KNOWN);
	assert_int_equal(bytes, 111);
	usages_set(u, 1, 0, 50);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_KNOWN);
	assert_int_equal(bytes, 61);
	assert_int_equal(usages_domain_of(u, 1), 9);
	/* One went, one came: the old sum serves until they are listed. */
	usages_domain_recount(u, 9);
	assert_true(usages_domain_due(u, 9, 1000));
	usages_domain_begin(u, 9, 1000);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_KNOWN);
	usages_domain_set(u, 9, later, 3, 1000);
	assert_int_equal(usages_domain_ask(u, 9, 1000), 4);
	usages_set(u, 4, 0, 1000);
	usages_set(u, 1, 0, 7);
	assert_int_equal(usages_domain_get(u, 9, &bytes), USAGE_KNOWN);
	assert_int_equal(bytes, 1011);
	assert_false(usages_domain_due(u, 9, 999 + USAGE_RECOUNT_MS));
	assert_true(usages_domain_due(u, 9, 1000 + USAGE_RECOUNT_MS));
	usages_free(&u);
}

static void
test_domain_asks_about_a_few_accounts_at_once(void **state)
{
	enum {
		N = 10 * USAGE_WAITING_MAX
	};
	struct usages *u = usages_new();
	static uint64_t accounts[N];
	uint64_t bytes = 0, account, asked = 0;

	(void)state;
	for (uint64_t i = 0; i < N; i++)
		accounts[i] = i + 1;
	usages_domain_begin(u, 1, 1);
	usages_domain_set(u, 1, accounts, N, 1);
	while (usages_domain_ask(u, 1, 1))
		asked++;
	assert_int_equal(asked, USAGE_WAITING_MAX);
	for (uint64_t i = 1; i <= N; i++) {
		usages_set(u, i, 0, 2);
		account = usages_domain_ask(u, 1, 1);
		assert_int_equal(account, i + asked <= N ? i + asked : 0);
	}
	assert_int_equal(usages_domain_get(u, 1, &bytes), USAGE_KNOWN);
	assert_int_equal(bytes, 2 * N);
	usages_free(&u);
}

static void
test_good_mark_depends_on_everything(void **state)
{
	static const struct {
		uint64_t account;
		struct net_key site;
		const char *crypt;
		struct span password;
	} rows[] = {
	    {1, {{1}}, "hash",  SPAN("secret") },
            {2, {{1}}, "hash",  SPAN("secret") },
	    {1, {{2}}, "hash",  SPAN("secret") },
            {1, {{1}}, "hasH",  SPAN("secret") },
	    {1, {{1}}, "hash",  SPAN("secret ")},
            {1, {{1}}, "hashs", SPAN("ecret")  },
	};
	uint8_t key[32] = {9};
	struct good *g = good_new(key);
	struct good_mark m;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		good_mark_make(g, rows[i].account, rows[i].site, rows[i].crypt,
			       rows[i].password, &m);
		if (i == 0)
			good_add(g, &m, 1000);
		assert_int_equal(good_has(g, &m, 1000 + GOOD_MS - 1), i == 0);
		assert_false(good_has(g, &m, 1000 + GOOD_MS));
	}
	good_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_penalty_doubles_and_wears_off),
	    cmocka_unit_test(test_ticket_is_good_once_and_in_time),
	    cmocka_unit_test(test_ticket_goes_with_its_account),
	    cmocka_unit_test(test_usage_table_keeps_what_it_was_told),
	    cmocka_unit_test(test_domain_is_the_sum_of_its_accounts),
	    cmocka_unit_test(test_domain_asks_about_a_few_accounts_at_once),
	    cmocka_unit_test(test_good_mark_depends_on_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
