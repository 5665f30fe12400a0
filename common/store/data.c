/* the records of data.N: one message each, saying itself what it is */
#include "common/store/internal.h"

void
data_head_put(const struct data_head *head, struct buf *out)
{
	size_t start = out->n;

	buf_put(out, span_make(head->guid, sizeof(head->guid)));
	wire_put_u32(out, head->mailbox);
	wire_put_u32(out, head->uid);
	wire_put_u64(out, (uint64_t)head->internal_us);
	wire_put_u64(out, (uint64_t)head->saved_us);
	event_delivery_put(head->delivery, out);
	wire_put_u64(out, head->content_bytes);
	wire_put_u32(out, head->flags);
	wire_put_u32(out, 0);
	wire_put_u64(out, 0);
	ASSERT(out->full || out->n - start == DATA_HEAD_BYTES);
}

bool
data_head_get(struct span payload, struct data_head *out)
{
	struct cursor c = cursor_make(span_first(payload, DATA_HEAD_BYTES));
	struct span guid = wire_get_raw(&c, STORE_GUID_BYTES), rest;

	if (!c.failed)
		memcpy(out->guid, guid.at, STORE_GUID_BYTES);
	out->mailbox = wire_get_u32(&c);
	out->uid = wire_get_u32(&c);
	out->internal_us = (int64_t)wire_get_u64(&c);
	out->saved_us = (int64_t)wire_get_u64(&c);
	rest = wire_get_raw(&c, 16);
	if (!event_delivery_next(&rest, &out->delivery))
		c.failed = true;
	out->content_bytes = wire_get_u64(&c);
	out->flags = wire_get_u32(&c);
	(void)wire_get_raw(&c, 12);
	return cursor_done(&c);
}

/* The head of a record whose bytes were checked. */
static enum store_result
head_check(const struct store_record *r, const struct log_record *record,
	   struct span payload)
{
	struct data_head head;

	if (!data_head_get(payload, &head) ||
	    record->n - DATA_HEAD_BYTES != r->content_bytes ||
	    memcmp(head.guid, r->guid, sizeof(head.guid)) != 0)
		return STORE_DAMAGED;
	return STORE_OK;
}

enum store_result
data_check(struct store_account *a, const struct store_record *r,
	   const struct log_file **file, uint64_t *content_at, struct err *err)
{
	enum store_result result =
	    account_file(a, FILE_DATA, r->data_number, file, err);
	const struct log_file *f = *file;
	char head[DATA_HEAD_BYTES];
	struct log_record record;

	if (result != STORE_OK)
		return result;
	switch (log_verify(f, r->data_offset, &record, err)) {
	case LOG_READ_FAULT:
		return STORE_FAULT;
	case LOG_READ_RECORD:
		break;
	default:
		return STORE_DAMAGED;
	}
	if (record.n < sizeof(head) ||
	    f->io->pread(f->io->disk, f->fd, head, sizeof(head), record.payload_at) !=
		(ssize_t)sizeof(head))
		return STORE_DAMAGED;
	*content_at = record.payload_at + DATA_HEAD_BYTES;
	return head_check(r, &record, span_make(head, sizeof(head)));
}

enum store_result
data_fetch(struct store_account *a, const struct store_record *r, struct buf *hold,
	   struct span *content, struct err *err)
{
	const struct window_want want = {.offset = r->data_offset,
					 .hint = DATA_HEAD_BYTES + r->content_bytes,
					 .kind = DATA_RECORD,
					 .guid = r->guid};
	const struct log_file *f;
	enum store_result result = account_file(a, FILE_DATA, r->data_number, &f, err);
	struct log_record record;

	if (result != STORE_OK)
		return result;
	switch (window_fetch(a->store, FILE_DATA, f, &want, hold, &record, err)) {
	case LOG_READ_FAULT:
		return STORE_FAULT;
	case LOG_READ_RECORD:
		break;
	default:
		return STORE_DAMAGED;
	}
	*content = span_after(record.payload, DATA_HEAD_BYTES);
	return head_check(r, &record, record.payload);
}
