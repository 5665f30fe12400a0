/* postroad queue show: one message, with its headers, and with --history what the
 * log tells of it */
#include "admin/queue.h"
#include "admin/reason.h"
#include "admin/trace.h"

struct show {
	bool json;
	bool found;
	const struct settings *settings; /* null: no history */
	bool failed;                     /* the history cannot be had */
};

/* --- what the log tells --------------------------------------------------- */

/* Events as trace_event_json() makes them. */
static void
history_add(void *context, const struct trace_event *e)
{
	json_array_append_new(context, trace_event_json(e));
}

static json_t *
history_read(struct show *show, const struct queue_message *m)
{
	json_t *history = json_array();

	if (show->settings)
		show->failed =
		    !trace_read(show->settings, span_str(m->id), history_add, history);
	return history;
}

static const char *
event_field(const json_t *event, const char *name)
{
	const char *text =
	    json_string_value(json_object_get(json_object_get(event, "fields"), name));

	return text ? text : "";
}

/* Is it told by who delivers? Not by qmgr, which keeps one reason of a message. */
static bool
tells_reply(const json_t *event)
{
	struct span name = span_str(json_string_value(json_object_get(event, "event")));

	return span_starts(name, SPAN("remote.")) || span_starts(name, SPAN("local."));
}

/* What was said of a recipient last; null: the log does not tell. */
static const char *
last_words(const json_t *history, const char *id, const char *address)
{
	for (size_t i = json_array_size(history); i-- > 0;) {
		const json_t *event = json_array_get(history, i);
		const char *text = event_field(event, "text");

		if (!tells_reply(event) || strcmp(event_field(event, "id"), id) != 0 ||
		    strcmp(event_field(event, "rcpt"), address) != 0)
			continue;
		text = *text ? text : event_field(event, "reason");
		if (*text)
			return text;
	}
	return NULL;
}

/* --- for programs --------------------------------------------------------- */

