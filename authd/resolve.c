#include "authd/authd.h"
#include "common/spool/spool.h"

/* What one answer may hold; the packet has some more. */
#define TARGETS_BYTES_MAX (60U << 10)
#define QUESTION_MS       3000 /* then 451: the mailbox's size is not to be had */

/* A resolve that waits until an account's usage is known; then asked anew. */
struct question {
	TAILQ_ENTRY(question) link;
	struct ipc_peer *peer;
	struct ipc_resolve ask; /* its address is this struct's */
	char address[DIRECTORY_ADDRESS_MAX + 1];
	uint64_t account;
	uint64_t gives_up_ms;
};

static const struct {
	enum resolve_outcome outcome;
	const char *text;
} outcomes[] = {
    [DIRECTORY_ROUTE_NOT_LOCAL] = {RESOLVE_NO_DOMAIN, "relay access denied"               },
    [DIRECTORY_ROUTE_UNKNOWN] = {RESOLVE_UNKNOWN,   "no such user here"                 },
    [DIRECTORY_ROUTE_DISABLED] = {RESOLVE_DISABLED,  "mailbox disabled"                  },
    [DIRECTORY_ROUTE_LOOP] = {RESOLVE_LOOP,      "aliases lead in a circle"          },
    [DIRECTORY_ROUTE_TOO_MANY] = {RESOLVE_LOOP,      "aliases lead to too many addresses"},
    [DIRECTORY_ROUTE_BAD_ADDRESS] = {RESOLVE_UNKNOWN,   "not an address"                    },
};

static void
answer(struct ipc_peer *peer, uint64_t tag, enum resolve_outcome outcome,
       struct span targets, const char *text)
{
	ipc_send_resolved(peer, &(struct ipc_resolved){tag, (uint8_t)outcome, targets,
						       span_str(text)});
}

/* ---- targets as smtpd and qmgr know them */

/* "you@example.org" and "shop" -> "you+shop@example.org" */
static void
put_address(const struct authd *a, const struct directory_target *t, struct buf *out)
{
	size_t at = span_find_last(t->address, '@');

	if (t->detail.n == 0) {
		buf_put(out, t->address);
		return;
	}
	buf_put(out, span_first(t->address, at));
	buf_put(out, span_first(authd_policy(a).delimiters, 1));
	buf_put(out, t->detail);
	buf_put(out, span_after(t->address, at));
}

static void
put_targets(const struct authd *a, const struct directory_route *route, struct buf *out)
{
	struct buf address = buf_make(TARGET_ADDRESS_MAX);

	for (size_t i = 0; i < route->n; i++) {
		const struct directory_target *t = &route->targets[i];

		buf_reset(&address);
		put_address(a, t, &address);
		target_put(out, &(struct target){.kind = t->account ? TARGET_ACCOUNT
								    : TARGET_REMOTE,
						 .account = t->account,
						 .address = buf_span(&address)});
	}
	buf_release(&address);
}

/* ---- quota */

static void
ask_usage(struct authd *a, uint64_t account)
{
	uint32_t instance = (uint32_t)(account % proc_count(a->proc, IPC_KIND_LOCAL));
	struct ipc_peer *local = proc_peer(a->proc, IPC_KIND_LOCAL, instance);

	if (local)
		ipc_send_usage_ask(local, &(struct ipc_usage_ask){account});
}

enum quota {
	QUOTA_ROOM,
	QUOTA_FULL,
	QUOTA_ASKED, /* *account has to be heard of first */
};

/* A list is full only when everybody on it is: one full mailbox must not keep
 * the others from their mail. */
static enum quota
check_quota(struct authd *a, const struct directory_route *route, uint64_t size,
	    uint64_t *account)
{
	for (size_t i = 0; i < route->n; i++) {
		const struct directory_target *t = &route->targets[i];
		enum usage_state state;
		uint64_t used;

		if (t->account == 0 || t->quota_bytes == 0)
			return QUOTA_ROOM;
		state = usages_get(a->usages, t->account, proc_ticks_ms(), &used);
		if (state == USAGE_UNKNOWN)
			ask_usage(a, t->account);
		if (state != USAGE_KNOWN) {
			*account = t->account;
			return QUOTA_ASKED;
		}
		if (used < t->quota_bytes && size <= t->quota_bytes - used)
			return QUOTA_ROOM;
	}
	return QUOTA_FULL;
}

/* ---- questions that wait */

static void
question_free(struct authd *a, struct question *q)
{
	TAILQ_REMOVE(&a->questions, q, link);
	a->n_questions--;
	free(q);
}

