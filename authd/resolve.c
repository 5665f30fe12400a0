#include "authd/authd.h"
#include "common/spool/spool.h"

/* What one answer may hold; the packet has some more. */
#define TARGETS_BYTES_MAX (60U << 10)
#define QUESTION_MS       3000 /* then 451: the mailbox's size is not to be had */

/* A resolve that waits until an account's usage is known; then asked anew. */
struct question {
	TAILQ_ENTRY(question) link;
	struct ipc_peer *peer;
	struct ipc_resolve ask; /* its spans point behind this struct */
	uint64_t account;
	uint64_t gives_up_ms;
	char text[];
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

/* `sender` is for those outside; where it is empty they see the one that came. */
static void
put_targets(const struct authd *a, const struct directory_route *route,
	    struct span sender, struct buf *out)
{
	enum target_kind outside = sender.n > 0 ? TARGET_FORWARD : TARGET_REMOTE;
	struct buf address = buf_make(TARGET_ADDRESS_MAX);

	for (size_t i = 0; i < route->n; i++) {
		const struct directory_target *t = &route->targets[i];
		struct target target = {.kind = outside};

		buf_reset(&address);
		put_address(a, t, &address);
		target.address = buf_span(&address);
		if (t->account) {
			target.kind = TARGET_ACCOUNT;
			target.account = t->account;
		} else {
			target.sender = sender;
		}
		target_put(out, &target);
	}
	buf_release(&address);
}

/* ---- senders of mail that leads outside */

static struct span
domain_of(struct span address)
{
	return span_after(address, span_find_last(address, '@') + 1);
}

/* 1 yes, 0 no, -1 */
static int
is_ours(struct authd *a, struct span domain, struct err *err)
{
	struct directory_domain found;

	switch (directory_domain_find(a->directory, domain, &found, err)) {
	case DIRECTORY_DONE:
		return 1;
	case DIRECTORY_FAULT:
		return -1;
	default:
		return 0;
	}
}

static bool
leads_outside(const struct directory_route *route)
{
	for (size_t i = 0; i < route->n; i++)
		if (route->targets[i].account == 0)
			return true;
	return false;
}

/* What another server gets to see instead of a sender that is not ours; empty when it
 * sees that one. */
static int
rewrite_sender(struct authd *a, const struct ipc_resolve *m,
	       const struct directory_route *route, struct buf *out, struct err *err)
{
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	struct err none;
	int ours;

	if (!proc_settings(a->proc)->srs || m->sender.n == 0 || !leads_outside(route) ||
	    directory_domain_canonical(domain_of(m->address), domain, &none) != 0)
		return 0;
	ours = is_ours(a, domain_of(m->sender), err);
	if (ours == 0 && !srs_forward(&a->rewriting.keys, m->sender, span_str(domain),
				      srs_day(proc_now_us() / 1000000), out))
		buf_reset(out); /* too long: better this sender than none */
	return ours < 0 ? -1 : 0;
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

static struct span
kept(char *at, struct span s)
{
	if (s.n > 0)
		memcpy(at, s.at, s.n);
	return span_make(at, s.n);
}

static void
wait_for_usage(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m,
	       uint64_t account)
{
	struct question *q;

	if (a->n_questions == QUESTIONS_MAX || m->address.n > TARGET_ADDRESS_MAX ||
	    m->sender.n > TARGET_ADDRESS_MAX) {
		answer(peer, m->tag, RESOLVE_LATER, (struct span){0}, "too busy");
		return;
	}
	q = memory_new(1, sizeof(*q) + m->address.n + m->sender.n);
	q->peer = peer;
	q->ask = *m;
	q->ask.address = kept(q->text, m->address);
	q->ask.sender = kept(q->text + m->address.n, m->sender);
	q->account = account;
	q->gives_up_ms = proc_ticks_ms() + QUESTION_MS;
	TAILQ_INSERT_TAIL(&a->questions, q, link);
	a->n_questions++;
	authd_tick_later(a);
}

/* ---- one resolve */

static void
answer_fault(struct ipc_peer *peer, const struct ipc_resolve *m, const struct err *err)
{
	logline(LOGLINE_ERROR, "resolve.fault", L_SPAN("address", m->address),
		L_ERR(err));
	answer(peer, m->tag, RESOLVE_LATER, (struct span){0}, "directory fault");
}

static void
answer_targets(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m,
	       const struct directory_route *route, enum quota quota)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX),
		   sender = buf_make(SRS_ADDRESS_MAX);
	struct err err;

