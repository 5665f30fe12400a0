/* admin/complete.c - postroad complete: what could stand here, for a shell
 *
 * The scripts in etc/completion call it with the words of the command line, of which
 * the last is the one being typed. It prints the candidates, a line each, or the line
 * ":files" where the shell's own completion of file names is wanted. What the words
 * mean is read out of the tables of commands and their arguments.
 */
#include "admin/complete.h"

#define WORDS_BYTES_MAX 16000

void
complete_offer(struct completion *c, struct span candidate)
{
	if (!span_starts(candidate, span_str(c->typed)))
		return;
	printf("%s%.*s\n", c->before, SPAN_ARG(candidate));
	c->shown++;
}

/* ---- words of the commands */

/* Many rows begin with the same word. */
static void
offer_once(struct completion *c, struct span word)
{
	char line[80];

	snprintf(line, sizeof(line), "\n%.*s\n", SPAN_ARG(word));
	if (span_find_span(buf_span(&c->words), span_str(line)) < c->words.n)
		return;
	buf_put_str(&c->words, line);
	complete_offer(c, word);
}

/* "account" and a verb "password add": offers the word after those typed already. */
static void
offer_verb(struct completion *c, const struct command *row, int n, char **words)
{
	struct span rest = span_str(row->verb), word = span_cut(&rest, ' ');

	for (int i = 0; i < n; i++) {
		if (!span_equal(word, span_str(words[i])) || rest.n == 0)
			return;
		word = span_cut(&rest, ' ');
	}
	offer_once(c, word);
}

static void
offer_commands(struct completion *c, int n, char **words)
{
	if (n == 0)
		complete_offer(c, SPAN("help"));
	for (size_t t = 0; command_tables[t]; t++) {
		for (const struct command *row = command_tables[t]; row->noun; row++) {
			if (n == 0)
				offer_once(c, span_str(row->noun));
			else if (row->verb && strcmp(row->noun, words[0]) == 0)
				offer_verb(c, row, n - 1, words + 1);
		}
	}
}

/* ---- options */

static bool
given(struct span option, int n, char **words)
{
	for (int i = 0; i < n; i++)
		if (span_equal(option, span_str(words[i])))
			return true;
	return false;
}

static void
offer_options(struct completion *c, const char *known, int n, char **words)
{
	struct span rest = span_str(known ? known : "");

	while (rest.n > 0) {
		struct span option = span_cut(&rest, ' ');

		if (option.n > 0 && option.at[option.n - 1] == '=')
			option.n--;
		if (c->typed[0] == '-' && !given(option, n, words))
			complete_offer(c, option);
	}
}

/* Does the word name an option of the row that takes a value? */
static bool
takes_value(const char *known, const char *word)
{
	struct span rest = span_str(known ? known : "");

	while (rest.n > 0) {
		struct span option = span_cut(&rest, ' ');

		if (option.n > 0 && option.at[option.n - 1] == '=' &&
		    span_equal(span_first(option, option.n - 1), span_str(word)))
			return true;
	}
	return false;
}

/* ---- arguments */

/* Takes the next word of "USER@DOMAIN [--quota SIZE] TARGET ...", brackets dropped. */
static bool
next_word(struct span *rest, struct span *word)
{
	while (rest->n > 0) {
		*word = span_cut(rest, ' ');
		while (word->n > 0 && word->at[0] == '[')
			*word = span_after(*word, 1);
		while (word->n > 0 && word->at[word->n - 1] == ']')
			*word = span_first(*word, word->n - 1);
		if (word->n > 0)
			return true;
	}
	return false;
}

/* What stands for the argument at `index`, options left out; the last one goes on
 * when "..." is behind it. Empty when there is none. */
static struct span
argument_at(const struct command *row, int index)
{
	struct span rest = span_str(row->arguments), word, last = {0};
	int n = 0;

	while (next_word(&rest, &word)) {
		if (span_equal(word, SPAN("...")))
			return last;
		if (span_starts(word, SPAN("--"))) {
			char option[64];

			if (span_copy(word, option, sizeof(option)) &&
			    takes_value(row->options, option) &&
			    !next_word(&rest, &word))
				break;
			continue;
		}
		last = word;
		if (n++ == index)
			return word;
	}
	return (struct span){0};
}

/* What stands behind an option in the arguments: "SIZE" of "--quota SIZE". */
static struct span
value_of(const struct command *row, const char *option)
{
	struct span rest = span_str(row->arguments), word;

	while (next_word(&rest, &word))
		if (span_equal(word, span_str(option)) && next_word(&rest, &word))
			return word;
	return (struct span){0};
}

/* "SIZE|none": each of them. */
static void
offer_argument(struct completion *c, const struct command *row, struct span words)
{
	while (words.n > 0)
		complete_word(c, row->noun, span_cut(&words, '|'));
}

/* The one among the words that the mailboxes are of; null when it is not there yet. */
static const char *
account_of(const struct command *row, int n, char **words)
{
	static const struct span account = {"USER@DOMAIN", sizeof("USER@DOMAIN") - 1};
	int arguments = 0;

	for (int i = 0; i < n; i++) {
		if (takes_value(row->options, words[i])) {
			if (span_equal(value_of(row, words[i++]), account) && i < n)
				return words[i];
		} else if (words[i][0] != '-' &&
			   span_equal(argument_at(row, arguments++), account)) {
			return words[i];
		}
	}
	return NULL;
}

/* ---- the line */

/* The words behind those of the command; the last is being typed. */
static void
complete_arguments(struct completion *c, const struct command *row, int n, char **words)
{
	int arguments = 0;

	c->account = account_of(row, n - 1, words);
	if (n > 1 && takes_value(row->options, words[n - 2])) {
		offer_argument(c, row, value_of(row, words[n - 2]));
		return;
	}
	if (c->typed[0] == '-') {
		offer_options(c, row->options, n - 1, words);
		return;
	}
	for (int i = 0; i < n - 1; i++) {
		if (takes_value(row->options, words[i]))
			i++;
		else if (words[i][0] != '-')
			arguments++;
	}
	offer_argument(c, row, argument_at(row, arguments));
}

/* The options before the command; the number of words they take. */
static int
skip_global(struct admin *admin, int n, char **words)
{
	int i = 0;

	while (i < n - 1 && words[i][0] == '-') {
		if (strcmp(words[i], "--config") == 0 && i + 2 < n)
			admin->config = words[++i];
		i++;
	}
	return i;
}

static void
complete_command(struct completion *c, int argc, char **argv)
{
	int n;
	const struct command *row = command_find(argc - 1, argv, &n);

	if (argc == 1)
		offer_options(c, ADMIN_OPTIONS, 0, NULL);
	else if (row)
		complete_arguments(c, row, argc - n, argv + n);
	/* "password" may be all of a command, and the beginning of "password add". */
	if (!row || n == argc - 1)
		offer_commands(c, argc - 1, argv);
}

static enum exit_status
complete_words(struct admin *admin, int argc, char **argv)
{
	struct completion c = {.admin = admin,
			       .typed = argv[argc - 1],
			       .before = "",
			       .words = buf_make(WORDS_BYTES_MAX)};
	int skipped = skip_global(admin, argc, argv);

	if (skipped > 0 && strcmp(argv[skipped - 1], "--config") == 0)
		puts(":files");
	else
		complete_command(&c, argc - skipped, argv + skipped);
	buf_release(&c.words);
	return EXIT_DONE;
}

const struct command commands_complete[] = {
    {"complete",  NULL, "WORD ...", 1, -1, NULL, complete_words,
     "what could stand here, for a shell"},
    {0},
};
