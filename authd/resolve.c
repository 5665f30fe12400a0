#include "authd/question.h"
#include "common/spool/spool.h"
#include "common/srs/srs.h"

/* What one answer may hold; the packet has some more. */
#define TARGETS_BYTES_MAX (60U << 10)
#define QUESTION_MS       3000 /* then 451: the mailbox's size is not to be had */

static const struct {
	enum resolve_outcome outcome;
	const char *text;
} outcomes[] = {
    [DIRECTORY_ROUTE_NOT_LOCAL] = {RESOLVE_NO_DOMAIN,   "relay access denied"               },
    [DIRECTORY_ROUTE_UNKNOWN] = {RESOLVE_UNKNOWN,     "no such user here"                 },
    [DIRECTORY_ROUTE_DISABLED] = {RESOLVE_DISABLED,    "mailbox disabled"                  },
    [DIRECTORY_ROUTE_LOOP] = {RESOLVE_LOOP,        "aliases lead in a circle"          },
    [DIRECTORY_ROUTE_TOO_MANY] = {RESOLVE_LOOP,        "aliases lead to too many addresses"},
    [DIRECTORY_ROUTE_BAD_ADDRESS] = {RESOLVE_UNKNOWN,     "not an address"                    },
    [DIRECTORY_ROUTE_NOT_ALLOWED] = {RESOLVE_NOT_ALLOWED, "not for this sender"               },
};

/* ---- questions */

static const struct errand_kind looking;

/* A table's answer is here. */
static void again(void *context);

static struct span
kept(char **at, struct span s)
{
	struct span copy = span_make(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.at, s.n);
	*at += s.n;
	return copy;
}

static struct question *
question_new(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
{
	struct question *q =
	    memory_new(1, sizeof(*q) + m->address.n + m->sender.n + m->client.n +
			      m->helo.n + m->client_name.n);
	char *at = q->text;

	q->errand = (struct errand){.kind = &looking, .authd = a, .peer = peer};
	q->ask = *m;
	q->ask.address = kept(&at, m->address);
	q->ask.sender = kept(&at, m->sender);
	q->ask.client = kept(&at, m->client);
	q->ask.helo = kept(&at, m->helo);
	q->ask.client_name = kept(&at, m->client_name);
	q->access = access_new(a, again, q);
	question_empty(q);
	return q;
}

static void
question_free(struct question *q)
{
	struct authd *a = q->errand.authd;

	errand_cancel(&q->errand);
	if (q->gives_up_ms) {
		TAILQ_REMOVE(&a->questions, q, waiting);
		a->n_questions--;
	}
	question_empty(q);
	access_free(&q->access);
	free(q);
}

static void
drop(struct errand *e)
{
	question_free((struct question *)e);
}

static void
say(const struct question *q, struct ipc_resolved *m)
{
	if (q->access)
		access_settle(q->access, m);
	ipc_send_resolved(q->errand.peer, m);
}

static void
answer(const struct question *q, enum resolve_outcome outcome, struct span targets,
       const char *text)
{
	say(q, &(struct ipc_resolved){.tag = q->ask.tag,
				      .outcome = (uint8_t)outcome,
				      .targets = targets,
				      .text = span_str(text)});
}

/* ---- targets as smtpd and qmgr know them */

/* "you@example.org" and "shop" -> "you+shop@example.org" */
static void
put_address(const struct directory_target *t, struct buf *out)
{
	size_t at = span_find_last(t->address, '@');

	if (t->detail.n == 0) {
		buf_put(out, t->address);
		return;
	}
	buf_put(out, span_first(t->address, at));
	buf_put_char(out, t->delimiter);
	buf_put(out, t->detail);
	buf_put(out, span_after(t->address, at));
}

/* Those outside see the owner of the list, or the rewritten sender, or where there is
 * neither the one that came. */
static void
put_outside(const struct question *q, struct target *target)
{
	if (target->owner.n == 0)
		target->sender = buf_span(&q->rewritten);
	target->kind = target->sender.n > 0 ? TARGET_FORWARD : TARGET_REMOTE;
}

static void
put_inside(const struct directory_target *t, struct target *target, struct buf *out)
{
	target->account = t->account;
	target->kind = TARGET_ACCOUNT;
	if (!t->reply_only)
		target_put(out, target);
	target->kind = TARGET_REPLY;
	target->owner = (struct span){0};
	if (t->reply)
		target_put(out, target);
}

static void
put_targets(const struct question *q, struct buf *out)
{
	struct buf address = buf_make(TARGET_ADDRESS_MAX);

	for (size_t i = 0; i < q->route.n; i++) {
		const struct directory_target *t = &q->route.targets[i];
		struct target target = {.kind = TARGET_REMOTE};

		buf_reset(&address);
		put_address(t, &address);
		target.address = buf_span(&address);
		if (q->ask.sender.n > 0) /* the null sender stays */
			target.owner = t->sender;
		if (t->account) {
			put_inside(t, &target, out);
			continue;
		}
		put_outside(q, &target);
		target.next_hop = q->hops ? q->hops[i] : (struct span){0};
		target_put(out, &target);
	}
	buf_release(&address);
}

/* ---- answers */

static void
answer_fault(const struct question *q)
{
	logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", q->ask.address),
		L_ERR(&q->err));
	answer(q, RESOLVE_LATER, (struct span){0}, "directory fault");
}

static void
answer_targets(const struct question *q)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX);

	put_targets(q, &targets);
	if (targets.full)
		answer(q, RESOLVE_LOOP, (struct span){0},
		       outcomes[DIRECTORY_ROUTE_TOO_MANY].text);
	else
		answer(q, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
	if (q->route.skipped)
		logline(LOGLINE_WARNING, "resolve.skipped",
			L_SPAN("address", q->ask.address),
			L_U64("targets", q->route.skipped));
}

