#include "common/sts/sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the TXT record [RFC8461 3.1] ----------------------------------------- */

static const struct {
	const char *name, *text, *id; /* id null: not well-formed */
	bool is;
} records[] = {
    {"as in the RFC",     "v=STSv1; id=20160831085700Z;",                   "20160831085700Z", true },
    {"no last semicolon", "v=STSv1; id=1",                                  "1",               true },
    {"blanks around",     "v=STSv1 ; id=1 ; ",                              "1",               true },
    {"extension before",  "v=STSv1; x=y; id=1;",                            "1",               true },
    {"extension after",   "v=STSv1; id=1; x=y",                             "1",               true },
    {"id of 32",          "v=STSv1; id=0123456789abcdef0123456789ABCDEF;",
     "0123456789abcdef0123456789ABCDEF",						       true },
    {"id of 33",          "v=STSv1; id=0123456789abcdef0123456789ABCDEF0;", NULL,              true },
    {"first id counts",   "v=STSv1; id=1; id=2;",                           "1",               true },
    {"empty id",          "v=STSv1; id=;",				  NULL,              true },
    {"id with a blank",   "v=STSv1; id=a b;",                               NULL,              true },
    {"id with a sign",    "v=STSv1; id=a-b;",                               NULL,              true },
    {"no id",             "v=STSv1; x=1;",				  NULL,              true },
    {"version alone",     "v=STSv1;",				       NULL,              true },
    {"no equals sign",    "v=STSv1; id=1; x",                               NULL,              true },
    {"no semicolon",      "v=STSv1",					NULL,              false},
    {"other version",     "v=STSv2; id=1;",                                 NULL,              false},
    {"wrong case",        "V=STSV1; id=1;",                                 NULL,              false},
    {"version not first", "id=1; v=STSv1;",                                 NULL,              false},
    {"another record",    "v=spf1 -all",                                    NULL,              false},
    {"empty",             "",					       NULL,              false},
};

static void
test_sts_record_gives_its_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(records); i++) {
		struct span text = span_str(records[i].text), id = SPAN("none");
		bool good = sts_record_parse(text, &id);

		print_message("%s\n", records[i].name);
		assert_int_equal(sts_record_is(text), records[i].is);
		assert_int_equal(good, records[i].id != NULL);
		assert_true(
		    span_equal(id, span_str(records[i].id ? records[i].id : "none")));
	}
}

/* --- the policy [RFC8461 3.2] --------------------------------------------- */

#define HEAD "version: STSv1\r\n"
#define AGE  "max_age: 604800\r\n"

static const struct {
	const char *name, *body, *error; /* error null: good */
	enum sts_mode mode;
	uint32_t max_age_s;
	const char *hosts;
} policies[] = {
    {"as in the RFC",
     HEAD "mode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
	  "mx: backupmx.example.com\r\n" AGE,
     NULL,																STS_ENFORCE, 604800,
     "mail.example.com\n*.example.net\nbackupmx.example.com\n"															},
    {"line feeds alone",          "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 1",
     NULL,																STS_TESTING, 1,               "a.example\n" },
    {"no blanks",                 "version:STSv1\nmode:testing\nmx:a.example\nmax_age:1\n",   NULL,
     STS_TESTING,																      1,               "a.example\n" },
    {"upper case host",           HEAD "mode: enforce\r\nmx: MX.Example\r\n" AGE,             NULL,
     STS_ENFORCE,																      604800,          "mx.example\n"},
    {"none needs no host",        HEAD "mode: none\r\n" AGE,                                  NULL,                                       STS_NONE,    604800,          ""            },
    {"extension and empty lines",
     HEAD "\r\nx-new: y\r\nmode: enforce\r\nmx: a.example\r\n\r\n" AGE,                       NULL,
     STS_ENFORCE,																      604800,          "a.example\n" },
    {"first of a key counts",
     HEAD "mode: enforce\r\nmode: none\r\nmx: a.example\r\n" AGE "max_age: 5\r\n",            NULL,
     STS_ENFORCE,																      604800,          "a.example\n" },
    {"age of more than a year",
     HEAD "mode: enforce\r\nmx: a.example\r\nmax_age: 9999999999\r\n",                        NULL,
     STS_ENFORCE,																      STS_MAX_AGE_MAX, "a.example\n" },
    {"age of nothing",            HEAD "mode: none\r\nmax_age: 0\r\n",                        NULL,                                       STS_NONE,    0,               ""            },
    {"empty",		     "",							 "it has no version",                        0,           0,               ""            },
    {"no version",                "mode: none\r\n" AGE,                                       "it has no version",                        0,           0,               ""            },
    {"no mode",		   HEAD AGE,						   "it has no mode",                           0,           0,               ""            },
    {"no age",		    HEAD "mode: none\r\n",				      "it has no max_age",                        0,           0,               ""            },
    {"no host",		   HEAD "mode: enforce\r\n" AGE,                               "it has no mx",                             0,           0,               ""            },
    {"other version",             "version: STSv2\r\nmode: none\r\n" AGE,
     "its version is not STSv1",													  0,           0,               ""            },
    {"other mode",                HEAD "mode: report\r\n" AGE,
     "its mode is neither enforce, testing nor none",										     0,           0,               ""            },
    {"mode in other case",        HEAD "mode: Enforce\r\nmx: a\r\n" AGE,
     "its mode is neither enforce, testing nor none",										     0,           0,               ""            },
    {"age with a unit",           HEAD "mode: none\r\nmax_age: 1d\r\n",
     "its max_age is no number of seconds",											       0,           0,               ""            },
    {"age below nothing",         HEAD "mode: none\r\nmax_age: -1\r\n",
     "its max_age is no number of seconds",											       0,           0,               ""            },
    {"age of 11 digits",          HEAD "mode: none\r\nmax_age: 00000000001\r\n",
     "its max_age is no number of seconds",											       0,           0,               ""            },
    {"host with a blank",         HEAD "mode: enforce\r\nmx: a b\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"star inside",               HEAD "mode: enforce\r\nmx: mx*.example\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"star alone",                HEAD "mode: enforce\r\nmx: *\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"two stars",                 HEAD "mode: enforce\r\nmx: *.*.example\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"empty label",               HEAD "mode: enforce\r\nmx: a..example\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"last dot",		  HEAD "mode: enforce\r\nmx: a.example.\r\n" AGE,
     "an mx is no host name or pattern",												  0,           0,               ""            },
    {"no colon",		  HEAD "<html>\r\n",					  "a line is not of the form \"key: value\"", 0,           0,
     ""																					       },
    {"no key",		    HEAD ": x\r\n",					     "a line is not of the form \"key: value\"", 0,           0,               ""            },
};

