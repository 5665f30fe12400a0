/* The backend alone: records in, records out, tasks that run again, transactions that
 * meet. What the directory makes of it is in test_directory*.c. */
#include "common/directory/postgresql.h"
#include "common/directory/postgresql_schema.h"

#include "tests/unit/postgresql_fixture.h"

#include <dirent.h>
#include <unistd.h>

struct fixture {
	struct event_base *base;
	char folder[64];
	struct directory *d;
};

static int
open_one(struct fixture *f)
{
	struct directory_options options = {.folder = f->folder, .base = f->base};
	struct err err;

	options.backend = DIRECTORY_POSTGRESQL;
	options.connection = postgresql_server();
	options.password_file = "";
	options.connections = 4;
	options.timeout_ms = 5000;
	return directory_open(&options, &f->d, &err) == DIRECTORY_DONE ? 0 : -1;
}

static int
setup(void **state)
{
	struct fixture *f = memory_new(1, sizeof(*f));
	struct directory_options options = {0};

	*state = f;
	f->base = event_base_new();
	snprintf(f->folder, sizeof(f->folder), "/tmp/test_postgresql.XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	if (!postgresql_server())
		return 0;
	options.folder = f->folder;
	postgresql_prepare(&options);
	return open_one(f);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[100];

	directory_free(&f->d);
	event_base_free(f->base);
	snprintf(path, sizeof(path), "%s/secret", f->folder);
	(void)unlink(path);
	(void)rmdir(f->folder);
	free(f);
	return 0;
}

static struct fixture *
of(void **state)
{
	if (!postgresql_server())
		skip();
	return *state;
}

/* ---- one piece of work */

struct piece_of_work {
	struct record_key keys[4];
	size_t n_keys;
	struct backend_change changes[4];
	size_t n_changes;
	bool walks, counts;
	struct span prefix, after;
	size_t limit;
	/* outputs */
	int result[4];
	struct buf values[4];
	char seen[500];
	size_t count;
	enum directory_result changed;
	struct err err;
	unsigned runs;
	bool finished;
};

static bool
see(void *context, struct span key, struct span value)
{
	struct piece_of_work *w = context;
	size_t n = strlen(w->seen);

	(void)value;
	for (size_t i = 0; i < key.n && n + 2 < sizeof(w->seen); i++)
		w->seen[n++] = key.at[i] ? key.at[i] : '/';
	w->seen[n++] = ' ';
	w->seen[n] = '\0';
	return true;
}

static void
work(struct directory *d, void *context)
{
	struct piece_of_work *w = context;
	struct span value;
	int r = 0;

	w->runs++;
	w->seen[0] = '\0';
	for (size_t i = 0; i < w->n_keys && r >= 0; i++) {
		r = w->result[i] = directory_get(d, w->keys[i], &value, &w->err);
		buf_reset(&w->values[i]);
		if (r > 0)
			buf_put(&w->values[i], value);
	}
	if (w->walks && r >= 0)
		r = d->backend->calls->walk(d->backend, w->prefix, w->after, w->limit,
					    see, w, &w->err);
	if (w->counts && r >= 0)
		r = d->backend->calls->count(d->backend, w->prefix, w->limit, &w->count,
					     &w->err);
	w->changed = r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
	if (w->n_changes > 0 && r >= 0)
		w->changed = directory_apply(d, w->changes, w->n_changes, &w->err);
}

static void
finished(void *context)
{
	struct piece_of_work *w = context;

	assert_false(w->finished);
	w->finished = true;
}

static void
begin(struct fixture *f, struct piece_of_work *w, struct directory_task **task)
{
	enum directory_task_kind kind =
	    w->n_changes > 0 ? DIRECTORY_CHANGES : DIRECTORY_READS;

	w->runs = 0;
	w->finished = false;
	for (size_t i = 0; i < w->n_keys; i++)
		w->values[i] = buf_make(RECORD_VALUE_MAX);
	if (directory_do(f->d, kind, work, finished, w, task))
		w->finished = true;
}

static void
wait_for(struct fixture *f, const struct piece_of_work *w)
{
	while (!w->finished)
		assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
}

static void
do_it(struct fixture *f, struct piece_of_work *w)
{
	struct directory_task *task = NULL;

	begin(f, w, &task);
	wait_for(f, w);
}

static void
release(struct piece_of_work *w)
{
	for (size_t i = 0; i < N_ELEMS(w->values); i++)
		buf_release(&w->values[i]);
}

/* ---- records of each kind */

static struct directory_name
name_of(const char *address)
{
	struct directory_name name;
	struct err err;

	assert_int_equal(directory_name_parse(span_str(address), &name, &err), 0);
	return name;
}

/* Every field of the kind has a value that is not its empty one. */
static void
put_every_field(enum directory_kind kind, struct buf *out)
{
	static const char items_bytes[] = "\x03\0\0\0a@b\x05\0\0\0c\"@d\\";
	struct directory_object o = {.kind = kind};

	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(kind, i);

		if (!f || (f->flags & DIRECTORY_DERIVED))
			continue;
		if (f->type == DIRECTORY_FLAG || f->type == DIRECTORY_CHOICE)
			directory_put_number(&o, i, 1);
		else if (f->type == DIRECTORY_SET)
			directory_put_number(&o, i, 5);
		else if (directory_field_is_number(f))
			directory_put_number(&o, i, 1000000007);
		else if (f->type == DIRECTORY_ADDRESSES)
			directory_put_text(
			    &o, i, span_make(items_bytes, sizeof(items_bytes) - 1));
		else if (f->type == DIRECTORY_SECRET)
			directory_put_text(&o, i, span_make("\0\xff{}", 4));
		else
			directory_put_text(&o, i, SPAN("\xc3\xa4 'text', \"{x}\" \\"));
	}
	record_put_object(&o, out);
}

