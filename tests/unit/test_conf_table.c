/* tests/unit/test_conf_table.c - lookup tables in the settings file */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

static void
test_tables_of_every_type_and_back(void **state)
{
	struct buf first = buf_make(CONF_TEXT_BYTES_MAX);
	struct buf second = buf_make(CONF_TEXT_BYTES_MAX);
	const struct conf_table *people;
	struct conf_errors errors;
	struct settings s, back;

	(void)state;
	assert_int_equal(
	    parse_text(
		"client_access = {blocked, b}\ntable b { type = cidr file = /c }\n"
		"table blocked { file = '/etc/a b' }\n"
		"table people { type = postgresql connection = 'host=x'\n"
		"  query = \"SELECT a FROM b WHERE c = '%s'\" timeout_s = 3 }\n"
		"table old { type = postgresql file = /p.cf }\n",
		&s, &errors),
	    0);
	assert_int_equal(s.tables.n, 4);
	assert_string_equal(s.client_access.at[0], "blocked");
	people = conf_table_find(&s.tables, SPAN("people"));
	assert_non_null(people);
	assert_int_equal(people->type, CONF_TABLE_POSTGRESQL);
	assert_string_equal(people->query, "SELECT a FROM b WHERE c = '%s'");
	assert_int_equal(people->timeout_s, 3);
	assert_null(conf_table_find(&s.tables, SPAN("nobody")));
	conf_text_put(&s, CONF_SECRETS_HIDDEN, &first);
	assert_int_equal(conf_parse(buf_span(&first), "f", "", &back, &errors), 0);
	conf_text_put(&back, CONF_SECRETS_HIDDEN, &second);
	assert_true(span_equal(buf_span(&first), buf_span(&second)));
	conf_release(&s);
	conf_release(&back);
	buf_release(&first);
	buf_release(&second);
}

static void
test_table_errors_have_lines(void **state)
{
	(void)state;
	assert_errors("table a { }", "f:1: table \"a\": needs a file");
	assert_errors("\ntable 'a b' { file = /x }",
		      "f:2: table \"a b\": a name is letters, digits, \"-\", \"_\" and "
		      "\".\"");
	assert_errors("table a { file = /x\n tipe = text }",
		      "f:2: tipe is not a setting of a table");
	assert_errors(
	    "table a { file = /x query = 'SELECT %s' }",
	    "f:1: table \"a\": query, connection and password_file are for type "
	    "postgresql");
	assert_errors("table a { type = postgresql }",
		      "f:1: table \"a\": needs a query");
	assert_errors("table a { type = postgresql file = /x query = 'SELECT %s' }",
		      "f:1: table \"a\": takes either a file, or connection and query");
	assert_errors("\nhelo_access = {a}\n",
		      "f:2: helo_access: there is no table \"a\"");
	assert_errors("route x { }\ntable a { file = /x",
		      "f:2: a section is never closed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables_of_every_type_and_back),
	    cmocka_unit_test(test_table_errors_have_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
