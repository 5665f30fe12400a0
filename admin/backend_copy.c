/* admin/backend_copy.c - postroad directory copy --from X --to Y
 *
 * Both directories give their objects in the same order, so one walk through the two
 * finds what is missing, what differs, and what should not be there. Copying loads what
 * is missing; a second walk, which must find nothing, says that it is whole. A copy
 * that was interrupted goes on by being asked for again.
 */
#include "admin/backend.h"
#include "admin/control.h"
#include "admin/owner.h"
#include "admin/progress.h"
#include "common/directory/directory.h"

#include <time.h>

#define PAGE_ROWS       1000
#define ROWS_BYTES_MAX  (64U << 20)
#define LOAD_ROWS       1000       /* in one transaction */
#define LOAD_BYTES      (1U << 20) /* or, when they are large, so many */
#define COPY_TIMEOUT_MS 120000

/* ---- one directory, object by object */

struct stream {
	struct directory *d;
	enum directory_kind kind;
	struct buf rows; /* of the page, each with its length */
	struct cursor rest;
	size_t n;                       /* rows of the page */
	struct buf after, after_label;  /* names of the last one had */
	struct span bytes;              /* the row it stands at; at null: the end */
	struct directory_object object; /* the same */
};

static void
stream_init(struct stream *s, struct directory *d, enum directory_kind kind)
{
	*s = (struct stream){.d = d, .kind = kind, .n = PAGE_ROWS};
	s->rows = buf_make(ROWS_BYTES_MAX);
	s->after = buf_make(DIRECTORY_ADDRESS_MAX);
	s->after_label = buf_make(DIRECTORY_LABEL_MAX);
	s->rest = cursor_make((struct span){0});
}

static void
stream_release(struct stream *s)
{
	if (s->rows.at)
		explicit_bzero(s->rows.at, s->rows.size);
	buf_release(&s->rows);
	buf_release(&s->after);
	buf_release(&s->after_label);
}

static void
keep_row(void *context, struct span row)
{
	struct stream *s = context;

	s->n++;
	wire_put_bytes(&s->rows, row);
}

static int
stream_page(struct stream *s, struct err *err)
{
	struct directory_request ask = {.verb = DIRECTORY_DUMP,
					.object = {.kind = s->kind},
					.after = buf_span(&s->after),
					.after_label = buf_span(&s->after_label),
					.limit = PAGE_ROWS};

	s->n = 0;
	buf_reset(&s->rows);
	if (directory_run_now(s->d, &ask, (uint64_t)time(NULL), keep_row, s, err) !=
	    DIRECTORY_DONE)
		return -1;
	s->rest = cursor_make(buf_span(&s->rows));
	return 0;
}

static int
stream_next(struct stream *s, struct err *err)
{
	s->bytes = (struct span){0};
	if (s->rest.rest.n == 0 && s->n > 0 && stream_page(s, err) != 0)
		return -1;
	if (s->rest.rest.n == 0)
		return 0;
	s->bytes = wire_get_bytes(&s->rest);
	if (!directory_row_get(s->bytes, &s->object))
		return err_set(err, "a row of the directory cannot be read");
	buf_reset(&s->after);
	buf_reset(&s->after_label);
	buf_put(&s->after, s->object.name);
	buf_put(&s->after_label, s->object.label);
	return 0;
}

/* The order of a dump: by domain, then local part, then label. */
static int
compare(const struct stream *a, const struct stream *b)
{
	struct span x = a->object.name, y = b->object.name;
	size_t at_x = span_find_last(x, '@'), at_y = span_find_last(y, '@');
	int order;

	if (a->kind == DIRECTORY_DOMAIN)
		return span_compare(x, y);
	order = span_compare(span_after(x, at_x + 1), span_after(y, at_y + 1));
	if (order == 0)
		order = span_compare(span_first(x, at_x), span_first(y, at_y));
	return order ? order : span_compare(a->object.label, b->object.label);
}

/* ---- loading */

struct copying {
	struct directory *from, *to;
	struct buf rows; /* to be loaded */
	size_t n_rows;
	uint64_t loaded, same;
	struct progress *progress;
	/* of one load */
	enum directory_result result;
	struct err *err;
};

static void
load_work(struct directory *d, void *context)
{
	struct copying *c = context;
	size_t n;

	c->result = directory_load(d, buf_span(&c->rows), &n, c->err);
}

static int
load(struct copying *c, struct err *err)
{
	if (c->rows.n == 0)
		return 0;
	c->err = err;
	directory_do_now(c->to, DIRECTORY_CHANGES, load_work, c);
	buf_reset(&c->rows);
	c->n_rows = 0;
	return c->result == DIRECTORY_DONE ? 0 : -1;
}

static int
add_row(struct copying *c, const struct stream *row, struct err *err)
{
	buf_put(&c->rows, row->bytes);
	c->loaded++;
	progress_at(c->progress, c->loaded + c->same, row->object.name);
	return ++c->n_rows == LOAD_ROWS || c->rows.n >= LOAD_BYTES ? load(c, err) : 0;
}

/* ---- the walk through both */