static void
test_sts_policy_is_read_or_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(policies); i++) {
		struct buf hosts = buf_make(4096);
		struct sts_policy p = {.mode = STS_LATER};
		const char *error = NULL;
		bool good = sts_policy_parse(span_str(policies[i].body), &p, &error);

		print_message("%s\n", policies[i].name);
		assert_int_equal(good, policies[i].error == NULL);
		if (!good) {
			assert_string_equal(error, policies[i].error);
			assert_int_equal(p.mode, STS_LATER);
			continue;
		}
		assert_int_equal(p.mode, policies[i].mode);
		assert_int_equal(p.max_age_s, policies[i].max_age_s);
		sts_hosts_put(&p, &hosts);
		assert_true(span_equal(buf_span(&hosts), span_str(policies[i].hosts)));
		buf_release(&hosts);
	}
}

static bool
policy_of(size_t n_hosts, size_t padding)
{
	struct buf body = buf_make(1u << 20);
	struct sts_policy p;
	const char *error;
	bool good;

	buf_put_str(&body, HEAD "mode: enforce\r\n" AGE);
	for (size_t i = 0; i < n_hosts; i++)
		buf_putf(&body, "mx: h%zu.example\r\n", i);
	while (body.n < padding)
		buf_put_char(&body, '\n');
	good = sts_policy_parse(buf_span(&body), &p, &error);
	buf_release(&body);
	return good;
}

static void
test_sts_policy_limits_hold_at_the_limit(void **state)
{
	(void)state;
	assert_true(policy_of(STS_HOSTS_MAX - 1, 0));
	assert_true(policy_of(STS_HOSTS_MAX, 0));
	assert_false(policy_of(STS_HOSTS_MAX + 1, 0));
	assert_true(policy_of(1, STS_POLICY_BYTES_MAX));
	assert_false(policy_of(1, STS_POLICY_BYTES_MAX + 1));
}

/* --- matching [RFC8461 4.1] ----------------------------------------------- */

static const struct {
	const char *pattern, *host;
	bool match;
} matches[] = {
    {"mail.example.com", "mail.example.com",      true },
    {"mail.example.com", "MAIL.Example.com",      true },
    {"*.example.com",    "mail.example.com",      true },
    {"*.example.com",    "MAIL.EXAMPLE.COM",      true },
    {"*.example.com",    "a.mail.example.com",    false},
    {"*.example.com",    "example.com",           false},
    {"*.example.com",    ".example.com",          false},
    {"*.example.com",    "mail.example.com.evil", false},
    {"*.example.com",    "mailexample.com",       false},
    {"mail.example.com", "mail.example.co",       false},
    {"mail.example.com", "",                      false},
    {"*.com",            "com",                   false},
};

static void
test_sts_star_stands_for_one_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(matches); i++) {
		print_message("%s %s\n", matches[i].pattern, matches[i].host);
		assert_int_equal(sts_host_match(span_str(matches[i].pattern),
						span_str(matches[i].host)),
				 matches[i].match);
	}
	assert_true(
	    sts_hosts_match(SPAN("a.example\n*.b.example\n"), SPAN("x.b.example")));
	assert_false(
	    sts_hosts_match(SPAN("a.example\n*.b.example\n"), SPAN("b.example")));
	assert_false(sts_hosts_match(SPAN(""), SPAN("b.example")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sts_record_gives_its_id),
	    cmocka_unit_test(test_sts_policy_is_read_or_refused_with_a_reason),
	    cmocka_unit_test(test_sts_policy_limits_hold_at_the_limit),
	    cmocka_unit_test(test_sts_star_stands_for_one_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