static struct record_key
key_of(const struct relation *r)
{
	struct record_key key = {.bytes = {(char)r->kind}, .n = 1};
	static const char id[8] = {0, 0, 0, 0, 0, 0, 1, 2};

	for (size_t i = 0; i < r->n_keys; i++) {
		bool text = r->keys[i].type == ROW_TEXT;
		const char *bytes = r->keys[i].type == ROW_BIGINT ? id : "example";
		size_t n = text ? 7 : r->keys[i].type == ROW_BIGINT ? 8 : 1;

		memcpy(key.bytes + key.n, bytes, n);
		key.n += n;
		if (text && i + 1 < r->n_keys)
			key.bytes[key.n++] = '\0';
	}
	return key;
}

static void
put_value(const struct relation *r, struct buf *out)
{
	struct directory_name name = name_of("local@example.org");
	struct record_key place =
	    record_key_of(DIRECTORY_ACCOUNT, &name, (struct span){0});

	switch (r->value) {
	case ROW_VALUE_OBJECT:
		put_every_field(r->object, out);
		break;
	case ROW_VALUE_META:
		record_put_number(4, out);
		break;
	case ROW_VALUE_PLACE:
		record_put_bytes(record_key_span(&place), out);
		break;
	case ROW_VALUE_NOTE:
		record_put_bytes(SPAN("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"), out);
		break;
	}
}

static void
test_record_of_every_kind_comes_back_as_it_went(void **state)
{
	struct fixture *f = of(state);
	size_t n;
	const struct relation *all = relations(&n);

	for (size_t i = 0; i < n; i++) {
		struct piece_of_work w = {.n_keys = 1, .n_changes = 1};
		struct buf value = buf_make(RECORD_VALUE_MAX);

		put_value(&all[i], &value);
		w.keys[0] = key_of(&all[i]);
		w.changes[0] = (struct backend_change){record_key_span(&w.keys[0]),
						       buf_span(&value)};
		do_it(f, &w);
		if (w.changed != DIRECTORY_DONE)
			fail_msg("%s: %s", all[i].table, w.err.text);
		assert_int_equal(w.result[0], 0);
		release(&w);
		w.n_changes = 0;
		do_it(f, &w);
		assert_int_equal(w.result[0], 1);
		if (!span_equal(buf_span(&w.values[0]), buf_span(&value)))
			fail_msg("%s: the value changed", all[i].table);
		release(&w);
		/* Erased, it is gone; erased again, that is no fault. */
		w.n_changes = 1;
		w.changes[0].value = (struct span){0};
		do_it(f, &w);
		assert_int_equal(w.changed, DIRECTORY_DONE);
		release(&w);
		do_it(f, &w);
		assert_int_equal(w.changed, DIRECTORY_DONE);
		assert_int_equal(w.result[0], 0);
		release(&w);
		buf_release(&value);
	}
}

/* ---- many records at once */

#define MANY 1500

struct many {
	struct record_key keys[MANY];
	struct buf value;
	struct backend_change changes[MANY];
	size_t n_there;
	bool same;
	bool changes_them;
	enum directory_result changed;
	unsigned runs;
	struct err err;
};

