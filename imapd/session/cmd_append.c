/* APPEND [RFC9051 6.3.12], of several messages [RFC3502], and REPLACE [RFC8508]
 *
 * The messages come off the stream as they are announced; at the end of the command all
 * of them are stored in one batch, or none. What cannot be stored is refused before it
 * is sent where the client waits, and dropped where it does not.
 */
#include "imapd/session/append_hold.h"
#include "imapd/session/inner.h"
#include "imapd/session/quota.h"

#define MESSAGES_MAX 1000 /* in one command */

enum stage {
	STAGE_ANNOUNCED, /* s->message is to be taken or refused */
	STAGE_LITERAL,   /* its bytes come */
	STAGE_LINE,      /* the line behind it comes */
	STAGE_STORE,
	STAGE_STORED,
};

struct message {
	uint64_t bytes;
	uint32_t flags;
	uint64_t keywords;
	int64_t internal_us;
};

struct append_work {
	enum stage stage;
	uint32_t mailbox;
	uint32_t replaced; /* uid in the selected mailbox; 0: none */
	struct message *messages;
	size_t n, size;
	struct append_hold hold;
	uint64_t left; /* of the literal that comes */
	size_t mark;   /* where the line behind it begins in the frame */
	bool utf8;     /* it is of UTF8 (~{n}, and ")" follows */
	bool binary;   /* it may hold NULs */
	/* The first thing that was wrong; the rest of the command is dropped. */
	struct {
		enum result_kind kind;
		const char *code, *text;
	} failure;
	uint32_t first, last; /* uids of what was stored */
};

void
release_append(struct session *s)
{
	struct append_work *w = s->work;

	append_hold_release(&w->hold);
	free(w->messages);
}

static enum run
fail(struct append_work *w, enum result_kind kind, const char *code, const char *text)
{
	if (!w->failure.text) {
		w->failure.kind = kind;
		w->failure.code = code;
		w->failure.text = text;
	}
	return RUN_DONE;
}

static enum run
fail_no(struct append_work *w, const char *code, const char *text)
{
	return fail(w, RESULT_NO, code, text);
}

static enum run
answer_failure(const struct append_work *w, struct session *s)
{
	if (w->failure.kind == RESULT_BAD)
		return done_bad(s, w->failure.text);
	return done_no(s, w->failure.code, w->failure.text);
}

/* --- what is announced ---------------------------------------------------- */

/* The uid of the message that REPLACE names; 0: none. */
static uint32_t
replaced_uid(const struct session *s)
{
	const struct view *v = &s->view;
	uint32_t number = s->command.replace.number, uid;

	if (number == 0 && v->n > 0)
		uid = v->uids[v->n - 1];
	else if (s->command.uid)
		uid = number;
	else
		uid = view_uid(v, number);
	return uid > 0 && store_find(s->account->mail, v->mailbox, uid) ? uid : 0;
}

/* What is known before the first message. */
static void
append_check(struct append_work *w, struct session *s)
{
	w->mailbox = session_mailbox(s, s->command.mailbox);
	if (w->mailbox == 0)
		fail_no(w, "TRYCREATE", "There is no such mailbox");
	if (s->command.id != IMAP_REPLACE)
		return;
	w->replaced = replaced_uid(s);
	if (s->view.read_only)
		fail_no(w, NULL, "The mailbox is read-only");
	else if (w->replaced == 0 && !s->command.uid &&
		 s->command.replace.number > s->view.n)
		fail(w, RESULT_BAD, NULL, "No such message");
	else if (w->replaced == 0)
		fail_no(w, "NONEXISTENT", "There is no such message");
}

static uint64_t
replaced_bytes(const struct append_work *w, const struct session *s)
{
	const struct store_record *r = NULL;

	if (w->replaced > 0)
		r = store_find(s->account->mail, s->view.mailbox, w->replaced);
	return r ? store_record_size(r) : 0;
}

static enum room
room_for(const struct append_work *w, const struct session *s, uint64_t bytes)
{
	return quota_room(s, replaced_bytes(w, s), w->hold.n + bytes);
}

static void
quota_check(struct append_work *w, const struct session *s, uint64_t bytes)
{
	enum room room = room_for(w, s, bytes);
	const char *code, *text;

	if (room == ROOM_ENOUGH)
		return;
	text = quota_refusal(room, &code);
	fail_no(w, code, text);
}

static void
message_check(struct append_work *w, const struct session *s)
{
	uint64_t bytes = s->message->bytes, max = s->policy->limits.message_bytes_max;

	if (bytes == 0)
		fail_no(w, NULL, "A message without a byte cancels the command");
	else if (bytes > max || bytes > STORE_MESSAGE_MAX)
		fail_no(w, "TOOBIG", "The message is too large");
	else if (w->n > 0 && w->hold.n + bytes > STORE_BATCH_MAX)
		fail_no(w, "TOOBIG", "The messages are too large together");
	else if (w->n == MESSAGES_MAX)
		fail_no(w, "LIMIT", "Too many messages in one command");
	else
		quota_check(w, s, bytes);
}

