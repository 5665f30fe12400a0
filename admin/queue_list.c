/* postroad queue list: what waits, until when, and why */
#include "admin/listing.h"
#include "admin/queue.h"
#include "admin/reason.h"

#define LISTED_RECIPIENTS 3 /* of one message, in the form for people */

struct list {
	bool json;
	size_t n;
	struct listing *table; /* for people */
};

static const char *const columns[] = {"id",   "status", "age",        "next",   "tries",
				      "size", "sender", "recipients", "reason", NULL};

/* --- for programs --------------------------------------------------------- */

static void
list_json(struct list *list, const struct queue_message *m)
{
	json_t *object = queue_message_json(m), *recipients = json_array();

	for (size_t i = 0; i < m->n_recipients; i++)
		if (queue_recipient_listed(m, i))
			json_array_append_new(
			    recipients, queue_json_text(m->recipients[i].address));
	json_object_set_new(object, "recipients", recipients);
	fputs(list->n > 0 ? ",\n " : "[", stdout);
	json_dumpf(object, stdout, 0);
	json_decref(object);
}

/* --- for people ----------------------------------------------------------- */

static void
cell_age(struct listing *l, uint64_t from_us, uint64_t to_us, const char *before)
{
	char age[32], text[40];

	queue_age_format(to_us > from_us ? (to_us - from_us) / 1000000 : 0, age,
			 sizeof(age));
	snprintf(text, sizeof(text), "%s%s", before, age);
	listing_text(l, span_str(text));
}

static void
cell_next(struct listing *l, const struct queue_message *m, uint64_t now_us)
{
	if (m->next_try_us == 0)
		listing_text(l, SPAN(""));
	else if (m->next_try_us <= now_us)
		listing_text(l, SPAN("now"));
	else
		cell_age(l, now_us, m->next_try_us, "in ");
}

static void
cell_recipients(struct listing *l, const struct queue_message *m)
{
	struct buf text = buf_make(LISTED_RECIPIENTS * (TARGET_ADDRESS_MAX + 2) + 64);

	size_t n = 0;

	for (size_t i = 0; i < m->n_recipients; i++)
		if (queue_recipient_listed(m, i) && n++ < LISTED_RECIPIENTS)
			buf_putf(&text, "%s%s", n > 1 ? ", " : "",
				 m->recipients[i].address);
	if (n > LISTED_RECIPIENTS)
		buf_putf(&text, " and %zu more", n - LISTED_RECIPIENTS);
	listing_text(l, buf_span(&text));
	buf_release(&text);
}

/* The server's own words; what they mean stands before them. */
static void
cell_reason(struct listing *l, const char *reason)
{
	struct reason r = reason_parse(span_str(reason));
	struct buf text = buf_make(8192);

	if (r.advice)
		buf_putf(&text, "%s (%s)", r.advice->meaning, reason);
	else
		buf_put_str(&text, reason);
	listing_text(l, buf_span(&text));
	buf_release(&text);
}

static void
list_table(struct list *list, const struct queue_message *m)
{
	uint64_t now_us = queue_now_us();
	struct listing *l = list->table;

	listing_text(l, span_str(m->id));
	listing_text(l, span_str(queue_status_name(m->status)));
	cell_age(l, m->arrived_us, now_us, "");
	cell_next(l, m, now_us);
	listing_number(l, m->tries);
	listing_bytes(l, m->bytes);
	listing_text(l, span_str(!m->readable           ? "?"
				 : m->sender[0] == '\0' ? "<>"
							: m->sender));
	cell_recipients(l, m);
	cell_reason(l, m->reason);
}

static void
list_take(void *context, const struct queue_message *m)
{
	struct list *list = context;

	if (list->json)
		list_json(list, m);
	else
		list_table(list, m);
	list->n++;
}

/* --- the command ---------------------------------------------------------- */

static bool
limit_argument(const struct admin *admin, uint64_t *out)
{
	const char *text = admin_option(admin, "--limit");

	if (!text || (number_parse(span_str(text), INT64_MAX, out) && *out > 0))
		return true;
	admin_complain("--limit '%s': it is a number above 0", text);
	return false;
}

static void
list_end(struct list *list, const struct queue_answer *answer, bool good)
{
	if (!good) {
		if (list->table)
			listing_free(&list->table);
		return;
	}
	if (list->json) {
		puts(list->n > 0 ? "]" : "[]");
		return;
	}
	listing_end(&list->table);
	queue_answer_tell_paused(answer, stdout);
}

enum exit_status
queue_list_run(struct admin *admin, int argc, char **argv)
{
	struct ipc_queue_ask ask = {.verb = QUEUE_LIST};
	struct list list = {.json = admin->json};
	struct queue_answer answer = {0};
	enum exit_status status;
	uint64_t limit = 0;

	(void)argc, (void)argv;
	if (!queue_pick(admin, &ask) || !limit_argument(admin, &limit))
		return EXIT_USAGE;
	if (!admin->json)
		list.table = listing_new(admin, columns);
	status = queue_read(admin, &ask, limit, list_take, &list, &answer);
	list_end(&list, &answer, status == EXIT_DONE);
	if (status == EXIT_DONE)
		status = queue_answer_status(&answer);
	queue_answer_release(&answer);
	return status;
}
