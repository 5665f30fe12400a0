/* the loop: a command is gathered, run to its end, its news told, its answer given */
#include "imapd/session/inner.h"

const struct session_limits session_limits_default = {
    .line_bytes_max = 64u << 10,
    .literal_bytes_max = 128u << 10,
    .arguments_bytes_max = 1u << 20,
    .message_bytes_max = 50u << 20,
    .output_high = 256u << 10,
    .errors_max = 3,
    .text_scan_bytes = 4u << 20,
    .order_bytes_max = (size_t)256 << 20,
    .change_step = 25000,
};

/* --- from one command to the next ----------------------------------------- */

/* What a command had. */
static void
command_forget(struct session *s)
{
	if (s->row && s->row->release && s->work)
		s->row->release(s);
	free(s->work);
	s->work = NULL;
	s->row = NULL;
	s->command = (struct imap_command){0};
	s->message = NULL;
	s->tag[0] = '\0';
	s->idling = false;
	s->sync_position = 0;
	s->sync_failed = false;
	s->domain_use.state = DOMAIN_USE_UNASKED;
	s->progress_us = 0;
	arena_release(&s->arena);
	buf_release(&s->result.code);
	s->result.text = NULL;
	s->result.durable = false;
}

/* The only place that changes the phase. */
void
session_enter(struct session *s, enum session_phase to)
{
	if (to == PHASE_READ) {
		command_forget(s);
		imap_frame_next(&s->frame);
	}
	s->phase = to;
}

struct session *
session_new(const struct session_policy *policy, struct account *account)
{
	const struct imap_frame_limits limits = {
	    .line_bytes_max = policy->limits.line_bytes_max,
	    .literal_bytes_max = policy->limits.literal_bytes_max,
	    .frame_bytes_max = policy->limits.arguments_bytes_max,
	};
	struct session *s = memory_new(1, sizeof(*s));

	s->policy = policy;
	s->account = account;
	s->state = S_AUTHENTICATED;
	s->reason = "closed by the client";
	imap_frame_init(&s->frame, &limits);
	arena_init(&s->arena, SESSION_ARENA_MAX);
	buf_init(&s->result.code, SESSION_CODE_MAX);
	LIST_INSERT_HEAD(&account->sessions, s, of_account);
	account->n_sessions++;
	return s;
}

void
session_free(struct session **session)
{
	struct session *s = *session;

	if (!s)
		return;
	command_forget(s);
	view_close(s);
	imap_ranges_release(&s->saved);
	imap_frame_release(&s->frame);
	LIST_REMOVE(s, of_account);
	s->account->n_sessions--;
	free(s);
	*session = NULL;
}

/* --- the end of a session ------------------------------------------------- */

static void
leave(struct session *s, const char *reason)
{
	s->state = S_LOGOUT;
	s->reason = reason;
}

void
session_bye(struct session *s, struct buf *out, const char *text, const char *reason)
{
	buf_put_str(out, "* BYE ");
	buf_put_str(out, text);
	buf_put_str(out, "\r\n");
	leave(s, reason);
}

void
session_gone(struct session *s, struct buf *out)
{
	session_bye(s, out, "The selected mailbox was deleted", "mailbox deleted");
}

void
session_end(struct session *s, enum session_ending why, struct buf *out)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
	    [SESSION_END_TIMEOUT] = {"Nothing came for too long",                     "timeout"       },
	    [SESSION_END_STOPPING] = {"[UNAVAILABLE] The server is stopping",
                                     "server stopping"                                                },
	    [SESSION_END_FAULT] = {"[UNAVAILABLE] The mailboxes cannot be read",
				     "fault"							  },
	    [SESSION_END_CLOSED] =
		{"The account was closed, its password changed, or its "
		 "mail came back from a backup", "account closed"},
	};

	if (s->state == S_LOGOUT)
		return;
	/* In the middle of a response there is no place for another. */
	if (s->phase == PHASE_READ || s->idling)
		session_bye(s, out, rows[why].text, rows[why].reason);
	else
		leave(s, rows[why].reason);
}

/* --- answers -------------------------------------------------------------- */

void
session_open(struct session *s, struct span tag, struct buf *out)
{
	buf_put(out, tag);
	buf_put_str(out, " OK [CAPABILITY ");
	put_capabilities(s, out);
	buf_put_str(out, "] Logged in\r\n");
}

static void
answer_text(const struct session *s, struct buf *out)
{
	static const char *const ends[] = {
	    [RESULT_OK] = " completed",
	    [RESULT_NO] = " failed",
	    [RESULT_BAD] = " refused",
	};

	if (s->result.text) {
		buf_put_str(out, s->result.text);
		return;
	}
	if (s->command.uid)
		buf_put_str(out, "UID ");
	buf_put_str(out, s->row ? s->row->name : "Command");
	buf_put_str(out, ends[s->result.kind]);
}

static void
answer(struct session *s, struct buf *out)
{
	static const char *const words[] = {
	    [RESULT_OK] = " OK ",
	    [RESULT_NO] = " NO ",
	    [RESULT_BAD] = " BAD ",
	};

	buf_put_str(out, s->tag[0] ? s->tag : "*");
	buf_put_str(out, words[s->result.kind]);
	if (s->result.code.n > 0) {
		buf_put_char(out, '[');
		buf_put(out, buf_span(&s->result.code));
		buf_put_str(out, "] ");
	}
	answer_text(s, out);
	buf_put_str(out, "\r\n");
	s->n_commands++;
	if (s->result.kind != RESULT_BAD)
		s->errors = 0;
	else if (!s->row) /* what was understood is no error of this kind */
		s->errors++;
}