/* RUN_DONE, or RUN_LOCK. */
static enum run
message_add(struct append_work *w, struct session *s, int64_t now_us)
{
	const struct imap_append_message *m = s->message;
	struct message message = {.bytes = m->bytes,
				  .flags = m->flags.system,
				  .internal_us =
				      m->has_date ? m->date_s * 1000000 : now_us};
	enum store_result result;
	struct err err = {0};

	result = flags_bits(s, &m->flags, true, now_us, &message.keywords, &err);
	s->account->epoch++;
	if (result == STORE_BUSY)
		return RUN_LOCK;
	if (result == STORE_LIMIT)
		return fail_no(w, "LIMIT", "There are too many keywords already");
	if (result != STORE_OK) {
		log_fault(s, "append", &err);
		return fail_no(w, "UNAVAILABLE", "Nothing can be stored just now");
	}
	if (w->n == w->size) {
		w->size = w->size ? 2 * w->size : 4;
		w->messages = memory_resize(w->messages, w->size, sizeof(*w->messages));
	}
	w->messages[w->n++] = message;
	return RUN_DONE;
}

/* RUN_TURN: go on. */
static enum run
stage_announced(struct append_work *w, struct session *s, struct step *step)
{
	const struct imap_literal *literal = imap_frame_literal(&s->frame);

	if (!w->failure.text && quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	if (w->n == 0 && !w->failure.text)
		append_check(w, s);
	if (!w->failure.text)
		message_check(w, s);
	if (!w->failure.text && message_add(w, s, step->now_us) == RUN_LOCK)
		return RUN_LOCK;
	w->left = 0;
	if (w->failure.text) {
		imap_frame_refuse(&s->frame);
		w->stage = STAGE_LINE;
		return RUN_TURN;
	}
	w->left = literal->bytes;
	w->binary = literal->binary;
	w->utf8 = s->message->utf8;
	w->mark = imap_frame(&s->frame).n;
	if (literal->sync)
		buf_put(step->out, SPAN("+ OK\r\n"));
	imap_frame_take(&s->frame);
	w->stage = STAGE_LITERAL;
	return RUN_TURN;
}

/* --- what comes ----------------------------------------------------------- */

static enum run
stage_literal(struct append_work *w, struct session *s, struct step *step)
{
	struct span piece = *step->in;
	struct err err = {0};

	if (piece.n > w->left)
		piece.n = (size_t)w->left;
	*step->in = span_after(*step->in, piece.n);
	w->left -= piece.n;
	if (!w->binary && span_find(piece, '\0') < piece.n)
		fail(w, RESULT_BAD, NULL, "NUL can only be in a ~{literal8}");
	if (!w->failure.text &&
	    append_hold_put(&w->hold, s->policy->temporary, piece, &err) < 0) {
		log_fault(s, "append", &err);
		fail_no(w, "UNAVAILABLE", "Nothing can be stored just now");
	}
	if (w->left > 0)
		return RUN_INPUT;
	w->stage = STAGE_LINE;
	return RUN_TURN;
}

/* Another message is announced. */
static void
next_announced(struct append_work *w, struct session *s)
{
	struct span rest = span_after(imap_frame(&s->frame), w->mark);
	const char *text = "Syntax error";

	if (s->command.id == IMAP_REPLACE)
		fail(w, RESULT_BAD, NULL, "REPLACE takes one message");
	else if (!w->failure.text &&
		 imap_parse_append_next(rest, w->utf8, &s->arena, s->message, &text) !=
		     IMAP_APPEND_MESSAGE)
		fail(w, RESULT_BAD, NULL, text);
	w->stage = STAGE_ANNOUNCED;
}

static enum run
stage_line(struct append_work *w, struct session *s, struct step *step)
{
	struct span rest;

	switch (imap_frame_feed(&s->frame, step->in)) {
	case IMAP_FRAME_MORE:
		return RUN_INPUT;
	case IMAP_FRAME_LITERAL:
		next_announced(w, s);
		return RUN_TURN;
	case IMAP_FRAME_BAD:
		return done_bad(s, "A line is too long, or holds a bare CR, LF or NUL");
	case IMAP_FRAME_FULL:
		return done_no(s, "TOOBIG", "The command is too large");
	case IMAP_FRAME_LOST:
		bye_lost(s, step->out);
		return RUN_TURN;
	case IMAP_FRAME_COMMAND:
		break;
	}
	if (w->failure.text)
		return answer_failure(w, s);
	rest = span_after(imap_frame(&s->frame), w->mark);
	if (!imap_parse_append_end(rest, w->utf8))
		return done_bad(s, "The end of the command was expected");
	w->stage = STAGE_STORE;
	quota_ask_again(s); /* others may have stored while it came */
	return RUN_TURN;
}

/* --- storing -------------------------------------------------------------- */

/* All messages into the open batch. */
static enum store_result
batch_fill(struct append_work *w, struct session *s, struct span all, int64_t now_us,
	   struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct message *m = &w->messages[i];
		struct store_message message = {.mailbox = w->mailbox,
						.content =
						    span_first(all, (size_t)m->bytes),
						.flags = m->flags,
						.keywords = m->keywords,
						.internal_us = m->internal_us,
						.saved_us = now_us};
		struct store_appended appended;
		enum store_result result =
		    store_append(s->account->mail, &message, &appended, err);

		if (result != STORE_OK)
			return result;
		w->first = i == 0 ? appended.uid : w->first;
		w->last = appended.uid;
		all = span_after(all, (size_t)m->bytes);
	}
	return STORE_OK;
}

