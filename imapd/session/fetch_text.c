/* what was rendered at delivery: ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW */
#include "imapd/session/fetch.h"

static enum fetch_result
store_outcome(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return FETCH_DONE;
	case STORE_BUSY:
		return FETCH_LOCK;
	case STORE_NONE:
		return FETCH_GONE;
	case STORE_DAMAGED:
		return FETCH_DAMAGED;
	default:
		return FETCH_FAULT;
	}
}

/* A compaction moved everything: finds the message again. */
static enum store_result
record_refresh(struct fetch *f, struct err *err)
{
	struct account *account = f->session->account;
	enum store_result result = account_refresh(account, err);
	const struct store_record *r;

	account->epoch++;
	if (result != STORE_OK)
		return result;
	r = store_find(account->mail, f->session->view.mailbox, f->record.uid);
	if (!r)
		return STORE_NONE;
	f->record = *r;
	return STORE_OK;
}

enum fetch_result
need_summary(struct fetch *f, bool places, struct err *err)
{
	struct store_account *mail = f->session->account->mail;
	enum store_result result = STORE_OK;

	if (!f->summarized) {
		f->placed = false;
		f->left_ns -= FETCH_NS_MESSAGE;
		result = store_summary_of(mail, &f->record, &f->summary, err);
		if (result == STORE_NONE) {
			result = record_refresh(f, err);
			if (result == STORE_OK)
				result = store_summary_of(mail, &f->record, &f->summary,
							  err);
		}
	}
	if (result != STORE_OK)
		return store_outcome(result);
	f->summarized = true;
	if (places && !f->placed)
		store_summary_places(mail, &f->summary);
	f->placed = f->placed || places;
	return FETCH_DONE;
}

enum fetch_result
need_content(struct fetch *f, struct err *err)
{
	struct account *account = f->session->account;
	enum store_result result;

	if (f->content)
		return FETCH_DONE;
	f->left_ns -= FETCH_NS_CONTENT + (int64_t)(store_record_size(&f->record) / 4);
	result = store_content_open(account->mail, f->session->view.mailbox,
				    f->record.uid, &f->content, err);
	account->epoch++; /* it may have had to refresh the view */
	return store_outcome(result);
}

enum fetch_result
put_text(struct fetch *f, const struct fetch_op *op, struct buf *out, struct err *err)
{
	enum fetch_result result = need_summary(f, false, err);
	struct span text;

	if (result != FETCH_DONE)
		return result;
	text = op->item->kind == IMAP_FETCH_ENVELOPE ? f->summary.envelope
	       : op->item->kind == IMAP_FETCH_BODY   ? f->summary.body
						     : f->summary.bodystructure;
	buf_put(out, op->label);
	if (text.n <= SESSION_PIECE_MAX) {
		buf_put(out, text);
		return FETCH_DONE;
	}
	buf_put(&f->held, text);
	f->stream = (struct fetch_stream){.mode = STREAM_PUT};
	return stream_run(f, out, err);
}

/* [RFC8970 3.1]; it is there always, so that LAZY makes no difference. */
enum fetch_result
put_preview(struct fetch *f, const struct fetch_op *op, struct buf *out,
	    struct err *err)
{
	enum fetch_result result = need_summary(f, false, err);

	if (result != FETCH_DONE)
		return result;
	buf_put(out, op->label);
	imap_put_string(out, f->summary.preview, session_utf8(f->session));
	return FETCH_DONE;
}
