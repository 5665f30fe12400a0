#include "admin/export.h"
#include "admin/import_adopt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct span
items(struct buf *out, const char *a, const char *b)
{
	buf_reset(out);
	if (a)
		directory_item_put(out, span_str(a));
	if (b)
		directory_item_put(out, span_str(b));
	return buf_span(out);
}

static struct directory_object
account(void)
{
	return (struct directory_object){.kind = DIRECTORY_ACCOUNT,
					 .name = SPAN("jane@example.org")};
}

static void
test_what_nobody_said_yet_is_missing(void **state)
{
	struct directory_object there = account(), wanted = account(), missing;
	const char *differs;

	(void)state;
	directory_put_number(&there, FIELD_ACCOUNT_QUOTA_BYTES, 0);
	directory_put_text(&there, FIELD_ACCOUNT_NAME, SPAN("Jane"));
	directory_put_number(&wanted, FIELD_ACCOUNT_QUOTA_BYTES, 1000);
	directory_put_text(&wanted, FIELD_ACCOUNT_NAME, SPAN("Jane"));
	directory_put_number(&wanted, FIELD_ACCOUNT_DISABLED, 1);
	import_compare(&there, &wanted, &missing, &differs);
	assert_null(differs);
	assert_int_equal(missing.values[FIELD_ACCOUNT_QUOTA_BYTES].number, 1000);
	assert_int_equal(missing.values[FIELD_ACCOUNT_DISABLED].number, 1);
	assert_int_equal(missing.values[FIELD_ACCOUNT_NAME].how,
			 DIRECTORY_VALUE_ABSENT);
}

static void
test_what_is_said_otherwise_differs(void **state)
{
	struct directory_object there = account(), wanted = account(), missing;
	const char *differs;

	(void)state;
	directory_put_number(&there, FIELD_ACCOUNT_DISABLED, 1);
	directory_put_number(&wanted, FIELD_ACCOUNT_DISABLED, 0);
	import_compare(&there, &wanted, &missing, &differs);
	assert_string_equal(differs, "disabled");
	assert_int_equal(missing.values[FIELD_ACCOUNT_DISABLED].how,
			 DIRECTORY_VALUE_ABSENT);
}

static void
test_addresses_are_equal_in_any_order(void **state)
{
	struct buf a = buf_make(1000), b = buf_make(1000);
	struct directory_object there = account(), wanted = account(), missing;
	const char *differs;

	(void)state;
	directory_put_text(&there, FIELD_ACCOUNT_FORWARD,
			   items(&a, "x@a.example", "y@b"));
	directory_put_text(&wanted, FIELD_ACCOUNT_FORWARD,
			   items(&b, "y@b", "x@a.example"));
	import_compare(&there, &wanted, &missing, &differs);
	assert_null(differs);
	directory_put_text(&wanted, FIELD_ACCOUNT_FORWARD, items(&b, "y@b", NULL));
	import_compare(&there, &wanted, &missing, &differs);
	assert_string_equal(differs, "forward");
	buf_release(&a);
	buf_release(&b);
}

static const struct {
	const char *address, *path;
} paths[] = {
    {"jane@example.org",      "/out/mail/jane@example.org"     },
    {"a.b+c-d_e=f@x.example", "/out/mail/a.b+c-d_e=f@x.example"},
    {".@x.example",           "/out/mail/%2E@x.example"        },
    {"a/../b@x.example",      "/out/mail/a%2F..%2Fb@x.example" },
    {"a%b c@x.example",       "/out/mail/a%25b%20c@x.example"  },
    {"\xc3\xbc@x.example",    "/out/mail/\xc3\xbc@x.example"   },
};

static void
test_folder_of_an_account_is_one_step_below_mail(void **state)
{
	char path[EXPORT_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(paths); i++) {
		assert_true(export_mail_path("/out", span_str(paths[i].address), path));
		assert_string_equal(path, paths[i].path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_nobody_said_yet_is_missing),
	    cmocka_unit_test(test_what_is_said_otherwise_differs),
	    cmocka_unit_test(test_addresses_are_equal_in_any_order),
	    cmocka_unit_test(test_folder_of_an_account_is_one_step_below_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
