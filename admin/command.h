/* admin/command.h - what the commands of `postroad` share
 *
 * main.c finds the row of the command line in the table and calls it with the
 * arguments behind the command's words. A command prints its result on standard
 * output, what went wrong on standard error, and returns its exit status.
 */
#pragma once

#include <stdio.h>

#include "common/base/base.h"
#include "common/conf/conf.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_LATER = 75, /* EX_TEMPFAIL of sysexits.h: try again later */
};

#define OPTIONS_MAX 8 /* of one command line */

/* Those that come before any command. */
#define ADMIN_OPTIONS "--config= --json --as="

struct command;

struct admin {
	const char *config;            /* path of the settings file */
	const struct command *command; /* the row that runs */
	bool json;
	struct {
		const char *name, *value;
	} options[OPTIONS_MAX];
	size_t n_options;
	bool has_settings;
	struct settings settings; /* after admin_settings() */
};

typedef enum exit_status command_run(struct admin *admin, int argc, char **argv);

struct command {
	const char *noun;
	const char *verb; /* one or more words; null for commands of one word */
	/* For the usage line, as man/postroad.8 has them; "" for none. */
	const char *arguments;
	int least, most; /* arguments besides options; most -1: any number */
	const char
	    *options; /* "--to= --all": those it knows, "=" for a value; or null */
	command_run *run;
	const char *help;
};

/* All tables, ended by null. */
extern const struct command *const command_tables[];

/* The row whose words the arguments begin with, the longest when there are more; *words
 * is how many that are. Null when there is none. */
MUST_USE const struct command *command_find(int argc, char **argv, int *words);

/* The commands of one noun each, ended by a row without a noun. */
extern const struct command commands_server[];
extern const struct command commands_domain[];
extern const struct command commands_account[];
extern const struct command commands_alias[];
extern const struct command commands_list[];
extern const struct command commands_group[];
extern const struct command commands_directory[];
extern const struct command commands_queue[];
extern const struct command commands_mailbox[];
extern const struct command commands_backup[];
extern const struct command commands_restore[];
extern const struct command commands_table[];
extern const struct command commands_export[];
extern const struct command commands_import[];
extern const struct command commands_trace[];
extern const struct command commands_complete[];

/* table.c: opens all lookup tables; tells what is wrong, with file and line. */
MUST_USE bool table_check_all(struct admin *admin);

/* Reads the settings once. False after telling every error with file and line. */
MUST_USE bool admin_settings(struct admin *admin);

/* The same for who need not be root; where the file is for root alone, since a route
 * has a password, those that are built in: their paths are the usual ones. */
MUST_USE bool admin_settings_of_anybody(struct admin *admin);

/* A command line without the program's name. argv itself is changed. */
MUST_USE enum exit_status admin_run(struct admin *admin, int argc, char **argv);

/* One line on standard error, with the program's name before it. */
void admin_complain(const char *format, ...) PRINTF(1, 2);

/* The value of an option that was given ("" where it takes none), else null. */
MUST_USE const char *admin_option(const struct admin *admin, const char *option);
