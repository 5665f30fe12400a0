/* mailboxes made, renamed, deleted, subscribed; keywords */
#include "common/store/change_internal.h"

static bool
name_good(struct span name)
{
	return name.n > 0 && name.n <= STORE_MAILBOX_NAME_MAX &&
	       mime_utf8_valid(name) == name.n && span_find(name, '\0') == name.n;
}

static bool
name_taken(const struct store_account *a, struct span name)
{
	return store_mailbox_find(a, name) != 0;
}

static enum store_result
change_refuse(struct store_account *a, enum store_result result)
{
	store_batch_cancel(a);
	return result;
}

enum store_result
store_mailbox_create(struct store_account *a, struct span name,
		     enum store_special_use use, int64_t now_us, uint32_t *id,
		     struct err *err)
{
	struct event e = {.kind = EVENT_MAILBOX};
	uint32_t seconds = (uint32_t)(now_us / 1000000);
	enum store_result result;

	if (!name_good(name))
		return STORE_LIMIT;
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	if (name_taken(a, name))
		return change_refuse(a, STORE_EXISTS);
	if (a->state.n >= STORE_MAILBOXES_MAX ||
	    a->state.tail.next_mailbox == UINT32_MAX)
		return change_refuse(a, STORE_LIMIT);
	/* Higher than that of any mailbox ever: a name that is used again must not
	 * bring old uids back. */
	if (seconds <= a->state.tail.last_uidvalidity)
		seconds = a->state.tail.last_uidvalidity + 1;
	e.box = (struct store_mailbox){.id = a->state.tail.next_mailbox,
				       .uidvalidity = seconds,
				       .uidnext = 1,
				       .special_use = (uint8_t)use,
				       .name = name,
				       .modseq = a->state.position,
				       .expunged_since = a->state.position};
	*id = e.box.id;
	return change_end(a, NULL, &e, err);
}

/* Those whose names begin with `old`, which ends in '/', and the one of that id. */
static enum store_result
rename_all(struct store_account *a, uint32_t id, struct span old, struct span name)
{
	struct buf next = buf_make(STORE_MAILBOX_NAME_MAX);
	enum store_result result = STORE_OK;

	for (int pass = 0; pass < 2 && result == STORE_OK; pass++)
		for (size_t i = 0; i < a->state.n && result == STORE_OK; i++) {
			struct event e = {.kind = EVENT_MAILBOX,
					  .time_us = a->now_us,
					  .box = a->state.boxes[i]};
			bool below = span_starts(e.box.name, old);

			if (!below && e.box.id != id)
				continue;
			buf_reset(&next);
			buf_put(&next, name);
			if (below)
				buf_put(&next, span_after(e.box.name, old.n - 1));
			e.box.name = buf_span(&next);
			if (next.full)
				result = STORE_LIMIT;
			else if (pass == 0 && name_taken(a, e.box.name))
				result = STORE_EXISTS;
			else if (pass == 1)
				batch_event(a, &e);
		}
	buf_release(&next);
	return result;
}

enum store_result
store_mailbox_rename(struct store_account *a, uint32_t id, struct span name,
		     int64_t now_us, struct err *err)
{
	enum store_result result;
	struct span old;
	struct buf was = buf_make(STORE_MAILBOX_NAME_MAX + 1);

	if (!name_good(name))
		return STORE_LIMIT;
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	if (id == STORE_INBOX || !state_box(&a->state, id))
		return change_refuse(a, STORE_NONE);
	buf_put(&was, state_box(&a->state, id)->name);
	buf_put_char(&was, '/');
	old = buf_span(&was);
	result = rename_all(a, id, old, name);
	buf_release(&was);
	if (result != STORE_OK)
		return change_refuse(a, result);
	return store_batch_end(a, err);
}

enum store_result
store_mailbox_delete(struct store_account *a, uint32_t id, int64_t now_us,
		     struct err *err)
{
	struct event e = {.kind = EVENT_UNMAILBOX, .mailbox = id};
	enum store_result result = change_begin(a, now_us, err);

	if (result != STORE_OK)
		return result;
	if (id == STORE_INBOX || !state_box(&a->state, id))
		return change_refuse(a, STORE_NONE);
	return change_end(a, NULL, &e, err);
}

enum store_result
store_mailbox_subscribe(struct store_account *a, uint32_t id, bool subscribed,
			int64_t now_us, struct err *err)
{
	struct event e = {.kind = EVENT_MAILBOX};
	enum store_result result = change_begin(a, now_us, err);
	const struct store_mailbox *box;

	if (result != STORE_OK)
		return result;
	box = state_box(&a->state, id);
	if (!box)
		return change_refuse(a, STORE_NONE);
	if (box->subscribed == subscribed)
		return store_batch_end(a, err);
	e.box = *box;
	e.box.subscribed = subscribed;
	return change_end(a, NULL, &e, err);
}

enum store_result
store_keyword_add(struct store_account *a, struct span name, int64_t now_us, int *bit,
		  struct err *err)
{
	struct event e = {.kind = EVENT_KEYWORD, .name = name};
	enum store_result result;

	if (name.n == 0 || name.n > STORE_KEYWORD_NAME_MAX)
		return STORE_LIMIT;
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	*bit = store_keyword_find(a, name);
	if (*bit >= 0)
		return store_batch_end(a, err);
	while (e.bit < STORE_KEYWORDS_MAX && a->state.keywords[e.bit].at)
		e.bit++;
	if (e.bit == STORE_KEYWORDS_MAX)
		return change_refuse(a, STORE_LIMIT);
	*bit = e.bit;
	return change_end(a, NULL, &e, err);
}