/* --- phases: each true when *want is to be given to the caller ------------ */

/* Learns what others did: a view that can be looked at. */
static enum store_result
refresh(struct session *s)
{
	struct err err = {0};
	enum store_result result = account_refresh(s->account, &err);

	if (result != STORE_OK && result != STORE_BUSY)
		log_fault(s, "refresh", &err);
	return result;
}

static bool
phase_run(struct session *s, struct step *step, enum session_want *want)
{
	static const enum session_want wants[] = {
	    [RUN_TURN] = SESSION_WANT_TURN,   [RUN_ROOM] = SESSION_WANT_ROOM,
	    [RUN_LOCK] = SESSION_WANT_LOCK,   [RUN_SYNC] = SESSION_WANT_SYNC,
	    [RUN_INPUT] = SESSION_WANT_INPUT, [RUN_ASK] = SESSION_WANT_ASK,
	};
	enum run run;

	switch (refresh(s)) {
	case STORE_OK:
		break;
	case STORE_BUSY:
		*want = SESSION_WANT_LOCK;
		return true;
	default:
		session_end(s, SESSION_END_FAULT, step->out);
		return false;
	}
	if (s->progress_us == 0) {
		if (s->view.gone && s->row->id != IMAP_LOGOUT) {
			session_gone(s, step->out);
			return false;
		}
		s->progress_us = step->now_us;
	}
	s->account->actor = s;
	run = s->row->run(s, step);
	s->account->actor = NULL;
	if (run == RUN_DONE) {
		if (s->result.durable) /* from now on it waits, room or not */
			(void)session_sync(s);
		session_enter(s, s->result.durable ? PHASE_SYNC : PHASE_ANNOUNCE);
		return false;
	}
	*want = wants[run];
	/* Gone while it idles, or in the middle of something long. */
	return s->state != S_LOGOUT;
}

static bool
phase_sync(struct session *s, struct step *step, enum session_want *want)
{
	(void)step;
	if (session_sync(s) == RUN_SYNC) {
		*want = SESSION_WANT_SYNC;
		return true;
	}
	if (s->sync_failed)
		(void)done_no(s, "UNAVAILABLE", "It could not be made durable");
	session_enter(s, PHASE_ANNOUNCE);
	return false;
}

/* The command's own row decides; one that was not run announces nothing. */
static bool
announce(struct session *s, struct buf *out)
{
	enum announce what = s->row ? s->row->announce : ANNOUNCE_NONE;

	if (s->state != S_SELECTED || what == ANNOUNCE_NONE || s->view.gone)
		return true;
	if (refresh(s) != STORE_OK)
		return true; /* the next command may tell it */
	return view_announce(s, what == ANNOUNCE_ALL || s->command.uid, out);
}

static bool
phase_announce(struct session *s, struct step *step, enum session_want *want)
{
	bool deflate;

	if (!announce(s, step->out)) {
		*want = SESSION_WANT_ROOM;
		return true;
	}
	deflate = s->row && s->row->id == IMAP_COMPRESS && !s->compressed &&
		  s->result.kind == RESULT_OK;
	answer(s, step->out);
	session_enter(s, PHASE_READ);
	if (s->state != S_LOGOUT && s->errors >= s->policy->limits.errors_max)
		session_bye(s, step->out, "Too many errors", "too many errors");
	*want = SESSION_WANT_COMPRESS;
	s->compressed |= deflate;
	return deflate;
}

static bool
phase_step(struct session *s, struct step *step, enum session_want *want)
{
	static bool (*const phases[])(struct session *, struct step *,
				      enum session_want *) = {
	    [PHASE_READ] = session_read,       [PHASE_DROP] = session_drop,
	    [PHASE_RUN] = phase_run,           [PHASE_SYNC] = phase_sync,
	    [PHASE_ANNOUNCE] = phase_announce,
	};

	if (session_full(s, step->out)) {
		*want = SESSION_WANT_ROOM;
		return true;
	}
	return phases[s->phase](s, step, want);
}

enum session_want
session_step(struct session *s, int64_t now_us, struct span *in, struct buf *out)
{
	struct step step = {in, out, now_us};
	uint64_t before = s->n_commands;
	enum session_want want;

	for (;;) {
		/* Half a response is lost: what follows would not be understood. */
		if (out->full && s->state != S_LOGOUT)
			leave(s, "output overflow");
		if (s->state == S_LOGOUT && s->phase != PHASE_ANNOUNCE)
			return SESSION_WANT_CLOSE;
		if (phase_step(s, &step, &want))
			return want;
		/* The next may be as long: whether there is time is the caller's to
		 * know. */
		if (s->n_commands > before && in->n > 0)
			return SESSION_WANT_TURN;
	}
}

/* --- outside of commands -------------------------------------------------- */

void
session_push(struct session *s, struct buf *out)
{
	if (!s->idling || s->state != S_SELECTED)
		return;
	if (s->view.gone)
		session_gone(s, out);
	else if (!view_announce(s, true, out))
		return; /* the rest when `out` was sent */
}

bool
session_idles(const struct session *s)
{
	return s->idling;
}

bool
session_has_news(const struct session *s)
{
	return s->idling && s->state == S_SELECTED &&
	       (s->view.gone || view_has_news(s));
}

uint64_t
session_sync_position(const struct session *s)
{
	return s->sync_position;
}

void
session_sync_failed(struct session *s)
{
	s->sync_failed = s->sync_position > 0;
}

const char *
session_reason(const struct session *s)
{
	return s->reason;
}

uint64_t
session_commands(const struct session *s)
{
	return s->n_commands;
}
