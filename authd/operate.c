#include "authd/office.h"

#define ROWS_BYTES_MAX (16U << 20) /* of one answer */

void
operation_free(struct operation *o)
{
	errand_cancel(&o->errand);
	show_forget(o);
	effect_release(&o->effect);
	if (o->bytes.at)
		explicit_bzero(o->bytes.at, o->bytes.size);
	if (o->rows.at)
		explicit_bzero(o->rows.at, o->rows.size);
	buf_release(&o->bytes);
	buf_release(&o->rows);
	free(o);
}

static void
drop(struct errand *e)
{
	operation_free((struct operation *)e);
}

static void
keep_row(void *context, struct span row)
{
	struct operation *o = context;

	wire_put_bytes(&o->rows, row);
}

static void
work(struct directory *d, struct errand *e)
{
	struct operation *o = (struct operation *)e;

	buf_reset(&o->rows);
	effect_release(&o->effect);
	o->err = (struct err){0};
	if (o->administrator) {
		o->result = permit(d, o->administrator, &o->request, &o->err);
		if (o->result != DIRECTORY_DONE)
			return;
	}
	effect_find(d, &o->request, &o->effect);
	o->result = directory_run(d, &o->request, proc_now_us() / 1000000, keep_row, o,
				  &o->err);
}

static void
send_rows(const struct operation *o)
{
	struct cursor c = cursor_make(buf_span(&o->rows));

	while (c.rest.n > 0 && !c.failed)
		ipc_send_directory_row(o->errand.peer, &(struct ipc_directory_row){
							   o->tag, wire_get_bytes(&c)});
}

void
operation_answer(struct operation *o)
{
	bool done = o->result == DIRECTORY_DONE;

	if (done)
		send_rows(o);
	ipc_send_directory_done(
	    o->errand.peer,
	    &(struct ipc_directory_done){o->tag, directory_result_byte(o->result),
					 span_str(done ? "" : o->err.text)});
	operation_free(o);
}

static void
operated(struct errand *e)
{
	struct operation *o = (struct operation *)e;
	bool done = o->result == DIRECTORY_DONE;

	if (done)
		effect_tell(e->authd, &o->effect);
	logline(o->result == DIRECTORY_FAULT ? LOGLINE_ERROR : LOGLINE_INFO,
		"directory.operation",
		L_STR("kind", directory_kind_name(o->request.object.kind)),
		L_STR("verb", directory_verb_name(o->request.verb)),
		L_SPAN("name", o->request.object.name),
		L_U64("administrator", o->administrator),
		L_STR("result", directory_result_name(o->result)),
		L_STR("reason", done ? "" : o->err.text));
	if (!done || !show_wait(o))
		operation_answer(o);
}

static const struct errand_kind reading = {DIRECTORY_READS, work, operated, drop};
static const struct errand_kind changing = {DIRECTORY_CHANGES, work, operated, drop};

static struct operation *
operation_new(struct authd *a, struct ipc_peer *peer, uint64_t administrator,
	      const struct ipc_directory_ask *m)
{
	struct operation *o = memory_new(1, sizeof(*o));

	o->errand = (struct errand){.authd = a, .peer = peer};
	o->tag = m->tag;
	o->administrator = administrator;
	o->bytes = buf_make(DIRECTORY_REQUEST_MAX);
	o->rows = buf_make(ROWS_BYTES_MAX);
	buf_put(&o->bytes, m->request);
	return o;
}

void
operate(struct authd *a, struct ipc_peer *peer, uint64_t administrator,
	const struct ipc_directory_ask *m)
{
	struct operation *o = operation_new(a, peer, administrator, m);

	if (o->bytes.full || !directory_request_get(buf_span(&o->bytes), &o->request)) {
		operation_free(o);
		ipc_peer_drop(peer, "a directory request that is none");
		return;
	}
	a->count.operations++;
	o->errand.kind = directory_changes(&o->request) ? &changing : &reading;
	if (errand_run(&o->errand))
		return;
	o->result =
	    (enum directory_result)err_set(&o->err, "too many wait for the directory");
	operated(&o->errand);
}
