/* How long each thing may take, and what is said when it took longer. */
#include "smtpd/session/inner.h"

static uint64_t
login_deadline_ms(const struct session *s)
{
	bool owed = s->policy->login_required && !s->login;

	return owed ? s->open_ms + s->policy->limits.login_ms : UINT64_MAX;
}

/* What a peer can stretch by doing a little of everything has an end, too. */
uint64_t
session_over_ms(const struct session *s)
{
	bool message = s->state & (S_MAIL | S_RCPT | S_BDAT | S_DATA | S_CHUNK);

	return (message ? s->mail_ms : s->open_ms) + s->policy->limits.session_ms;
}

static uint64_t
wait_deadline_ms(const struct session *s)
{
	const struct session_limits *l = &s->policy->limits;
	uint64_t wait_ms = s->state == S_START ? l->hello_ms : l->command_ms;
	uint64_t command_ms = s->since_ms + wait_ms;
	uint64_t login_ms = login_deadline_ms(s);

	if (s->state == S_CONNECT)
		return s->since_ms + l->greet_ms;
	if (s->state & (S_DATA | S_CHUNK))
		return s->window_ms + l->data_window_ms;
	return command_ms < login_ms ? command_ms : login_ms;
}

static uint64_t
input_deadline_ms(const struct session *s)
{
	uint64_t wait_ms = wait_deadline_ms(s), over_ms = session_over_ms(s);

	return wait_ms < over_ms ? wait_ms : over_ms;
}

uint64_t
session_deadline_ms(const struct session *s)
{
	const struct session_limits *l = &s->policy->limits;

	switch (s->want) {
	case SESSION_WANT_INPUT:
		return input_deadline_ms(s);
	case SESSION_WANT_PAUSE:
		return s->pause_until_ms;
	case SESSION_WANT_FLUSH:
	case SESSION_WANT_CLOSE:
		return s->since_ms + l->command_ms;
	case SESSION_WANT_TLS:
		return s->since_ms + l->tls_ms;
	case SESSION_WANT_SENDER:
	case SESSION_WANT_RCPT:
	case SESSION_WANT_AUTH:
	case SESSION_WANT_BEGIN:
	case SESSION_WANT_PIECE:
	case SESSION_WANT_END:
	case SESSION_WANT_ABORT:
		return s->since_ms + l->answer_ms;
	}
	return UINT64_MAX;
}

static void
input_timeout(struct session *s)
{
	const struct session_limits *l = &s->policy->limits;

	if (s->state == S_CONNECT) {
		greet(s);
	} else if (s->now_ms >= session_over_ms(s)) {
		say_and_close(s, REPLY_SESSION_OVER);
	} else if (!(s->state & (S_DATA | S_CHUNK))) {
		say_and_close(s, REPLY_TIMEOUT);
	} else if (s->window_bytes < l->data_window_bytes) {
		say_and_close(s, REPLY_TOO_SLOW);
	} else {
		s->window_ms = s->now_ms;
		s->window_bytes = 0;
	}
}

void
session_timeout(struct session *s, uint64_t now_ms)
{
	if (now_ms < session_deadline_ms(s))
		return;
	s->now_ms = now_ms;
	switch (s->want) {
	case SESSION_WANT_INPUT:
		input_timeout(s);
		break;
	case SESSION_WANT_PAUSE:
		s->want = SESSION_WANT_INPUT;
		s->since_ms = now_ms;
		break;
	case SESSION_WANT_CLOSE:
		break;
	case SESSION_WANT_FLUSH:
	case SESSION_WANT_TLS:
		say_and_close(s, REPLY_TIMEOUT);
		break;
	default:
		say_and_close(s, REPLY_NO_ANSWER);
		break;
	}
}
