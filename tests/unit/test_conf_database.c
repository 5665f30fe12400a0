#include "common/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
	const char *connection;
	bool remote;
} rows[] = {
    {"dbname=x",			     false},
    {"host=/run/postgresql",                 false},
    {"host=/a,/b port=1,2",                  false},
    {"postgresql:///x?host=/run/postgresql", false},
    {"postgresql://%2Frun%2Fpostgresql/x",   false},
    {"host=db.example",                      true },
    {"host=/a,db.example",                   true },
    {"hostaddr=192.0.2.1",                   true },
    {"postgresql://db.example/x",            true },
    {"no connection",			true },
    {"",				     false},
    {"host = '/a b' dbname=x",               false},
    {"host='db' dbname=x",                   true },
    {"host=/a,",			     false},
    {"dbname='host=db' host=/a",             false},
    {"host=\\/a",			    false},
    {"host='/a",			     true },
    {"postgresql://u@[::1]:5432/x",          true },
    {"postgresql://u@/x?host=db",            true },
    {"postgresql://u@/x?hostaddr=10.0.0.1",  true },
    {"postgres://%2fa,db/x",                 true },
    {"user=a hostaddr = 10.0.0.1",           true },
    {"host=@abstract",		       true },
};

static void
test_remote_unless_every_host_is_a_socket(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (conf_database_remote(span_str(rows[i].connection)) !=
		    rows[i].remote)
			fail_msg("%s", rows[i].connection);
}

static void
test_only_what_is_used_needs_network(void **state)
{
	static const struct {
		const char *name, *text;
		bool needs;
	} settings[] = {
	    {"berkeley", "postgresql_connection = \"host=db dbname=x\"", false},
	    {"socket",
	     "directory = postgresql\n"
	     "postgresql_connection = \"host=/run/postgresql\"",         false},
	    {"tcp",
	     "directory = postgresql\n"
	     "postgresql_connection = \"host=db dbname=x\"",	     true },
	    {"sql",
	     "directory = sql\n"
	     "postgresql_connection = \"host=db dbname=x\"",	     true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(settings); i++) {
		struct conf_errors errors = {0};
		struct settings s;

		assert_int_equal(
		    conf_parse(span_str(settings[i].text), "test", "host", &s, &errors),
		    0);
		if (conf_needs_network(&s) != settings[i].needs)
			fail_msg("%s", settings[i].name);
		conf_release(&s);
		conf_errors_release(&errors);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_remote_unless_every_host_is_a_socket),
	    cmocka_unit_test(test_only_what_is_used_needs_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
