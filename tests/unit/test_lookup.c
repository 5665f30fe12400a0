/* tests/unit/test_lookup.c - tables in files: opened, changed, locked, broken */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/lookup/lookup.h"

#include <db.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	char folder[64];
	struct event_base *base;
	struct lookups *lookups;
	struct conf_table table;
	struct conf_tables tables;
	unsigned again;
} fix;

static int
setup(void **state)
{
	(void)state;
	memset(&fix, 0, sizeof(fix));
	(void)snprintf(fix.folder, sizeof(fix.folder), "/tmp/test_lookup.XXXXXX");
	assert_non_null(mkdtemp(fix.folder));
	fix.base = event_base_new();
	fix.lookups = lookups_new(fix.base, NULL, NULL);
	return 0;
}

static int
teardown(void **state)
{
	char command[100];

	(void)state;
	lookups_free(&fix.lookups);
	event_base_free(fix.base);
	free(fix.table.file);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", fix.folder);
	return system(command);
}

static const char *
path(const char *name)
{
	static char text[200];

	(void)snprintf(text, sizeof(text), "%s/%s", fix.folder, name);
	return text;
}

/* A file that has been left alone for `age_s`. */
static void
write_text(const char *name, const char *text, time_t age_s)
{
	const struct timespec old[2] = {{.tv_sec = time(NULL) - age_s},
					{.tv_sec = time(NULL) - age_s}};
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(utimensat(AT_FDCWD, path(name), old, 0), 0);
}

/* The one table; naming it again makes it be looked at at once. */
static void
open_table(int type, const char *name)
{
	free(fix.table.file);
	fix.table = (struct conf_table){.name = (char *)(uintptr_t) "t",
					.type = type,
					.file = span_dup(span_str(path(name))),
					.connection = (char *)(uintptr_t) "",
					.password_file = (char *)(uintptr_t) "",
					.query = (char *)(uintptr_t) ""};
	fix.tables = (struct conf_tables){&fix.table, 1};
	lookups_set(fix.lookups, &fix.tables);
}

static void
on_again(void *context)
{
	(void)context;
	fix.again++;
}

static void
assert_answer(const char *key, enum table_result want, const char *value)
{
	struct buf got = buf_make(TABLE_VALUE_BYTES_MAX);
	struct err err = {0};

	print_message("%s\n", key);
	assert_int_equal(
	    lookup_now(fix.lookups, fix.base, SPAN("t"), span_str(key), &got, &err),
	    want);
	if (want == TABLE_FAULT)
		assert_string_not_equal(err.text, "");
	assert_true(span_equal(buf_span(&got), span_str(value)));
	buf_release(&got);
}

/* A Berkeley DB as postmap makes it: two keys, with a NUL behind all or without. */
static void
write_database(const char *name, DBTYPE type, bool nul, const char *value)
{
	static const char *const keys[] = {"a@example.org", "example.org"};
	DB *db;

	assert_int_equal(db_create(&db, NULL, 0), 0);
	assert_int_equal(db->open(db, NULL, path(name), NULL, type, DB_CREATE, 0644),
			 0);
	for (size_t i = 0; i < N_ELEMS(keys); i++) {
		DBT key = {.data = (void *)(uintptr_t)keys[i],
			   .size = (uint32_t)strlen(keys[i]) + nul};
		DBT data = {.data = (void *)(uintptr_t)value,
			    .size = (uint32_t)strlen(value) + nul};

		assert_int_equal(db->put(db, NULL, &key, &data, 0), 0);
	}
	assert_int_equal(db->close(db, 0), 0);
}

/* ---- */

static void
test_text_is_read_again_when_it_has_changed(void **state)
{
	(void)state;
	write_text("f", "a one\n", 100);
	open_table(CONF_TABLE_TEXT, "f");
	assert_answer("a", TABLE_FOUND, "one");
	write_text("f", "a two\n", 50);
	open_table(CONF_TABLE_TEXT, "f");
	assert_answer("a", TABLE_FOUND, "two");
	assert_answer("b", TABLE_NOT_FOUND, "");
}

static void
test_text_that_breaks_or_goes_away_is_used_as_it_was(void **state)
{
	struct lookup_state s;

	(void)state;
	write_text("f", "a one\n", 100);
	open_table(CONF_TABLE_TEXT, "f");
	write_text("f", "a two\nnovalue\n", 50);
	open_table(CONF_TABLE_TEXT, "f");
	assert_answer("a", TABLE_FOUND, "one");
	lookups_state(fix.lookups, 0, &s);
	assert_int_equal(s.problems->n, 1);
	assert_int_equal(s.problems->at[0].line, 2);
	assert_true(s.ready);
	assert_int_equal(unlink(path("f")), 0);
	open_table(CONF_TABLE_TEXT, "f");
	assert_answer("a", TABLE_FOUND, "one");
	lookups_state(fix.lookups, 0, &s);
	assert_string_not_equal(s.fault.text, "");
}

static void
test_text_that_is_being_written_is_left_alone(void **state)
{
	(void)state;
	write_text("f", "a one\n", 100);
	open_table(CONF_TABLE_TEXT, "f");
	write_text("f", "a tw", 0);
	open_table(CONF_TABLE_TEXT, "f");
	assert_answer("a", TABLE_FOUND, "one");
}

