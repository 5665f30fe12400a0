/* COPY [RFC9051 6.4.7], MOVE [RFC6851], both with COPYUID [RFC4315 3]
 *
 * Nothing takes longer than a step, however many messages there are: they are looked at
 * in steps; COPY is one event, which the view is given in steps; MOVE is several.
 */
#include "imapd/session/inner.h"
#include "imapd/session/quota.h"
#include "imapd/session/ranges.h"

enum copy_phase {
	COPY_BEGIN,
	COPY_LOOK, /* at all of them */
	COPY_DO,   /* of MOVE some, so often as it takes */
	COPY_WAIT, /* for the view, and for the disk */
};

struct copy_work {
	enum copy_phase phase;
	uint32_t to;
	struct imap_ranges numbers;
	struct ranges_place done;      /* among them */
	struct view_walk walk;         /* of COPY_LOOK */
	uint64_t bytes;                /* of those that were looked at */
	uint64_t gone;                 /* in the notes of the view when it began */
	struct imap_ranges from, into; /* uids here, and there */
	uint64_t n;
	enum store_result result; /* of the last call on the store */
	struct err err;
};

void
release_copy(struct session *s)
{
	struct copy_work *w = s->work;

	imap_ranges_release(&w->numbers);
	imap_ranges_release(&w->from);
	imap_ranges_release(&w->into);
}

static bool
is_move(const struct session *s)
{
	return s->command.id == IMAP_MOVE;
}

static enum run
enter(struct copy_work *w, enum copy_phase to)
{
	w->phase = to;
	return RUN_TURN;
}

/* Is there a message that was expunged, or are sizes needed? */
static bool
copy_looks(const struct session *s)
{
	return s->view.expunged.n > 0 || s->view.all ||
	       ((s->account->quota_bytes > 0 || quota_of_domain(s)) && !is_move(s));
}

static void
look_begin(struct copy_work *w, struct session *s)
{
	if (s->view.all)
		view_expunged_settle(s);
	w->gone = ranges_count(&s->view.expunged);
	w->walk = (struct view_walk){0};
	w->bytes = 0;
}

static enum run
look_again(struct copy_work *w, struct session *s)
{
	look_begin(w, s);
	return enter(w, COPY_LOOK);
}

static enum run
copy_begin(struct copy_work *w, struct session *s)
{
	if (is_move(s) && s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!view_resolve(s, &s->command.copy.set, s->command.uid, &w->numbers))
		return done_bad(s, "No such message");
	w->to = session_mailbox(s, s->command.copy.mailbox);
	if (w->to == 0)
		return done_no(s, "TRYCREATE", "There is no such mailbox");
	if (!copy_looks(s))
		return enter(w, COPY_DO);
	return look_again(w, s);
}

/* Somebody has expunged since, perhaps what was seen. */
static bool
look_is_old(const struct copy_work *w, const struct session *s)
{
	return s->view.all || ranges_count(&s->view.expunged) != w->gone;
}

static enum run
copy_look(struct copy_work *w, struct session *s)
{
	const struct store_record *r;
	uint32_t number;

	if (look_is_old(w, s))
		look_begin(w, s);
	for (unsigned left = s->policy->limits.change_step; left > 0; left--) {
		if (!view_next(s, &w->numbers, &w->walk, &number, &r))
			return enter(w, COPY_DO);
		if (!r && !s->command.uid)
			return done_no(s, "EXPUNGEISSUED",
				       "Some of the messages were expunged meanwhile");
		w->bytes += r ? store_record_size(r) : 0;
	}
	return RUN_TURN;
}

static void
copy_note(struct copy_work *w, const struct store_uid_list *uids, uint32_t first,
	  uint64_t n)
{
	for (size_t i = 0; i < uids->n; i++)
		imap_ranges_add(&w->from, uids->at[i].first, uids->at[i].last);
	if (n > 0)
		imap_ranges_add(&w->into, first, first + (uint32_t)(n - 1));
	w->n += n;
}

/* COPY is all or nothing [RFC9051 6.4.7]; of MOVE each message is moved or not
 * [RFC6851 3.3]. */
