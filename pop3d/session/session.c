#include "pop3d/session/inner.h"

const struct pop3_limits pop3_limits_default = {
    .line_bytes_max = 512,
    .output_high = 128u << 10,
    .piece_bytes = 64u << 10,
    .errors_max = 20,
    .long_lines_max = 3,
    .commands_per_step = 50,
};

struct pop3 *
pop3_new(const struct pop3_limits *limits, struct pop3_message *messages, size_t n)
{
	struct pop3 *s = memory_new(1, sizeof(*s));

	s->limits = limits;
	s->messages = messages;
	s->n = n;
	s->reason = "";
	for (size_t i = 0; i < n; i++)
		s->bytes += messages[i].bytes;
	return s;
}

void
pop3_free(struct pop3 **s)
{
	if (!*s)
		return;
	free((*s)->messages);
	free(*s);
	*s = NULL;
}

void
pop3_enter(struct pop3 *s, enum pop3_state to)
{
	if (to == P_COMMAND || to == P_LISTING) {
		s->ask = (struct pop3_ask){0};
		s->listing_at = 0;
	}
	s->state = to;
}

static void
close_for(struct pop3 *s, const char *reason)
{
	s->reason = reason;
	pop3_enter(s, P_CLOSED);
}

void
pop3_wrong(struct pop3 *s, const char *reply, struct buf *out)
{
	buf_put_str(out, reply);
	if (++s->errors < s->limits->errors_max)
		return;
	buf_put_str(out, "-ERR too many errors\r\n");
	close_for(s, "too many errors");
}

void
pop3_open(struct pop3 *s, struct buf *out)
{
	buf_putf(out, "+OK %zu messages in %llu octets\r\n", s->n,
		 (unsigned long long)s->bytes);
}

/* In the middle of a message nothing can be said that is not taken for mail. */
static void
end(struct pop3 *s, const char *reply, const char *reason, struct buf *out)
{
	if (s->state == P_CLOSED || s->state == P_ABORTED)
		return;
	s->reason = reason;
	if (s->state != P_COMMAND) {
		pop3_enter(s, P_ABORTED);
		return;
	}
	buf_put_str(out, reply);
	pop3_enter(s, P_CLOSED);
}

void
pop3_timeout(struct pop3 *s, struct buf *out)
{
	end(s, "-ERR you were silent for too long\r\n", "timeout", out);
}

void
pop3_stop(struct pop3 *s, struct buf *out)
{
	end(s, "-ERR [SYS/TEMP] the server stops, nothing was deleted\r\n", "stopping",
	    out);
}

void
pop3_bar(struct pop3 *s, struct buf *out)
{
	end(s,
	    "-ERR [AUTH] the account was closed, its password changed, or its mail "
	    "came back from a backup: nothing was deleted\r\n",
	    "account closed", out);
}

/* --- answers -------------------------------------------------------------- */

void
pop3_answer_message(struct pop3 *s, enum pop3_message_answer answer, struct buf *out)
{
	static const char *const replies[] = {
	    [POP3_MESSAGE_GONE] = "-ERR [SYS/PERM] another session deleted it\r\n",
	    [POP3_MESSAGE_DAMAGED] = "-ERR [SYS/PERM] the message is damaged\r\n",
	    [POP3_MESSAGE_FAULT] = "-ERR [SYS/TEMP] it cannot be read now\r\n",
	};
	const struct pop3_message *m = &s->messages[s->current];

	ASSERT(s->state == P_MESSAGE);
	if (answer != POP3_MESSAGE_OK) {
		buf_put_str(out, replies[answer]);
		pop3_enter(s, P_COMMAND);
		return;
	}
	if (s->top)
		buf_put_str(out, "+OK\r\n");
	else
		buf_putf(out, "+OK %llu octets\r\n", (unsigned long long)m->bytes);
	s->ask.n = s->limits->piece_bytes;
	pop3_enter(s, m->bytes > 0 ? P_BYTES : P_DONE);
	if (m->bytes == 0)
		pop3_send_end(&s->send, out);
}

