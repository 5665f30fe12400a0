/* what a command came to, and waiting for the disk */
#include "imapd/session/inner.h"

#define PROGRESS_US (10 * INT64_C(1000000))

enum run
done_ok(struct session *s)
{
	return done_ok_text(s, NULL);
}

enum run
done_ok_text(struct session *s, const char *text)
{
	s->result.kind = RESULT_OK;
	s->result.text = text;
	return RUN_DONE;
}

enum run
done_ok_durable(struct session *s)
{
	s->result.durable = true;
	return done_ok(s);
}

enum run
done_no(struct session *s, const char *code, const char *text)
{
	s->result.kind = RESULT_NO;
	s->result.text = text;
	s->result.durable = false;
	if (code) {
		buf_reset(&s->result.code);
		buf_put_str(&s->result.code, code);
	}
	return RUN_DONE;
}

enum run
done_bad(struct session *s, const char *text)
{
	buf_reset(&s->result.code);
	s->result.kind = RESULT_BAD;
	s->result.text = text;
	s->result.durable = false;
	return RUN_DONE;
}

void
log_fault(const struct session *s, const char *what, const struct err *err)
{
	logline(LOGLINE_ERROR, "imap.fault", L_HEX("account", s->account->id),
		L_STR("what", what), L_ERR(err));
}

enum run
done_store(struct session *s, enum store_result result, const char *what,
	   const struct err *err)
{
	switch (result) {
	case STORE_NONE:
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	case STORE_EXISTS:
		return done_no(s, "ALREADYEXISTS", "There is such a mailbox already");
	case STORE_LIMIT:
		return done_no(s, "LIMIT", "A limit of the server is reached");
	case STORE_DAMAGED:
		log_fault(s, what, err);
		return done_no(s, "CORRUPTION", "The message is damaged");
	case STORE_BUSY:
		return RUN_LOCK;
	case STORE_OK:
		return done_ok(s);
	case STORE_FAULT:
		break;
	}
	log_fault(s, what, err);
	return done_no(s, "UNAVAILABLE", "The mailboxes cannot be used just now");
}

void *
session_work(struct session *s, size_t bytes)
{
	if (!s->work)
		s->work = memory_new(1, bytes);
	return s->work;
}

enum run
session_sync(struct session *s)
{
	if (s->sync_position == 0)
		s->sync_position = store_position(s->account->mail);
	if (s->sync_failed || store_durable(s->account->mail) >= s->sync_position)
		return RUN_DONE;
	return RUN_SYNC;
}

void
session_changed(struct session *s)
{
	s->account->flags_unsynced = true;
}

bool
session_utf8(const struct session *s)
{
	return s->enabled & (IMAP_ENABLE_UTF8 | IMAP_ENABLE_REV2);
}

bool
session_full(const struct session *s, const struct buf *out)
{
	return out->n >= s->policy->limits.output_high;
}

uint32_t
session_mailbox(const struct session *s, struct span name)
{
	return name.n > 0 ? store_mailbox_find(s->account->mail, name) : 0;
}

void
session_progress(struct session *s, struct step *step, uint64_t done, uint64_t total)
{
	struct buf *out = step->out;

	if (step->now_us - s->progress_us < PROGRESS_US)
		return;
	s->progress_us = step->now_us;
	buf_put_str(out, "* OK [INPROGRESS (");
	imap_put_string(out, span_str(s->tag), false);
	if (total > 0)
		buf_putf(out, " %llu %llu", (unsigned long long)done,
			 (unsigned long long)total);
	else
		buf_put_str(out, " NIL NIL");
	buf_put_str(out, ")] Still working\r\n");
}

void
session_condstore(struct session *s, struct buf *out)
{
	struct store_mailbox box;

	if (s->enabled & IMAP_ENABLE_CONDSTORE)
		return;
	s->enabled |= IMAP_ENABLE_CONDSTORE;
	if (s->state != S_SELECTED ||
	    !store_mailbox_get(s->account->mail, s->view.mailbox, &box))
		return;
	buf_putf(out, "* OK [HIGHESTMODSEQ %llu] CONDSTORE is enabled\r\n",
		 (unsigned long long)box.modseq);
}
