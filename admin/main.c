/* admin/main.c - the one command of an operator: postroad, and by other names
 * sendmail, mailq and newaliases */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "admin/as.h"
#include "admin/command.h"
#include "admin/help.h"
#include "admin/sendmail.h"

#define CONFIG_DEFAULT "/etc/postroad/postroad.conf"

void
admin_complain(const char *format, ...)
{
	va_list args;

	fputs("postroad: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static bool
settings_read(struct admin *admin, bool built_in)
{
	struct conf_errors errors = {0};
	struct buf text = buf_make(CONF_FILE_BYTES_MAX);
	char host[HOST_NAME_MAX + 1] = "localhost";
	int result;

	if (admin->has_settings)
		return true;
	if (gethostname(host, sizeof(host) - 1) != 0)
		admin_complain("the machine does not know its name");
	if (built_in)
		result = conf_parse(SPAN(""), admin->config, host, &admin->settings,
				    &errors);
	else
		result =
		    conf_load(admin->config, host, &text, &admin->settings, &errors);
	for (size_t i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", errors.at[i].text);
	conf_errors_release(&errors);
	buf_release(&text);
	admin->has_settings = result == 0;
	return admin->has_settings;
}

bool
admin_settings(struct admin *admin)
{
	return settings_read(admin, false);
}

bool
admin_settings_of_anybody(struct admin *admin)
{
	return settings_read(admin,
			     access(admin->config, R_OK) != 0 && errno == EACCES);
}

const char *
admin_option(const struct admin *admin, const char *option)
{
	for (size_t i = 0; i < admin->n_options; i++)
		if (strcmp(admin->options[i].name, option) == 0)
			return admin->options[i].value;
	return NULL;
}

/* Does `known` ("--to= --all") list the option, and does it take a value? */
static bool
option_known(const char *known, const char *option, bool *takes_value)
{
	struct span rest = span_str(known);

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');

		*takes_value = word.n > 0 && word.at[word.n - 1] == '=';
		if (*takes_value)
			word.n--;
		if (span_equal(word, span_str(option)))
			return true;
	}
	return false;
}

static void
take_away(int *argc, char **argv, int at, int n)
{
	for (int i = at; i + n < *argc; i++)
		argv[i] = argv[i + n];
	*argc -= n;
}

/* Takes the option at argv[at] out of the arguments, with its value. */
static bool
take_option(struct admin *admin, const char *known, int *argc, char **argv, int at)
{
	bool takes_value;
	int n = 1;

	if (!option_known(known, argv[at], &takes_value) ||
	    admin->n_options == OPTIONS_MAX || (takes_value && at + 1 >= *argc))
		return false;
	n += takes_value;
	admin->options[admin->n_options].name = argv[at];
	admin->options[admin->n_options++].value = takes_value ? argv[at + 1] : "";
	take_away(argc, argv, at, n);
	return true;
}

static void
complain_option(const char *option)
{
	bool takes_value;

	if (option_known(ADMIN_OPTIONS, option, &takes_value))
		admin_complain("%s stands before the command: postroad %s%s ...",
			       option, option, takes_value ? " VALUE" : "");
	else
		admin_complain("unknown option '%s', or its value is missing", option);
}

/* All options out of the arguments; a lone "--" ends them. */
static bool
take_options(struct admin *admin, const char *known, int *argc, char **argv)
{
	for (int i = 0; i < *argc;) {
		if (argv[i][0] != '-' || argv[i][1] != '-') {
			i++;
		} else if (argv[i][2] == '\0') {
			take_away(argc, argv, i, 1);
			return true;
		} else if (!take_option(admin, known, argc, argv, i)) {
			complain_option(argv[i]);
			return false;
		}
	}
	return true;
}

enum exit_status
admin_run(struct admin *admin, int argc, char **argv)
{
	const struct command *c;
	enum exit_status status;
	int words;

	if (argc == 0 || strcmp(argv[0], "help") == 0 ||
	    strcmp(argv[0], "--help") == 0) {
		help_print(argc == 0 ? stderr : stdout, argc > 1 ? argv[1] : "");
		return argc == 0 ? EXIT_USAGE : EXIT_DONE;
	}
	c = command_find(argc, argv, &words);
	if (!c) {
		admin_complain("no command '%s%s%s'", argv[0], argc > 1 ? " " : "",
			       argc > 1 ? argv[1] : "");
		if (help_has(argv[0]))
			help_print(stderr, argv[0]);
		else
			fputs("`postroad help` shows those there are\n", stderr);
		return EXIT_USAGE;
	}
	argc -= words;
	argv += words;
	status = EXIT_USAGE;
	if (take_options(admin, c->options ? c->options : "", &argc, argv) &&
	    argc >= c->least && (c->most < 0 || argc <= c->most) &&
	    (!as_wanted(admin) || as_fits(c->noun)))
		status = as_wanted(admin) ? as_enter(admin) : EXIT_DONE;
	admin->command = c;
	if (status == EXIT_DONE)
		status = c->run(admin, argc, argv);
	if (status == EXIT_USAGE)
		help_usage(stderr, c);
	return status;
}

static enum exit_status
run_postroad(struct admin *admin, int argc, char **argv)
{
	const char *config;

	while (argc > 0 && argv[0][0] == '-' && argv[0][1] == '-' &&
	       strcmp(argv[0], "--help") != 0) {
		if (!take_option(admin, ADMIN_OPTIONS, &argc, argv, 0)) {
			admin_complain("unknown option '%s', or its value is missing",
				       argv[0]);
			return EXIT_USAGE;
		}
	}
	config = admin_option(admin, "--config");
	if (config)
		admin->config = config;
	admin->json = admin_option(admin, "--json") != NULL;
	return admin_run(admin, argc, argv);
}

/* The name the program was called by decides what it is. */
static const struct {
	const char *name;
	enum exit_status (*run)(struct admin *admin, int argc, char **argv);
} names[] = {
    {"sendmail",   sendmail_run  },
    {"mailq",      mailq_run     },
    {"newaliases", newaliases_run},
};

int
main(int argc, char **argv)
{
	const char *config = getenv("POSTROAD_CONFIG");
	struct admin admin = {.config = config ? config : CONFIG_DEFAULT};
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "postroad";
	command_run *run = run_postroad;
	enum exit_status status;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (strcmp(names[i].name, name) == 0)
			run = names[i].run;
	status = run(&admin, argc > 0 ? argc - 1 : 0, argv + 1);
	as_leave();
	if (admin.has_settings)
		conf_release(&admin.settings);
	if (fflush(stdout) != 0 && status == EXIT_DONE)
		status = EXIT_FAILED;
	return (int)status;
}
