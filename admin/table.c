/* admin/table.c - postroad table query, list */
#include "admin/control.h"
#include "admin/listing.h"
#include "admin/owner.h"
#include "common/lookup/lookup.h"

#include <event2/event.h>

/* Who answers: authd when it runs, else this command opens the files itself. */
struct tables {
	struct ipc_client *authd; /* or null */
	struct event_base *base;
	struct lookups *lookups;
	struct admin *admin;
};

static const char *
check(void *context, const char *table, struct span value)
{
	return lookup_value_fault(context, table, value);
}

static void
tables_open_here(struct tables *t)
{
	t->base = event_base_new();
	ASSERT(t->base);
	t->lookups = lookups_new(t->base, check, &t->admin->settings);
	lookups_set(t->lookups, &t->admin->settings.tables);
}

static enum exit_status
tables_open(struct admin *admin, struct tables *t)
{
	struct err err;

	*t = (struct tables){.admin = admin};
	if (!admin_settings(admin))
		return EXIT_FAILED;
	t->authd = control_connect(admin, "authd", &err);
	if (!t->authd && !control_is_down(&err))
		return control_failed("authd", &err);
	if (!t->authd)
		tables_open_here(t);
	return EXIT_DONE;
}

static void
tables_close(struct tables *t)
{
	ipc_client_free(&t->authd);
	lookups_free(&t->lookups);
	if (t->base)
		event_base_free(t->base);
}

/* --- asking -------------------------------------------------------------------------
 */

static enum table_result
ask_authd(struct tables *t, struct span table, struct span key, struct buf *value,
	  struct err *err)
{
	struct ipc_message m = {.number = IPC_NUMBER_table_ask};

	m.table_ask.table = table;
	m.table_ask.key = key;
	if (ipc_client_send(t->authd, &m, err) != 0 ||
	    ipc_client_receive(t->authd, CONTROL_TIMEOUT_MS, &m, err) != 0)
		return TABLE_FAULT;
	if (m.number != IPC_NUMBER_table_done)
		return (enum table_result)err_set(err, "authd gave another answer");
	buf_reset(value);
	buf_put(value, m.table_done.text);
	if (m.table_done.outcome == TABLE_FOUND ||
	    m.table_done.outcome == TABLE_NOT_FOUND)
		return (enum table_result)m.table_done.outcome;
	return (enum table_result)err_set(err, "%.*s",
					  SPAN_ARG(span_first(buf_span(value), 200)));
}

static enum table_result
ask(struct tables *t, struct span table, struct span key, struct buf *value,
    struct err *err)
{
	if (t->authd)
		return ask_authd(t, table, key, value, err);
	return lookup_now(t->lookups, t->base, table, key, value, err);
}

/* --- query ---------------------------------------------------------------------------
 */

/* The answers, and how many there were. */
struct query {
	struct tables tables;
	struct span table;
	struct listing *listing; /* with --json */
	bool with_keys;
	size_t found;
	struct buf value;
};

static void
tell(struct query *q, struct span key)
{
	q->found++;
	if (q->listing) {
		listing_text(q->listing, key);
		listing_text(q->listing, buf_span(&q->value));
		return;
	}
	if (q->with_keys)
		printf("%.*s\t", SPAN_ARG(key));
	printf("%.*s\n", SPAN_ARG(buf_span(&q->value)));
}

static enum exit_status
query_key(struct query *q, struct span key)
{
	struct err err;

	switch (ask(&q->tables, q->table, key, &q->value, &err)) {
	case TABLE_FOUND:
		tell(q, key);
		return EXIT_DONE;
	case TABLE_NOT_FOUND:
		return EXIT_DONE;
	default:
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
}

static enum exit_status
query_lines(struct query *q)
{
	enum exit_status status = EXIT_DONE;
	size_t size = 0;
	char *line = NULL;
	ssize_t n;

	q->with_keys = true;
	while (status == EXIT_DONE && (n = getline(&line, &size, stdin)) > 0) {
		struct span key = span_make(line, (size_t)n);

		if (key.at[key.n - 1] == '\n')
			key.n--;
		status = query_key(q, key);
	}
	free(line);
	return status;
}

static enum exit_status
query_run(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"key", "value", NULL};
	struct query q = {.table = span_str(argv[0]),
			  .value = buf_make(TABLE_VALUE_BYTES_MAX)};
	enum exit_status status = tables_open(admin, &q.tables);

	if (admin->json)
		q.listing = listing_new(admin, columns);
	if (status == EXIT_DONE && argc == 2 && strcmp(argv[1], "-") == 0)
		status = query_lines(&q);
	else
		for (int i = 1; i < argc && status == EXIT_DONE; i++)
			status = query_key(&q, span_str(argv[i]));
	if (q.listing)
		listing_end(&q.listing);
	tables_close(&q.tables);
	buf_release(&q.value);
	return status == EXIT_DONE && q.found == 0 ? EXIT_FAILED : status;
}

