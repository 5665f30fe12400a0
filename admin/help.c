#include "admin/help.h"

#define HELP_COLUMN 46 /* where the text begins that says what a command is for */

/* Words in the arguments of more than one command that stand for more. */
static const struct {
	const char *word, *meaning;
} words[] = {
    {"MESSAGES", "ID ..., --all, or any of --to DOMAIN|ADDRESS, --from "
		 "DOMAIN|ADDRESS, --status active|deferred|held"},
    {"SIZE",     "a number with K, M, G or T behind it: 500M, 10G"              },
};

bool
help_has(const char *noun)
{
	for (size_t t = 0; command_tables[t]; t++)
		if (strcmp(command_tables[t]->noun, noun) == 0)
			return true;
	return false;
}

/* Its own line when what the command takes reaches into the column. */
static void
print_row(FILE *out, const struct command *c)
{
	int n =
	    fprintf(out, "  %s%s%s%s%s", c->noun, c->verb ? " " : "",
		    c->verb ? c->verb : "", c->arguments[0] ? " " : "", c->arguments);

	if (n > HELP_COLUMN - 2) {
		fputc('\n', out);
		n = 0;
	}
	fprintf(out, "%*s%s\n", HELP_COLUMN - n, "", c->help);
}

static void
print_words(FILE *out, const char *noun)
{
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		bool used = false;

		for (size_t t = 0; command_tables[t]; t++)
			for (const struct command *c = command_tables[t]; c->noun; c++)
				if ((!noun || strcmp(c->noun, noun) == 0) &&
				    strstr(c->arguments, words[i].word))
					used = true;
		if (used)
			fprintf(out, "%s: %s\n", words[i].word, words[i].meaning);
	}
}

void
help_print(FILE *out, const char *noun)
{
	if (!help_has(noun))
		noun = NULL;
	fputs(
	    "usage: postroad [--config FILE] [--json] [--as USER@DOMAIN] COMMAND ...\n",
	    out);
	for (size_t t = 0; command_tables[t]; t++)
		for (const struct command *c = command_tables[t]; c->noun; c++)
			if (!noun || strcmp(noun, c->noun) == 0)
				print_row(out, c);
	print_words(out, noun);
}

void
help_usage(FILE *out, const struct command *c)
{
	fprintf(out, "usage: postroad %s%s%s %s\n", c->noun, c->verb ? " " : "",
		c->verb ? c->verb : "", c->arguments);
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strstr(c->arguments, words[i].word))
			fprintf(out, "%s: %s\n", words[i].word, words[i].meaning);
}
