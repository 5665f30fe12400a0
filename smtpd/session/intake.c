/* The way of a message through a session, from 354 or BDAT to its reply. */
#include "smtpd/session/inner.h"

#include <stdio.h>

static void
intake_begin(struct session *s, bool stuffed)
{
	const struct session_limits *l = &s->policy->limits;
	struct intake *in = &s->intake;

	dot_init(&in->dot, stuffed, l->text_line_bytes_max);
	header_scan_init(&in->header, &(struct header_limits){l->header_bytes_max,
							      l->header_field_bytes_max,
							      l->header_fields_max});
	in->begun = true;
	mending_begin(s);
	buf_reset(&s->trace);
	trace_put(s, &s->trace);
	s->ask = (struct session_ask){.piece = buf_span(&s->trace)};
	s->want = SESSION_WANT_PIECE;
}

static const enum reply message_replies[] = {
    [SESSION_MESSAGE_OK] = REPLY_QUEUED,
    [SESSION_MESSAGE_LATER] = REPLY_LATER,
    [SESSION_MESSAGE_FULL] = REPLY_FULL,
    [SESSION_MESSAGE_REFUSED] = REPLY_MESSAGE_REFUSED,
};

/* The transaction is over; an LMTP client gets a reply for each recipient
 * [RFC2033 4.2]. */
static void
say_final(struct session *s, enum reply reply)
{
	bool queued = reply == REPLY_QUEUED;
	size_t n = s->policy->kind == SESSION_LMTP ? s->envelope.n_rcpts : 1;

	enter(s, S_READY);
	say_each(s, reply, span_str(queued ? s->queue_id : ""), n);
}

void
session_answer_begin(struct session *s, enum session_message_answer answer,
		     struct span id, int64_t unix_s)
{
	ASSERT(s->want == SESSION_WANT_BEGIN && answer < N_ELEMS(message_replies));
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	if (answer == SESSION_MESSAGE_OK) {
		ASSERT(span_copy(id, s->queue_id, sizeof(s->queue_id)));
		s->begun_s = unix_s;
		if (s->intake.chunked) {
			intake_begin(s, false);
			chunk_begin(s);
		} else {
			enter(s, S_DATA);
			say(s, REPLY_DATA);
			intake_begin(s, true);
		}
	} else if (s->intake.chunked) {
		chunk_refuse(s, message_replies[answer], S_READY);
	} else {
		enter(s, S_READY);
		say(s, message_replies[answer]);
	}
}

void
session_answer_end(struct session *s, enum session_message_answer answer)
{
	ASSERT(s->want == SESSION_WANT_END && answer < N_ELEMS(message_replies));
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	s->intake.begun = false;
	if (answer == SESSION_MESSAGE_OK)
		s->idle = 0;
	say_final(s, message_replies[answer]);
}

static void
drop_rest(struct session *s, enum reply why)
{
	s->intake.fault = why;
	s->intake.begun = false;
	s->intake.chunk_back = S_READY;
}

void
session_answer_lost(struct session *s, enum session_message_answer answer)
{
	ASSERT(s->intake.begun && answer != SESSION_MESSAGE_OK);
	if (s->want == SESSION_WANT_END) {
		session_answer_end(s, answer);
		return;
	}
	drop_rest(s, message_replies[answer]);
	if (s->want == SESSION_WANT_PIECE)
		s->want = SESSION_WANT_INPUT;
}

void
intake_fail(struct session *s, enum reply why)
{
	drop_rest(s, why);
	s->want = SESSION_WANT_ABORT;
}

/* What is wrong with the message, the next n bytes counted. */
static enum reply
check(const struct session *s, size_t n)
{
	const struct intake *in = &s->intake;
	unsigned faults = in->dot.faults;

	if (s->policy->normalise_bare)
		faults &= DOT_FAULT_LINE;
	if (faults & DOT_FAULT_NUL)
		return REPLY_NUL_BYTE;
	if (faults & DOT_FAULT_BARE)
		return REPLY_BARE_NEWLINE;
	if (faults & DOT_FAULT_LINE)
		return REPLY_LONG_TEXT;
	if (in->bytes + n > s->policy->limits.message_bytes_max)
		return REPLY_TOO_BIG;
	if (in->header.over_limit)
		return REPLY_BIG_HEADER;
	if (in->header.hops > s->policy->limits.hops_max)
		return REPLY_HOPS;
	return REPLY_NONE;
}

static void
pass(struct session *s, struct span piece)
{
	if (piece.n == 0)
		return;
	s->ask = (struct session_ask){.piece = piece};
	s->want = SESSION_WANT_PIECE;
}

/* The next piece of the body, which may be empty, on its way to the caller. */
static void
hand_on(struct session *s, struct span piece)
{
	struct span mended = mending_pass(s, piece);
	enum reply fault;

	header_scan_feed(&s->intake.header, mended);
	fault = check(s, piece.n);
	s->intake.bytes += piece.n;
	if (fault != REPLY_NONE)
		intake_fail(s, fault);
	else
		pass(s, mended);
}

/* All has come; `rest` and what is added are not the client's, and do not count
 * against the size. The next step finishes. */
static void
hand_on_last(struct session *s, struct span rest)
{
	s->intake.whole = true;
	if (s->intake.fault != REPLY_NONE)
		return;
	rest = mending_finish(s, rest);
	header_scan_feed(&s->intake.header, rest);
	pass(s, rest);
}

