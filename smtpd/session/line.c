#include "smtpd/session/inner.h"

static size_t
line_bytes_max(const struct session *s, struct span in)
{
	const struct session_limits *limits = &s->policy->limits;

	if (s->state == S_AUTH || span_starts_nocase(in, SPAN("AUTH ")))
		return limits->auth_line_bytes_max;
	return limits->line_bytes_max;
}

/* Takes what cannot be part of a CRLF still to come. */
static void
drop(struct span *in)
{
	bool cr_last = in->n > 0 && in->at[in->n - 1] == '\r';

	*in = span_after(*in, in->n - cr_last);
}

static enum line_result
drop_to_end(struct session *s, struct span *in)
{
	size_t end = span_find_span(*in, SPAN("\r\n"));

	if (end == in->n) {
		drop(in);
		return LINE_NONE;
	}
	*in = span_after(*in, end + 2);
	s->dropping_line = false;
	return LINE_LONG;
}

enum line_result
line_take(struct session *s, struct span *in, struct span *line)
{
	size_t max = line_bytes_max(s, *in);
	struct span window = span_first(*in, max);
	size_t end;

	if (s->dropping_line)
		return drop_to_end(s, in);
	end = span_find_span(window, SPAN("\r\n"));
	if (end == window.n) {
		if (in->n < max)
			return LINE_NONE;
		s->dropping_line = true;
		return drop_to_end(s, in);
	}
	*line = span_first(*in, end);
	*in = span_after(*in, end + 2);
	if (span_find(*line, '\r') < end || span_find(*line, '\n') < end ||
	    span_find(*line, '\0') < end)
		return LINE_BAD;
	return LINE_OK;
}
