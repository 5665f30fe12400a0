#include "authd/authd.h"

struct answer {
	struct ipc_peer *peer;
	uint64_t tag;
};

static void
send_row(void *context, struct span row)
{
	struct answer *answer = context;

	ipc_send_directory_row(answer->peer,
			       &(struct ipc_directory_row){answer->tag, row});
}

void
operate(struct authd *a, struct ipc_peer *peer, const struct ipc_directory_ask *m)
{
	struct answer answer = {peer, m->tag};
	struct directory_request request;
	struct closing closing;
	enum directory_result r;
	struct arena arena;
	struct err err = {0};

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	if (!directory_request_get(m->request, &arena, &request)) {
		arena_release(&arena);
		ipc_peer_drop(peer, "a directory request that is none");
		return;
	}
	a->count.operations++;
	closing_find(a, &request, &closing);
	r = directory_run(a->directory, &request, proc_now_us() / 1000000, send_row,
			  &answer, &err);
	if (r == DIRECTORY_DONE) {
		err.text[0] = '\0';
		closing_tell(a, &closing);
	}
	closing_release(&closing);
	ipc_send_directory_done(
	    peer, &(struct ipc_directory_done){m->tag, directory_result_byte(r),
					       span_str(err.text)});
	logline(r == DIRECTORY_FAULT ? LOGLINE_ERROR : LOGLINE_INFO,
		"directory.operation", L_STR("verb", directory_verb_name(request.verb)),
		L_SPAN("name", request.name), L_STR("result", directory_result_name(r)),
		L_STR("reason", err.text));
	directory_password_wipe(&request.password);
	arena_release(&arena);
}
