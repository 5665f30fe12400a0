/* one message into a batch */
#include "common/store/internal.h"

#define DAY_US INT64_C(86400000000)

static void
piece_add(struct batch *b, struct span content)
{
	if (b->n == b->size) {
		b->size = b->size ? 2 * b->size : 64;
		b->pieces = memory_resize(b->pieces, b->size, sizeof(*b->pieces));
	}
	b->pieces[b->n++].content = content;
}

/* The file that `place` names becomes open for appending; a new one where there is
 * none, or it has no room for n bytes more. */
static int
tail_open(struct store_account *a, enum file_sort sort, struct event_place *place,
	  uint64_t n, struct err *err)
{
	const struct log_dir dir = account_dir(a, sort);
	struct log_file *f = &a->files[sort];
	bool room = place->end == LOG_HEADER_BYTES ||
		    (place->end > LOG_HEADER_BYTES &&
		     place->end + n <= a->store->settings.data_file_bytes);

	if (room && f->fd >= 0 && f->id.number == place->number)
		return 0;
	log_file_close(f);
	if (room && place->number > 0 &&
	    log_dir_open(&dir, place->number, LOG_WRITE, f, err) == LOG_OPEN_OK)
		return 0;
	if (account_file_new(a, sort, place->number, err) < 0)
		return -1;
	place->number = (uint32_t)f->id.number;
	place->end = LOG_HEADER_BYTES;
	return 0;
}

static int
data_open(struct store_account *a, uint64_t n, struct err *err)
{
	struct event_place *place = &a->state.tail.data;
	struct batch *b = &a->batch;

	if (b->n > 0 && place->end + n > a->store->settings.data_file_bytes &&
	    batch_flush_data(a, err) < 0)
		return -1;
	if (tail_open(a, FILE_DATA, place, n, err) < 0)
		return -1;
	if (b->n == 0)
		b->data_start = place->end;
	return 0;
}

int
summary_open(struct store_account *a, uint64_t n, struct err *err)
{
	struct event_place *place = &a->state.tail.summary;
	struct batch *b = &a->batch;

	if (b->summary.n > 0 && place->end + n > a->store->settings.data_file_bytes &&
	    batch_flush_summary(a, err) < 0)
		return -1;
	if (tail_open(a, FILE_SUMMARY, place, n, err) < 0)
		return -1;
	if (b->summary.n == 0)
		b->summary_start = place->end;
	return 0;
}

static void
data_put(struct store_account *a, const struct store_record *r,
	 const struct store_message *m)
{
	struct data_head head = {.mailbox = r->mailbox,
				 .uid = r->uid,
				 .internal_us = r->internal_us,
				 .saved_us = r->saved_us,
				 .delivery = m->delivery,
				 .content_bytes = m->content.n,
				 .flags = r->flags};
	const struct log_file *f = &a->files[FILE_DATA];
	struct log_record record = {.offset = r->data_offset,
				    .n = (uint32_t)(DATA_HEAD_BYTES + m->content.n),
				    .kind = DATA_RECORD};
	struct batch *b = &a->batch;
	char frame[LOG_HEAD_BYTES], tail[11];
	size_t start = b->heads.n, n;
	uint32_t crc;

	memcpy(head.guid, r->guid, sizeof(head.guid));
	log_frame_put_head(&f->id, &record, frame);
	buf_put(&b->heads, span_make(frame, sizeof(frame)));
	data_head_put(&head, &b->heads);
	crc = crc32c(log_frame_crc(&f->id, record.offset),
		     span_make(b->heads.at + start + sizeof(frame), DATA_HEAD_BYTES));
	crc = crc32c(crc, m->content);
	n = log_frame_put_tail(crc, &record, frame, tail);
	buf_put(&b->heads, span_make(tail, n));
	piece_add(b, (struct span){NULL, sizeof(frame) + DATA_HEAD_BYTES});
	if (m->content.n > 0)
		piece_add(b, m->content);
	piece_add(b, (struct span){NULL, n});
	b->data_bytes += log_frame_bytes(record.n);
}

static void
guid_make(struct store *s, uint8_t out[STORE_GUID_BYTES])
{
	memcpy(out, &s->guid_high, 8);
	memcpy(out + 8, &s->guid_low, 8);
	s->guid_low++;
}

static uint64_t
guid_thread(const uint8_t guid[STORE_GUID_BYTES])
{
	uint64_t a, b;

	memcpy(&a, guid, 8);
	memcpy(&b, guid + 8, 8);
	return (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) | 1;
}

/* Renders the summary; without one the message is parsed when it is asked for. */
static int
summary_append(struct store_account *a, const struct store_message *m, struct event *e,
	       struct err *err)
{
	struct store_record *r = &e->record;
	struct batch *b = &a->batch;
	struct mime_summary s;

	r->thread_key = guid_thread(r->guid);
	if (!a->store->settings.summarize)
		return 0;
	mime_summarize(a->store->parser, m->content, &s);
	if (thread_key(&s) != 0)
		r->thread_key = thread_key(&s);
	buf_reset(&b->scratch);
	summary_put(&s, r->guid, &b->scratch);
	if (b->scratch.full)
		return 0;
	if (summary_open(a, log_frame_bytes(b->scratch.n), err) < 0)
		return -1;
	r->summary_number = a->state.tail.summary.number;
	r->summary_offset = (uint32_t)a->state.tail.summary.end;
	e->summary_bytes = (uint32_t)b->scratch.n;
	frame_put(&a->files[FILE_SUMMARY], r->summary_offset, 0, SUMMARY_RECORD,
		  buf_span(&b->scratch), &b->summary);
	return 0;
}

