/* authd/quota.c - is there room for a message where it leads to */
#include "authd/question.h"

void
usage_ask(struct authd *a, uint64_t account)
{
	uint32_t instance = (uint32_t)(account % proc_count(a->proc, IPC_KIND_LOCAL));
	struct ipc_peer *local = proc_peer(a->proc, IPC_KIND_LOCAL, instance);

	if (local)
		ipc_send_usage_ask(local, &(struct ipc_usage_ask){account});
}

void
usage_take(struct authd *a, const struct ipc_usage *m)
{
	uint64_t domain, bytes;

	if (!usages_newer(a->usages, m->account, m->modseq, proc_ticks_ms()))
		return;
	usages_set(a->usages, m->account, m->modseq, m->bytes);
	domain = usages_domain_of(a->usages, m->account);
	if (domain)
		count_ask(a, domain);
	if (domain && usages_domain_get(a->usages, domain, &bytes) != USAGE_KNOWN)
		domain = 0;
	resolve_told(a, m->account, domain);
	domain_uses_told(a, domain);
	if (a->n_shows > 0)
		shows_told(a, m);
	notice_consider(a, m->account);
}

static bool
fits(uint64_t quota_bytes, uint64_t used, uint64_t size)
{
	return used < quota_bytes && size <= quota_bytes - used;
}

/* Somebody has changed it since the directory was last asked for it. */
static void
see_quota(struct authd *a, const struct directory_target *t)
{
	const struct usage_mark *mark = usages_mark(a->usages, t->account);

	if (mark && mark->known && mark->quota_bytes != t->quota_bytes)
		usages_forget_mark(a->usages, t->account);
}

static enum room
room_of_account(struct question *q, const struct directory_target *t)
{
	struct authd *a = q->errand.authd;
	enum usage_state state;
	uint64_t used;

	see_quota(a, t);
	if (t->quota_bytes == 0)
		return ROOM_ENOUGH;
	state = usages_get(a->usages, t->account, proc_ticks_ms(), &used);
	if (state == USAGE_UNKNOWN ||
	    usages_old(a->usages, t->account, proc_ticks_ms()))
		usage_ask(a, t->account);
	if (state != USAGE_KNOWN) {
		q->account = t->account;
		return ROOM_ASKED;
	}
	return fits(t->quota_bytes, used, q->ask.size) ? ROOM_ENOUGH : ROOM_NONE;
}

static enum room
room_of_domain(struct question *q, const struct directory_target *t)
{
	struct authd *a = q->errand.authd;
	uint64_t used;

	if (t->domain_quota_bytes == 0)
		return ROOM_ENOUGH;
	if (usages_domain_due(a->usages, t->domain, proc_ticks_ms()))
		count_domain(a, t->domain, address_domain(t->address));
	if (usages_domain_get(a->usages, t->domain, &used) != USAGE_KNOWN) {
		q->domain = t->domain;
		return ROOM_ASKED;
	}
	return fits(t->domain_quota_bytes, used, q->ask.size) ? ROOM_ENOUGH : ROOM_NONE;
}

static enum room
room_of(struct question *q, const struct directory_target *t)
{
	enum room room;

	if (t->account == 0 || t->reply_only)
		return ROOM_ENOUGH;
	if (t->message_bytes_max && q->ask.size > t->message_bytes_max)
		return ROOM_TOO_BIG;
	room = room_of_account(q, t);
	return room == ROOM_ENOUGH ? room_of_domain(q, t) : room;
}

/* A list is full only when everybody on it is: one full mailbox must not keep
 * the others from their mail. */
enum room
question_room(struct question *q)
{
	enum room worst = ROOM_ENOUGH;

	for (size_t i = 0; i < q->route.n; i++) {
		enum room room = room_of(q, &q->route.targets[i]);

		if (room == ROOM_ENOUGH || room == ROOM_ASKED)
			return room;
		worst = room;
	}
	return worst;
}