static void
many_work(struct directory *d, void *context)
{
	struct many *m = context;
	struct span keys[MANY], value;

	m->runs++;
	m->n_there = 0;
	m->same = true;
	m->changed = DIRECTORY_FAULT;
	for (size_t i = 0; i < MANY; i++)
		keys[i] = record_key_span(&m->keys[i]);
	d->backend->calls->prefetch(d->backend, keys, MANY);
	for (size_t i = 0; i < MANY; i++) {
		int r = directory_get(d, m->keys[i], &value, &m->err);

		if (r < 0)
			return;
		m->n_there += r > 0;
		m->same = m->same && (r == 0 || span_equal(value, buf_span(&m->value)));
	}
	m->changed = DIRECTORY_DONE;
	if (m->changes_them)
		m->changed = directory_apply(d, m->changes, MANY, &m->err);
}

static void
do_many(struct fixture *f, struct many *m, bool changes_them, size_t want_there)
{
	m->runs = 0;
	m->changes_them = changes_them;
	directory_do_now(f->d, changes_them ? DIRECTORY_CHANGES : DIRECTORY_READS,
			 many_work, m);
	if (m->changed != DIRECTORY_DONE)
		fail_msg("%s", m->err.text);
	assert_int_equal(m->n_there, want_there);
	assert_true(m->same);
	assert_int_equal(m->runs, changes_them ? 3 : 2);
}

/* Of two kinds, changed and read in a few statements; values that arrays must quote. */
static void
test_many_records_go_and_come_back_together(void **state)
{
	struct fixture *f = of(state);
	struct many *m = memory_new(1, sizeof(*m));

	m->value = buf_make(RECORD_VALUE_MAX);
	put_every_field(DIRECTORY_ACCOUNT, &m->value);
	for (size_t i = 0; i < MANY; i++) {
		char address[60];
		struct directory_name name;

		snprintf(address, sizeof(address), "\"%zu{,}\\\" null\"@a.example", i);
		name = name_of(address);
		m->keys[i] = record_key_of(DIRECTORY_ACCOUNT, &name, (struct span){0});
		m->changes[i] = (struct backend_change){record_key_span(&m->keys[i]),
							buf_span(&m->value)};
	}
	do_many(f, m, true, 0);
	do_many(f, m, false, MANY);
	for (size_t i = 0; i < MANY; i += 2)
		m->changes[i].value = (struct span){0};
	do_many(f, m, true, MANY);
	do_many(f, m, false, MANY / 2);
	buf_release(&m->value);
	free(m);
}

static void
test_value_that_is_no_text_is_told_by_its_row(void **state)
{
	struct fixture *f = of(state);
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	struct directory_name name = name_of("odd@a.example");
	struct record_key key =
	    record_key_of(DIRECTORY_ACCOUNT, &name, (struct span){0});
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct piece_of_work w = {.n_changes = 1};

	directory_put_text(&o, FIELD_ACCOUNT_NAME, SPAN("J\xf6rg"));
	record_put_object(&o, &value);
	w.changes[0] = (struct backend_change){record_key_span(&key), buf_span(&value)};
	do_it(f, &w);
	assert_int_equal(w.changed, DIRECTORY_FAULT);
	assert_non_null(strstr(w.err.text, "(a.example, odd)"));
	buf_release(&value);
}

/* ---- walks */

static void
put_alias(struct fixture *f, const char *address)
{
	struct directory_name name = name_of(address);
	struct record_key key = record_key_of(DIRECTORY_ALIAS, &name, (struct span){0});
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct piece_of_work w = {.n_changes = 1};

	put_every_field(DIRECTORY_ALIAS, &value);
	w.changes[0] = (struct backend_change){record_key_span(&key), buf_span(&value)};
	do_it(f, &w);
	assert_int_equal(w.changed, DIRECTORY_DONE);
	buf_release(&value);
}