/* OK; EXISTS when the message to be replaced is not there any more. */
static enum store_result
batch_replace(struct append_work *w, struct session *s, struct err *err)
{
	const struct store_range range = {w->replaced, w->replaced};
	struct store_uid_list done = {0};
	enum store_result result;

	if (w->replaced == 0)
		return STORE_OK;
	result = store_batch_expunge(s->account->mail, s->view.mailbox,
				     (struct store_uids){&range, 1}, &done, err);
	if (result == STORE_OK && done.n == 0)
		result = STORE_EXISTS;
	store_uid_list_release(&done);
	return result;
}

static enum store_result
batch_run(struct append_work *w, struct session *s, int64_t now_us, struct err *err)
{
	struct store_account *mail = s->account->mail;
	enum store_result result;
	struct span all;

	if (append_hold_all(&w->hold, &all, err) < 0)
		return STORE_FAULT;
	result = store_batch_begin(mail, false, err);
	if (result != STORE_OK)
		return result;
	result = batch_fill(w, s, all, now_us, err);
	if (result == STORE_OK)
		result = batch_replace(w, s, err);
	if (result != STORE_OK) {
		store_batch_cancel(mail);
		return result;
	}
	return store_batch_end(mail, err);
}

/* "APPENDUID 1500000000 17:19" [RFC4315 3] */
static void
put_appenduid(const struct append_work *w, const struct session *s, struct buf *out)
{
	const struct imap_range uids = {w->first, w->last};
	struct store_mailbox box;

	if (!store_mailbox_get(s->account->mail, w->mailbox, &box))
		return;
	buf_put(out, SPAN("APPENDUID "));
	imap_put_number(out, box.uidvalidity);
	buf_put_char(out, ' ');
	imap_put_ranges(out, &uids, 1);
}

static enum run
stage_store(struct append_work *w, struct session *s, struct step *step)
{
	struct err err = {0};
	enum store_result result;

	if (quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	quota_check(w, s, 0);
	if (w->failure.text)
		return answer_failure(w, s);
	result = batch_run(w, s, step->now_us, &err);
	s->account->epoch++;
	switch (result) {
	case STORE_OK:
		break;
	case STORE_NONE:
		return done_no(s, "TRYCREATE", "There is no such mailbox");
	case STORE_EXISTS:
		return done_no(s, "EXPUNGEISSUED", "The message is gone already");
	default:
		return done_store(s, result, "append", &err);
	}
	append_hold_release(&w->hold);
	session_changed(s);
	w->stage = STAGE_STORED;
	return RUN_TURN;
}

/* [RFC8508 3.3]: APPENDUID comes before the old message goes. */
static enum run
stage_stored(struct append_work *w, struct session *s, struct step *step)
{
	enum run run;

	if (w->replaced == 0) {
		put_appenduid(w, s, &s->result.code);
		return done_ok_durable(s);
	}
	run = session_sync(s);
	if (run != RUN_DONE)
		return run;
	if (s->sync_failed)
		return done_no(s, "UNAVAILABLE", "It could not be made durable");
	buf_put(step->out, SPAN("* OK ["));
	put_appenduid(w, s, step->out);
	buf_put(step->out, SPAN("] Replacement is there\r\n"));
	put_highestmodseq(s);
	return done_ok(s);
}

enum run
run_append(struct session *s, struct step *step)
{
	static enum run (*const stages[])(struct append_work *, struct session *,
					  struct step *) = {
	    [STAGE_ANNOUNCED] = stage_announced, [STAGE_LITERAL] = stage_literal,
	    [STAGE_LINE] = stage_line,           [STAGE_STORE] = stage_store,
	    [STAGE_STORED] = stage_stored,
	};
	struct append_work *w = s->work;
	enum run run = RUN_TURN;

	if (!s->message)
		return done_bad(s, "A message was expected");
	if (!w) {
		w = session_work(s, sizeof(*w));
		append_hold_init(&w->hold);
	}
	while (run == RUN_TURN && s->state != S_LOGOUT)
		run = stages[w->stage](w, s, step);
	return run;
}