/* --- list
 * ------------------------------------------------------------------------------ */

static void
row_tell(struct listing *l, const struct ipc_table_row *row)
{
	listing_text(l, row->name);
	listing_text(l, row->kind <= TABLE_POSTGRESQL
			    ? span_str(table_kind_name((enum table_kind)row->kind))
			    : SPAN("?"));
	listing_text(l, row->file);
	listing_flag(l, row->ready);
	listing_number(l, row->entries);
	listing_number(l, row->asked);
	listing_number(l, row->found);
	listing_number(l, row->faults);
	listing_text(l, row->fault);
}

static enum exit_status
list_running(struct tables *t, struct listing *l)
{
	struct ipc_message m = {.number = IPC_NUMBER_table_ask};
	struct err err;
	int result = ipc_client_send(t->authd, &m, &err);

	while (result == 0 && (result = ipc_client_receive(t->authd, CONTROL_TIMEOUT_MS,
							   &m, &err)) == 0) {
		if (m.number != IPC_NUMBER_table_row)
			return EXIT_DONE;
		row_tell(l, &m.table_row);
	}
	return control_failed("authd", &err);
}

static void
list_here(struct tables *t, struct listing *l)
{
	for (size_t i = 0; i < lookups_count(t->lookups); i++) {
		struct lookup_state s;

		lookups_state(t->lookups, i, &s);
		row_tell(l, &(struct ipc_table_row){.name = span_str(s.name),
						    .kind = (uint8_t)s.kind,
						    .file = span_str(s.file),
						    .ready = s.ready,
						    .entries = s.entries,
						    .fault = span_str(s.fault.text)});
	}
}

static enum exit_status
list_run(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"table",   "type",  "file",  "ready",
					      "entries", "asked", "found", "faults",
					      "fault",   NULL};
	struct listing *l;
	struct tables t;
	enum exit_status status = tables_open(admin, &t);

	(void)argc, (void)argv;
	if (status != EXIT_DONE)
		return status;
	l = listing_new(admin, columns);
	if (t.authd)
		status = list_running(&t, l);
	else
		list_here(&t, l);
	listing_end(&l);
	tables_close(&t);
	return status;
}

/* --- check
 * ------------------------------------------------------------------------------ */

static bool
state_check(const struct lookup_state *s)
{
	for (size_t i = 0; i < s->problems->n; i++) {
		const struct table_problem *p = &s->problems->at[i];

		fprintf(stderr, "%s:%u: %s%s\n", s->file, p->line,
			p->warning ? "warning: " : "", p->text);
	}
	if (s->fault.text[0])
		admin_complain("table %s: %s", s->name, s->fault.text);
	return s->fault.text[0] == '\0';
}

bool
table_check_all(struct admin *admin)
{
	struct tables t = {.admin = admin};
	bool good = true;
	struct err err;

	/* What only root can read, authd cannot. */
	if (owner_become_user(admin->settings.user_auth, &err) != 0) {
		admin_complain("%s", err.text);
		return false;
	}
	tables_open_here(&t);
	for (size_t i = 0; i < lookups_count(t.lookups); i++) {
		struct lookup_state s;

		lookups_state(t.lookups, i, &s);
		good &= state_check(&s);
	}
	tables_close(&t);
	owner_restore();
	return good;
}

const struct command commands_table[] = {
    {"table",        "query", "NAME KEY...", 2, -1, NULL, query_run,
     "what a lookup table has for a key; - reads keys from standard input"},
    {"table", "list", "", 0, 0, NULL, list_run, "the lookup tables and how they are"},
    {0	   },
};
