#include "authd/office.h"

#define ROWS_BYTES_MAX (16U << 20) /* of one answer */

static void
operation_free(struct errand *e)
{
	struct operation *o = (struct operation *)e;

	errand_cancel(e);
	closing_release(&o->closing);
	if (o->bytes.at)
		explicit_bzero(o->bytes.at, o->bytes.size);
	buf_release(&o->bytes);
	buf_release(&o->rows);
	free(o);
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
	closing_release(&o->closing);
	o->err = (struct err){0};
	if (o->administrator) {
		o->result = permit(d, o->administrator, &o->request, &o->err);
		if (o->result != DIRECTORY_DONE)
			return;
	}
	closing_find(d, &o->request, &o->closing);
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

static void
answer(struct errand *e)
{
	struct operation *o = (struct operation *)e;

	if (o->result == DIRECTORY_DONE) {
		o->err.text[0] = '\0';
		closing_tell(e->authd, &o->closing);
		send_rows(o);
	}
	ipc_send_directory_done(e->peer, &(struct ipc_directory_done){
					     o->tag, directory_result_byte(o->result),
					     span_str(o->err.text)});
	logline(o->result == DIRECTORY_FAULT ? LOGLINE_ERROR : LOGLINE_INFO,
		"directory.operation",
		L_STR("kind", directory_kind_name(o->request.object.kind)),
		L_STR("verb", directory_verb_name(o->request.verb)),
		L_SPAN("name", o->request.object.name),
		L_STR("result", directory_result_name(o->result)),
		L_STR("reason", o->err.text));
	operation_free(e);
}

static const struct errand_kind reading = {DIRECTORY_READS, work, answer,
					   operation_free};
static const struct errand_kind changing = {DIRECTORY_CHANGES, work, answer,
					    operation_free};

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

	if (o->bytes.full ||
	    !directory_request_get(buf_span(&o->bytes), &o->request)) {
		operation_free(&o->errand);
		ipc_peer_drop(peer, "a directory request that is none");
		return;
	}
	a->count.operations++;
	o->errand.kind = directory_changes(&o->request) ? &changing : &reading;
	if (errand_run(&o->errand))
		return;
	o->result =
	    (enum directory_result)err_set(&o->err, "too many wait for the directory");
	answer(&o->errand);
}
