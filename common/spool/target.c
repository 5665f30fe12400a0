#include "common/spool/target.h"

#define HAS_OWNER 128u /* added to the kind */

void
target_put(struct buf *list, const struct target *t)
{
	wire_put_u8(list, (uint8_t)(t->kind | (t->owner.n > 0 ? HAS_OWNER : 0)));
	wire_put_u64(list, t->account);
	wire_put_bytes(list, t->address);
	if (t->kind == TARGET_FORWARD)
		wire_put_bytes(list, t->sender);
	if (target_is_remote(t))
		wire_put_bytes(list, t->next_hop);
	if (t->owner.n > 0)
		wire_put_bytes(list, t->owner);
}

static bool
next_hop_possible(struct span hop)
{
	if (hop.n > TARGET_NEXT_HOP_MAX)
		return false;
	for (size_t i = 0; i < hop.n; i++)
		if ((unsigned char)hop.at[i] <= ' ')
			return false;
	return true;
}

static bool
target_possible(const struct target *t)
{
	if (t->address.n > TARGET_ADDRESS_MAX || t->sender.n > TARGET_ADDRESS_MAX ||
	    t->owner.n > TARGET_ADDRESS_MAX)
		return false;
	if (t->kind == TARGET_ACCOUNT || t->kind == TARGET_REPLY)
		return t->account != 0;
	return target_is_remote(t) && t->account == 0 && next_hop_possible(t->next_hop);
}

bool
target_next(struct cursor *list, struct target *out)
{
	struct target t = {0};
	unsigned kind;

	if (list->failed || list->rest.n == 0)
		return false;
	kind = wire_get_u8(list);
	t.kind = kind & ~HAS_OWNER;
	t.account = wire_get_u64(list);
	t.address = wire_get_bytes(list);
	if (t.kind == TARGET_FORWARD)
		t.sender = wire_get_bytes(list);
	if (target_is_remote(&t))
		t.next_hop = wire_get_bytes(list);
	if (kind & HAS_OWNER)
		t.owner = wire_get_bytes(list);
	if (list->failed || !target_possible(&t)) {
		list->failed = true;
		return false;
	}
	*out = t;
	return true;
}

bool
target_list_check(struct span list, size_t *n)
{
	struct cursor c = cursor_make(list);
	struct target t;
	size_t count = 0;

	while (target_next(&c, &t))
		count++;
	if (c.failed)
		return false;
	*n = count;
	return true;
}
