#include "smtpd/session/inner.h"

void
cmd_data(struct session *s, struct span args)
{
	(void)args;
	if (s->state == S_MAIL) {
		say(s,
		    s->policy->kind == SESSION_LMTP ? REPLY_SEQUENCE : REPLY_NO_RCPTS);
		return;
	}
	s->intake.chunked = false;
	s->want = SESSION_WANT_BEGIN;
}

/* "n [LAST]" [RFC3030 2]. */
static bool
parse_chunk(struct span args, uint64_t *n, bool *last)
{
	struct span number = smtp_word(&args);
	struct span word = smtp_word(&args);

	*last = span_equal_nocase(word, SPAN("LAST"));
	return (word.n == 0 || *last) && args.n == 0 &&
	       number_parse(number, UINT64_MAX / 2, n);
}

static void
take_chunk(struct session *s)
{
	if (s->state == S_RCPT)
		s->want = SESSION_WANT_BEGIN;
	else if (s->state == S_BDAT)
		chunk_begin(s);
	else
		chunk_refuse(s, s->state == S_MAIL ? REPLY_NO_RCPTS : REPLY_SEQUENCE,
			     s->state);
}

/* The bytes of a chunk follow whatever we think of it [RFC3030 2], and without
 * its size nobody knows where the next command starts. */
void
cmd_bdat(struct session *s, struct span args)
{
	struct intake *in = &s->intake;
	const struct session_limits *limits = &s->policy->limits;
	uint64_t n;
	bool last;

	if (!parse_chunk(args, &n, &last)) {
		say_and_close(s, REPLY_BAD_CHUNK);
	} else if (++s->chunks > limits->chunks_max) {
		say_and_close(s, REPLY_TOO_MANY_CHUNKS);
	} else if (n > limits->message_bytes_max + limits->swallow_bytes_max) {
		say_and_close(s, REPLY_TOO_BIG);
	} else {
		in->chunked = true;
		in->chunk_bytes = in->chunk_left = n;
		in->chunk_last = last;
		take_chunk(s);
	}
}
