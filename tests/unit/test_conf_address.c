/* tests/unit/test_conf_address.c - what is listened on, and networks */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/conf/conf.h"

static void
test_listen_forms(void **state)
{
	static const struct {
		const char *text;
		bool ok, any, v4;
		unsigned port;
	} rows[] = {
	    {"*:25",         true,  true,  false, 25   },
	    {"127.0.0.1:0",  true,  false, true,  0    },
	    {"[::1]:65535",  true,  false, false, 65535},
	    {"[::1]:65536",  false, 0,     0,     0    },
	    {"::1:25",       false, 0,     0,     0    },
	    {"[::1]",        false, 0,     0,     0    },
	    {":25",          false, 0,     0,     0    },
	    {"localhost:25", false, 0,     0,     0    },
	    {"1.2.3.4:",     false, 0,     0,     0    },
	    {"1.2.3:25",     false, 0,     0,     0    },
	    {"",             false, 0,     0,     0    },
	    {"[1.2.3.4]:25", false, 0,     0,     0    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct conf_listen got = {0};

		print_message("%s\n", rows[i].text);
		assert_int_equal(conf_listen_parse(span_str(rows[i].text), &got),
				 rows[i].ok);
		assert_int_equal(got.any, rows[i].any);
		assert_int_equal(got.v4, rows[i].v4);
		assert_int_equal(got.port, rows[i].port);
	}
}

static void
test_networks_match(void **state)
{
	static const struct {
		const char *network, *address;
		bool want;
	} rows[] = {
	    {"192.0.2.0/24",  "192.0.2.255",    true },
	    {"192.0.2.0/24",  "192.0.3.0",      false},
	    {"192.0.2.7",     "192.0.2.7",      true },
	    {"192.0.2.7",     "192.0.2.6",      false},
	    {"10.0.0.0/9",    "10.127.255.255", true },
	    {"10.0.0.0/9",    "10.128.0.0",     false},
	    {"0.0.0.0/0",     "255.1.2.3",      true },
	    {"0.0.0.0/0",     "2001:db8::1",    false},
	    {"::/0",          "1.2.3.4",        true },
	    {"2001:db8::/32", "2001:db8:1::",   true },
	    {"2001:db8::/32", "2001:db9::",     false},
	    {"::1",           "::1",            true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct conf_network network, address;
		struct conf_networks list = {&network, 1};

		print_message("%s %s\n", rows[i].network, rows[i].address);
		assert_true(conf_network_parse(span_str(rows[i].network), &network));
		assert_true(conf_network_parse(span_str(rows[i].address), &address));
		assert_int_equal(conf_networks_match(&list, address.address),
				 rows[i].want);
	}
}

static void
test_network_wrong_forms_fail(void **state)
{
	static const char *const bad[] = {"",           "/",      "1.2.3.4/",
					  "1.2.3.4/33", "::/129", "1.2.3.4/x",
					  "1.2.3/24",   "a",      "1.2.3.4/24/1"};
	struct conf_network out;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		print_message("%s\n", bad[i]);
		assert_false(conf_network_parse(span_str(bad[i]), &out));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listen_forms),
	    cmocka_unit_test(test_networks_match),
	    cmocka_unit_test(test_network_wrong_forms_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
