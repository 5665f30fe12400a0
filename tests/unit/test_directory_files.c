/* tests/unit/test_directory_files.c - what is on disk: owners, restarts, kills, damage
 */
#include "tests/unit/directory_fixture.h"

#include <db.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- the files */

static void
test_second_opener_is_told_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct directory_options options = {.folder = f->folder};
	struct directory *second = NULL;

	assert_int_equal(directory_open(&options, &second, &f->err), DIRECTORY_IN_USE);
	assert_string_equal(f->err.text,
			    "the directory is in use by the running server");
	assert_null(second);
	directory_free(&f->d);
	open_it(f);
}

static void
test_secret_and_records_survive_a_restart(void **state)
{
	struct fixture *f = *state;
	uint8_t secret[DIRECTORY_SECRET_BYTES];

	memcpy(secret, directory_secret(f->d).at, sizeof(secret));
	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	directory_free(&f->d);
	open_it(f);
	assert_memory_equal(secret, directory_secret(f->d).at, sizeof(secret));
	expect(f, "you@example.org", "targets you@example.org");
}

/* A child adds accounts, says so through a pipe after each, and is killed. */
static void
test_what_was_added_survives_a_kill(void **state)
{
	struct fixture *f = *state;
	int fds[2], n = 0;
	char byte;
	pid_t child;

	add_domain(f, "example.org");
	directory_free(&f->d);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char address[32];

		open_it(f);
		for (int i = 0;; i++) {
			snprintf(address, sizeof(address), "u%d@example.org", i);
			add_account(f, address);
			if (write(fds[1], "", 1) != 1)
				_exit(1);
		}
	}
	close(fds[1]);
	for (; n < 40; n++)
		assert_int_equal(read(fds[0], &byte, 1), 1);
	kill(child, SIGKILL);
	while (read(fds[0], &byte, 1) == 1)
		n++;
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(fds[0]);
	open_it(f);
	for (int i = 0; i < n; i++) {
		char address[32];
		struct directory_account a;

		snprintf(address, sizeof(address), "u%d@example.org", i);
		assert_int_equal(
		    directory_account_find(f->d, span_str(address), &a, &f->err),
		    DIRECTORY_DONE);
		assert_int_equal(a.id, (uint64_t)i + 2);
	}
}

/* Overwrites one record behind the room's back. */
static void
damage(struct fixture *f, struct span key, size_t cut, int flip)
{
	char path[128];
	DB_ENV *env;
	DB *db;
	DBT k = {.data = (void *)(uintptr_t)key.at, .size = (uint32_t)key.n}, v = {0};

	directory_free(&f->d);
	snprintf(path, sizeof(path), "%s", f->folder);
	assert_int_equal(db_env_create(&env, 0), 0);
	assert_int_equal(env->open(env, path,
				   DB_CREATE | DB_PRIVATE | DB_RECOVER | DB_INIT_TXN |
				       DB_INIT_LOG | DB_INIT_MPOOL,
				   0600),
			 0);
	assert_int_equal(db_create(&db, env, 0), 0);
	assert_int_equal(
	    db->open(db, NULL, "directory.db", NULL, DB_BTREE, DB_AUTO_COMMIT, 0600),
	    0);
	assert_int_equal(db->get(db, NULL, &k, &v, 0), 0);
	char *bytes = memory_new(v.size, 1);
	memcpy(bytes, v.data, v.size);
	v = (DBT){.data = bytes, .size = v.size - (uint32_t)cut};
	if (flip >= 0)
		bytes[(size_t)flip % v.size] ^= 1;
	assert_int_equal(db->put(db, NULL, &k, &v, 0), 0);
	free(bytes);
	db->close(db, 0);
	env->close(env, 0);
	open_it(f);
}

static void
test_damaged_record_is_a_fault_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct directory_account a;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	add_account(f, "her@example.org");
	for (int at = 0; at < 60; at += 7) {
		damage(f, SPAN("aexample.org\0you"), (size_t)at % 3, at);
		assert_int_equal(
		    directory_account_find(f->d, SPAN("you@example.org"), &a, &f->err),
		    DIRECTORY_FAULT);
		assert_non_null(strstr(f->err.text, "you@example.org"));
	}
	expect(f, "her@example.org", "targets her@example.org");
	damage(f, SPAN("dexample.org"), 1, -1);
	assert_int_equal(
	    directory_account_find(f->d, SPAN("her@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	struct buf got = buf_make(64);
	resolve_text(f, "her@example.org", &policy, &got);
	assert_string_equal(got.at, "fault");
	buf_release(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_second_opener_is_told_who_has_it),
	    WITH(test_secret_and_records_survive_a_restart),
	    WITH(test_what_was_added_survives_a_kill),
	    WITH(test_damaged_record_is_a_fault_that_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
