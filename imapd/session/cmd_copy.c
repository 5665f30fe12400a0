/* COPY [RFC9051 6.4.7], MOVE [RFC6851], both with COPYUID [RFC4315 3] */
#include "imapd/session/inner.h"
#include "imapd/session/quota.h"
#include "imapd/session/ranges.h"

struct copy_work {
	bool copied;
	uint32_t to;
	struct store_uid_list done; /* uids here */
	uint32_t first;             /* the uid of the first one there */
	uint64_t n;
};

void
release_copy(struct session *s)
{
	struct copy_work *w = s->work;

	store_uid_list_release(&w->done);
}

static bool
is_move(const struct session *s)
{
	return s->command.id == IMAP_MOVE;
}

struct source {
	uint64_t bytes;
	bool gone; /* one of them is not there any more */
};

static struct source
source_look(const struct session *s, const struct imap_ranges *numbers)
{
	const struct store_record *r;
	struct source source = {0};
	struct view_walk walk = {0};
	uint32_t number;

	while (view_next(s, numbers, &walk, &number, &r)) {
		source.gone = source.gone || !r;
		source.bytes += r ? store_record_size(r) : 0;
	}
	return source;
}

/* RUN_TURN: it may be done. */
static enum run
copy_check(struct copy_work *w, struct session *s, const struct imap_ranges *numbers)
{
	bool look =
	    s->view.expunged.n > 0 || s->view.all ||
	    ((s->account->quota_bytes > 0 || quota_of_domain(s)) && !is_move(s));
	struct source source = {0};
	enum room room = ROOM_ENOUGH;
	const char *code, *text;

	w->to = session_mailbox(s, s->command.copy.mailbox);
	if (w->to == 0)
		return done_no(s, "TRYCREATE", "There is no such mailbox");
	if (look)
		source = source_look(s, numbers);
	if (source.gone && !s->command.uid)
		return done_no(s, "EXPUNGEISSUED",
			       "Some of the messages were expunged meanwhile");
	if (!is_move(s))
		room = quota_room(s, 0, source.bytes);
	if (room == ROOM_ENOUGH)
		return RUN_TURN;
	text = quota_refusal(room, &code);
	return done_no(s, code, text);
}

static enum run
copy_do(struct copy_work *w, struct session *s, const struct imap_ranges *numbers,
	int64_t now_us)
{
	struct store_account *mail = s->account->mail;
	struct imap_ranges uids = {0};
	enum store_result result;
	struct err err = {0};

	view_uids(&s->view, numbers, &uids);
	result = (is_move(s) ? store_move : store_copy)(
	    mail, s->view.mailbox, session_uids(&uids), w->to, now_us, &w->first, &w->n,
	    &w->done, &err);
	s->account->epoch++;
	imap_ranges_release(&uids);
	if (result != STORE_OK)
		return done_store(s, result, is_move(s) ? "move" : "copy", &err);
	w->copied = true;
	session_changed(s);
	return RUN_TURN;
}

static enum run
copy_begin(struct copy_work *w, struct session *s, struct step *step)
{
	struct imap_ranges numbers = {0};
	enum run run;

	if (is_move(s) && s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!view_resolve(s, &s->command.copy.set, s->command.uid, &numbers))
		run = done_bad(s, "No such message");
	else
		run = copy_check(w, s, &numbers);
	if (run == RUN_TURN)
		run = copy_do(w, s, &numbers, step->now_us);
	imap_ranges_release(&numbers);
	return run;
}

/* "COPYUID 1500000000 3:5,9 101:104"; nothing when the other mailbox is gone already,
 * or when it would be too long: a client that is not told does without [RFC4315 3]. */
static void
put_copyuid(const struct copy_work *w, const struct session *s, struct buf *code)
{
	const struct imap_range to = {w->first, w->first + (uint32_t)(w->n - 1)};
	struct imap_ranges from = {0};
	struct store_mailbox box;

	if (!store_mailbox_get(s->account->mail, w->to, &box))
		return;
	ranges_from_uids(&w->done, &from);
	buf_put(code, SPAN("COPYUID "));
	imap_put_number(code, box.uidvalidity);
	buf_put_char(code, ' ');
	imap_put_ranges(code, from.at, from.n);
	buf_put_char(code, ' ');
	imap_put_ranges(code, &to, 1);
	if (code->full)
		buf_reset(code);
	imap_ranges_release(&from);
}

/* [RFC6851 4.3]: COPYUID comes before the messages go. */
static void
move_tell(struct copy_work *w, struct session *s, struct buf *out)
{
	struct buf *code = &s->result.code;

	put_copyuid(w, s, code);
	if (code->n == 0)
		return;
	buf_put(out, SPAN("* OK ["));
	buf_put(out, buf_span(code));
	buf_put(out, SPAN("] Moved\r\n"));
	buf_reset(code);
}

enum run
run_copy(struct session *s, struct step *step)
{
	struct copy_work *w = session_work(s, sizeof(*w));
	enum run run = RUN_TURN;

	if (!w->copied && !is_move(s) && quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	if (!w->copied)
		run = copy_begin(w, s, step);
	if (run != RUN_TURN)
		return run;
	if (w->n == 0)
		return done_ok(s);
	if (!is_move(s)) {
		put_copyuid(w, s, &s->result.code);
		return done_ok_durable(s);
	}
	run = session_sync(s);
	if (run != RUN_DONE)
		return run;
	if (s->sync_failed)
		return done_no(s, "UNAVAILABLE", "It could not be made durable");
	move_tell(w, s, step->out);
	put_highestmodseq(s);
	return done_ok(s);
}
