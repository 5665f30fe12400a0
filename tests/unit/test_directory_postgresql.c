/* tests/unit/test_directory_postgresql.c - the suite of every backend, on PostgreSQL;
 * a database of its own for each directory */
#include "tests/unit/directory_conformance.h"

#include "tests/unit/postgresql_fixture.h"

#include <unistd.h>

#define OPEN_MAX 4

static struct {
	struct directory *d;
	char folder[64], database[64], connection[400];
} open_ones[OPEN_MAX];
static unsigned made;

static struct directory *
open_one(size_t i)
{
	struct directory_options options = {.folder = open_ones[i].folder};
	char create[200], database[64];
	struct err err;

	snprintf(open_ones[i].folder, sizeof(open_ones[i].folder),
		 "/tmp/test_postgresql.XXXXXX");
	assert_non_null(mkdtemp(open_ones[i].folder));
	snprintf(database, sizeof(database), "suite_%d_%u", (int)getpid(), made++);
	memcpy(open_ones[i].database, database, sizeof(database));
	snprintf(open_ones[i].connection, sizeof(open_ones[i].connection),
		 "%s dbname=%s", postgresql_server(), database);
	snprintf(create, sizeof(create), "CREATE DATABASE %s", database);
	postgresql_sql(create, NULL);
	postgresql_options(&options, open_ones[i].connection);
	if (directory_schema_upgrade(&options, 0, postgresql_step, NULL, &err) != 0 ||
	    directory_open(&options, &open_ones[i].d, &err) != DIRECTORY_DONE)
		fail_msg("%s", err.text);
	return open_ones[i].d;
}

static struct directory *
make(void)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (!open_ones[i].d)
			return open_one(i);
	fail_msg("too many are open");
	return NULL;
}

static void
drop(struct directory **d)
{
	char text[200];

	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (!*d || open_ones[i].d != *d)
			continue;
		directory_free(d);
		open_ones[i].d = NULL;
		snprintf(text, sizeof(text), "DROP DATABASE %s WITH (FORCE)",
			 open_ones[i].database);
		postgresql_sql(text, NULL);
		snprintf(text, sizeof(text), "%s/secret", open_ones[i].folder);
		assert_int_equal(unlink(text), 0);
		assert_int_equal(rmdir(open_ones[i].folder), 0);
		return;
	}
}

int
main(void)
{
	static const struct conformance backend = {"postgresql", make, drop};

	if (!postgresql_server()) {
		puts("no PostgreSQL: tests/e2e/test_postgresql.py runs this on one");
		return UNIT_TEST_SKIPPED;
	}
	return conformance_run(&backend);
}
