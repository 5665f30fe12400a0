/* admin/backend.c - postroad directory init|upgrade|check: the tables in PostgreSQL */
#include "admin/backend.h"
#include "admin/owner.h"
#include "common/directory/directory.h"

#include <jansson.h>
#include <unistd.h>

/* Before the folder of the directory is made, its owner is known by name only. */
int
backend_become(struct admin *admin)
{
	const char *folder = admin->settings.directory_directory;
	struct err err;
	int result = access(folder, F_OK) == 0
			 ? owner_become(folder, &err)
			 : owner_become_user(admin->settings.user_auth, &err);

	if (result != 0)
		admin_complain("%s", err.text);
	return result;
}

/* Which database, from the settings, and what it has; false after telling what is in
 * the way. */
static bool
database(struct admin *admin, struct directory_options *options,
	 struct directory_schema *schema)
{
	struct err err;

	if (!admin_settings(admin))
		return false;
	directory_options_of(&admin->settings, options);
	if (options->connection[0] == '\0') {
		admin_complain("the setting postgresql_connection names no database");
		return false;
	}
	if (backend_become(admin) != 0)
		return false;
	if (directory_schema_find(options, schema, &err) == 0)
		return true;
	admin_complain("%s", err.text);
	return false;
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
	    directory_schema_find(options, &schema, &err) != 0) {
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
	if (admin->json)
		printf("{\"version\": %u}\n", schema.version);
	return EXIT_DONE;
}

static enum exit_status
init(struct admin *admin)
{
	struct directory_options options;
	struct directory_schema schema;

	if (!database(admin, &options, &schema))
		return EXIT_FAILED;
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

	if (!database(admin, &options, &schema))
		return EXIT_FAILED;
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

	if (!database(admin, &options, &schema))
		return EXIT_FAILED;
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

static const struct {
	const char *verb;
	enum exit_status (*run)(struct admin *admin);
} steps[] = {
    {"init",    init        },
    {"upgrade", upgrade     },
    {"check",   check       },
    {"copy",    backend_copy},
};

/* Each becomes the owner of the directory's files. */
static enum exit_status
run_step(struct admin *admin, int argc, char **argv)
{
	enum exit_status status = EXIT_USAGE;

	(void)argc, (void)argv;
	for (size_t i = 0; i < N_ELEMS(steps); i++)
		if (strcmp(steps[i].verb, admin->command->verb) == 0)
			status = steps[i].run(admin);
	owner_restore();
	return status;
}

/* clang-format off */
const struct command commands_directory[] = {
    {"directory", "init", "", 0, 0, NULL, run_step,
     "make the tables in the database of postgresql_connection"},
    {"directory", "upgrade", "", 0, 0, NULL, run_step,
     "bring them up to this version of Postroad"},
    {"directory", "check", "", 0, 0, NULL, run_step,
     "whether the database can be reached and has the right tables"},
    {"directory", "copy", "--from berkeley|postgresql --to berkeley|postgresql", 0, 0,
     "--from= --to=", run_step, "copy the whole directory, and compare"},
    {.noun = NULL},
};
/* clang-format on */
