/* admin/queue.c - postroad queue list, show, stats, hold, release, flush, requeue,
 * remove; mailq */
#include <inttypes.h>
#include <jansson.h>

#include "admin/control.h"
#include "admin/listing.h"
#include "admin/sendmail.h"
#include "common/spool/spool.h"

#define LIST_PAGE_ROWS 500

static const char *const status_names[] = {"active", "deferred", "held"};

static struct span
status_name(uint8_t status)
{
	return span_str(status < N_ELEMS(status_names) ? status_names[status] : "?");
}

/* --- list ----------------------------------------------------------------- */

struct paging {
	struct listing *l;
	uint64_t last; /* id of the last row, where the next page starts */
	size_t rows;   /* of this page */
	bool failed;
	bool partial; /* more will be in the queue when the spool is looked through */
};

/* Tells what qmgr has to say about its answer. True when that was not all. */
static bool
take_remark(const struct ipc_queue_done *done)
{
	if (done->text.n > 0)
		admin_complain("%.*s", SPAN_ARG(done->text));
	return done->ok && done->text.n > 0;
}

static void
list_recipients(const struct ipc_queue_row *row, struct buf *out)
{
	struct envelope_recipient recipient;
	struct envelope envelope;

	if (!envelope_parse(row->envelope, &envelope))
		return;
	for (struct cursor c = cursor_make(envelope.recipients);
	     recipient_next(&c, &recipient);) {
		if (out->n > 0)
			buf_put_str(out, ", ");
		buf_put(out, recipient.address);
	}
}

static struct span
sender_of(const struct ipc_queue_row *row)
{
	struct envelope envelope;

	return envelope_parse(row->envelope, &envelope) ? envelope.sender : SPAN("?");
}

static bool
take_row(void *context, const struct ipc_message *m)
{
	const struct ipc_queue_row *row = &m->queue_row;
	struct buf recipients = buf_make(ENVELOPE_BYTES_MAX);
	char id[QUEUE_ID_TEXT_SIZE];
	struct paging *paging = context;
	struct listing *l = paging->l;

	if (m->number != IPC_NUMBER_queue_row) {
		paging->failed =
		    m->number != IPC_NUMBER_queue_done || !m->queue_done.ok;
		if (m->number == IPC_NUMBER_queue_done && !paging->partial)
			paging->partial = take_remark(&m->queue_done);
		return false;
	}
	paging->last = row->id;
	paging->rows++;
	queue_id_format(row->id, id);
	list_recipients(row, &recipients);
	listing_text(l, span_str(id));
	listing_text(l, status_name(row->status));
	listing_time(l, row->arrived_us);
	listing_time(l, row->next_try_us);
	listing_number(l, row->tries);
	listing_bytes(l, row->content_bytes);
	listing_text(l, sender_of(row));
	listing_text(l, buf_span(&recipients));
	listing_text(l, row->reason);
	buf_release(&recipients);
	return true;
}

static const char *const list_columns[] = {"id",     "status", "arrived", "next_try",
					   "tries",  "size",   "sender",  "recipients",
					   "reason", NULL};

static enum exit_status
list_queue(struct admin *admin, int argc, char **argv)
{
	const char *to = admin_option(admin, "--to");
	struct paging paging = {.l = listing_new(admin, list_columns)};
	enum exit_status status;

	(void)argc, (void)argv;
	do {
		struct ipc_message ask = {.number = IPC_NUMBER_queue_ask};

		ask.queue_ask.verb = QUEUE_LIST;
		ask.queue_ask.after = paging.last;
		ask.queue_ask.limit = LIST_PAGE_ROWS;
		ask.queue_ask.to = span_str(to);
		paging.rows = 0;
		status = control_ask(admin, "qmgr", &ask, take_row, &paging);
	} while (status == EXIT_DONE && !paging.failed && paging.rows > 0);
	if (status != EXIT_DONE)
		listing_free(&paging.l);
	else
		listing_end(&paging.l);
	if (status != EXIT_DONE)
		return status;
	return paging.failed ? EXIT_FAILED : paging.partial ? EXIT_LATER : EXIT_DONE;
}

/* --- show ----------------------------------------------------------------- */

static bool
parse_id(const char *text, uint64_t *id)
{
	if (queue_id_parse(span_str(text), id))
		return true;
	admin_complain("'%s' is no queue id", text);
	return false;
}