static void
test_walk_goes_in_the_order_of_keys(void **state)
{
	static const char *const addresses[] = {"b@a.example", "a.b@a.example",
						"@a.example",  "z@a.a.example",
						"a@b.example", "a-b@a.example"};
	static const struct {
		const char *name, *prefix, *after, *seen;
		size_t limit;
	} rows[] = {
	    {"all",			"l",           "",
	     "la.a.example/z la.example/ la.example/a-b la.example/a.b la.example/b "
	     "lb.example/a ",								0 },
	    {"a page of one",              "l",           "",
	     "la.a.example/z la.example/ la.example/a-b "
	     "la.example/a.b la.example/b lb.example/a ",				    1 },
	    {"a domain",                   "la.example/", "",
	     "la.example/ la.example/a-b la.example/a.b la.example/b ",                      0 },
	    {"behind one",                 "la.example/", "la.example/a-b",
	     "la.example/a.b la.example/b ",						 2 },
	    {"behind one, across domains", "l",           "la.example/b",   "lb.example/a ", 10},
	    {"behind the last",            "l",           "lb.example/a",   "",              0 },
	    {"none",		       "lx.example/", "",               "",              0 },
	};
	struct fixture *f = of(state);

	for (size_t i = 0; i < N_ELEMS(addresses); i++)
		put_alias(f, addresses[i]);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct piece_of_work w = {.walks = true, .counts = true};
		char prefix[100], after[100];

		snprintf(prefix, sizeof(prefix), "%s", rows[i].prefix);
		snprintf(after, sizeof(after), "%s", rows[i].after);
		w.prefix = span_str(prefix);
		w.after = span_str(after);
		for (char *c = prefix; *c; c++)
			*c = *c == '/' ? '\0' : *c;
		w.prefix.n = strlen(rows[i].prefix);
		for (char *c = after; *c; c++)
			*c = *c == '/' ? '\0' : *c;
		w.after.n = strlen(rows[i].after);
		w.limit = rows[i].limit;
		do_it(f, &w);
		if (strcmp(w.seen, rows[i].seen) != 0)
			fail_msg("%s: %s (%s)", rows[i].name, w.seen, w.err.text);
	}
}

static void
test_count_stops_at_its_limit(void **state)
{
	struct fixture *f = of(state);
	struct piece_of_work w = {
	    .counts = true, .prefix = span_make("la.example\0", 11), .limit = 2};

	for (int i = 0; i < 3; i++)
		put_alias(f, i == 0   ? "a@a.example"
			     : i == 1 ? "b@a.example"
				      : "c@a.example");
	do_it(f, &w);
	assert_int_equal(w.count, 2);
	w.limit = 10;
	do_it(f, &w);
	assert_int_equal(w.count, 3);
}

/* ---- tasks */

static struct record_key
number_key(const char *name)
{
	return record_key_meta(name);
}

/* Adds one to a number, as a transaction. */
static void
increase(struct directory *d, void *context)
{
	struct piece_of_work *w = context;
	struct record_key key = number_key("trial");
	struct buf value = buf_make(100);
	struct span old;
	uint64_t number = 0;
	int r = directory_get(d, key, &old, &w->err);

	w->runs++;
	w->changed = DIRECTORY_FAULT;
	if (r > 0)
		assert_true(record_get_number(old, &number));
	record_put_number(number + 1, &value);
	if (r >= 0)
		w->changed = directory_apply(
		    d,
		    &(struct backend_change){record_key_span(&key), buf_span(&value)},
		    1, &w->err);
	buf_release(&value);
}

static void
test_many_writers_lose_nothing(void **state)
{
	enum {
		WRITERS = 40
	};
	static struct piece_of_work all[2 * WRITERS];
	struct fixture *f = of(state);
	struct fixture other = *f;
	struct directory_task *task;
	char number[200];

	assert_int_equal(open_one(&other), 0);
	memset(all, 0, sizeof(all));
	for (size_t i = 0; i < N_ELEMS(all); i++)
		assert_false(directory_do(i % 2 ? f->d : other.d, DIRECTORY_CHANGES,
					  increase, finished, &all[i], &task));
	for (size_t i = 0; i < N_ELEMS(all); i++) {
		wait_for(f, &all[i]);
		if (all[i].changed != DIRECTORY_DONE)
			fail_msg("%zu: %s", i, all[i].err.text);
	}
	directory_free(&other.d);
	postgresql_sql("SELECT number FROM postroad.meta WHERE name = 'trial'", number);
	assert_string_equal(number, "80");
}

/* Whatever happens to its connections, each change is made once. */
static void
test_change_is_made_once_though_connections_die(void **state)
{
	static const char kill[] =
	    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
	    "pg_backend_pid() AND application_name = 'postroad directory'";
	struct fixture *f = of(state);
	struct piece_of_work w;
	struct directory_task *task;
	unsigned made = 0;
	char number[200], wanted[20];

	for (int i = 0; i < 30; i++) {
		w = (struct piece_of_work){0};
		assert_false(directory_do(f->d, DIRECTORY_CHANGES, increase, finished,
					  &w, &task));
		for (int turn = 0; turn < i % 6 && !w.finished; turn++)
			assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
		postgresql_sql(kill, NULL);
		wait_for(f, &w);
		made += w.changed == DIRECTORY_DONE;
		if (w.changed != DIRECTORY_DONE)
			print_message("%d: %s\n", i, w.err.text);
	}
	assert_int_equal(made, 30);
	postgresql_sql("SELECT number FROM postroad.meta WHERE name = 'trial'", number);
	snprintf(wanted, sizeof(wanted), "%u", made);
	assert_string_equal(number, wanted);
}