static enum run
copy_do(struct copy_work *w, struct session *s, int64_t now_us)
{
	uint64_t some = is_move(s) ? s->policy->limits.change_step : UINT64_MAX, n = 0;
	enum room room = is_move(s) ? ROOM_ENOUGH : quota_room(s, 0, w->bytes);
	struct imap_ranges numbers = {0}, uids = {0};
	struct ranges_place done = w->done;
	struct store_uid_list taken = {0};
	const char *code, *text;
	uint32_t first = 0;

	if (room != ROOM_ENOUGH) {
		text = quota_refusal(room, &code);
		return done_no(s, code, text);
	}
	ranges_take(&w->numbers, &done, some, &numbers);
	view_uids(&s->view, &numbers, &uids);
	w->result = (is_move(s) ? store_move : store_copy)(
	    s->account->mail, s->view.mailbox, session_uids(&uids), w->to, now_us,
	    &first, &n, &taken, &w->err);
	s->account->epoch++;
	if (w->result == STORE_OK)
		copy_note(w, &taken, first, n);
	store_uid_list_release(&taken);
	imap_ranges_release(&numbers);
	imap_ranges_release(&uids);
	if (w->result == STORE_BUSY)
		return RUN_LOCK;
	if (w->result != STORE_OK && w->n == 0)
		return done_store(s, w->result, is_move(s) ? "move" : "copy", &w->err);
	w->done = done;
	session_changed(s);
	if (w->result == STORE_OK && done.range < w->numbers.n)
		return RUN_TURN;
	return enter(w, COPY_WAIT);
}

/* "COPYUID 1500000000 3:5,9 101:104"; nothing when the other mailbox is gone already,
 * or when it would be too long: a client that is not told does without [RFC4315 3]. */
static void
put_copyuid(const struct copy_work *w, const struct session *s, struct buf *code)
{
	struct store_mailbox box;

	if (!store_mailbox_get(s->account->mail, w->to, &box))
		return;
	buf_put(code, SPAN("COPYUID "));
	imap_put_number(code, box.uidvalidity);
	buf_put_char(code, ' ');
	imap_put_ranges(code, w->from.at, w->from.n);
	buf_put_char(code, ' ');
	imap_put_ranges(code, w->into.at, w->into.n);
	if (code->full)
		buf_reset(code);
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

/* Of MOVE what went is told, whatever became of the rest. */
static enum run
move_end(struct copy_work *w, struct session *s, struct step *step)
{
	enum run run = session_sync(s);

	if (run != RUN_DONE)
		return run;
	if (s->sync_failed)
		return done_no(s, "UNAVAILABLE", "It could not be made durable");
	move_tell(w, s, step->out);
	if (w->result != STORE_OK)
		return done_store(s, w->result, "move", &w->err);
	put_highestmodseq(s);
	return done_ok(s);
}

static enum run
copy_wait(struct copy_work *w, struct session *s, struct step *step)
{
	if (!store_catch_up(s->account->mail))
		return RUN_TURN;
	if (w->n == 0)
		return done_ok(s);
	if (is_move(s))
		return move_end(w, s, step);
	put_copyuid(w, s, &s->result.code);
	return done_ok_durable(s);
}

enum run
run_copy(struct session *s, struct step *step)
{
	struct copy_work *w = session_work(s, sizeof(*w));
	enum run run = RUN_TURN;

	if (w->phase == COPY_BEGIN && !is_move(s) && quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	if (w->phase == COPY_BEGIN)
		run = copy_begin(w, s);
	if (run == RUN_TURN && w->phase == COPY_LOOK)
		run = copy_look(w, s);
	if (run == RUN_TURN && w->phase == COPY_DO && w->n == 0 && look_is_old(w, s))
		run = look_again(w, s);
	else if (run == RUN_TURN && w->phase == COPY_DO)
		run = copy_do(w, s, step->now_us);
	if (run == RUN_TURN && w->phase == COPY_WAIT)
		run = copy_wait(w, s, step);
	return run;
}
