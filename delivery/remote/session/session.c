#include "delivery/remote/session/inner.h"

static char *
text_dup(struct span text)
{
	return text.n > 0 ? span_dup(text) : NULL;
}

struct session *
session_new(const struct session_config *config)
{
	struct session *s = memory_new(1, sizeof(*s));

	s->helo = text_dup(config->helo);
	s->host = text_dup(config->host);
	s->user = text_dup(config->user);
	s->password = text_dup(config->password);
	s->nonce = text_dup(config->nonce);
	s->tls = config->tls;
	s->lmtp = config->lmtp;
	s->secured = config->secured;
	s->verified = config->verified;
	s->auth_without_tls = config->auth_without_tls;
	s->avoid = config->avoid;
	s->line_bytes_max = config->line_bytes_max;
	s->burst_bytes_max = config->burst_bytes_max;
	smtp_reply_init(&s->reply);
	buf_init(&s->out, OUTPUT_BYTES_MAX);
	buf_init(&s->texts, (size_t)(RELAY_RECIPIENTS_MAX + 2) * RELAY_TEXT_MAX);
	buf_init(&s->t.chunk, OUTPUT_BYTES_MAX);
	s->state = S_GREETING;
	return s;
}

static void
secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void
session_free(struct session **at)
{
	struct session *s = *at;

	*at = NULL;
	if (!s)
		return;
	login_forget(s);
	content_release(s);
	free(s->helo);
	free(s->host);
	free(s->user);
	secret_free(s->password);
	free(s->nonce);
	smtp_reply_release(&s->reply);
	buf_release(&s->out);
	buf_release(&s->texts);
	buf_release(&s->t.chunk);
	free(s->fates);
	free(s->results);
	free(s);
}

/* What a transaction leaves is given back when it is big. */
static void
transaction_leave(struct session *s)
{
	struct buf chunk;

	content_release(s);
	if (s->t.chunk.size > KEEP_BYTES)
		buf_release(&s->t.chunk);
	buf_reset(&s->t.chunk);
	chunk = s->t.chunk;
	s->t = (struct transaction){.chunk = chunk};
}

void
enter(struct session *s, enum state to)
{
	if (s->state == S_AUTH)
		login_forget(s);
	if (to == S_EHLO || to == S_HELO || to == S_TLS)
		s->offers = (struct offers){0};
	if (to == S_WHOLE || to == S_READY)
		s->uncertain = false;
	if (s->state == S_TRANSACTION || s->state == S_WHOLE) {
		if (to == S_READY || to == S_OVER) {
			results_fill(s);
			transaction_leave(s);
		}
	}
	s->state = to;
	s->turn++;
}

/* Whether the message went out whole and its fate was still to be told. */
static bool
is_uncertain(const struct session *s, enum session_end end)
{
	if (s->state != S_TRANSACTION || !s->t.all_sent || s->t.mail_refused)
		return false;
	if (end != SESSION_END_LOST && end != SESSION_END_TIMEOUT &&
	    end != SESSION_END_BROKEN)
		return false;
	for (size_t i = 0; i < s->n_results; i++)
		if (s->fates[i].step != STEP_DECIDED)
			return true;
	return false;
}

void
over(struct session *s, enum session_end end, struct verdict why)
{
	s->end = end;
	s->reason = why;
	s->uncertain = is_uncertain(s, end);
	if (s->state == S_TRANSACTION || s->state == S_WHOLE) {
		why.outcome = DELIVERY_DEFERRED;
		decide_open(s, why);
	} else {
		results_move(s);
	}
	enter(s, S_OVER);
	s->reason_result = result_make(s, &s->reason);
}

void
broken(struct session *s, const char *what)
{
	enum place place = place_now(s);

	if (place == P_NONE)
		what = "the server spoke unasked";
	over(s, SESSION_END_BROKEN,
	     verdict_at(s, STATUS(4, 5, 0), what, place, SPAN("")));
}

enum place
place_now(const struct session *s)
{
	static const enum place places[] = {
	    [S_GREETING] = P_GREETING, [S_EHLO] = P_HELLO, [S_HELO] = P_HELLO,
	    [S_STARTTLS] = P_STARTTLS, [S_TLS] = P_TLS,    [S_AUTH] = P_AUTH,
	    [S_READY] = P_NONE,        [S_WHOLE] = P_NONE, [S_OVER] = P_NONE,
	};

	if (s->state == S_TRANSACTION)
		return transaction_place(s);
	return places[s->state];
}