static void
answer_relay(const struct question *q, struct span address)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX);

	target_put(&targets, &(struct target){.kind = TARGET_REMOTE,
					      .address = address,
					      .next_hop = q->relay_hop});
	answer(q, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
}

static void
answer_return(const struct question *q)
{
	switch ((enum srs_result)q->srs) {
	case SRS_OK:
		answer_relay(q, buf_span(&q->address));
		break;
	case SRS_EXPIRED:
		answer(q, RESOLVE_EXPIRED, (struct span){0},
		       "this return address has expired");
		break;
	case SRS_NONE:
	case SRS_FORGED:
		answer(q, RESOLVE_FORGED, (struct span){0},
		       "this return address was not made here");
		break;
	}
}

/* ---- waiting until it is known how full a mailbox is */

static void
wait_for_usage(struct question *q)
{
	struct authd *a = q->errand.authd;

	if (a->n_questions == QUESTIONS_MAX) {
		answer(q, RESOLVE_LATER, (struct span){0}, "too busy");
		question_free(q);
		return;
	}
	question_empty(q); /* many may wait, and the directory is asked anew */
	if (q->gives_up_ms)
		return; /* for another account now */
	q->gives_up_ms = proc_ticks_ms() + QUESTION_MS;
	TAILQ_INSERT_TAIL(&a->questions, q, waiting);
	a->n_questions++;
	authd_tick_later(a);
}

/* ---- one question from its beginning to its answer */

/* False: it waits for a use. */
static bool
answer_route(struct question *q)
{
	switch (question_room(q)) {
	case ROOM_ENOUGH:
		answer_targets(q);
		return true;
	case ROOM_NONE:
		answer(q, RESOLVE_FULL, (struct span){0}, "mailbox full");
		return true;
	case ROOM_TOO_BIG:
		answer(q, RESOLVE_TOO_BIG, (struct span){0},
		       "too big for this mailbox");
		return true;
	case ROOM_ASKED:
		return false;
	}
	return true;
}

static void
answer_tables(const struct question *q)
{
	struct ipc_resolved m = {.tag = q->ask.tag, .outcome = RESOLVE_DISCARD};

	if (q->tables == ACCESS_REFUSED) {
		m.outcome = RESOLVE_REFUSED;
		m.text = buf_span(&q->access->reply);
	}
	say(q, &m);
}

static bool
answer_kind(struct question *q)
{
	if (q->tables == ACCESS_REFUSED || q->tables == ACCESS_DISCARD)
		answer_tables(q);
	else if (q->returns)
		answer_return(q);
	else if (q->kind == DIRECTORY_ROUTE_TARGETS)
		return answer_route(q);
	else if (q->kind == DIRECTORY_ROUTE_FAULT)
		answer_fault(q);
	else if (q->kind == DIRECTORY_ROUTE_NOT_LOCAL &&
		 (q->ask.may_relay || q->ask.account))
		answer_relay(q, q->ask.address);
	else
		answer(q, outcomes[q->kind].outcome, (struct span){0},
		       outcomes[q->kind].text);
	return true;
}

static void
looked(struct errand *e)
{
	struct question *q = (struct question *)e;

	q->account = q->domain = 0;
	if (q->tables == ACCESS_WAITS)
		errand_park(e);
	else if (answer_kind(q))
		question_free(q);
	else
		wait_for_usage(q);
}

static const struct errand_kind looking = {DIRECTORY_READS, question_look_up, looked,
					   drop};

static void
run(struct question *q)
{
	if (errand_run(&q->errand))
		return;
	answer(q, RESOLVE_LATER, (struct span){0}, "too busy");
	question_free(q);
}

static void
again(void *context)
{
	run(context);
}

void
resolve_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
{
	struct question *q = question_new(a, peer, m);

	a->count.resolves++;
	if (m->address.n <= TARGET_ADDRESS_MAX && m->sender.n <= TARGET_ADDRESS_MAX &&
	    m->helo.n <= TARGET_ADDRESS_MAX && m->client_name.n <= TARGET_ADDRESS_MAX) {
		run(q);
		return;
	}
	answer(q, RESOLVE_UNKNOWN, (struct span){0}, "not an address");
	question_free(q);
}

void
resolve_told(struct authd *a, uint64_t account, uint64_t domain)
{
	struct question *q, *next;

	for (q = TAILQ_FIRST(&a->questions); q; q = next) {
		next = TAILQ_NEXT(q, waiting);
		if (!q->errand.task && ((account && q->account == account) ||
					(domain && q->domain == domain)))
			run(q);
	}
}

/* What was not answered is asked again. */
static void
ask_domains(struct authd *a)
{
	const struct question *q;
	uint64_t last = 0;

	TAILQ_FOREACH(q, &a->questions, waiting)
	{
		if (q->domain && q->domain != last)
			count_ask(a, q->domain);
		last = q->domain;
	}
}

void
resolve_tick(struct authd *a, uint64_t now_ms)
{
	struct question *q;

	ask_domains(a);
	while ((q = TAILQ_FIRST(&a->questions)) && q->gives_up_ms <= now_ms) {
		answer(q, RESOLVE_LATER, (struct span){0},
		       "the mailbox cannot be asked");
		question_free(q);
	}
}

void
resolve_drop_peer(struct authd *a, struct ipc_peer *peer)
{
	struct question *q, *next;

	for (q = TAILQ_FIRST(&a->questions); q; q = next) {
		next = TAILQ_NEXT(q, waiting);
		if (q->errand.peer == peer)
			question_free(q);
	}
}