	if (rewrite_sender(a, m, route, &sender, &err) != 0) {
		answer_fault(peer, m, &err);
		return;
	}
	put_targets(a, route, buf_span(&sender), &targets);
	if (quota == QUOTA_FULL)
		answer(peer, m->tag, RESOLVE_FULL, (struct span){0}, "mailbox full");
	else if (targets.full)
		answer(peer, m->tag, RESOLVE_LOOP, (struct span){0},
		       outcomes[DIRECTORY_ROUTE_TOO_MANY].text);
	else
		answer(peer, m->tag, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
	buf_release(&sender);
}

/* *account is set when the answer has to wait for its usage; 0 when answered. */
static void
answer_route(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m,
	     const struct directory_route *route, uint64_t *account)
{
	enum quota quota = check_quota(a, route, m->size, account);

	if (quota == QUOTA_ASKED)
		return;
	answer_targets(a, peer, m, route, quota);
	if (route->skipped)
		logline(LOGLINE_WARNING, "resolve.skipped",
			L_SPAN("address", m->address),
			L_U64("targets", route->skipped));
}

static void
answer_relay(struct ipc_peer *peer, const struct ipc_resolve *m, struct span address)
{
	struct buf targets = buf_make(TARGETS_BYTES_MAX);

	target_put(&targets,
		   &(struct target){.kind = TARGET_REMOTE, .address = address});
	answer(peer, m->tag, RESOLVE_OK, buf_span(&targets), "");
	buf_release(&targets);
}

static void
answer_refused(struct ipc_peer *peer, const struct ipc_resolve *m,
	       enum directory_route_kind kind, const struct err *err)
{
	if (kind == DIRECTORY_ROUTE_FAULT) {
		answer_fault(peer, m, err);
		return;
	}
	answer(peer, m->tag, outcomes[kind].outcome, (struct span){0},
	       outcomes[kind].text);
}

/* A report comes back to a sender that was rewritten here: it goes on to whom that
 * stands for. */
static void
answer_return(struct ipc_peer *peer, const struct ipc_resolve *m, enum srs_result srs,
	      struct span address)
{
	switch (srs) {
	case SRS_OK:
		answer_relay(peer, m, address);
		break;
	case SRS_EXPIRED:
		answer(peer, m->tag, RESOLVE_EXPIRED, (struct span){0},
		       "this return address has expired");
		break;
	case SRS_NONE:
	case SRS_FORGED:
		answer(peer, m->tag, RESOLVE_FORGED, (struct span){0},
		       "this return address was not made here");
		break;
	}
}

/* Is it such an address? Then it is answered, or *m asks for whom it stands for, when
 * that has become one of ours. */
static bool
take_return(struct authd *a, struct ipc_peer *peer, struct ipc_resolve *m,
	    struct buf *address)
{
	enum srs_result srs = srs_reverse(&a->rewriting.keys, m->address,
					  srs_day(proc_now_us() / 1000000), address);
	struct err err;

	if (srs == SRS_NONE || is_ours(a, domain_of(m->address), &err) <= 0)
		return false;
	if (srs == SRS_OK && is_ours(a, domain_of(buf_span(address)), &err) > 0) {
		m->address = buf_span(address);
		return false;
	}
	answer_return(peer, m, srs, buf_span(address));
	return true;
}

/* Answers, or returns the account whose usage must be known first. */
static uint64_t
resolve_plain(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
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
		answer_relay(peer, m, m->address);
	else
		answer_refused(peer, m, kind, &err);
	arena_release(&arena);
	return account;
}

static uint64_t
resolve(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m)
{
	struct buf address = buf_make(SRS_ADDRESS_MAX);
	struct ipc_resolve ask = *m;
	uint64_t account = 0;

	if (!take_return(a, peer, &ask, &address))
		account = resolve_plain(a, peer, &ask);
	buf_release(&address);
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