static void
wait_for_usage(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m,
	       uint64_t account)
{
	struct question *q;

	if (a->n_questions == QUESTIONS_MAX || m->address.n > DIRECTORY_ADDRESS_MAX) {
		answer(peer, m->tag, RESOLVE_LATER, (struct span){0}, "too busy");
		return;
	}
	q = memory_new(1, sizeof(*q));
	q->peer = peer;
	q->ask = *m;
	memcpy(q->address, m->address.at, m->address.n);
	q->ask.address = span_make(q->address, m->address.n);
	q->account = account;
	q->gives_up_ms = proc_ticks_ms() + QUESTION_MS;
	TAILQ_INSERT_TAIL(&a->questions, q, link);
	a->n_questions++;
	authd_tick_later(a);
}

/* ---- one resolve */

/* *account is set when the answer has to wait for its usage; 0 when answered. */
static void
answer_route(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m,
	     const struct directory_route *route, uint64_t *account)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX);
	enum quota quota = check_quota(a, route, m->size, account);

	if (quota == QUOTA_ASKED)
		return;
	put_targets(a, route, &targets);
	if (quota == QUOTA_FULL)
		answer(peer, m->tag, RESOLVE_FULL, (struct span){0}, "mailbox full");
	else if (targets.full)
		answer(peer, m->tag, RESOLVE_LOOP, (struct span){0},
		       outcomes[DIRECTORY_ROUTE_TOO_MANY].text);
	else
		answer(peer, m->tag, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
	if (route->skipped)
		logline(LOGLINE_WARNING, "resolve.skipped",
			L_SPAN("address", m->address),
			L_U64("targets", route->skipped));
}

static void
answer_relay(struct ipc_peer *peer, const struct ipc_resolve *m)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX);

	target_put(&targets,
		   &(struct target){.kind = TARGET_REMOTE, .address = m->address});
	answer(peer, m->tag, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
}

static void
answer_refused(struct ipc_peer *peer, const struct ipc_resolve *m,
	       enum directory_route_kind kind, const struct err *err)
{
	if (kind == DIRECTORY_ROUTE_FAULT) {
		logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", m->address),
			L_ERR(err));
		answer(peer, m->tag, RESOLVE_LATER, (struct span){0},
		       "directory fault");
		return;
	}
	answer(peer, m->tag, outcomes[kind].outcome, (struct span){0},
	       outcomes[kind].text);
}

/* Answers, or returns the account whose usage must be known first. */
static uint64_t
resolve(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
{
	struct directory_policy policy = authd_policy(a);
	struct directory_route route;
	enum directory_route_kind kind;
	struct arena arena;
	struct err err;
	uint64_t account = 0;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	kind =
	    directory_resolve(a->directory, m->address, &policy, &arena, &route, &err);
	if (kind == DIRECTORY_ROUTE_TARGETS)
		answer_route(a, peer, m, &route, &account);
	else if (kind == DIRECTORY_ROUTE_NOT_LOCAL && (m->may_relay || m->account))
		answer_relay(peer, m);
	else
		answer_refused(peer, m, kind, &err);
	arena_release(&arena);
	return account;
}

void
resolve_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
{
	uint64_t account = resolve(a, peer, m);

	a->count.resolves++;
	if (account)
		wait_for_usage(a, peer, m, account);
}

void
resolve_usage(struct authd *a, const struct ipc_usage *m)
{
	struct question *q, *next;

	usages_set(a->usages, m->account, m->bytes);
	for (q = TAILQ_FIRST(&a->questions); q; q = next) {
		uint64_t account;

		next = TAILQ_NEXT(q, link);
		if (q->account != m->account)
			continue;
		account = resolve(a, q->peer, &q->ask);
		if (account)
			q->account = account;
		else
			question_free(a, q);
	}
}

void
resolve_tick(struct authd *a, uint64_t now_ms)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&a->questions)) && q->gives_up_ms <= now_ms) {
		answer(q->peer, q->ask.tag, RESOLVE_LATER, (struct span){0},
		       "the mailbox cannot be asked");
		question_free(a, q);
	}
}

void
resolve_drop_peer(struct authd *a, struct ipc_peer *peer)
{
	struct question *q, *next;

	for (q = TAILQ_FIRST(&a->questions); q; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->peer == peer)
			question_free(a, q);
	}
}

/* ---- sender addresses */

void
resolve_sender(struct authd *a, struct ipc_peer *peer, const struct ipc_sender_check *m)
{
	static const enum sender_outcome of[] = {SENDER_LATER, SENDER_NOT_OWNED,
						 SENDER_OK};
	struct directory_policy policy = authd_policy(a);
	struct err err;
	int may =
	    directory_may_send(a->directory, m->account, m->address, &policy, &err);

	if (may < 0)
		logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", m->address),
			L_ERR(&err));
	ipc_send_sender_checked(
	    peer, &(struct ipc_sender_checked){m->tag, (uint8_t)of[may + 1]});
}