static bool
uidl_good(struct span uidl)
{
	for (size_t i = 0; i < uidl.n; i++)
		if (uidl.at[i] < '!' || uidl.at[i] > '~')
			return false;
	return uidl.n <= STORE_UIDL_MAX;
}

/* OK, LIMIT. */
static enum store_result
append_limits(const struct store_account *a, const struct store_mailbox *box,
	      const struct store_message *m)
{
	if (m->content.n > STORE_MESSAGE_MAX || m->prefix.n > STORE_PREFIX_MAX ||
	    box->uidnext >= UINT32_MAX - 1 || m->uid >= UINT32_MAX - 1 ||
	    !uidl_good(m->uidl))
		return STORE_LIMIT;
	if (a->batch.n > 0 && a->batch.data_bytes + m->content.n > STORE_BATCH_MAX)
		return STORE_LIMIT;
	if (!batch_journal_room(a, m->prefix.n) ||
	    !buf_room(&a->batch.summary, SUMMARY_MAX + 64))
		return STORE_LIMIT;
	return STORE_OK;
}

/* How far back an earlier try may be: clocks are not believed to the day. */
static int64_t
known_since(const struct store_account *a, const struct store_message *m)
{
	int64_t since_us = a->now_us - (int64_t)STORE_DELIVERY_LOOK_S * 1000000;
	int64_t came_us = (m->since_us / DAY_US - 1) * DAY_US;

	return m->since_us > 0 && came_us < since_us ? came_us : since_us;
}

/* OK, EXISTS (stored by an earlier try), LIMIT, FAULT. */
static enum store_result
append_known(struct store_account *a, const struct store_message *m, struct err *err)
{
	int64_t since_us = known_since(a, m);

	if ((!m->replay && !a->suspect) || delivery_none(m->delivery))
		return STORE_OK;
	if (!a->known || since_us < a->known_since_us) {
		/* What is read does not show the messages of this batch yet. */
		if (a->batch.journal.n > 0)
			return STORE_LIMIT;
		deliveries_free(&a->known);
		a->known = deliveries_load(a, since_us, NULL, NULL, err);
		a->known_since_us = since_us;
	}
	if (!a->known)
		return STORE_FAULT;
	return deliveries_has(a->known, m->delivery) ? STORE_EXISTS : STORE_OK;
}

static int
append_write(struct store_account *a, const struct store_mailbox *box,
	     const struct store_message *m, struct event *e, struct err *err)
{
	struct store_record *r = &e->record;

	*r = (struct store_record){.uid = m->uid > 0 ? m->uid : box->uidnext,
				   .flags = m->flags & STORE_FLAGS,
				   .prefix_bytes = (uint32_t)m->prefix.n,
				   .keywords = m->keywords,
				   .content_bytes = m->content.n,
				   .internal_us = m->internal_us,
				   .saved_us = m->saved_us,
				   .mailbox = m->mailbox,
				   .uidl_bytes = (uint32_t)m->uidl.n,
				   .given = m->uid > 0};
	if (m->guid)
		memcpy(r->guid, m->guid, sizeof(r->guid));
	else
		guid_make(a->store, r->guid);
	if (data_open(a, log_frame_bytes(DATA_HEAD_BYTES + m->content.n), err) < 0 ||
	    summary_append(a, m, e, err) < 0)
		return -1;
	r->data_number = a->state.tail.data.number;
	r->data_offset = (uint32_t)a->state.tail.data.end;
	data_put(a, r, m);
	batch_event(a, e);
	return 0;
}

enum store_result
store_append(struct store_account *a, const struct store_message *m,
	     struct store_appended *out, struct err *err)
{
	struct event e = {.kind = EVENT_APPEND,
			  .time_us = m->now_us ? m->now_us : m->saved_us,
			  .mailbox = m->mailbox,
			  .prefix = m->prefix,
			  .uidl = m->uidl,
			  .delivery = m->delivery};
	const struct store_mailbox *box = state_box(&a->state, m->mailbox);
	enum store_result result;

	ASSERT(a->batch.open && !a->batch.expunges);
	if (a->stale) {
		err_set(err, "store: an earlier message of the batch failed");
		return STORE_FAULT;
	}
	a->now_us = e.time_us;
	if (!box)
		return STORE_NONE;
	if (m->uid > 0 && m->uid < box->uidnext)
		return STORE_EXISTS;
	result = append_limits(a, box, m);
	if (result == STORE_OK)
		result = append_known(a, m, err);
	if (result == STORE_EXISTS) {
		*out = (struct store_appended){.known = true};
		return STORE_OK;
	}
	if (result != STORE_OK)
		return result;
	if (append_write(a, box, m, &e, err) < 0) {
		a->stale = true;
		return STORE_FAULT;
	}
	*out = (struct store_appended){.uid = e.record.uid,
				       .size = store_record_size(&e.record)};
	memcpy(out->guid, e.record.guid, sizeof(out->guid));
	return STORE_OK;
}
