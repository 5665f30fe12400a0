#include "common/directory/walk.h"

static struct directory_target *
find_target(const struct walk *w, const struct directory_target *t)
{
	for (size_t i = 0; i < w->out->n; i++) {
		struct directory_target *old = &w->out->targets[i];

		if (t->account ? old->account == t->account
			       : !old->account && span_equal(old->address, t->address))
			return old;
	}
	return NULL;
}

/* Room for one more in the arena; null beyond the limits. */
static struct directory_target *
more_room(struct walk *w)
{
	size_t more = w->room ? 2 * w->room : 4;
	struct directory_target *moved;

	if (w->out->n >= DIRECTORY_TARGETS_MAX)
		return NULL;
	if (w->out->n < w->room)
		return w->out->targets;
	moved = arena_new(w->arena, more, sizeof(*moved));
	if (!moved)
		return NULL;
	if (w->out->n > 0)
		memcpy(moved, w->out->targets, w->out->n * sizeof(*moved));
	w->room = more;
	return moved;
}

int
walk_target(struct walk *w, struct directory_target t)
{
	struct directory_target *old = find_target(w, &t), *targets;

	w->reached += !t.reply_only;
	if (old) {
		/* Another way to the same mailbox puts the mail there after all. */
		old->reply_only = old->reply_only && t.reply_only;
		old->reply = old->reply || t.reply;
		return 0;
	}
	t.sender = w->sender;
	targets = more_room(w);
	if (!targets || !arena_copy(w->arena, t.address, &t.address) ||
	    !arena_copy(w->arena, t.detail, &t.detail))
		return walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
	w->out->targets = targets;
	targets[w->out->n++] = t;
	return 0;
}

/* Where the account sends its mail on to: *kept is whether it stays here as well,
 * always when it would go nowhere else. */
static int
follow_forward(struct walk *w, const struct directory_object *account,
	       const struct directory_name *n, unsigned depth, bool *kept)
{
	struct span forward = account->values[FIELD_ACCOUNT_FORWARD].text;
	size_t before = w->reached;
	int r;

	*kept = true;
	if (forward.n == 0 || w->authors)
		return 0;
	if (!walk_first_time(w, directory_name_span(n)) || depth >= DIRECTORY_DEPTH_MAX)
		return 0;
	*kept = account->values[FIELD_ACCOUNT_FORWARD_KEEP].number != 0;
	if (!arena_copy(w->arena, forward, &forward))
		return walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
	r = walk_items(w, forward, depth + 1);
	if (w->reached == before)
		*kept = true;
	return r;
}

int
walk_account(struct walk *w, const struct directory_object *account,
	     const struct directory_name *n, const struct directory_domain *domain,
	     struct span detail, char delimiter, unsigned depth)
{
	const struct directory_value *v = account->values;
	uint64_t bytes_max = v[FIELD_ACCOUNT_MESSAGE_BYTES_MAX].number;
	struct directory_target t = {
	    .address = directory_name_span(n),
	    .account = v[FIELD_ACCOUNT_ID].number,
	    .quota_bytes = v[FIELD_ACCOUNT_QUOTA_BYTES].number,
	    .domain = domain->id,
	    .domain_quota_bytes = domain->quota_bytes,
	    .message_bytes_max = bytes_max ? bytes_max : domain->message_bytes_max,
	    .detail = detail,
	    .delimiter = delimiter,
	    .reply = !w->in_list && directory_reply_on(account, w->policy->now),
	};
	bool kept;
	int r;

	if (v[FIELD_ACCOUNT_DISABLED].number != 0) {
		w->disabled = true;
		w->out->skipped++;
		return 0;
	}
	r = follow_forward(w, account, n, depth, &kept);
	if (r < 0 || w->over || (!kept && !t.reply))
		return r;
	t.reply_only = !kept;
	return walk_target(w, t);
}
