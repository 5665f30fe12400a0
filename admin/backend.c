/* admin/backend.c - postroad directory init|upgrade|check: the tables in PostgreSQL */
#include "admin/backend.h"
#include "admin/owner.h"
#include "common/directory/directory.h"

#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <unistd.h>

/* Before the folder of the directory is made, its owner is known by name only. */
static int
become_user(const char *name, struct err *err)
{
	const struct passwd *user = getuid() == 0 ? getpwnam(name) : NULL;

	if (!user)
		return 0;
	if (setgroups(1, &user->pw_gid) != 0 || setegid(user->pw_gid) != 0 ||
	    seteuid(user->pw_uid) != 0)
		return err_sys(err, "cannot become %s", name);
	return 0;
}

int
backend_become(struct admin *admin)
{
	const char *folder = admin->settings.directory_directory;
	struct err err;
	int result = access(folder, F_OK) == 0
			 ? owner_become(folder, &err)
			 : become_user(admin->settings.user_auth, &err);

	if (result != 0)
		admin_complain("%s", err.text);
	return result;
}

/* Which database, from the settings; false after telling that there is none. */
static bool
database(struct admin *admin, struct directory_options *options)
{
	if (!admin_settings(admin))
		return false;
	directory_options_of(&admin->settings, options);
	if (options->connection[0] == '\0') {
		admin_complain("the setting postgresql_connection names no database");
		return false;
	}
	return backend_become(admin) == 0;
}

static enum exit_status
fail(const struct err *err)
{
	admin_complain("%s", err->text);
	return EXIT_FAILED;
}

static void
tell_step(void *context, unsigned version, const char *what)
{
	const struct admin *admin = context;

	if (!admin->json)
		printf("version %u: %s\n", version, what);
}

static enum exit_status
take_steps(struct admin *admin, const struct directory_options *options, unsigned from)
{
	struct directory_schema schema;
	struct err err;

	if (directory_schema_upgrade(options, from, tell_step, admin, &err) != 0 ||
	    directory_schema_find(options, &schema, &err) != 0)
		return fail(&err);
	if (admin->json)
		printf("{\"version\": %u}\n", schema.version);
	return EXIT_DONE;
}

static enum exit_status
init(struct admin *admin)
{
	struct directory_options options;
	struct directory_schema schema;
	struct err err;

	if (!database(admin, &options))
		return EXIT_FAILED;
	if (directory_schema_find(&options, &schema, &err) != 0)
		return fail(&err);
	if (schema.version > 0) {
		admin_complain("the database has tables already, of version %u; "
			       "postroad directory upgrade brings them up to date",
			       schema.version);
		return EXIT_FAILED;
	}
	return take_steps(admin, &options, 0);
}

static enum exit_status
upgrade(struct admin *admin)
{
	struct directory_options options;
	struct directory_schema schema;
	struct err err;

	if (!database(admin, &options))
		return EXIT_FAILED;
	if (directory_schema_find(&options, &schema, &err) != 0)
		return fail(&err);
	if (schema.version == 0) {
		admin_complain(
		    "the database has no tables yet: postroad directory init");
		return EXIT_FAILED;
	}
	return take_steps(admin, &options, schema.version);
}

static void
print_schema(const struct admin *admin, const struct directory_schema *s)
{
	json_t *row;

	if (!admin->json) {
		printf("PostgreSQL %s, tables of version %u, this program has %u\n",
		       s->server, s->version, s->wanted);
		return;
	}
	row = json_pack("{s:s, s:i, s:i}", "server", s->server, "version",
			(int)s->version, "wanted", (int)s->wanted);
	json_dumpf(row, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(row);
}

static enum exit_status
check(struct admin *admin)
{
	struct directory_options options;
	struct directory_schema schema;
	struct err err;

	if (!database(admin, &options))
		return EXIT_FAILED;
	if (directory_schema_find(&options, &schema, &err) != 0)
		return fail(&err);
	print_schema(admin, &schema);
	if (schema.version == schema.wanted)
		return EXIT_DONE;
	if (schema.version > schema.wanted)
		admin_complain("a newer Postroad is needed");
	else
		admin_complain("they need: postroad directory %s",
			       schema.version == 0 ? "init" : "upgrade");
	return EXIT_FAILED;
}

/* ---- commands */

/* Each became the owner of the directory's files. */
static enum exit_status
done_by_owner(enum exit_status status)
{
	owner_restore();
	return status;
}

static enum exit_status
run_init(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return done_by_owner(init(admin));
}

static enum exit_status
run_upgrade(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return done_by_owner(upgrade(admin));
}

static enum exit_status
run_check(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return done_by_owner(check(admin));
}

static enum exit_status
run_copy(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return done_by_owner(backend_copy(admin));
}

/* clang-format off */
const struct command commands_directory[] = {
    {"directory", "init", "", 0, 0, NULL, run_init,
     "make the tables in the database of postgresql_connection"},
    {"directory", "upgrade", "", 0, 0, NULL, run_upgrade,
     "bring them up to this version of Postroad"},
    {"directory", "check", "", 0, 0, NULL, run_check,
     "whether the database can be reached and has the right tables"},
    {"directory", "copy", "--from berkeley|postgresql --to berkeley|postgresql", 0, 0,
     "--from= --to=", run_copy, "copy the whole directory, and compare"},
    {.noun = NULL},
};
/* clang-format on */
