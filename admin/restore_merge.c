/* messages of one account appended to another: fresh uids, all else as it was */
#include "admin/restore.h"
#include "admin/progress.h"

#include <inttypes.h>

#define MESSAGE_MAX (STORE_MESSAGE_MAX + STORE_PREFIX_MAX)
#define BATCH_BYTES (16u << 20)
#define BATCH_MAX   500

struct merging {
	struct restoring *r;
	const struct merge *m;
	uint32_t to;                  /* the mailbox */
	int bits[STORE_KEYWORDS_MAX]; /* of `to`, by the bit in `from`; -1: none */
	struct buf held;              /* the contents of one batch */
	struct batched {
		struct store_message message;
		size_t at, prefix, content; /* in `held` */
		uint8_t guid[STORE_GUID_BYTES];
	} * batch;
	size_t n;
	struct progress *progress;
};

static uint64_t
keywords_map(const struct merging *k, uint64_t keywords)
{
	uint64_t mapped = 0;

	for (int bit = 0; bit < STORE_KEYWORDS_MAX; bit++)
		if ((keywords & UINT64_C(1) << bit) && k->bits[bit] >= 0)
			mapped |= UINT64_C(1) << k->bits[bit];
	return mapped;
}

/* Those that do not fit beside the keywords there are are left out. */
static int
keywords_make(struct merging *k, struct err *err)
{
	for (int bit = 0; bit < STORE_KEYWORDS_MAX; bit++) {
		struct span name = store_keyword_name(k->m->from, bit);

		k->bits[bit] = -1;
		if (name.n == 0)
			continue;
		switch (store_keyword_add(k->m->to, name, backup_now_us(),
					  &k->bits[bit], err)) {
		case STORE_OK:
			break;
		case STORE_LIMIT:
			admin_complain("%s: the keyword %.*s is left out", err->text,
				       SPAN_ARG(name));
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static enum store_result
batch_append(struct merging *k, struct err *err)
{
	enum store_result result = store_batch_begin(k->m->to, true, err);
	struct store_appended appended;

	if (result != STORE_OK)
		return result;
	for (size_t i = 0; i < k->n && result == STORE_OK; i++) {
		struct batched *b = &k->batch[i];

		b->message.prefix = span_make(k->held.at + b->at, b->prefix);
		b->message.content =
		    span_make(k->held.at + b->at + b->prefix, b->content);
		b->message.guid = b->guid;
		result = store_append(k->m->to, &b->message, &appended, err);
	}
	if (result == STORE_OK)
		return store_batch_end(k->m->to, err);
	store_batch_cancel(k->m->to);
	return result;
}

static int
batch_flush(struct merging *k, struct err *err)
{
	enum store_result result = k->n > 0 ? batch_append(k, err) : STORE_OK;

	if (result == STORE_LIMIT || result == STORE_NONE)
		err_set(err, "the mailbox takes no more messages");
	k->r->n.messages += result == STORE_OK ? k->n : 0;
	k->n = 0;
	buf_reset(&k->held);
	return result == STORE_OK ? 0 : -1;
}

/* The bytes of a message behind what is held. OK, DAMAGED, FAULT. */
static enum store_result
content_hold(struct merging *k, const struct store_record *record, struct batched *b,
	     struct err *err)
{
	struct store_content *content = NULL;
	enum store_result result;
	uint64_t at = 0;

	result =
	    store_content_open(k->m->from, record->mailbox, record->uid, &content, err);
	while (result == STORE_OK && at < store_content_size(content)) {
		struct span piece;

		result = store_content_read(content, at, STORE_PIECE_MAX, &piece, err);
		if (result == STORE_OK)
			buf_put(&k->held, piece);
		at += result == STORE_OK ? piece.n : 0;
	}
	if (result == STORE_OK) {
		b->prefix = (size_t)store_content_prefix(content);
		b->content = (size_t)at - b->prefix;
	}
	store_content_close(&content);
	return result;
}

static int
message_take(struct merging *k, const struct store_record *r, struct err *err)
{
	struct batched *b = &k->batch[k->n];
	size_t start = k->held.n;

	*b = (struct batched){.at = start};
	b->message = (struct store_message){.mailbox = k->to,
					    .flags = r->flags & STORE_FLAGS,
					    .keywords = keywords_map(k, r->keywords),
					    .internal_us = r->internal_us,
					    .saved_us = backup_now_us()};
	memcpy(b->guid, r->guid, sizeof(b->guid));
	switch (content_hold(k, r, b, err)) {
	case STORE_OK:
		k->n++;
		break;
	case STORE_DAMAGED:
		admin_complain("%s", err->text);
		k->held.n = start;
		k->r->n.damaged++;
		return 0;
	default:
		return -1;
	}
	if (k->n == BATCH_MAX || k->held.n >= BATCH_BYTES)
		return batch_flush(k, err);
	return 0;
}

static int
messages_take(struct merging *k, uint32_t from, struct err *err)
{
	uint32_t uid = 0;
	int result = 0;

	while (result == 0) {
		const struct store_record *at =
		    store_find_from(k->m->from, from, uid + 1);
		struct store_record r;

		if (!at)
			break;
		r = *at;
		uid = r.uid;
		progress_at(k->progress, k->r->n.messages + k->n, SPAN(""));
		result = message_take(k, &r, err);
	}
	return result == 0 ? batch_flush(k, err) : -1;
}

/* The mailbox that they go into, made when it is not there. */
static int
target_make(struct merging *k, struct span name, struct err *err)
{
	const struct merge *m = k->m;
	struct buf target = buf_make(2 * STORE_MAILBOX_NAME_MAX);
	enum store_result result = STORE_OK;

	if (m->into)
		buf_put_str(&target, m->into);
	else if (m->above)
		buf_putf(&target, "%s/%.*s", m->above, SPAN_ARG(name));
	else
		buf_put(&target, name);
	k->to = store_mailbox_find(m->to, buf_span(&target));
	if (k->to == 0)
		result = store_mailbox_create(m->to, buf_span(&target), STORE_USE_NONE,
					      backup_now_us(), &k->to, err);
	if (result == STORE_LIMIT)
		err_set(err, "a mailbox cannot be called '%.*s'",
			SPAN_ARG(span_first(buf_span(&target), 120)));
	buf_release(&target);
	return result == STORE_OK ? 0 : -1;
}

static int
mailboxes_take(struct merging *k, struct err *err)
{
	struct store_mailbox box = {0};
	bool found = false;
	int result = 0;

	while (result == 0 && store_mailbox_next(k->m->from, box.id, &box)) {
		if (k->m->mailbox &&
		    store_mailbox_find(k->m->from, span_str(k->m->mailbox)) != box.id)
			continue;
		found = true;
		if (box.messages == 0 && !k->m->mailbox)
			continue;
		result = target_make(k, box.name, err);
		if (result == 0)
			result = messages_take(k, box.id, err);
	}
	if (result == 0 && !found)
		return err_set(err, "the backup has no mailbox '%s' of that account",
			       k->m->mailbox ? k->m->mailbox : "");
	return result;
}

int
restore_merge(struct restoring *r, const struct merge *m, struct err *err)
{
	struct merging k = {.r = r,
			    .m = m,
			    .held = buf_make((size_t)BATCH_BYTES + MESSAGE_MAX),
			    .batch = memory_new(BATCH_MAX, sizeof(struct batched)),
			    .progress = progress_new("restoring", "messages", 0)};
	int result = -1;

	if (store_view_refresh(m->to, err) == STORE_OK && keywords_make(&k, err) == 0)
		result = mailboxes_take(&k, err);
	if (result == 0 && store_sync(m->to, backup_now_us(), err) != STORE_OK)
		result = -1;
	progress_free(&k.progress);
	buf_release(&k.held);
	free(k.batch);
	return result;
}