static json_t *
recipients_json(const struct queue_message *m, const json_t *history)
{
	json_t *array = json_array();

	for (size_t i = 0; i < m->n_recipients; i++) {
		const struct queue_recipient *r = &m->recipients[i];
		const char *said = last_words(history, m->id, r->address);
		json_t *object = json_object();

		json_object_set_new(object, "address", queue_json_text(r->address));
		json_object_set_new(object, "given", queue_json_text(r->given));
		json_object_set_new(object, "next_hop", queue_json_text(r->next_hop));
		json_object_set_new(object, "answer", json_boolean(r->answer));
		json_object_set_new(object, "state",
				    json_string(queue_state_name(r->state)));
		json_object_set_new(object, "last_reply",
				    said ? queue_json_text(said) : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *
reply_json(const char *reason)
{
	struct reason r = reason_parse(span_str(reason));
	json_t *object = json_object();
	char *host = span_dup(r.host), *text = span_dup(r.text), enhanced[24] = "";

	if (r.enhanced[0])
		snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", r.enhanced[0],
			 r.enhanced[1], r.enhanced[2]);
	json_object_set_new(object, "host", queue_json_text(host));
	json_object_set_new(object, "code", json_integer(r.code));
	json_object_set_new(object, "enhanced", json_string(enhanced));
	json_object_set_new(object, "text", queue_json_text(text));
	free(host);
	free(text);
	return object;
}

static void
show_json(struct show *show, const struct queue_message *m)
{
	json_t *object = queue_message_json(m), *history = history_read(show, m);

	json_object_set_new(object, "reply", reply_json(m->reason));
	json_object_set_new(object, "login", queue_json_text(m->login));
	json_object_set_new(object, "client", json_string(m->client));
	json_object_set_new(object, "helo", queue_json_text(m->helo));
	json_object_set_new(object, "protocol", queue_json_text(m->protocol));
	json_object_set_new(object, "message_id", queue_json_text(m->message_id));
	json_object_set_new(object, "envelope_id", queue_json_text(m->envid));
	json_object_set_new(object, "recipients", recipients_json(m, history));
	json_object_set_new(object, "headers", queue_json_text(m->headers));
	if (show->settings) {
		show->failed =
		    !trace_read(show->settings, span_str(m->id), history_add, history);
		json_object_set(object, "history", history);
	}
	json_dumpf(object, stdout, 0);
	putchar('\n');
	json_decref(history);
	json_decref(object);
}

/* --- for people ----------------------------------------------------------- */

static void
print_field(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("%-12s", name);
	queue_print_text(stdout, text);
	putchar('\n');
}

static void
print_time(const char *name, uint64_t at_us)
{
	uint64_t now_us = queue_now_us();
	bool past = at_us <= now_us;
	json_t *at = queue_json_time(at_us);
	char age[32];

	queue_age_format((past ? now_us - at_us : at_us - now_us) / 1000000, age,
			 sizeof(age));
	if (at_us != 0)
		printf("%-12s%s (%s%s%s)\n", name, json_string_value(at),
		       past ? "" : "in ", age, past ? " ago" : "");
	json_decref(at);
}

static void
print_reason(const char *text)
{
	struct reason r = reason_parse(span_str(text));

	print_field("reason", text);
	if (!r.advice)
		return;
	print_field("meaning", r.advice->meaning);
	print_field("what to do", r.advice->what_to_do);
}

static void
print_recipients(const struct queue_message *m, const json_t *history)
{
	puts("recipients");
	for (size_t i = 0; i < m->n_recipients; i++) {
		const struct queue_recipient *r = &m->recipients[i];
		const char *said = last_words(history, m->id, r->address);

		printf("  %-8s  %s", queue_state_name(r->state),
		       r->answer ? "answer of " : "");
		queue_print_text(stdout, r->address);
		if (*r->next_hop) {
			fputs(" by ", stdout);
			queue_print_text(stdout, r->next_hop);
		}
		if (strcmp(r->address, r->given) != 0) {
			fputs(" (given as ", stdout);
			queue_print_text(stdout, r->given);
			putchar(')');
		}
		if (said)
			fputs(": ", stdout);
		queue_print_text(stdout, said ? said : "");
		putchar('\n');
	}
}

static void
print_headers(const char *headers)
{
	struct span rest = span_str(headers);

	if (rest.n > 0)
		puts("headers");
	while (rest.n > 0) {
		char *line = span_dup(span_trim(span_cut(&rest, '\n'), "\r"));

		fputs("  ", stdout);
		queue_print_text(stdout, line);
		putchar('\n');
		free(line);
	}
}

/* As the log has it. */
static void
print_value(const char *name, const char *value)
{
	const char *quote = *value == '\0' || strchr(value, ' ') ? "\"" : "";

	printf(" %s=%s%s%s", name, quote, value, quote);
}

static void
print_history(const json_t *history)
{
	puts("history");
	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *event = json_array_get(history, i);
		const char *name;
		json_t *value;

		printf("  %s  %s", json_string_value(json_object_get(event, "at")),
		       json_string_value(json_object_get(event, "event")));
		json_object_foreach(json_object_get(event, "fields"), name, value)
		    print_value(name, json_string_value(value));
		putchar('\n');
	}
}

static void
show_text(struct show *show, const struct queue_message *m)
{
	json_t *history = history_read(show, m);
	char number[32];

	print_field("id", m->id);
	print_field("status", queue_status_name(m->status));
	print_time("arrived", m->arrived_us);
	print_time("next try", m->next_try_us);
	snprintf(number, sizeof(number), "%u", m->tries);
	print_field("tries", number);
	snprintf(number, sizeof(number), "%llu bytes", (unsigned long long)m->bytes);
	print_field("size", number);
	print_field("sender", !m->readable ? "?" : m->sender[0] ? m->sender : "<>");
	print_field("login", m->login);
	print_field("client", m->client);
	print_field("helo", m->helo);
	print_field("protocol", m->protocol);
	print_field("message-id", m->message_id);
	print_field("envelope id", m->envid);
	print_reason(m->reason);
	print_recipients(m, history);
	print_headers(m->headers);
	if (show->settings)
		print_history(history);
	json_decref(history);
}

static void
show_take(void *context, const struct queue_message *m)
{
	struct show *show = context;

	show->found = true;
	if (show->json)
		show_json(show, m);
	else
		show_text(show, m);
}

enum exit_status
queue_show_run(struct admin *admin, int argc, char **argv)
{
	struct ipc_queue_ask ask = {.verb = QUEUE_SHOW};
	struct show show = {.json = admin->json};
	struct queue_answer answer = {0};
	enum exit_status status;

	(void)argc;
	if (!queue_id_argument(argv[0], &ask.id))
		return EXIT_USAGE;
	if (!admin_settings(admin))
		return EXIT_FAILED;
	if (admin_option(admin, "--history"))
		show.settings = &admin->settings;
	status = queue_read(admin, &ask, 1, show_take, &show, &answer);
	if (status == EXIT_DONE)
		status = queue_answer_status(&answer);
	queue_answer_release(&answer);
	return show.failed ? EXIT_FAILED : status;
}