/* A reply is there. */
static void
answer(struct session *s)
{
	static void (*const answers[])(struct session *) = {
	    [S_GREETING] = hello_greeting, [S_EHLO] = hello_answer,
	    [S_HELO] = hello_helo_answer,  [S_STARTTLS] = hello_starttls_answer,
	    [S_AUTH] = login_answer,       [S_TRANSACTION] = transaction_answer,
	};
	enum place place = place_now(s);

	s->turn++;
	if (s->reply.code == 421)
		over(s, SESSION_END_BUSY, verdict_reply(s, place));
	else if (place == P_NONE || !answers[s->state])
		broken(s, "");
	else
		answers[s->state](s);
}

/* More than can be kept to be sent: what is there lacks a piece. */
void
output_check(struct session *s)
{
	if (!s->out.full || s->state == S_OVER)
		return;
	broken(s, "too much to send behind");
	buf_reset(&s->out);
}

void
session_input(struct session *s, struct span *in)
{
	while (in->n > 0 && s->state != S_OVER) {
		enum smtp_reply_result result;

		if (s->state == S_TLS) {
			broken(s,
			       "plain text came behind the reply to STARTTLS, before");
			return;
		}
		result = smtp_reply_feed(&s->reply, in);
		if (result == SMTP_REPLY_MORE)
			return;
		if (result == SMTP_REPLY_BAD)
			broken(s, "no SMTP reply to");
		else
			answer(s);
		smtp_reply_reset(&s->reply);
		output_check(s);
	}
}

void
session_timeout(struct session *s)
{
	if (s->state != S_OVER)
		over(s, SESSION_END_TIMEOUT,
		     verdict_at(s, STATUS(4, 4, 2), "no answer in time to",
				place_now(s), SPAN("")));
}

void
session_lost(struct session *s, struct span why)
{
	if (s->state == S_TLS)
		over(s, SESSION_END_TLS,
		     verdict_more(s, STATUS(4, 7, 5), "the TLS handshake failed", why));
	else if (s->state == S_READY)
		over(s, SESSION_END_LOST,
		     verdict_more(s, STATUS(4, 4, 2), "the connection was lost", why));
	else if (s->state != S_OVER)
		over(s, SESSION_END_LOST,
		     verdict_at(s, STATUS(4, 4, 2), "the connection was lost after",
				place_now(s), why));
}

void
session_secured(struct session *s, bool verified)
{
	ASSERT(s->state == S_TLS);
	s->secured = true;
	s->verified = verified;
	hello_send(s);
}

void
session_quit(struct session *s)
{
	if (s->state == S_OVER)
		return;
	ASSERT(s->state == S_READY);
	buf_put(&s->out, SPAN("QUIT\r\n"));
	over(s, SESSION_END_QUIT, verdict_own(s, STATUS(4, 2, 0), "we left"));
}

struct buf *
session_output(struct session *s)
{
	return &s->out;
}

enum session_wish
session_wish(const struct session *s)
{
	switch (s->state) {
	case S_TLS:
		return SESSION_TLS;
	case S_READY:
		return SESSION_READY;
	case S_WHOLE:
		return SESSION_WHOLE;
	case S_OVER:
		return SESSION_OVER;
	case S_TRANSACTION:
		if (!transaction_feeds(s))
			return SESSION_READ;
		return s->t.whole ? SESSION_FLUSH : SESSION_CONTENT;
	default:
		return SESSION_READ;
	}
}

enum session_wait
session_wait(const struct session *s, unsigned *turn)
{
	static const enum session_wait waits[] = {
	    [P_GREETING] = SESSION_WAIT_GREETING, [P_HELLO] = SESSION_WAIT_COMMAND,
	    [P_STARTTLS] = SESSION_WAIT_COMMAND,  [P_TLS] = SESSION_WAIT_TLS,
	    [P_AUTH] = SESSION_WAIT_COMMAND,      [P_RSET] = SESSION_WAIT_COMMAND,
	    [P_MAIL] = SESSION_WAIT_COMMAND,      [P_RCPT] = SESSION_WAIT_COMMAND,
	    [P_DATA] = SESSION_WAIT_COMMAND,      [P_CHUNK] = SESSION_WAIT_CONTENT,
	    [P_FINAL] = SESSION_WAIT_FINAL,       [P_CONTENT] = SESSION_WAIT_CONTENT,
	    [P_NONE] = SESSION_WAIT_NONE,
	};

	*turn = s->turn;
	return waits[place_now(s)];
}

const struct relay_result *
session_results(const struct session *s, size_t *n)
{
	*n = s->n_results;
	return s->results;
}

bool
session_uncertain(const struct session *s)
{
	return s->uncertain;
}

enum session_end
session_end(const struct session *s)
{
	return s->end;
}

const struct relay_result *
session_reason(const struct session *s)
{
	return &s->reason_result;
}

unsigned
session_offers(const struct session *s)
{
	return s->offers.set;
}

bool
session_is_secured(const struct session *s)
{
	return s->secured;
}