static int
alien(const struct stream *s, bool differs, struct err *err)
{
	struct span name = span_first(s->object.name, 120);

	return err_set(err,
		       differs ? "the %s %.*s is another one there; nothing is "
				 "overwritten"
			       : "the %s %.*s is there, but not in what is copied",
		       directory_kind_name(s->kind), SPAN_ARG(name));
}

static int
step(struct copying *c, struct stream *from, struct stream *to, struct err *err)
{
	int order = !from->bytes.at ? 1 : !to->bytes.at ? -1 : compare(from, to);

	if (order > 0)
		return alien(to, false, err);
	if (order < 0)
		return add_row(c, from, err) != 0 ? -1 : stream_next(from, err);
	if (!span_equal(from->bytes, to->bytes))
		return alien(to, true, err);
	c->same++;
	if (stream_next(from, err) != 0)
		return -1;
	return stream_next(to, err);
}

static int
walk_kind(struct copying *c, enum directory_kind kind, struct err *err)
{
	struct stream from, to;
	int result = 0;

	stream_init(&from, c->from, kind);
	stream_init(&to, c->to, kind);
	if (stream_next(&from, err) != 0 || stream_next(&to, err) != 0)
		result = -1;
	while (result == 0 && (from.bytes.at || to.bytes.at))
		result = step(c, &from, &to, err);
	if (result == 0)
		result = load(c, err);
	stream_release(&from);
	stream_release(&to);
	return result;
}

static int
walk_all(struct copying *c, const char *what, struct err *err)
{
	int result = 0;

	c->loaded = c->same = 0;
	c->progress = progress_new(what, "objects", 0);
	for (int kind = 0; kind < DIRECTORY_KINDS && result == 0; kind++)
		result = walk_kind(c, (enum directory_kind)kind, err);
	progress_free(&c->progress);
	return result;
}

static int
copy_whole(struct copying *c, uint64_t *loaded, struct err *err)
{
	if (walk_all(c, "copying", err) != 0)
		return -1;
	*loaded = c->loaded;
	if (walk_all(c, "verifying", err) != 0)
		return -1;
	if (c->loaded > 0)
		return err_set(err, "%llu objects changed while they were copied",
			       (unsigned long long)c->loaded);
	return 0;
}

/* ---- the command */

static const struct {
	const char *name;
	enum directory_backend backend;
} names[] = {
    {"berkeley",   DIRECTORY_BERKELEY  },
    {"postgresql", DIRECTORY_POSTGRESQL}
};

static bool
backend_named(const char *name, enum directory_backend *out)
{
	for (size_t i = 0; name && i < N_ELEMS(names); i++)
		if (strcmp(names[i].name, name) == 0) {
			*out = names[i].backend;
			return true;
		}
	return false;
}

static int
open_one(struct admin *admin, enum directory_backend backend, struct directory **out,
	 struct err *err)
{
	struct directory_options options;

	directory_options_of(&admin->settings, &options);
	options.backend = backend;
	options.timeout_ms = COPY_TIMEOUT_MS;
	if (backend != DIRECTORY_BERKELEY && options.connection[0] == '\0')
		return err_set(err,
			       "the setting postgresql_connection names no database");
	return directory_open(&options, out, err) == DIRECTORY_DONE ? 0 : -1;
}

static int
copy(struct admin *admin, enum directory_backend from, enum directory_backend to,
     uint64_t *loaded, uint64_t *all, struct err *err)
{
	struct copying c = {.rows = buf_make(ROWS_BYTES_MAX)};
	int result = -1;

	if (open_one(admin, from, &c.from, err) == 0 &&
	    open_one(admin, to, &c.to, err) == 0)
		result = copy_whole(&c, loaded, err);
	*all = c.same;
	directory_free(&c.from);
	directory_free(&c.to);
	if (c.rows.at)
		explicit_bzero(c.rows.at, c.rows.size);
	buf_release(&c.rows);
	return result;
}

enum exit_status
backend_copy(struct admin *admin)
{
	enum directory_backend from, to;
	uint64_t loaded = 0, all = 0;
	struct err err;

	if (!backend_named(admin_option(admin, "--from"), &from) ||
	    !backend_named(admin_option(admin, "--to"), &to) || from == to) {
		admin_complain("--from and --to are berkeley and postgresql, or the "
			       "other way round");
		return EXIT_USAGE;
	}
	if (!admin_settings(admin))
		return EXIT_FAILED;
	/* What is being copied must not change meanwhile. */
	if (control_runs(admin, "authd")) {
		admin_complain(
		    "the server runs: postroad stop, so that nothing changes "
		    "meanwhile");
		return EXIT_FAILED;
	}
	if (backend_become(admin) != 0)
		return EXIT_FAILED;
	if (copy(admin, from, to, &loaded, &all, &err) != 0) {
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
	printf(admin->json ? "{\"copied\": %llu, \"verified\": %llu}\n"
			   : "copied %llu objects; all %llu are the same in both\n",
	       (unsigned long long)loaded, (unsigned long long)all);
	return EXIT_DONE;
}