static void
test_keys_not_told_before_are_a_round_each(void **state)
{
	struct fixture *f = of(state);
	struct piece_of_work w = {.n_keys = 3};

	w.keys[0] = number_key("a");
	w.keys[1] = number_key("b");
	w.keys[2] = number_key("c");
	do_it(f, &w);
	assert_int_equal(w.runs, 4);
	release(&w);
}

static void
test_cancelled_task_is_heard_no_more(void **state)
{
	struct fixture *f = of(state);
	struct piece_of_work w = {.n_keys = 1}, after = {.n_keys = 1};
	struct directory_task *task = NULL;

	w.keys[0] = after.keys[0] = number_key("a");
	begin(f, &w, &task);
	assert_non_null(task);
	directory_cancel(&task);
	assert_null(task);
	do_it(f, &after);
	assert_false(w.finished);
	release(&w);
	release(&after);
}

static void
test_fault_is_told_when_the_tables_are_of_another_version(void **state)
{
	struct fixture *f = of(state);
	struct piece_of_work w = {.n_keys = 1};

	directory_free(&f->d);
	postgresql_sql("UPDATE postroad.schema_version SET version = 0", NULL);
	assert_int_equal(open_one(f), 0);
	w.keys[0] = number_key("a");
	do_it(f, &w);
	assert_int_equal(w.result[0], -1);
	assert_non_null(strstr(w.err.text, "postroad directory upgrade"));
	release(&w);
	postgresql_sql("UPDATE postroad.schema_version SET version = 1", NULL);
	do {
		w.err.text[0] = '\0';
		do_it(f, &w);
		release(&w);
	} while (w.result[0] < 0);
	assert_int_equal(w.result[0], 0);
}

/* ---- a database that an older program has left */

static void
upgrade_to(const struct schema_step *steps, size_t n, unsigned from, const char *want)
{
	struct directory_options options = {.folder = ""};
	struct err err = {.text = ""};
	int result;

	postgresql_options(&options, postgresql_server());
	result = schema_upgrade(&options, steps, n, from, postgresql_step, NULL, &err);
	if ((result == 0) != (want[0] == '\0') || !strstr(err.text, want))
		fail_msg("from %u: %d, %s", from, result, err.text);
}

/* Steps of a later program: the second works, the third fails on what is there until
 * somebody mends it; then the command is asked for again. */
static void
test_older_tables_go_up_step_by_step_with_all_that_is_in_them(void **state)
{
	static const char *const second[] = {
	    "ALTER TABLE postroad.alias ADD COLUMN hidden boolean",
	    "UPDATE postroad.alias SET hidden = local = ''", NULL};
	static const char *const third[] = {
	    "ALTER TABLE postroad.alias ADD COLUMN colour text",
	    "ALTER TABLE postroad.alias ADD CHECK (local <> 'odd')", NULL};
	struct fixture *f = of(state);
	struct schema_step steps[3] = {
	    {NULL,                NULL  },
            {"aliases that hide", second},
            {"colours",           third }
        };
	struct piece_of_work w = {.n_keys = 1};
	struct directory_name name = name_of("@a.example");
	char value[200];
	size_t n;

	steps[0] = schema_steps(&n)[0];
	assert_int_equal(n, 1); /* the later program knows all of this one's */
	put_alias(f, "@a.example");
	put_alias(f, "odd@a.example");
	upgrade_to(steps, 3, 2, "has version 1, not 2");
	upgrade_to(steps, 3, 1, "the step to version 3");
	postgresql_sql("SELECT version FROM postroad.schema_version", value);
	assert_string_equal(value, "2");
	postgresql_sql("SELECT count(*) FROM information_schema.columns WHERE "
		       "table_schema = 'postroad' AND table_name = 'alias' AND "
		       "column_name IN ('hidden', 'colour')",
		       value);
	assert_string_equal(value, "1");
	postgresql_sql("DELETE FROM postroad.alias WHERE local = 'odd'", NULL);
	upgrade_to(steps, 3, 2, "");
	postgresql_sql("SELECT version || ' ' || hidden::text FROM "
		       "postroad.schema_version, postroad.alias",
		       value);
	assert_string_equal(value, "3 true");
	/* The program that knew version 1 was sent away, and finds out why. */
	w.keys[0] = record_key_of(DIRECTORY_ALIAS, &name, (struct span){0});
	do {
		release(&w);
		do_it(f, &w);
	} while (w.result[0] >= 0);
	assert_non_null(strstr(w.err.text, "a newer Postroad is needed"));
	release(&w);
}