static enum exit_status
show_message(struct admin *admin, int argc, char **argv)
{
	struct ipc_message ask = {.number = IPC_NUMBER_queue_ask};
	struct paging paging = {0};
	enum exit_status status;

	(void)argc;
	ask.queue_ask.verb = QUEUE_SHOW;
	ask.queue_ask.limit = 1;
	if (!parse_id(argv[0], &ask.queue_ask.id))
		return EXIT_USAGE;
	paging.l = listing_new(admin, list_columns);
	status = control_ask(admin, "qmgr", &ask, take_row, &paging);
	if (status != EXIT_DONE || paging.failed || paging.rows != 1) {
		listing_free(&paging.l);
		if (status == EXIT_DONE && !paging.failed)
			admin_complain("%s is not in the queue", argv[0]);
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	listing_end_single(&paging.l);
	return EXIT_DONE;
}

/* --- stats ---------------------------------------------------------------- */

struct stats {
	uint64_t total;
	bool failed, partial;
	struct listing *l;
};

/* By how long the messages have waited; see qmgr/admin_row.h. */
static const char *const age_names[] = {"<5m", "<1h", "<6h", "<1d", ">1d"};

/* Rows of stats: `reason` is the domain, `tries` the age, `id` the count and
 * `arrived_us` when the oldest message came. */
static bool
take_stats(void *context, const struct ipc_message *m)
{
	struct stats *stats = context;

	if (m->number != IPC_NUMBER_queue_row) {
		stats->failed = m->number != IPC_NUMBER_queue_done || !m->queue_done.ok;
		stats->total = stats->failed ? 0 : m->queue_done.count;
		stats->partial = !stats->failed && take_remark(&m->queue_done);
		return false;
	}
	listing_text(stats->l, m->queue_row.reason);
	listing_text(stats->l, span_str(m->queue_row.tries < N_ELEMS(age_names)
					    ? age_names[m->queue_row.tries]
					    : "?"));
	listing_number(stats->l, m->queue_row.id);
	listing_time(stats->l, m->queue_row.arrived_us);
	return true;
}

static enum exit_status
show_stats(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"domain", "age", "messages", "oldest",
					      NULL};
	struct ipc_message ask = {.number = IPC_NUMBER_queue_ask};
	struct stats stats = {.l = listing_new(admin, columns)};
	enum exit_status status;

	(void)argc, (void)argv;
	ask.queue_ask.verb = QUEUE_STATS;
	status = control_ask(admin, "qmgr", &ask, take_stats, &stats);
	if (status != EXIT_DONE || stats.failed) {
		listing_free(&stats.l);
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	if (admin->json)
		printf("{\"total\": %" PRIu64 ", \"complete\": %s, \"domains\": ",
		       stats.total, stats.partial ? "false" : "true");
	listing_end(&stats.l);
	printf(admin->json ? "}\n" : "%" PRIu64 " in the queue\n", stats.total);
	return stats.partial ? EXIT_LATER : EXIT_DONE;
}

/* --- changes -------------------------------------------------------------- */

struct change {
	bool ok;
	uint64_t count;
};

static bool
take_change(void *context, const struct ipc_message *m)
{
	struct change *change = context;

	if (m->number == IPC_NUMBER_queue_done) {
		change->ok = m->queue_done.ok;
		change->count = m->queue_done.count;
		if (m->queue_done.text.n > 0)
			admin_complain("%.*s", SPAN_ARG(m->queue_done.text));
	}
	return false;
}

/* What the command line picks: ids, --to DOMAIN, or --all. */
static bool
pick_is_clear(struct admin *admin, int argc)
{
	int picks = (argc > 0) + (admin_option(admin, "--to") != NULL) +
		    (admin_option(admin, "--all") != NULL);

	if (picks != 1)
		admin_complain("say which messages: ids, --to DOMAIN, or --all");
	return picks == 1;
}

static enum exit_status
change_one(struct admin *admin, enum queue_verb verb, uint64_t id,
	   struct change *change)
{
	struct ipc_message ask = {.number = IPC_NUMBER_queue_ask};

	ask.queue_ask.verb = (uint8_t)verb;
	ask.queue_ask.id = id;
	ask.queue_ask.to = span_str(admin_option(admin, "--to"));
	return control_ask(admin, "qmgr", &ask, take_change, change);
}

static enum exit_status
change_queue(struct admin *admin, enum queue_verb verb, int argc, char **argv)
{
	enum exit_status status = EXIT_DONE;
	struct change change = {0};
	uint64_t count = 0;
	bool ok = true;

	if (!pick_is_clear(admin, argc))
		return EXIT_USAGE;
	for (int i = 0; i < (argc > 0 ? argc : 1) && status == EXIT_DONE; i++) {
		uint64_t id = 0;

		if (argc > 0 && !parse_id(argv[i], &id))
			return EXIT_USAGE;
		change = (struct change){0};
		status = change_one(admin, verb, id, &change);
		count += change.count;
		ok = ok && change.ok;
	}
	if (status != EXIT_DONE)
		return status;
	printf(admin->json ? "{\"messages\": %" PRIu64 "}\n" : "%" PRIu64 " messages\n",
	       count);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

#define CHANGE_COMMAND(name, verb)                                                     \
	static enum exit_status name(struct admin *admin, int argc, char **argv)       \
	{                                                                              \
		return change_queue(admin, (verb), argc, argv);                        \
	}
CHANGE_COMMAND(hold_messages, QUEUE_HOLD)
CHANGE_COMMAND(release_messages, QUEUE_RELEASE)
CHANGE_COMMAND(flush_messages, QUEUE_FLUSH)
CHANGE_COMMAND(requeue_messages, QUEUE_REQUEUE)
CHANGE_COMMAND(remove_messages, QUEUE_REMOVE)

enum exit_status
mailq_run(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return list_queue(admin, 0, NULL);
}

#define PICK "--to= --all"
const struct command commands_queue[] = {
    {"queue",          "list", "[--to DOMAIN]", 0, 0, "--to=", list_queue,
     "what waits, and why"},
    {"queue", "show", "ID", 1, 1, NULL, show_message, "one message"},
    {"queue",	       "stats", "", 0, 0, NULL, show_stats, "how many wait for which domain"},
    {"queue",      "hold", "ID...|--to DOMAIN|--all", 0, -1, PICK, hold_messages,
     "do not try until released"},
    {"queue",		"release", "ID...|--to DOMAIN|--all", 0, -1, PICK, release_messages,
     "undo hold"},
    {"queue",          "flush", "ID...|--to DOMAIN|--all", 0, -1, PICK, flush_messages,
     "try now"},
    {"queue",	       "requeue", "ID...|--to DOMAIN|--all", 0, -1, PICK, requeue_messages,
     "as if it had just come"},
    {"queue",            "remove", "ID...|--to DOMAIN|--all", 0, -1, PICK, remove_messages,
     "for ever"},
    {0  },
};
