#include "admin/trace.h"

#include <errno.h>
#include <stdio.h>

#define TRACE_WORDS_MAX 100000

/* A service's standard error is in the journal as well, by this name: the unit's
 * SyslogIdentifier. */
#define JOURNAL "exec journalctl -q --no-hostname -o short-iso-precise -t postroad"

/* Where lines end up that went to syslog; tried in order. */
static const char *const syslog_files[] = {"/var/log/mail.log", "/var/log/syslog",
					   "/var/log/messages"};

/* A set of texts: open addressing, never more than half full. */
struct words {
	char **slots;
	size_t n, size;
};

struct trace {
	struct span needle;
	struct words ids, sessions;
	trace_take *take;
	void *context;
};

/* --- sets of words -------------------------------------------------------- */

static char **
slot_of(const struct words *words, struct span word)
{
	size_t i = crc32c(0, word) & (words->size - 1);

	while (words->slots[i] && !span_equal(span_str(words->slots[i]), word))
		i = (i + 1) & (words->size - 1);
	return &words->slots[i];
}

static bool
words_have(const struct words *words, struct span word)
{
	return words->n > 0 && *slot_of(words, word);
}

static void
words_grow(struct words *words)
{
	struct words old = *words;

	words->size = old.size ? old.size * 2 : 64;
	words->slots = memory_new(words->size, sizeof(*words->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			*slot_of(words, span_str(old.slots[i])) = old.slots[i];
	free(old.slots);
}

static void
words_add(struct words *words, struct span word)
{
	if (word.n == 0 || words->n == TRACE_WORDS_MAX || words_have(words, word))
		return;
	if (words->n * 2 >= words->size)
		words_grow(words);
	*slot_of(words, word) = span_dup(word);
	words->n++;
}

static void
words_release(struct words *words)
{
	for (size_t i = 0; i < words->size; i++)
		free(words->slots[i]);
	free(words->slots);
}

/* --- lines ---------------------------------------------------------------- */

/* Takes the next "key=value" off the fields; quotes around a value are taken off. */
static bool
field_next(struct span *rest, struct span *key, struct span *value)
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

/* The value of that key; empty when there is none. */
static struct span
field_value(const struct trace_event *e, struct span key)
{
	struct span rest = e->fields, k, value;

	while (field_next(&rest, &k, &value))
		if (span_equal(k, key))
			return value;
	return SPAN("");
}

json_t *
trace_event_json(const struct trace_event *e)
{
	json_t *object = json_object(), *values = json_object();
	struct span rest = e->fields, key, value;

	json_object_set_new(object, "at", json_stringn(e->at.at, e->at.n));
	json_object_set_new(object, "event", json_stringn(e->name.at, e->name.n));
	while (field_next(&rest, &key, &value)) {
		char *name = span_dup(key);

		json_object_set_new(values, name, json_stringn(value.at, value.n));
		free(name);
	}
	json_object_set_new(object, "fields", values);
	return object;
}

/* A word with a dot and no colon, bracket or digit in it. */
static bool
is_event(struct span word)
{
	bool plain = span_find(word, '.') < word.n;

	for (size_t i = 0; i < word.n; i++)
		plain = plain && word.at[i] != '\0' &&
			(ascii_alpha(word.at[i]) || strchr("._-", word.at[i]));
	return plain;
}

/* "2026-.. smtpd[12] smtp.accepted id=.. " -> the event, with its fields behind.
 * What stands before may differ: a time, syslog's own words, the machine's name, which
 * may look like an event; but the last of it is a program with its process id. */
static bool
split_line(struct span line, struct trace_event *e)
{
	struct span rest = line;
	bool program = false;

	while (rest.n > 0) {
		struct span word = span_cut(&rest, ' ');
		struct span name = span_trim(word, ":");

		program = program || (name.n > 0 && name.at[name.n - 1] == ']');
		if (!program || !is_event(word))
			continue;
		*e = (struct trace_event){
		    .line = line,
		    .at = span_trim(span_first(line, (size_t)(word.at - line.at)), " "),
		    .name = word,
		    .fields = rest};
		return true;
	}
	return false;
}

/* --- the three readings --------------------------------------------------- */

/* An address or Message-ID may be logged with its <>. */
static bool
value_is(struct span value, struct span needle)
{
	return span_equal_nocase(span_trim(value, "<>"), span_trim(needle, "<>"));
}

/* A report belongs to the history of its message, and the other way round. */
static void
find_ids(struct trace *t, const struct trace_event *e)
{
	struct span rest = e->fields, key, value, id = {0}, report = {0};
	bool hit = false;

	while (field_next(&rest, &key, &value)) {
		if (span_equal(key, SPAN("id")))
			id = value;
		else if (span_equal(key, SPAN("report")))
			report = value;
		hit = hit || value_is(value, t->needle);
	}
	if (report.n > 0)
		hit = hit || words_have(&t->ids, id) || words_have(&t->ids, report);
	if (!hit)
		return;
	words_add(&t->ids, id);
	words_add(&t->ids, report);
}

static void
find_sessions(struct trace *t, const struct trace_event *e)
{
	struct span sid = field_value(e, SPAN("sid"));

	if (sid.n > 0 && words_have(&t->ids, field_value(e, SPAN("id"))))
		words_add(&t->sessions, sid);
}

/* Of a session only what is about no other message. */
static void
take_ours(struct trace *t, const struct trace_event *e)
{
	struct span id = field_value(e, SPAN("id"));

	if (id.n > 0 ? words_have(&t->ids, id)
		     : words_have(&t->sessions, field_value(e, SPAN("sid"))))
		t->take(t->context, e);
}

static FILE *
open_log(const struct settings *settings, bool *is_command)
{
	FILE *file = NULL;

	*is_command = strcmp(settings->log_to, "journal") == 0 ||
		      strcmp(settings->log_to, "stderr") == 0;
	if (*is_command)
		return popen(JOURNAL, "re");
	if (settings->log_to[0] == '/')
		return fopen(settings->log_to, "re");
	for (size_t i = 0; !file && i < N_ELEMS(syslog_files); i++)
		file = fopen(syslog_files[i], "re");
	return file;
}

typedef void each_event(struct trace *t, const struct trace_event *e);

static bool
read_log(const struct settings *settings, struct trace *t, each_event *each)
{
	bool is_command;
	FILE *file = open_log(settings, &is_command);
	struct trace_event e;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!file) {
		admin_complain("log (log_to = %s): %s", settings->log_to,
			       strerror(errno));
		return false;
	}
	while ((n = getline(&line, &size, file)) > 0)
		if (split_line(span_trim(span_make(line, (size_t)n), "\r\n"), &e))
			each(t, &e);
	free(line);
	if (!is_command)
		fclose(file);
	else if (pclose(file) != 0) {
		admin_complain("log (log_to = %s): there is no journal to read; set "
			       "log_to to the path of a file, or to syslog",
			       settings->log_to);
		return false;
	}
	return true;
}

bool
trace_read(const struct settings *settings, struct span needle, trace_take *take,
	   void *context)
{
	struct trace t = {.needle = needle, .take = take, .context = context};
	bool good = read_log(settings, &t, find_ids) &&
		    read_log(settings, &t, find_sessions) &&
		    read_log(settings, &t, take_ours);

	words_release(&t.ids);
	words_release(&t.sessions);
	return good;
}
