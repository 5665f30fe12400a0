/* IDLE [RFC2177] */
#include "imapd/session/inner.h"

struct idle {
	char line[8]; /* "DONE" and CRLF, as far as it came */
	size_t n;
	bool bad;
};

/* Nothing but what it takes to wait. */
static void
idle_begin(struct session *s, struct buf *out)
{
	buf_put_str(out, "+ idling\r\n");
	s->idling = true;
	imap_frame_release(&s->frame);
	arena_release(&s->arena);
}

/* True when a whole line is there. */
static bool
idle_line(struct idle *idle, struct span *in)
{
	while (in->n > 0) {
		char c = in->at[0];

		*in = span_after(*in, 1);
		if (idle->n < sizeof(idle->line))
			idle->line[idle->n++] = c;
		else
			idle->bad = true;
		if (c == '\n')
			return true;
	}
	return false;
}

enum run
run_idle(struct session *s, struct step *step)
{
	struct idle *idle = session_work(s, sizeof(*idle));

	if (!s->idling)
		idle_begin(s, step->out);
	if (s->view.gone) {
		session_gone(s, step->out);
		return RUN_INPUT;
	}
	if (s->state == S_SELECTED && !view_announce(s, true, step->out))
		return RUN_ROOM;
	if (!idle_line(idle, step->in))
		return RUN_INPUT;
	s->idling = false;
	if (idle->bad ||
	    !span_equal_nocase(span_make(idle->line, idle->n), SPAN("DONE\r\n")))
		return done_bad(s, "DONE was expected");
	return done_ok(s);
}
