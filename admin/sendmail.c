/* admin/sendmail.c - the options of sendmail(8), and its modes */
#include "admin/sendmail.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "admin/submit.h"

enum sendmail_mode {
	MODE_SEND,  /* -bm */
	MODE_SMTP,  /* -bs */
	MODE_QUEUE, /* -bp */
	MODE_FLUSH, /* -q */
	MODE_ALIASES,
	MODE_NOTHING, /* -q30m: the queue is run all the time */
};

struct sendmail {
	enum sendmail_mode mode;
	bool take_recipients; /* -t */
	bool dots_are_text;   /* -i, -oi */
	const char *sender;   /* -f, -r; null: the user */
	const char *full_name;
	const char *flush_by; /* option of `postroad queue flush`; "" for an id */
	const char *flush_value;
};

/* --- options -------------------------------------------------------------- */

/* Options that other servers know and that mean nothing here, with how their
 * value comes: ':' in this or the next argument. */
static const char ignored_with_value[] = "BNRVXLhOpC";
static const char ignored[] = "vGnmUe";

static bool
parse_mode(struct sendmail *s, char letter)
{
	static const struct {
		char letter;
		enum sendmail_mode mode;
	} modes[] = {
	    {'m', MODE_SEND   },
            {'s', MODE_SMTP   },
            {'p', MODE_QUEUE  },
            {'i', MODE_ALIASES}
        };

	for (size_t i = 0; i < N_ELEMS(modes); i++) {
		if (modes[i].letter == letter) {
			s->mode = modes[i].mode;
			return true;
		}
	}
	fprintf(stderr, "sendmail: -b%c is not supported\n", letter);
	return false;
}

/* -q alone, with R and a recipient's domain (or address), S and a sender's, I and a
 * queue id, or how often the queue is to be run. */
static bool
parse_flush(struct sendmail *s, const char *text)
{
	static const struct {
		char letter;
		const char *option;
	} rows[] = {
	    {'R', "--to"  },
            {'S', "--from"},
            {'I', ""      }
        };

	s->mode = ascii_digit(text[0]) ? MODE_NOTHING : MODE_FLUSH;
	if (text[0] == '\0' || s->mode == MODE_NOTHING)
		return true;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		if (rows[i].letter != text[0] || text[1] == '\0')
			continue;
		s->flush_by = rows[i].option;
		s->flush_value = text + 1;
		return true;
	}
	fprintf(stderr, "sendmail: -q%s is not supported\n", text);
	return false;
}

/* One argument that begins with '-'. Takes the next one too where that is the
 * option's value; *used says how many were taken. */
static bool
parse_option(struct sendmail *s, const char *option, const char *next, int *used)
{
	const char *value = option[2] ? option + 2 : next;
	bool takes = strchr("fFr", option[1]) || strchr(ignored_with_value, option[1]);

	*used = takes && !option[2] ? 2 : 1;
	if (takes && !value) {
		fprintf(stderr, "sendmail: -%c needs a value\n", option[1]);
		return false;
	}
	switch (option[1]) {
	case 't':
		s->take_recipients = true;
		return true;
	case 'i':
		s->dots_are_text = true;
		return true;
	case 'o':
		s->dots_are_text = s->dots_are_text || strcmp(option, "-oi") == 0;
		return true;
	case 'f':
	case 'r':
		s->sender = value;
		return true;
	case 'F':
		s->full_name = value;
		return true;
	case 'b':
		return parse_mode(s, option[2]);
	case 'q':
		return parse_flush(s, option + 2);
	default:
		if (takes || strchr(ignored, option[1]))
			return true;
		fprintf(stderr, "sendmail: unknown option %s\n", option);
		return false;
	}
}

/* Options first; *rest is where the recipients begin. */
static bool
parse_options(struct sendmail *s, int argc, char **argv, int *rest)
{
	int i = 0, used;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!parse_option(s, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used))
			return false;
		i += used;
	}
	*rest = i;
	return true;
}

/* --- sending -------------------------------------------------------------- */

/* Standard input up to its end, or to a line with only a dot. */
static bool
read_text(bool dots_are_text, struct buf *out)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		struct span text = span_make(line, (size_t)n);

		if (!dots_are_text && span_equal(span_trim(text, "\r\n"), SPAN(".")) &&
		    n <= 3)
			break;
		buf_put(out, text);
	}
	free(line);
	return !ferror(stdin) && !out->full;
}

/* The domain of addresses that are written without one. */
static struct span
origin_of(const struct settings *settings)
{
	return span_str(settings->domains.n > 0 ? settings->domains.at[0]
						: settings->hostname);
}

static void
put_sender(struct buf *out, const struct sendmail *s, struct span origin)
{
	struct passwd *user = getpwuid(getuid());
	struct span sender = span_str(s->sender ? s->sender
				      : user    ? user->pw_name
						: "nobody");

	sender = span_trim(sender, "<>");
	buf_put(out, sender);
	if (sender.n > 0 && span_find(sender, '@') == sender.n) {
		buf_put_char(out, '@');
		buf_put(out, origin);
	}
}