static void
test_table_that_never_was_right_is_a_fault(void **state)
{
	(void)state;
	open_table(CONF_TABLE_TEXT, "missing");
	assert_answer("a", TABLE_FAULT, "");
	open_table(CONF_TABLE_HASH, "missing");
	assert_answer("a", TABLE_FAULT, "");
	write_text("h.db", "no database at all", 100);
	open_table(CONF_TABLE_HASH, "h");
	assert_answer("a", TABLE_FAULT, "");
	write_text("r", "/(/ x\n", 100);
	open_table(CONF_TABLE_PCRE, "r");
	assert_answer("a", TABLE_FAULT, "");
}

static void
test_databases_with_and_without_nul(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char name[20], file[30];

		(void)snprintf(name, sizeof(name), "d%u", i);
		(void)snprintf(file, sizeof(file), "d%u.db", i);
		write_database(file, i & 1 ? DB_HASH : DB_BTREE, i & 2, "value");
		open_table(i & 1 ? CONF_TABLE_HASH : CONF_TABLE_BTREE, name);
		assert_answer("a@example.org", TABLE_FOUND, "value");
		assert_answer("A@Example.Org", TABLE_FOUND, "value");
		assert_answer("b@example.org", TABLE_NOT_FOUND, "");
		assert_answer("", TABLE_NOT_FOUND, "");
	}
}

static void
test_database_written_in_place_is_opened_again(void **state)
{
	(void)state;
	write_database("d.db", DB_HASH, true, "one");
	open_table(CONF_TABLE_HASH, "d");
	assert_answer("example.org", TABLE_FOUND, "one");
	write_database("d.db", DB_HASH, true, "two");
	assert_answer("example.org", TABLE_FOUND, "two");
}

static void
test_database_that_is_locked_is_waited_for(void **state)
{
	struct lookup *l;
	struct span value;
	struct err err;
	int fd;

	(void)state;
	write_database("d.db", DB_HASH, true, "one");
	open_table(CONF_TABLE_HASH, "d");
	fd = open(path("d.db"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	l = lookup_new(fix.lookups, on_again, NULL);
	assert_int_equal(
	    lookup_get(l, SPAN("t"), SPAN("example.org"), false, &value, &err),
	    TABLE_WAIT);
	assert_int_equal(fix.again, 0);
	close(fd);
	while (fix.again == 0)
		assert_int_equal(event_base_loop(fix.base, EVLOOP_ONCE), 0);
	assert_int_equal(
	    lookup_get(l, SPAN("t"), SPAN("example.org"), false, &value, &err),
	    TABLE_FOUND);
	assert_true(span_equal(value, SPAN("one")));
	lookup_free(&l);
}

/* An alias of many is looked up once more with each answer of the directory. */
static void
test_value_may_be_asked_for_anew_without_end(void **state)
{
	char text[40000] = "x ";
	struct lookup *l;
	struct span value;
	struct err err;

	(void)state;
	memset(text + 2, 'v', sizeof(text) - 3);
	text[sizeof(text) - 1] = '\0';
	write_text("r", text, 100);
	open_table(CONF_TABLE_TEXT, "r");
	l = lookup_new(fix.lookups, on_again, NULL);
	for (int i = 0; i < 100; i++) {
		lookup_begin(l);
		assert_int_equal(
		    lookup_get(l, SPAN("t"), SPAN("x"), false, &value, &err),
		    TABLE_FOUND);
		assert_true(span_equal(value, span_str(text + 2)));
	}
	lookup_free(&l);
}

static void
test_parts_of_keys_are_not_for_patterns(void **state)
{
	struct lookup *l;
	struct span value;
	struct err err;

	(void)state;
	write_text("r", "/./ x\n", 100);
	open_table(CONF_TABLE_REGEXP, "r");
	l = lookup_new(fix.lookups, on_again, NULL);
	assert_int_equal(lookup_get(l, SPAN("t"), SPAN("org"), true, &value, &err),
			 TABLE_NOT_FOUND);
	assert_int_equal(lookup_get(l, SPAN("t"), SPAN("org"), false, &value, &err),
			 TABLE_FOUND);
	assert_int_equal(lookup_get(l, SPAN("u"), SPAN("org"), false, &value, &err),
			 TABLE_FAULT);
	lookup_free(&l);
}

static void
test_database_that_is_down_is_a_fault(void **state)
{
	(void)state;
	open_table(CONF_TABLE_POSTGRESQL, "");
	free(fix.table.file);
	fix.table.file = span_dup(SPAN(""));
	fix.table.connection = (char *)(uintptr_t) "host=/nowhere dbname=x";
	fix.table.query = (char *)(uintptr_t) "SELECT a FROM b WHERE c = '%d'";
	fix.table.connections = fix.table.timeout_s = 1;
	lookups_set(fix.lookups, &fix.tables);
	assert_answer("a@example.org", TABLE_FAULT, "");
	assert_answer("no-domain@", TABLE_NOT_FOUND, ""); /* nothing was sent */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    T(test_text_is_read_again_when_it_has_changed),
	    T(test_text_that_breaks_or_goes_away_is_used_as_it_was),
	    T(test_text_that_is_being_written_is_left_alone),
	    T(test_table_that_never_was_right_is_a_fault),
	    T(test_databases_with_and_without_nul),
	    T(test_database_written_in_place_is_opened_again),
	    T(test_database_that_is_locked_is_waited_for),
	    T(test_value_may_be_asked_for_anew_without_end),
	    T(test_parts_of_keys_are_not_for_patterns),
	    T(test_database_that_is_down_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
