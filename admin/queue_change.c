/* postroad queue hold, release, flush, requeue, remove, bounce: by ids, by what
 * messages have in common, or all */
#include <inttypes.h>

#include "admin/queue.h"

static bool
take_done(void *context, const struct ipc_message *m)
{
	queue_answer_take_done(context, m);
	return false;
}

/* One question; its count is added to *count. */
static enum exit_status
change_ask(struct admin *admin, const struct ipc_queue_ask *ask, uint64_t *count)
{
	struct ipc_message m = {.number = IPC_NUMBER_queue_ask, .queue_ask = *ask};
	struct queue_answer answer = {0};
	enum exit_status status = control_ask(admin, "qmgr", &m, take_done, &answer);

	*count += answer.count;
	return status == EXIT_DONE ? queue_answer_status(&answer) : status;
}

/* All ids are read before anything is changed. */
static enum exit_status
change_ids(struct admin *admin, struct ipc_queue_ask *ask, int argc, char **argv,
	   uint64_t *count)
{
	enum exit_status status = EXIT_DONE;

	for (int i = 0; i < argc; i++)
		if (!queue_id_argument(argv[i], &ask->id))
			return EXIT_USAGE;
	for (int i = 0; i < argc && status != EXIT_LATER; i++) {
		enum exit_status one;

		if (!queue_id_parse(span_str(argv[i]), &ask->id))
			return EXIT_USAGE;
		one = change_ask(admin, ask, count);
		if (one == EXIT_FAILED && argc > 1)
			admin_complain("%s: not done", argv[i]);
		status = one == EXIT_DONE ? status : one;
	}
	return status;
}

/* Ids, or --to, --from and --status, or --all. */
static bool
pick_is_clear(const struct admin *admin, int argc)
{
	int picks =
	    (argc > 0) + queue_picks(admin) + (admin_option(admin, "--all") != NULL);

	if (picks != 1)
		admin_complain("say which messages: ids; or --to, --from, --status; or "
			       "--all");
	return picks == 1;
}

static enum exit_status
change_queue(struct admin *admin, enum queue_verb verb, int argc, char **argv)
{
	static const char *const past[] = {
	    [QUEUE_HOLD] = "held",      [QUEUE_RELEASE] = "released",
	    [QUEUE_FLUSH] = "flushed",  [QUEUE_REQUEUE] = "requeued",
	    [QUEUE_REMOVE] = "removed", [QUEUE_BOUNCE] = "bounced"};
	struct ipc_queue_ask ask = {.verb = (uint8_t)verb};
	bool for_ever = verb == QUEUE_REMOVE || verb == QUEUE_BOUNCE;
	enum exit_status status;
	uint64_t count = 0;

	if (!pick_is_clear(admin, argc) || !queue_pick(admin, &ask))
		return EXIT_USAGE;
	if (for_ever && argc == 0 && !admin_option(admin, "--yes")) {
		admin_complain("this cannot be undone: add --yes");
		return EXIT_USAGE;
	}
	status = argc > 0 ? change_ids(admin, &ask, argc, argv, &count)
			  : change_ask(admin, &ask, &count);
	if (status == EXIT_USAGE)
		return status;
	if (admin->json)
		printf("{\"messages\": %" PRIu64 "}\n", count);
	else
		printf("%" PRIu64 " message%s %s\n", count, count == 1 ? "" : "s",
		       past[verb]);
	return status;
}

#define CHANGE_COMMAND(name, verb)                                                     \
	enum exit_status name(struct admin *admin, int argc, char **argv)              \
	{                                                                              \
		return change_queue(admin, (verb), argc, argv);                        \
	}
CHANGE_COMMAND(queue_hold_run, QUEUE_HOLD)
CHANGE_COMMAND(queue_release_run, QUEUE_RELEASE)
CHANGE_COMMAND(queue_flush_run, QUEUE_FLUSH)
CHANGE_COMMAND(queue_requeue_run, QUEUE_REQUEUE)
CHANGE_COMMAND(queue_remove_run, QUEUE_REMOVE)
CHANGE_COMMAND(queue_bounce_run, QUEUE_BOUNCE)

/* --- pause, resume -------------------------------------------------------- */

static enum exit_status
change_pause(struct admin *admin, enum queue_verb verb)
{
	struct ipc_queue_ask ask = {.verb = (uint8_t)verb};
	const char *domain = admin_option(admin, "--to");
	enum exit_status status;
	uint64_t count = 0;
	json_t *object;

	if (!queue_pick(admin, &ask))
		return EXIT_USAGE;
	if (domain && strchr(domain, '@')) {
		admin_complain("--to '%s': it is a domain here", domain);
		return EXIT_USAGE;
	}
	status = change_ask(admin, &ask, &count);
	if (status != EXIT_DONE)
		return status;
	if (!admin->json) {
		fputs(domain ? "mail to " : "outgoing mail", stdout);
		queue_print_text(stdout, domain ? domain : "");
		printf(" %s%s\n", verb == QUEUE_PAUSE ? "is paused" : "goes out",
		       count > 0 ? "" : ", as it did before");
		return EXIT_DONE;
	}
	object = json_object();
	json_object_set_new(object, "domain", queue_json_text(domain ? domain : "*"));
	json_object_set_new(object, "paused", json_boolean(verb == QUEUE_PAUSE));
	json_object_set_new(object, "changed", json_boolean(count > 0));
	json_dumpf(object, stdout, 0);
	putchar('\n');
	json_decref(object);
	return EXIT_DONE;
}

enum exit_status
queue_pause_run(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return change_pause(admin, QUEUE_PAUSE);
}

enum exit_status
queue_resume_run(struct admin *admin, int argc, char **argv)
{
	(void)argc, (void)argv;
	return change_pause(admin, QUEUE_RESUME);
}