static void
finish(struct session *s)
{
	if (s->intake.fault != REPLY_NONE)
		say_final(s, s->intake.fault);
	else
		s->want = SESSION_WANT_END;
}

/* One piece of the text behind DATA. */
static bool
data_step(struct session *s, struct span *in)
{
	struct span piece;

	switch (dot_next(&s->intake.dot, in, &piece)) {
	case DOT_MORE:
		return false;
	case DOT_PIECE:
		if (s->intake.fault == REPLY_NONE)
			hand_on(s, piece);
		return true;
	case DOT_END:
		hand_on_last(s, SPAN(""));
		return true;
	}
	return false;
}

void
chunk_begin(struct session *s)
{
	uint64_t max = s->policy->limits.message_bytes_max;

	enter(s, S_CHUNK);
	if (s->intake.fault == REPLY_NONE &&
	    s->intake.bytes + s->intake.chunk_bytes > max)
		intake_fail(s, REPLY_TOO_BIG);
}

void
chunk_refuse(struct session *s, enum reply why, enum state back)
{
	enter(s, S_CHUNK);
	s->intake.fault = why;
	s->intake.chunk_back = back;
}

/* All bytes of a refused chunk are gone. */
static void
refused_chunk_over(struct session *s)
{
	enum reply why = s->intake.fault;
	enum state back = s->intake.chunk_back;

	if (back == S_READY && s->envelope.n_rcpts > 0 && s->intake.chunk_last) {
		say_final(s, why);
		return;
	}
	s->intake = (struct intake){0};
	enter(s, back);
	say(s, why);
}

static void
last_chunk_over(struct session *s)
{
	struct span newline = dot_finish(&s->intake.dot);

	hand_on(s, span_first(newline, 0)); /* it may have been a fault */
	hand_on_last(s, newline);
}

static void
chunk_over(struct session *s)
{
	char text[24];

	if (s->intake.chunk_last) {
		last_chunk_over(s);
		return;
	}
	hand_on(s, SPAN("")); /* a NUL at its end is in no piece */
	if (s->intake.fault != REPLY_NONE)
		return;
	enter(s, S_BDAT);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)s->intake.chunk_bytes);
	say_more(s, REPLY_CHUNK_OK, span_str(text));
}

/* Drops bytes of a refused chunk. */
static bool
drop_step(struct session *s, struct span *in, size_t n)
{
	*in = span_after(*in, n);
	s->intake.chunk_left -= n;
	if (s->intake.chunk_left > 0)
		return n > 0;
	refused_chunk_over(s);
	return true;
}

/* One piece of the bytes behind BDAT. */
static bool
chunk_step(struct session *s, struct span *in)
{
	struct intake *i = &s->intake;
	size_t n = i->chunk_left < in->n ? (size_t)i->chunk_left : in->n;
	struct span chunk = span_first(*in, n), piece;
	bool more;

	if (i->fault != REPLY_NONE)
		return drop_step(s, in, n);
	more = dot_next(&i->dot, &chunk, &piece) == DOT_PIECE;
	n -= chunk.n;
	*in = span_after(*in, n);
	i->chunk_left -= n;
	if (more)
		hand_on(s, piece);
	else if (i->chunk_left == 0)
		chunk_over(s);
	else
		return false;
	return true;
}

/* True, and closed, when the peer was too slow over a whole window. */
static bool
too_slow(struct session *s)
{
	const struct session_limits *l = &s->policy->limits;

	if (s->now_ms < s->window_ms + l->data_window_ms)
		return false;
	if (s->window_bytes < l->data_window_bytes) {
		say_and_close(s, REPLY_TOO_SLOW);
		return true;
	}
	s->window_ms = s->now_ms;
	s->window_bytes = 0;
	return false;
}

/* What may still be taken of a message, kept or dropped: a refused one is read to
 * its end, but not for ever. */
static uint64_t
bytes_allowed(const struct session *s)
{
	const struct session_limits *l = &s->policy->limits;

	uint64_t max = l->message_bytes_max + l->swallow_bytes_max;

	/* A reload may have lowered the limit meanwhile. */
	return s->intake.taken < max ? max - s->intake.taken : 0;
}

static void
count_taken(struct session *s, size_t n)
{
	s->window_bytes += n;
	s->intake.taken += n;
	if (n > 0)
		s->since_ms = s->now_ms;
}

bool
intake_step(struct session *s, struct span *in)
{
	uint64_t allowed = bytes_allowed(s);
	size_t room = mending_room(s, in->n);
	struct span part = span_first(*in, allowed < room ? (size_t)allowed : room);
	enum reply why = s->intake.fault;
	size_t n = part.n;
	bool went;

	if (s->intake.whole) {
		finish(s);
		return true;
	}
	if (allowed == 0 && in->n > 0) {
		say_and_close(s, why != REPLY_NONE ? why : REPLY_TOO_BIG);
		return true;
	}
	went = s->state == S_DATA ? data_step(s, &part) : chunk_step(s, &part);
	n -= part.n;
	*in = span_after(*in, n);
	if (!(s->state & (S_DATA | S_CHUNK)))
		return true;
	count_taken(s, n);
	if (s->want == SESSION_WANT_INPUT && !s->intake.whole && too_slow(s))
		return true;
	return went || (n > 0 && in->n > 0);
}
