/* a message's summary, from its file or made anew */
#include "common/store/internal.h"

/* OK; DAMAGED when there is none that is good. */
static enum store_result
summary_read(struct store_account *a, const struct store_record *r,
	     struct store_summary *out, struct err *err)
{
	const struct window_want want = {.offset = r->summary_offset,
					 .hint = 2048,
					 .kind = SUMMARY_RECORD,
					 .guid = r->guid};
	const struct log_file *f;
	struct log_record record;

	if (r->summary_number == 0 ||
	    account_file(a, FILE_SUMMARY, r->summary_number, &f, err) != STORE_OK)
		return STORE_DAMAGED;
	if (window_fetch(a->store, FILE_SUMMARY, f, &want, &a->summary, &record, err) !=
	    LOG_READ_RECORD)
		return STORE_DAMAGED;
	return summary_decode(record.payload, r->guid, out) ? STORE_OK : STORE_DAMAGED;
}

enum store_result
summary_render(struct store_account *a, const struct store_record *r, struct buf *out,
	       struct err *err)
{
	struct mime_summary s;
	enum store_result result;
	struct span content;

	result = data_fetch(a, r, &a->content, &content, err);
	if (result != STORE_OK)
		return result;
	mime_summarize(a->store->parser, content, &s);
	buf_reset(out);
	summary_put(&s, r->guid, out);
	return out->full ? STORE_LIMIT : STORE_OK;
}

bool
summary_good(struct store_account *a, const struct store_record *r)
{
	struct store_summary ignored;
	struct err err;

	return summary_read(a, r, &ignored, &err) == STORE_OK;
}

void
store_summary_places(struct store_account *a, struct store_summary *summary)
{
	summary_places(summary, &a->places);
}

enum store_result
store_summary_of(struct store_account *a, const struct store_record *r,
		 struct store_summary *out, struct err *err)
{
	enum store_result result;

	if (summary_read(a, r, out, err) == STORE_OK)
		return STORE_OK;
	result = summary_render(a, r, &a->summary, err);
	if (result == STORE_DAMAGED)
		err_set(err, "store: account %016llx mailbox %u uid %u is damaged",
			(unsigned long long)a->id, r->mailbox, r->uid);
	if (result == STORE_LIMIT) {
		err_set(err, "store: the summary of mailbox %u uid %u is too large",
			r->mailbox, r->uid);
		return STORE_FAULT;
	}
	if (result == STORE_OK)
		ASSERT(summary_decode(buf_span(&a->summary), r->guid, out));
	return result;
}

enum store_result
store_summary_get(struct store_account *a, uint32_t mailbox, uint32_t uid,
		  struct store_summary *out, struct err *err)
{
	/* A compaction may have moved it since the view was made. */
	for (int tries = 0; tries < 3; tries++) {
		const struct store_record *r = store_find(a, mailbox, uid);
		enum store_result result;

		if (!r)
			return STORE_NONE;
		result = store_summary_of(a, r, out, err);
		if (result == STORE_OK)
			store_summary_places(a, out);
		if (result != STORE_NONE)
			return result;
		result = store_view_refresh(a, err);
		if (result != STORE_OK)
			return result;
	}
	err_set(err, "store: account %016llx mailbox %u uid %u is damaged",
		(unsigned long long)a->id, mailbox, uid);
	return STORE_DAMAGED;
}