/* The same as work(), after a hint. */
static void
hinted(struct directory *d, void *context)
{
	struct piece_of_work *w = context;
	struct span keys[4];

	for (size_t i = 0; i < w->n_keys; i++)
		keys[i] = record_key_span(&w->keys[i]);
	d->backend->calls->prefetch(d->backend, keys, w->n_keys);
	work(d, context);
}

static void
test_prefetched_keys_need_one_round(void **state)
{
	struct fixture *f = of(state);
	struct piece_of_work w = {.n_keys = 3};
	struct directory_task *task;

	for (size_t i = 0; i < 3; i++) {
		w.keys[i] = number_key(i == 0 ? "a" : i == 1 ? "b" : "c");
		w.values[i] = buf_make(RECORD_VALUE_MAX);
	}
	assert_false(directory_do(f->d, DIRECTORY_READS, hinted, finished, &w, &task));
	wait_for(f, &w);
	assert_int_equal(w.runs, 2);
	release(&w);
}

/* ---- many members */

#define MEMBERS 1000

struct resolving {
	struct arena arena;
	struct directory_route route;
	enum directory_route_kind kind;
	unsigned runs;
	bool finished;
	struct err err;
};

static void
resolve(struct directory *d, void *context)
{
	const struct directory_policy policy = {.delimiters = SPAN("+")};
	struct resolving *r = context;

	r->runs++;
	arena_release(&r->arena);
	arena_init(&r->arena, DIRECTORY_ARENA_BYTES);
	r->kind = directory_resolve(d, SPAN("all@a.example"), &policy, &r->arena,
				    &r->route, &r->err);
}

static void
resolved(void *context)
{
	((struct resolving *)context)->finished = true;
}

/* As many again as there may be for an alias, each in a domain of its own or an account
 * here: a round for each would take longer than any server waits. */
static void
test_many_members_need_few_rounds(void **state)
{
	struct fixture *f = of(state);
	struct resolving r = {.kind = DIRECTORY_ROUTE_FAULT};
	struct directory_task *task;

	postgresql_sql("INSERT INTO postroad.domain (domain, id, enabled) "
		       "VALUES ('a.example', 1, true)",
		       NULL);
	postgresql_sql("INSERT INTO postroad.account (domain, local, id) "
		       "SELECT 'a.example', 'u' || i, i "
		       "FROM generate_series(1, 500) AS i",
		       NULL);
	postgresql_sql("INSERT INTO postroad.alias (domain, local, targets) "
		       "SELECT 'a.example', 'all', "
		       "array_agg(CASE WHEN i > 500 THEN 'x@d' || i || '.example' "
		       "ELSE 'u' || i || '@a.example' END) "
		       "FROM generate_series(1, 1000) AS i",
		       NULL);
	assert_false(directory_do(f->d, DIRECTORY_READS, resolve, resolved, &r, &task));
	while (!r.finished)
		assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
	if (r.kind != DIRECTORY_ROUTE_TARGETS)
		fail_msg("%u runs: %s", r.runs, r.err.text);
	assert_int_equal(r.route.n, MEMBERS);
	assert_in_range(r.runs, 2, 40);
	arena_release(&r.arena);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_record_of_every_kind_comes_back_as_it_went),
	    TEST(test_many_records_go_and_come_back_together),
	    TEST(test_value_that_is_no_text_is_told_by_its_row),
	    TEST(test_walk_goes_in_the_order_of_keys),
	    TEST(test_count_stops_at_its_limit),
	    TEST(test_many_writers_lose_nothing),
	    TEST(test_change_is_made_once_though_connections_die),
	    TEST(test_keys_not_told_before_are_a_round_each),
	    TEST(test_older_tables_go_up_step_by_step_with_all_that_is_in_them),
	    TEST(test_prefetched_keys_need_one_round),
	    TEST(test_many_members_need_few_rounds),
	    TEST(test_cancelled_task_is_heard_no_more),
	    TEST(test_fault_is_told_when_the_tables_are_of_another_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
