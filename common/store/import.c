#include "common/store/import.h"

#include "common/store/change_internal.h"

/* As it is to be; false when it is so already. */
static bool
box_wanted(const struct store_mailbox *is, const struct store_import_mailbox *m,
	   struct store_mailbox *out)
{
	*out = *is;
	if (m->use != STORE_USE_NONE)
		out->special_use = (uint8_t)m->use;
	if (m->subscribe)
		out->subscribed = true;
	if (m->uidvalidity > 0)
		out->uidvalidity = m->uidvalidity;
	if (m->uidnext > out->uidnext)
		out->uidnext = m->uidnext;
	return out->special_use != is->special_use ||
	       out->subscribed != is->subscribed ||
	       out->uidvalidity != is->uidvalidity || out->uidnext != is->uidnext;
}

/* The mailbox of that name in the open batch. OK, LIMIT. */
static enum store_result
box_have(struct store_account *a, const struct store_import_mailbox *m,
	 struct span name, uint32_t *id, bool *made)
{
	enum store_result result;

	*id = store_mailbox_find(a, name);
	*made = *id == 0;
	if (!*made)
		return STORE_OK;
	result = mailbox_add_above(a, name);
	if (result == STORE_OK)
		result = mailbox_add(a, name, m->use, id);
	return result;
}

enum store_result
store_import_mailbox(struct store_account *a, const struct store_import_mailbox *m,
		     int64_t now_us, uint32_t *id, bool *made, struct err *err)
{
	struct event e = {.kind = EVENT_MAILBOX};
	char hold[STORE_MAILBOX_NAME_MAX];
	enum store_result result;
	uint32_t found;
	bool new;

	if (!name_good(m->name) || m->uidvalidity > STORE_UIDVALIDITY_MAX)
		return STORE_LIMIT;
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	result = box_have(a, m, name_written(m->name, hold), &found, &new);
	if (result != STORE_OK)
		return change_refuse(a, result);
	e.time_us = now_us;
	if (box_wanted(state_box(&a->state, found), m, &e.box))
		batch_event(a, &e);
	result = store_batch_end(a, err);
	if (result == STORE_OK) {
		*id = found;
		*made = new;
	}
	return result;
}

enum store_result
store_import_begin(struct store_account *a, int64_t now_us, struct err *err)
{
	const struct event_head gap = {.base = JOURNAL_GAP};
	enum store_result result = change_begin(a, now_us, err);

	if (result != STORE_OK)
		return result;
	a->data_first = true;
	/* A file is begun only when the one before is durable. */
	if (a->state.position < JOURNAL_GAP &&
	    (account_sync(a, err) < 0 || journal_roll(a, &gap, err) < 0))
		return change_refuse(a, STORE_FAULT);
	return store_batch_end(a, err);
}
