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
	usages_set(a->usages, m->account, m->bytes);
	resolve_told(a, m->account, 0);
}

static bool
fits(uint64_t quota_bytes, uint64_t used, uint64_t size)
{
	return used < quota_bytes && size <= quota_bytes - used;
}

static enum room
room_of_account(struct question *q, const struct directory_target *t)
{
	struct authd *a = q->errand.authd;
	enum usage_state state;
	uint64_t used;

	if (t->quota_bytes == 0)
		return ROOM_ENOUGH;
	state = usages_get(a->usages, t->account, proc_ticks_ms(), &used);
	if (state == USAGE_UNKNOWN)
		usage_ask(a, t->account);
	if (state != USAGE_KNOWN) {
		q->account = t->account;
		return ROOM_ASKED;
	}
	return fits(t->quota_bytes, used, q->ask.size) ? ROOM_ENOUGH : ROOM_NONE;
}

/* A list is full only when everybody on it is: one full mailbox must not keep
 * the others from their mail. */
enum room
question_room(struct question *q)
{
	enum room worst = ROOM_NONE;

	for (size_t i = 0; i < q->route.n; i++) {
		const struct directory_target *t = &q->route.targets[i];
		enum room room = t->account ? room_of_account(q, t) : ROOM_ENOUGH;

		if (room == ROOM_ENOUGH || room == ROOM_ASKED)
			return room;
	}
	return worst;
}
