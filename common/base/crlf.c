#include "common/base/base.h"

static enum crlf_result
drop(struct crlf *c, struct span *in)
{
	size_t end = span_find_span(*in, SPAN("\r\n"));

	c->dropping = end == in->n;
	if (!c->dropping) {
		*in = span_after(*in, end + 2);
		return CRLF_LONG;
	}
	/* A CR at the end may be half of the CRLF. */
	*in = span_after(*in, in->n - (in->n > 0 && in->at[in->n - 1] == '\r'));
	return CRLF_MORE;
}

enum crlf_result
crlf_take(struct crlf *c, size_t max, struct span *in, struct span *line)
{
	struct span window = span_first(*in, max);
	size_t end;

	if (c->dropping)
		return drop(c, in);
	end = span_find_span(window, SPAN("\r\n"));
	if (end == window.n)
		return in->n < max ? CRLF_MORE : drop(c, in);
	*line = span_first(*in, end);
	*in = span_after(*in, end + 2);
	if (span_find(*line, '\r') < end || span_find(*line, '\n') < end ||
	    span_find(*line, '\0') < end)
		return CRLF_BAD;
	return CRLF_LINE;
}
