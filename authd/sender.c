/* authd/sender.c - may a login send as an address */
#include "authd/authd.h"

struct sender {
	struct errand errand;
	uint64_t tag, account;
	struct span address; /* points behind this struct */
	int may;             /* 1 yes, 0 no, -1 */
	struct err err;
	char text[];
};

static void
look_up(struct directory *d, struct errand *e)
{
	struct sender *s = (struct sender *)e;
	struct directory_policy policy = authd_policy(e->authd);

	s->may = directory_may_send(d, s->account, s->address, &policy, &s->err);
}

static void
answer(struct errand *e)
{
	static const enum sender_outcome of[] = {SENDER_LATER, SENDER_NOT_OWNED,
						 SENDER_OK};
	struct sender *s = (struct sender *)e;

	if (s->may < 0)
		logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", s->address),
			L_ERR(&s->err));
	ipc_send_sender_checked(
	    e->peer, &(struct ipc_sender_checked){s->tag, (uint8_t)of[s->may + 1]});
	free(s);
}

static void
drop(struct errand *e)
{
	free(e);
}

static const struct errand_kind looking = {DIRECTORY_READS, look_up, answer, drop};

void
sender_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_sender_check *m)
{
	struct sender *s = memory_new(1, sizeof(*s) + m->address.n);

	s->errand = (struct errand){.kind = &looking, .authd = a, .peer = peer};
	s->tag = m->tag;
	s->account = m->account;
	if (m->address.n > 0)
		memcpy(s->text, m->address.at, m->address.n);
	s->address = span_make(s->text, m->address.n);
	if (errand_run(&s->errand))
		return;
	s->may = -1;
	err_set(&s->err, "too many wait for the directory");
	answer(&s->errand);
}
