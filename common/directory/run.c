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

	return directory_remove(run->d, o->kind, o->name, o->label, run->err);
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

enum directory_result
directory_run(struct directory *d, const struct directory_request *r, uint64_t now,
	      directory_row_sink *sink, void *context, struct err *err)
{
	static enum directory_result (*const verbs[DIRECTORY_VERBS])(struct run *) = {
	    [DIRECTORY_ADD] = run_add,       [DIRECTORY_REMOVE] = run_remove,
	    [DIRECTORY_UPDATE] = run_set,    [DIRECTORY_SHOW] = run_show,
	    [DIRECTORY_LISTING] = run_pages, [DIRECTORY_DUMP] = run_pages,
	    [DIRECTORY_LOAD] = run_load,
	};
	struct run run = {
	    .d = d, .r = r, .now = now, .sink = sink, .context = context, .err = err};

	ASSERT((unsigned)r->verb < DIRECTORY_VERBS);
	return verbs[r->verb](&run);
}
