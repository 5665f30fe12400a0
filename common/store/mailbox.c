/* mailboxes made, deleted, subscribed; keywords */
#include "common/store/change_internal.h"

enum store_result
change_refuse(struct store_account *a, enum store_result result)
{
	store_batch_cancel(a);
	return result;
}

enum store_result
mailbox_add(struct store_account *a, struct span name, enum store_special_use use,
	    uint32_t *id)
{
	struct event e = {.kind = EVENT_MAILBOX, .time_us = a->now_us};
	uint32_t seconds = (uint32_t)(a->now_us / 1000000);

	if (a->state.n >= STORE_MAILBOXES_MAX ||
	    a->state.tail.next_mailbox == UINT32_MAX || !batch_journal_room(a, name.n))
		return STORE_LIMIT;
	/* Higher than that of any mailbox ever: a name that is used again must not
	 * bring old uids back. */
	if (seconds <= a->state.tail.last_uidvalidity)
		seconds = a->state.tail.last_uidvalidity + 1;
	e.box = (struct store_mailbox){.id = a->state.tail.next_mailbox,
				       .uidvalidity = seconds,
				       .uidnext = 1,
				       .special_use = (uint8_t)use,
				       .subscribed = state_name_has(&a->state, name),
				       .name = name,
				       .modseq = a->state.position,
				       .expunged_since = a->state.position};
	*id = e.box.id;
	batch_event(a, &e);
	return STORE_OK;
}

enum store_result
mailbox_add_above(struct store_account *a, struct span name)
{
	enum store_result result = STORE_OK;
	uint32_t id;

	for (size_t i = 0; i < name.n && result == STORE_OK; i++) {
		struct span above = span_first(name, i);

		if (name.at[i] == '/' && store_mailbox_find(a, above) == 0)
			result = mailbox_add(a, above, STORE_USE_NONE, &id);
	}
	return result;
}

enum store_result
store_mailbox_create(struct store_account *a, struct span name,
		     enum store_special_use use, int64_t now_us, uint32_t *id,
		     struct err *err)
{
	char hold[STORE_MAILBOX_NAME_MAX];
	enum store_result result;
	uint32_t made = 0;

	if (!name_good(name))
		return STORE_LIMIT;
	name = name_written(name, hold);
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	if (store_mailbox_find(a, name) != 0)
		return change_refuse(a, STORE_EXISTS);
	result = mailbox_add_above(a, name);
	if (result == STORE_OK)
		result = mailbox_add(a, name, use, &made);
	if (result != STORE_OK)
		return change_refuse(a, result);
	result = store_batch_end(a, err);
	if (result == STORE_OK)
		*id = made;
	return result;
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

/* Ends the batch with what subscribes the mailbox, or not. */
static enum store_result
subscribe_end(struct store_account *a, const struct store_mailbox *box, bool on,
	      struct err *err)
{
	struct event e = {.kind = EVENT_MAILBOX, .box = *box};

	if (box->subscribed == on)
		return store_batch_end(a, err);
	e.box.subscribed = on;
	return change_end(a, NULL, &e, err);
}

enum store_result
store_mailbox_subscribe(struct store_account *a, uint32_t id, bool subscribed,
			int64_t now_us, struct err *err)
{
	enum store_result result = change_begin(a, now_us, err);
	const struct store_mailbox *box;

	if (result != STORE_OK)
		return result;
	box = state_box(&a->state, id);
	if (!box)
		return change_refuse(a, STORE_NONE);
	return subscribe_end(a, box, subscribed, err);
}

enum store_result
store_subscribe(struct store_account *a, struct span name, bool subscribed,
		int64_t now_us, struct err *err)
{
	struct event e = {.kind = EVENT_SUBSCRIBED, .on = subscribed};
	const struct store_mailbox *box;
	char hold[STORE_MAILBOX_NAME_MAX];
	enum store_result result;

	if (!name_good(name))
		return STORE_LIMIT;
	e.name = name_written(name, hold);
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	box = state_box(&a->state, store_mailbox_find(a, e.name));
	if (box)
		return subscribe_end(a, box, subscribed, err);
	if (state_name_has(&a->state, e.name) == subscribed)
		return store_batch_end(a, err);
	if (subscribed && a->state.n_names >= STORE_SUBSCRIPTIONS_MAX)
		return change_refuse(a, STORE_LIMIT);
	return change_end(a, NULL, &e, err);
}

enum store_result
store_keyword_add(struct store_account *a, struct span name, int64_t now_us, int *bit,
		  struct err *err)
{
	struct event e = {.kind = EVENT_KEYWORD, .name = name};
	enum store_result result;
	int found;

	if (name.n == 0 || name.n > STORE_KEYWORD_NAME_MAX) {
		err_set(err, "a keyword has 1 to %d bytes", STORE_KEYWORD_NAME_MAX);
		return STORE_LIMIT;
	}
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	found = store_keyword_find(a, name);
	if (found >= 0)
		result = store_batch_end(a, err);
	else {
		while (e.bit < STORE_KEYWORDS_MAX && a->state.keywords[e.bit].at)
			e.bit++;
		if (e.bit == STORE_KEYWORDS_MAX) {
			err_set(err,
				"the account has %d different keywords, which is all "
				"it can have",
				STORE_KEYWORDS_MAX);
			return change_refuse(a, STORE_LIMIT);
		}
		found = e.bit;
		result = change_end(a, NULL, &e, err);
	}
	if (result == STORE_OK)
		*bit = found;
	return result;
}