void
pop3_answer_bytes(struct pop3 *s, struct span bytes, struct buf *out)
{
	const struct pop3_message *m = &s->messages[s->current];
	uint64_t left = m->bytes - s->ask.offset;
	size_t before = out->n;

	ASSERT(s->state == P_BYTES);
	if (bytes.n == 0) {
		s->reason = "a message could not be read to its end";
		pop3_enter(s, P_ABORTED);
		return;
	}
	bytes = span_first(bytes, left < bytes.n ? (size_t)left : bytes.n);
	pop3_send_bytes(&s->send, bytes, out);
	s->ask.offset += bytes.n;
	if (s->ask.offset == m->bytes || s->send.done) {
		pop3_send_end(&s->send, out);
		s->totals.retrieved += !s->top;
		pop3_enter(s, P_DONE);
	}
	s->totals.bytes += out->n - before;
}

void
pop3_answer_update(struct pop3 *s, bool ok, struct buf *out)
{
	ASSERT(s->state == P_UPDATE);
	if (ok)
		s->totals.deleted = s->n_deleted;
	buf_put_str(out,
		    ok ? "+OK bye\r\n"
		       : "-ERR [SYS/TEMP] the deleted messages were not removed\r\n");
	close_for(s, ok ? "quit" : "update failed");
}

/* --- the dialogue --------------------------------------------------------- */

static void
take(struct pop3 *s, enum crlf_result got, struct span line, struct buf *out)
{
	if (got == CRLF_LINE) {
		pop3_command(s, line, out);
	} else if (got == CRLF_BAD) {
		pop3_wrong(s, "-ERR a bare CR, a bare LF or a NUL\r\n", out);
	} else if (++s->long_lines < s->limits->long_lines_max) {
		pop3_wrong(s, "-ERR line too long\r\n", out);
	} else {
		buf_put_str(out, "-ERR line too long\r\n");
		close_for(s, "too many long lines");
	}
}

/* Commands, as long as they lead to nothing that the caller has to do. */
static enum pop3_want
commands(struct pop3 *s, struct span *in, struct buf *out)
{
	for (unsigned i = 0; i < s->limits->commands_per_step; i++) {
		struct span line = {0};
		enum crlf_result got;

		if (out->n >= s->limits->output_high)
			return POP3_WANT_FLUSH;
		got = crlf_take(&s->lines, s->limits->line_bytes_max, in, &line);
		if (got == CRLF_MORE)
			return POP3_WANT_INPUT;
		take(s, got, line, out);
		if (s->state == P_LISTING)
			pop3_list_on(s, out);
		if (s->state != P_COMMAND)
			break;
	}
	return POP3_WANT_TURN;
}

enum pop3_want
pop3_step(struct pop3 *s, struct span *in, struct buf *out)
{
	/* What the state asks of the caller; P_COMMAND goes on instead. */
	static const enum pop3_want wants[] = {
	    [P_COMMAND] = POP3_WANT_TURN,    [P_LISTING] = POP3_WANT_FLUSH,
	    [P_MESSAGE] = POP3_WANT_MESSAGE, [P_BYTES] = POP3_WANT_BYTES,
	    [P_DONE] = POP3_WANT_DONE,       [P_UPDATE] = POP3_WANT_UPDATE,
	    [P_CLOSED] = POP3_WANT_CLOSE,    [P_ABORTED] = POP3_WANT_ABORT,
	};
	enum pop3_want want = POP3_WANT_TURN;

	if (s->state == P_LISTING)
		pop3_list_on(s, out);
	if (s->state == P_COMMAND)
		want = commands(s, in, out);
	if (s->state == P_COMMAND)
		return want;
	if (s->state == P_BYTES && out->n >= s->limits->output_high)
		return POP3_WANT_FLUSH;
	want = wants[s->state];
	if (s->state == P_DONE)
		pop3_enter(s, P_COMMAND);
	return want;
}

/* --- questions ------------------------------------------------------------ */

const struct pop3_ask *
pop3_ask(const struct pop3 *s)
{
	return &s->ask;
}

bool
pop3_next_deleted(const struct pop3 *s, size_t *at, uint32_t *uid)
{
	while (*at < s->n && !s->messages[*at].deleted)
		(*at)++;
	if (*at == s->n)
		return false;
	*uid = s->messages[(*at)++].uid;
	return true;
}

struct pop3_totals
pop3_totals(const struct pop3 *s)
{
	return s->totals;
}

size_t
pop3_messages(const struct pop3 *s, uint64_t *bytes)
{
	*bytes = s->bytes;
	return s->n;
}

const char *
pop3_reason(const struct pop3 *s)
{
	return s->reason;
}
