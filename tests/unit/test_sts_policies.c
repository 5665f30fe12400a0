#include "resolver/policies.h"
#include "resolver/servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DAY_MS (24 * 3600 * 1000ull)

static const struct sts_policy policy = {.mode = STS_ENFORCE,
					 .max_age_s = 1000,
					 .hosts = {{"MX.Example", 10}},
					 .n_hosts = 1};

static void
test_sts_policy_is_good_for_its_age_and_fresh_for_half(void **state)
{
	struct policies all;
	struct policy *p;

	(void)state;
	policies_init(&all);
	p = policies_get(&all, SPAN("Example.org"));
	assert_false(policy_good(p, 0));
	policy_set(p, &policy, SPAN("1"), 5000);
	assert_string_equal(p->domain, "example.org");
	assert_string_equal(p->hosts, "mx.example\n");
	assert_true(policy_fresh(p, SPAN("1"), 5000 + 499999));
	assert_false(policy_fresh(p, SPAN("2"), 5000));
	assert_false(policy_fresh(p, SPAN("1"), 5000 + 500000));
	assert_true(policy_good(p, 5000 + 999999));
	assert_false(policy_good(p, 5000 + 1000000));
	assert_ptr_equal(p, policies_get(&all, SPAN("EXAMPLE.ORG")));
	policies_release(&all);
}

static void
test_sts_policy_of_long_age_is_fetched_again_after_a_day(void **state)
{
	struct sts_policy year = policy;
	struct policies all;
	struct policy *p;

	(void)state;
	policies_init(&all);
	year.max_age_s = STS_MAX_AGE_MAX;
	p = policies_get(&all, SPAN("a"));
	policy_set(p, &year, SPAN("1"), 0);
	assert_true(policy_fresh(p, SPAN("1"), DAY_MS - 1));
	assert_false(policy_fresh(p, SPAN("1"), DAY_MS));
	assert_true(policy_good(p, STS_MAX_AGE_MAX * 1000ull - 1));
	policies_release(&all);
}

static void
test_sts_failure_is_kept_for_five_minutes_beside_the_policy(void **state)
{
	struct policies all;
	struct policy *p;

	(void)state;
	policies_init(&all);
	p = policies_get(&all, SPAN("a"));
	policy_set(p, &policy, SPAN("1"), 0);
	policy_fail(p, "why", 1000);
	assert_true(policy_failed(p, 1000 + POLICY_FAILED_MS - 1));
	assert_false(policy_failed(p, 1000 + POLICY_FAILED_MS));
	assert_true(policy_good(p, 1000));
	assert_string_equal(p->why, "why");
	policy_set(p, &policy, SPAN("2"), 2000);
	assert_false(policy_failed(p, 2000));
	assert_string_equal(p->why, "");
	policies_release(&all);
}

static void
test_sts_policies_have_a_limit_and_the_oldest_goes_but_not_one_held(void **state)
{
	struct policies all;
	struct policy *first, *second;

	(void)state;
	policies_init(&all);
	first = policies_get(&all, SPAN("first"));
	first->held = true;
	second = policies_get(&all, SPAN("second"));
	policy_set(second, &policy, SPAN("1"), 0);
	for (unsigned i = 0; i < POLICIES_MAX; i++) {
		char name[40];

		snprintf(name, sizeof(name), "n%u", i);
		(void)!policies_get(&all, span_str(name));
		assert_true(all.n <= POLICIES_MAX);
	}
	assert_int_equal(all.n, POLICIES_MAX);
	assert_ptr_equal(policies_get(&all, SPAN("first")), first);
	assert_false(policy_good(policies_get(&all, SPAN("second")), 0));
	policies_release(&all);
}

/* --- resolv.conf ---------------------------------------------------------- */

static void
test_dns_servers_of_resolv_conf_are_found(void **state)
{
	struct span rest = SPAN("# comment\nsearch example.org\nnameserver 192.0.2.1\n"
				"  nameserver\t2001:db8::1  # trailing\n"
				"nameservers 192.0.2.9\n;nameserver 192.0.2.8\n"
				"nameserver\nnameserver   fe80::1%eth0\r\n"
				"options edns0\nnameserver 192.0.2.2");
	static const char *const want[] = {"192.0.2.1", "2001:db8::1", "fe80::1%eth0",
					   "192.0.2.2"};
	struct span address;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(want); i++) {
		assert_true(resolv_conf_next(&rest, &address));
		assert_true(span_equal(address, span_str(want[i])));
	}
	assert_false(resolv_conf_next(&rest, &address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sts_policy_is_good_for_its_age_and_fresh_for_half),
	    cmocka_unit_test(test_sts_policy_of_long_age_is_fetched_again_after_a_day),
	    cmocka_unit_test(
		test_sts_failure_is_kept_for_five_minutes_beside_the_policy),
	    cmocka_unit_test(
		test_sts_policies_have_a_limit_and_the_oldest_goes_but_not_one_held),
	    cmocka_unit_test(test_dns_servers_of_resolv_conf_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
