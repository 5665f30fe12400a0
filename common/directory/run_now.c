#include "common/directory/internal.h"

#define ROWS_BYTES_MAX (64U << 20)

struct running {
	const struct directory_request *request;
	uint64_t now;
	struct buf rows; /* each with its length before it */
	enum directory_result result;
	struct err *err;
};

static void
keep_row(void *context, struct span row)
{
	wire_put_bytes(context, row);
}

/* May run several times, so nobody is told before the end. */
static void
work(struct directory *d, void *context)
{
	struct running *r = context;

	buf_reset(&r->rows);
	r->result = directory_run(d, r->request, r->now, keep_row, &r->rows, r->err);
}

enum directory_result
directory_run_now(struct directory *d, const struct directory_request *request,
		  uint64_t now, directory_row_sink *sink, void *context,
		  struct err *err)
{
	enum directory_task_kind kind =
	    directory_changes(request) ? DIRECTORY_CHANGES : DIRECTORY_READS;
	struct running r = {.request = request,
			    .now = now,
			    .rows = buf_make(ROWS_BYTES_MAX),
			    .err = err};
	struct cursor c;

	directory_do_now(d, kind, work, &r);
	if (r.rows.full)
		r.result = (enum directory_result)err_set(err, "too many rows at once");
	c = cursor_make(buf_span(&r.rows));
	while (!c.failed && c.rest.n > 0)
		sink(context, wire_get_bytes(&c));
	buf_release(&r.rows);
	return r.result;
}
