/* admin/trace.c - postroad trace: everything that happened to a message
 *
 * The log is read twice. The first reading finds the queue ids of all events that
 * name what is searched (a queue id, a Message-ID, an address); the second prints
 * every event of those ids, and how their SMTP session began.
 */
#include <errno.h>
#include <jansson.h>

#include "admin/command.h"

#define TRACE_IDS_MAX 10000

/* Where lines of ours end up for a value of log_to; tried in order. */
static const char *const syslog_files[] = {"/var/log/mail.log", "/var/log/syslog",
					   "/var/log/messages"};

struct words {
	char *at[TRACE_IDS_MAX];
	size_t n;
};

struct trace {
	struct span needle;
	struct words ids, sessions;
	bool json;
	size_t printed;
};

static bool
words_have(const struct words *words, struct span word)
{
	for (size_t i = 0; i < words->n; i++)
		if (span_equal(span_str(words->at[i]), word))
			return true;
	return false;
}

static void
words_add(struct words *words, struct span word)
{
	if (word.n > 0 && words->n < TRACE_IDS_MAX && !words_have(words, word))
		words->at[words->n++] = span_dup(word);
}

static void
words_release(struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->at[i]);
}

/* The next " key=value" of a line; quotes around a value are taken off. */
static bool
next_field(struct span *rest, struct span *key, struct span *value)
{
	size_t end = 0;

	*rest = span_trim(*rest, " ");
	*key = span_cut(rest, '=');
	if (key->n == 0)
		return false;
	if (rest->n > 0 && rest->at[0] == '"') {
		for (end = 1; end < rest->n && rest->at[end] != '"'; end++)
			end += rest->at[end] == '\\';
		end = end < rest->n ? end : rest->n;
		*value = span_after(span_first(*rest, end), 1);
		*rest = span_after(*rest, end + 1);
	} else {
		*value = span_cut(rest, ' ');
	}
	return true;
}

/* "2026-.. smtpd[12] smtp.accepted id=.. " -> the event, with its fields behind.
 * What stands before (time, or syslog's own words) may differ; an event is the
 * first word with a dot and no colon, bracket or digit in it. */
static bool
split_line(struct span line, struct span *before, struct span *event,
	   struct span *fields)
{
	struct span rest = line;

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');
		bool plain = span_find(word, '.') < word.n;

		for (size_t i = 0; i < word.n; i++)
			plain = plain &&
				(ascii_alpha(word.at[i]) || strchr("._-", word.at[i]));
		if (plain) {
			*event = word;
			*fields = rest;
			*before = span_trim(
			    span_first(line, (size_t)(word.at - line.at)), " ");
			return true;
		}
	}
	return false;
}

/* An address or Message-ID may be logged with its <>. */
static bool
value_is(struct span value, struct span needle)
{
	return span_equal_nocase(span_trim(value, "<>"), span_trim(needle, "<>"));
}

static void
find_ids(struct trace *t, struct span line)
{
	struct span before, event, fields, key, value, id = {0};
	bool hit = false;

	if (!split_line(line, &before, &event, &fields))
		return;
	while (next_field(&fields, &key, &value)) {
		if (span_equal(key, SPAN("id")))
			id = value;
		hit = hit || value_is(value, t->needle);
	}
	if (hit)
		words_add(&t->ids, id);
}

static void
print_json(struct trace *t, struct span before, struct span event, struct span fields)
{
	json_t *object = json_object(), *values = json_object();
	struct span key, value;

	json_object_set_new(object, "at", json_stringn(before.at, before.n));
	json_object_set_new(object, "event", json_stringn(event.at, event.n));
	while (next_field(&fields, &key, &value)) {
		char *name = span_dup(key);

		json_object_set_new(values, name, json_stringn(value.at, value.n));
		free(name);
	}
	json_object_set_new(object, "fields", values);
	fputs(t->printed > 0 ? ",\n " : "[", stdout);
	json_dumpf(object, stdout, 0);
	json_decref(object);
}

static void
find_sessions(struct trace *t, struct span line)
{
	struct span before, event, fields, key, value, sid = {0};
	bool ours = false;

	if (!split_line(line, &before, &event, &fields))
		return;
	while (next_field(&fields, &key, &value)) {
		if (span_equal(key, SPAN("sid")))
			sid = value;
		if (span_equal(key, SPAN("id")))
			ours = words_have(&t->ids, value);
	}
	if (ours)
		words_add(&t->sessions, sid);
}

/* Of a session only what is about no other message. */
static void
print_ours(struct trace *t, struct span line)
{
	struct span before, event, fields, rest, key, value;
	bool has_id = false, ours = false, session = false;

	if (!split_line(line, &before, &event, &fields))
		return;
	for (rest = fields; next_field(&rest, &key, &value);) {
		if (span_equal(key, SPAN("id"))) {
			has_id = true;
			ours = words_have(&t->ids, value);
		}
		if (span_equal(key, SPAN("sid")))
			session = words_have(&t->sessions, value);
	}
	if (!ours && (has_id || !session))
		return;
	if (t->json)
		print_json(t, before, event, fields);
	else
		printf("%.*s\n", SPAN_ARG(line));
	t->printed++;
}

static FILE *
open_log(const struct settings *settings, bool *is_command)
{
	FILE *file = NULL;

	*is_command = strcmp(settings->log_to, "journal") == 0;
	if (*is_command)
		return popen("exec journalctl -q -o short-iso-precise -t postroad",
			     "re");
	if (settings->log_to[0] == '/')
		return fopen(settings->log_to, "re");
	for (size_t i = 0; !file && i < N_ELEMS(syslog_files); i++)
		file = fopen(syslog_files[i], "re");
	return file;
}

typedef void each_line(struct trace *t, struct span line);

static bool
read_log(const struct settings *settings, struct trace *t, each_line *each)
{
	bool is_command;
	FILE *file = open_log(settings, &is_command);
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!file) {
		admin_complain("log (log_to = %s): %s", settings->log_to,
			       strerror(errno));
		return false;
	}
	while ((n = getline(&line, &size, file)) > 0)
		each(t, span_trim(span_make(line, (size_t)n), "\r\n"));
	free(line);
	if (is_command)
		return pclose(file) == 0;
	fclose(file);
	return true;
}

static enum exit_status
trace_message(struct admin *admin, int argc, char **argv)
{
	struct trace *t;
	size_t printed;
	bool good;

	(void)argc;
	if (!admin_settings(admin))
		return EXIT_FAILED;
	t = memory_new(1, sizeof(*t));
	t->needle = span_str(argv[0]);
	t->json = admin->json;
	good = read_log(&admin->settings, t, find_ids) &&
	       read_log(&admin->settings, t, find_sessions) &&
	       read_log(&admin->settings, t, print_ours);
	printed = t->printed;
	if (good && t->json)
		puts(printed > 0 ? "]" : "[]");
	words_release(&t->ids);
	words_release(&t->sessions);
	free(t);
	if (good && printed == 0)
		admin_complain("the log knows nothing of '%s'", argv[0]);
	return good && printed > 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command commands_trace[] = {
    {"trace",		  NULL, "ID|MESSAGE-ID|ADDRESS", 1, 1, NULL, trace_message,
     "everything that happened to a message"},
    {0},
};
