#include "common/directory/internal.h"

struct run {
	struct directory *d;
	const struct directory_request *r;
	uint64_t now;
	directory_row_sink *sink;
	void *context;
	struct err *err;
};

static void
give_row(struct run *run, const struct directory_object *o)
{
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);

	directory_object_put(o, &bytes);
	if (!bytes.full)
		run->sink(run->context, buf_span(&bytes));
	if (bytes.at)
		explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
}

/* ---- what an operator gets to see */

static void
put_scheme(struct directory_object *o)
{
	struct directory_account a;
	const char *scheme;

	directory_account_of(o, (struct span){0}, &a);
	scheme = directory_password_scheme(&a.password);
	directory_put_text(o, FIELD_ACCOUNT_PASSWORD_SCHEME, span_str(scheme));
	directory_password_wipe(&a.password);
}

/* Without secrets, and without what a listing does not give. */
static void
give_shown(struct run *run, struct directory_object *o, unsigned flags)
{
	if (o->kind == DIRECTORY_ACCOUNT)
		put_scheme(o);
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(o->kind, i);

		if (f && (f->type == DIRECTORY_SECRET || (f->flags & flags) != flags))
			o->values[i] = (struct directory_value){0};
	}
	give_row(run, o);
}

static enum directory_result
run_show(struct run *run)
{
	const struct directory_object *asked = &run->r->object;
	struct directory_object o;
	struct arena arena;
	enum directory_result r;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	r = directory_find(run->d, asked->kind, asked->name, asked->label, &arena, &o,
			   run->err);
	if (r == DIRECTORY_DONE)
		give_shown(run, &o, 0);
	arena_release(&arena);
	return r;
}

static enum directory_result
run_pages(struct run *run)
{
	const struct directory_request *ask = run->r;
	size_t limit = ask->limit, n = 0;
	struct directory_object *page;
	struct arena arena;
	enum directory_result r;

	if (limit == 0 || limit > DIRECTORY_PAGE_MAX)
		limit = DIRECTORY_PAGE_MAX;
	page = memory_new(limit, sizeof(*page));
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	r = directory_page(run->d, ask->object.kind, ask->object.name, ask->after,
			   ask->after_label, &arena, page, limit, &n, run->err);
	for (size_t i = 0; i < n; i++) {
		if (ask->verb == DIRECTORY_DUMP)
			give_row(run, &page[i]);
		else
			give_shown(run, &page[i], DIRECTORY_LISTED);
	}
	arena_release(&arena);
	free(page);
	return r;
}

/* ---- changes */

static enum directory_result
run_add(struct run *run)
{
	return directory_add(run->d, &run->r->object, run->now, run->err);
}

static enum directory_result
run_remove(struct run *run)
{
	const struct directory_object *o = &run->r->object;

	return directory_remove(run->d, o->kind, o->name, o->label, run->now, run->err);
}

static enum directory_result
run_set(struct run *run)
{
	return directory_set(run->d, &run->r->object, run->err);
}

static enum directory_result
run_load(struct run *run)
{
	size_t n;

	return directory_load(run->d, run->r->rows, &n, run->err);
}

/* ---- accounts that are removed */

/* All are asked for together, where each question takes a while. */
static enum directory_result
expect_ids(struct run *run)
{
	struct cursor c = cursor_make(run->r->rows);
	size_t n = 0;

	if (!run->d->backend->calls->prefetch)
		return DIRECTORY_DONE;
	for (; c.rest.n > 0 && n < DIRECTORY_PAGE_MAX; n++) {
		struct record_key key = record_key_id(wire_get_u64(&c));
		struct span span = record_key_span(&key);

		run->d->backend->calls->prefetch(run->d->backend, &span, 1);
	}
	for (c = cursor_make(run->r->rows); n > 0; n--) {
		struct directory_name name;
		int r = directory_load_id(run->d, wire_get_u64(&c), &name, run->err);

		if (r < 0)
			return DIRECTORY_FAULT;
		if (r > 0)
			directory_expect(run->d, directory_name_span(&name));
	}
	return DIRECTORY_DONE;
}

/* DONE when an account has the number, NOT_FOUND, FAULT. */
static enum directory_result
find_id(struct run *run, uint64_t id, struct directory_account *out)
{
	enum directory_result r = directory_account_find_id(run->d, id, out, run->err);

	if (r == DIRECTORY_DONE)
		directory_password_wipe(&out->password);
	return r;
}

static enum directory_result
give_whose(struct run *run, uint64_t id)
{
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	char address[DIRECTORY_NOTE_ABOUT_MAX + 1];
	struct directory_account account;
	enum directory_result r = find_id(run, id, &account);
	uint64_t when;
	int noted;

	if (r != DIRECTORY_NOT_FOUND)
		return r;
	noted = directory_note_latest(run->d, DIRECTORY_NOTE_REMOVED, id, address,
				      &when, run->err);
	if (noted < 0)
		return DIRECTORY_FAULT;
	directory_put_number(&o, FIELD_ACCOUNT_ID, id);
	if (noted) {
		o.name = span_str(address);
		directory_put_number(&o, FIELD_ACCOUNT_REMOVED, when);
	}
	give_row(run, &o);
	return DIRECTORY_DONE;
}

static enum directory_result
run_whose(struct run *run)
{
	struct cursor c = cursor_make(run->r->rows);
	enum directory_result r = expect_ids(run);

	while (r == DIRECTORY_DONE && c.rest.n > 0) {
		uint64_t id = wire_get_u64(&c);

		if (c.failed)
			return directory_say(DIRECTORY_BAD_VALUE, run->err,
					     "a number has eight bytes");
		r = give_whose(run, id);
	}
	return r;
}

static enum directory_result
run_forget(struct run *run)
{
	uint64_t id = run->r->object.values[FIELD_ACCOUNT_ID].number;
	struct directory_account account;
	enum directory_result r = find_id(run, id, &account);

	if (r == DIRECTORY_DONE)
		return directory_say(DIRECTORY_IN_USE, run->err,
				     "%llu is the number of %.150s",
				     (unsigned long long)id, account.address);
	if (r != DIRECTORY_NOT_FOUND)
		return r;
	return directory_notes_remove(run->d, DIRECTORY_NOTE_REMOVED, id, run->err);
}

enum directory_result
directory_run(struct directory *d, const struct directory_request *r, uint64_t now,
	      directory_row_sink *sink, void *context, struct err *err)
{
	static enum directory_result (*const verbs[DIRECTORY_VERBS])(struct run *) = {
	    [DIRECTORY_ADD] = run_add,       [DIRECTORY_REMOVE] = run_remove,
	    [DIRECTORY_UPDATE] = run_set,    [DIRECTORY_SHOW] = run_show,
	    [DIRECTORY_LISTING] = run_pages, [DIRECTORY_DUMP] = run_pages,
	    [DIRECTORY_LOAD] = run_load,     [DIRECTORY_WHOSE] = run_whose,
	    [DIRECTORY_FORGET] = run_forget,
	};
	struct run run = {
	    .d = d, .r = r, .now = now, .sink = sink, .context = context, .err = err};

	ASSERT((unsigned)r->verb < DIRECTORY_VERBS);
	return verbs[r->verb](&run);
}
