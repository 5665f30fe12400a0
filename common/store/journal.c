/* the journal's last file: begun, sealed, replaced */
#include "common/store/internal.h"

int
journal_seal(struct store_account *a, struct err *err)
{
	const struct event e = {.kind = EVENT_SEALED, .time_us = a->now_us};
	struct buf payload = buf_make(64), record = buf_make(128);
	struct iovec v;
	int result;

	event_put(&e, &payload);
	frame_put(&a->files[FILE_JOURNAL], a->journal_end, 0, EVENT_SEALED,
		  buf_span(&payload), &record);
	v = (struct iovec){record.at, record.n};
	result = file_write(&a->files[FILE_JOURNAL], &v, 1, a->journal_end, err);
	if (result == 0)
		a->journal_end += record.n;
	buf_release(&payload);
	buf_release(&record);
	return result;
}

static int
head_write(struct store_account *a, const struct event *head, struct err *err)
{
	struct buf payload = buf_make(JOURNAL_EVENT_MAX),
		   records = buf_make(2 * JOURNAL_EVENT_MAX + 128);
	const struct log_file *f = &a->files[FILE_JOURNAL];
	struct iovec v;
	int result = -1;

	event_put(head, &payload);
	for (int i = 0; i < 2; i++)
		frame_put(f, LOG_HEADER_BYTES + records.n, 0, EVENT_HEAD,
			  buf_span(&payload), &records);
	v = (struct iovec){records.at, records.n};
	if (payload.full || records.full)
		err_set(err, "store: too many mailboxes");
	else
		result = file_write(f, &v, 1, LOG_HEADER_BYTES, err);
	if (result == 0)
		a->journal_end = LOG_HEADER_BYTES + records.n;
	buf_release(&payload);
	buf_release(&records);
	return result;
}

/* The new file holds only its HEAD, which is what the state is. */
static int
journal_begin(struct store_account *a, const struct event_head *like, struct err *err)
{
	struct event head = {.kind = EVENT_HEAD, .time_us = a->now_us, .head = *like};
	struct buf hold[STATE_HEAD_BUFS];
	int result;

	memcpy(head.head.boot, a->store->boot, sizeof(head.head.boot));
	head.head.account = a->id;
	state_put_head(&a->state, &head, hold);
	result = account_file_new(a, FILE_JOURNAL, like->previous, err);
	if (result == 0)
		result = head_write(a, &head, err);
	if (result == 0) {
		a->base = like->base;
		a->state.position = a->base + a->journal_end;
	}
	for (int i = 0; i < STATE_HEAD_BUFS; i++)
		buf_release(&hold[i]);
	return result;
}

int
journal_roll(struct store_account *a, const struct event_head *like, struct err *err)
{
	struct event_head head = *like;
	uint64_t gap = 0;

	if (a->files[FILE_JOURNAL].fd >= 0) {
		if (journal_seal(a, err) < 0)
			return -1;
		head.previous = (uint32_t)a->files[FILE_JOURNAL].id.number;
		if (like->base == JOURNAL_GAP)
			gap = JOURNAL_GAP;
		head.base = a->base + a->journal_end + gap;
		if (head.previous_end == 0)
			head.previous_end = a->state.position;
	}
	if (journal_begin(a, &head, err) < 0) {
		a->stale = true;
		return -1;
	}
	return 0;
}