static enum exit_status
hand_over(const struct settings *settings, const struct submission *submission)
{
	struct err err;

	switch (submit_message(settings, submission, &err)) {
	case SUBMIT_DONE:
		return EXIT_DONE;
	case SUBMIT_REFUSED:
		return EXIT_FAILED;
	case SUBMIT_DOWN:
		if (submit_drop(settings, submission, &err) == 0)
			return EXIT_DONE;
		fprintf(stderr, "sendmail: %s\n", err.text);
		return EXIT_LATER;
	case SUBMIT_FAULT:
		fprintf(stderr, "sendmail: %s\n", err.text);
		return EXIT_LATER;
	}
	return EXIT_FAILED;
}

static enum exit_status
send_text(const struct settings *settings, const struct sendmail *s, struct span text,
	  struct recipients *recipients)
{
	struct buf sender = buf_make(2048),
		   message = buf_make(settings->message_bytes_max + 65536);
	struct compose compose = {.text = text,
				  .full_name = span_str(s->full_name),
				  .origin = origin_of(settings),
				  .unix_s = time(NULL),
				  .take_recipients = s->take_recipients};
	enum exit_status status = EXIT_FAILED;

	put_sender(&sender, s, compose.origin);
	compose.from = buf_span(&sender);
	if (getrandom(&compose.random, sizeof(compose.random), 0) < 0)
		compose.random = (uint64_t)getpid();
	compose_message(&compose, recipients, &message);
	if (recipients->n == 0) {
		fputs("sendmail: no recipients\n", stderr);
		status = EXIT_USAGE;
	} else if (recipients->full || message.full) {
		fputs("sendmail: the message or its list of recipients is too long\n",
		      stderr);
	} else {
		const struct submission submission = {buf_span(&sender), recipients,
						      buf_span(&message)};

		status = hand_over(settings, &submission);
	}
	buf_release(&message);
	buf_release(&sender);
	return status;
}

static enum exit_status
send_stdin(const struct settings *settings, const struct sendmail *s, int argc,
	   char **argv)
{
	struct recipients *recipients = memory_new(1, sizeof(*recipients));
	struct buf text = buf_make(settings->message_bytes_max);
	enum exit_status status = EXIT_FAILED;

	for (int i = 0; i < argc; i++)
		recipients_add(recipients, span_trim(span_str(argv[i]), "<> "),
			       origin_of(settings));
	if (read_text(s->dots_are_text, &text))
		status = send_text(settings, s, buf_span(&text), recipients);
	else
		fputs("sendmail: the message cannot be read, or is too long\n", stderr);
	buf_release(&text);
	recipients_release(recipients);
	free(recipients);
	return status;
}

/* --- -bs ------------------------------------------------------------------ */

/* Moves what is readable on one side to the other; false at its end. */
static bool
pump(int from, int to)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, sizeof(bytes));

	for (ssize_t at = 0; at < n;) {
		ssize_t sent = write(to, bytes + at, (size_t)(n - at));

		if (sent < 0 && errno != EINTR)
			return false;
		at += sent > 0 ? sent : 0;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* SMTP on standard input and output, spoken by the server itself. */
static enum exit_status
speak_smtp(const struct settings *settings)
{
	struct err err;
	int fd = submit_connect(settings, &err);
	struct pollfd ends[2] = {
	    {STDIN_FILENO, POLLIN, 0},
            {fd,           POLLIN, 0}
        };
	bool open = true;

	if (fd < 0) {
		fputs("421 4.3.2 The mail system is not running\r\n", stdout);
		return EXIT_LATER;
	}
	while (open && poll(ends, N_ELEMS(ends), -1) >= 0) {
		if (ends[1].revents)
			open = pump(fd, STDOUT_FILENO);
		if (open && ends[0].revents && !pump(STDIN_FILENO, fd)) {
			ends[0].fd = -1; /* poll() passes over it from now on */
			open = shutdown(fd, SHUT_WR) == 0;
		}
	}
	close(fd);
	return EXIT_DONE;
}

enum exit_status
newaliases_run(struct admin *admin, int argc, char **argv)
{
	(void)admin, (void)argc, (void)argv;
	fputs("newaliases: aliases are kept by `postroad alias`; nothing to rebuild\n",
	      stderr);
	return EXIT_DONE;
}

/* As `postroad queue flush` with what -q picked. */
static enum exit_status
flush_queue(struct admin *admin, const struct sendmail *s)
{
	const char *by = s->flush_by ? s->flush_by : "--all";
	const char *words[] = {"queue", "flush", by, s->flush_value};
	char *arguments[N_ELEMS(words)];
	enum exit_status status;
	int n = 0;

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (words[i] && *words[i])
			arguments[n++] = span_dup(span_str(words[i]));
	status = admin_run(admin, n, arguments);
	for (int i = 0; i < n; i++)
		free(arguments[i]);
	return status;
}

enum exit_status
sendmail_run(struct admin *admin, int argc, char **argv)
{
	struct sendmail s = {0};
	int rest;

	if (!parse_options(&s, argc, argv, &rest))
		return EXIT_USAGE;
	if (!admin_settings_of_anybody(admin))
		return EXIT_FAILED;
	switch (s.mode) {
	case MODE_SEND:
		return send_stdin(&admin->settings, &s, argc - rest, argv + rest);
	case MODE_SMTP:
		return speak_smtp(&admin->settings);
	case MODE_QUEUE:
		return mailq_run(admin, 0, NULL);
	case MODE_FLUSH:
		return flush_queue(admin, &s);
	case MODE_ALIASES:
		return newaliases_run(admin, 0, NULL);
	case MODE_NOTHING:
		return EXIT_DONE;
	}
	return EXIT_USAGE;
}
