#include "admin/command.h"

const struct command *const command_tables[] = {
    commands_server,
    commands_domain,
    commands_account,
    commands_alias,
    commands_list,
    commands_group,
    commands_directory,
    commands_queue,
    commands_import,
    commands_export,
    commands_mailbox,
    commands_backup,
    commands_restore,
    commands_table,
    commands_trace,
    commands_complete,
    NULL,
};

/* How many arguments are the words of `verb` ("show", "password add"), one after
 * another; 0 when they are not. */
static int
verb_words(const char *verb, int argc, char **argv)
{
	struct span rest = span_str(verb);
	int n = 0;

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');

		if (n >= argc || !span_equal(word, span_str(argv[n])))
			return 0;
		n++;
	}
	return n;
}

const struct command *
command_find(int argc, char **argv, int *words)
{
	const struct command *found = NULL;

	*words = 0;
	for (size_t t = 0; command_tables[t] && argc > 0; t++) {
		for (const struct command *c = command_tables[t]; c->noun; c++) {
			int n = 1;

			if (strcmp(argv[0], c->noun) != 0)
				continue;
			if (c->verb)
				n += verb_words(c->verb, argc - 1, argv + 1);
			if ((n > 1 || !c->verb) && n > *words) {
				*words = n;
				found = c;
			}
		}
	}
	return found;
}
