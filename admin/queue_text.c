/* Words and numbers as people and programs see them, and what picks messages. */
#include "admin/queue.h"

#include <time.h>

#include "admin/reason.h"

static const char *const status_names[] = {
    [QUEUE_ACTIVE] = "active", [QUEUE_DEFERRED] = "deferred", [QUEUE_HELD] = "held"};

const char *
queue_status_name(uint8_t status)
{
	return status < N_ELEMS(status_names) ? status_names[status] : "?";
}

const char *
queue_state_name(char state)
{
	switch (state) {
	case DETAIL_OPEN:
		return "waiting";
	case DETAIL_DONE:
		return "done";
	case DETAIL_FAILED:
		return "failed";
	case DETAIL_WORK:
		return "in work";
	default:
		return "?";
	}
}

uint64_t
queue_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void
queue_age_format(uint64_t seconds, char *out, size_t size)
{
	unsigned long long s = seconds;

	if (s < 60)
		snprintf(out, size, "%llus", s);
	else if (s < 3600)
		snprintf(out, size, "%llum", s / 60);
	else if (s < 86400)
		snprintf(out, size, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		snprintf(out, size, "%llud%02lluh", s / 86400, s / 3600 % 24);
}

void
queue_print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			fprintf(out, "\\x%02x", (unsigned)c);
		else
			putc(c, out);
	}
}

/* --- JSON ----------------------------------------------------------------- */

json_t *
queue_json_text(const char *text)
{
	json_t *value = json_string(text);
	struct buf ascii;

	if (value)
		return value;
	ascii = buf_make(strlen(text) * 4 + 1);
	for (; *text; text++) {
		if ((uint8_t)*text < 0x80)
			buf_put_char(&ascii, *text);
		else
			buf_putf(&ascii, "\\x%02x", (unsigned)(uint8_t)*text);
	}
	value = json_stringn(ascii.at, ascii.n);
	buf_release(&ascii);
	return value;
}

json_t *
queue_json_time(uint64_t unix_us)
{
	time_t seconds = (time_t)(unix_us / 1000000);
	char text[32] = "";
	struct tm utc;

	if (unix_us == 0 || !gmtime_r(&seconds, &utc))
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

static void
reason_json(json_t *object, const char *text)
{
	struct reason r = reason_parse(span_str(text));

	json_object_set_new(object, "reason", queue_json_text(text));
	json_object_set_new(object, "meaning",
			    r.advice ? json_string(r.advice->meaning) : json_null());
	json_object_set_new(object, "what_to_do",
			    r.advice ? json_string(r.advice->what_to_do) : json_null());
}

json_t *
queue_message_json(const struct queue_message *m)
{
	uint64_t now_us = queue_now_us();
	json_t *object = json_object();

	json_object_set_new(object, "id", json_string(m->id));
	json_object_set_new(object, "status",
			    json_string(queue_status_name(m->status)));
	json_object_set_new(object, "arrived", queue_json_time(m->arrived_us));
	json_object_set_new(
	    object, "age_s",
	    json_integer(now_us > m->arrived_us
			     ? (json_int_t)((now_us - m->arrived_us) / 1000000)
			     : 0));
	json_object_set_new(object, "next_try", queue_json_time(m->next_try_us));
	json_object_set_new(object, "tries", json_integer(m->tries));
	json_object_set_new(object, "size", json_integer((json_int_t)m->bytes));
	json_object_set_new(object, "sender",
			    m->readable ? queue_json_text(m->sender) : json_null());
	reason_json(object, m->reason);
	return object;
}

/* --- what picks messages -------------------------------------------------- */

bool
queue_picks(const struct admin *admin)
{
	return admin_option(admin, "--to") || admin_option(admin, "--from") ||
	       admin_option(admin, "--status");
}

/* A filter that names nothing would mean everything. */
static bool
pick_text(const struct admin *admin, const char *option, struct span *out)
{
	const char *text = admin_option(admin, option);

	*out = span_str(text);
	if (!text || span_trim(*out, "@").n > 0)
		return true;
	admin_complain("%s needs an address or a domain", option);
	return false;
}

bool
queue_pick(const struct admin *admin, struct ipc_queue_ask *ask)
{
	const char *status = admin_option(admin, "--status");

	if (!pick_text(admin, "--to", &ask->to) ||
	    !pick_text(admin, "--from", &ask->from))
		return false;
	for (uint8_t i = 0; status && i < N_ELEMS(status_names); i++)
		if (strcmp(status, status_names[i]) == 0)
			ask->status = (uint8_t)(i + 1);
	if (!status || ask->status != 0)
		return true;
	admin_complain("status '%s': it is active, deferred or held", status);
	return false;
}

bool
queue_id_argument(const char *text, uint64_t *id)
{
	if (queue_id_parse(span_str(text), id) && *id != 0)
		return true;
	admin_complain("'%s' is no queue id", text);
	return false;
}
