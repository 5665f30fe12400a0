/* authd/sender.c - may a login send as an address */
#include "authd/access.h"

struct sender {
	struct errand errand;
	uint64_t tag, account;
	struct span address;        /* points behind this struct */
	struct access *access;      /* null when no table is to be asked */
	enum access_verdict tables; /* what they say */
	int may;                    /* 1 yes, 0 no, -1 */
	struct err err;
	char text[];
};

/* What tables say of an address counts, and the directory only for those they do not
 * have. False: they do not. */
static bool
ask_tables(struct directory *d, struct sender *s)
{
	struct directory_account account;
	bool known = false, may = false;

	if (!s->access || s->address.n == 0)
		return false;
	s->may = -1;
	switch (directory_account_find_id(d, s->account, &account, &s->err)) {
	case DIRECTORY_FAULT:
		return true;
	case DIRECTORY_DONE:
		s->tables = access_sender(s->access, span_str(account.address),
					  s->address, &known, &may, &s->err);
		directory_password_wipe(&account.password);
		break;
	default:
		return false;
	}
	if (s->tables != ACCESS_NOTHING)
		return true;
	s->may = may;
	return known;
}

static void
look_up(struct directory *d, struct errand *e)
{
	struct sender *s = (struct sender *)e;
	struct directory_policy policy = authd_policy(e->authd);

	s->tables = ACCESS_NOTHING;
	if (s->access)
		lookup_begin(s->access->lookup);
	if (!ask_tables(d, s))
		s->may =
		    directory_may_send(d, s->account, s->address, &policy, &s->err);
}

static void
sender_free(struct sender *s)
{
	errand_cancel(&s->errand);
	access_free(&s->access);
	free(s);
}

static void
answer(struct errand *e)
{
	static const enum sender_outcome of[] = {SENDER_LATER, SENDER_NOT_OWNED,
						 SENDER_OK};
	struct sender *s = (struct sender *)e;

	if (s->tables == ACCESS_WAITS) {
		errand_park(e);
		return;
	}
	if (s->may < 0)
		logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", s->address),
			L_ERR(&s->err));
	ipc_send_sender_checked(
	    e->peer, &(struct ipc_sender_checked){s->tag, (uint8_t)of[s->may + 1]});
	sender_free(s);
}

static void
drop(struct errand *e)
{
	sender_free((struct sender *)e);
}

static const struct errand_kind looking = {DIRECTORY_READS, look_up, answer, drop};

static void
run(void *context)
{
	struct sender *s = context;

	if (errand_run(&s->errand))
		return;
	s->tables = ACCESS_NOTHING;
	s->may = -1;
	err_set(&s->err, "too many wait for the directory");
	answer(&s->errand);
}

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
	if (proc_settings(a->proc)->sender_tables.n > 0)
		s->access = access_new(a, run, s);
	run(s);
}
