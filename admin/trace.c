/* admin/trace.c - postroad trace: everything that happened to a message */
#include "admin/trace.h"

struct printing {
	bool json;
	size_t n;
};

static void
print_event(void *context, const struct trace_event *e)
{
	struct printing *p = context;
	json_t *object;

	if (p->json) {
		object = trace_event_json(e);
		fputs(p->n > 0 ? ",\n " : "[", stdout);
		json_dumpf(object, stdout, 0);
		json_decref(object);
	} else {
		printf("%.*s\n", SPAN_ARG(e->line));
	}
	p->n++;
}

static enum exit_status
trace_message(struct admin *admin, int argc, char **argv)
{
	struct printing p = {.json = admin->json};

	(void)argc;
	if (!admin_settings(admin) ||
	    !trace_read(&admin->settings, span_str(argv[0]), print_event, &p))
		return EXIT_FAILED;
	if (p.json)
		puts(p.n > 0 ? "]" : "[]");
	if (p.n == 0)
		admin_complain("the log (log_to = %s) knows nothing of '%s'",
			       admin->settings.log_to, argv[0]);
	return p.n > 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command commands_trace[] = {
    {"trace",		  NULL, "ID|MESSAGE-ID|ADDRESS", 1, 1, NULL, trace_message,
     "everything that happened to a message"},
    {0},
};
