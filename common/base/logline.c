#include "common/base/base.h"

#include <inttypes.h>

static logline_sink *the_sink;
static enum logline_level the_level = LOGLINE_INFO;

void
logline_set_sink(logline_sink *sink)
{
	the_sink = sink;
}

void
logline_set_level(enum logline_level most_verbose)
{
	the_level = most_verbose;
}

static bool
needs_quotes(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.at[i] == ' ' || s.at[i] == '"' || s.at[i] == '=')
			return true;
	return s.n == 0;
}

static void
put_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.at[i];

		if (c == '"' || c == '\\') {
			buf_put_char(out, '\\');
			buf_put_char(out, c);
		} else if (c >= ' ' && c <= '~') {
			buf_put_char(out, c);
		} else {
			buf_putf(out, "\\x%02x", (unsigned)(uint8_t)c);
		}
	}
}

static void
put_text(struct buf *out, struct span s)
{
	bool quotes = needs_quotes(s);
	bool cut = s.n > LOGLINE_VALUE_MAX;

	if (quotes)
		buf_put_char(out, '"');
	put_escaped(out, span_first(s, LOGLINE_VALUE_MAX));
	if (cut)
		buf_put_str(out, "...");
	if (quotes)
		buf_put_char(out, '"');
}

static void
put_field(struct buf *out, const struct logfield *field)
{
	buf_putf(out, " %s=", field->key);
	switch (field->kind) {
	case LOGFIELD_SPAN:
		put_text(out, field->text);
		break;
	case LOGFIELD_U64:
		buf_putf(out, "%" PRIu64, field->number);
		break;
	case LOGFIELD_I64:
		buf_putf(out, "%" PRId64, (int64_t)field->number);
		break;
	case LOGFIELD_HEX:
		buf_putf(out, "%" PRIx64, field->number);
		break;
	}
}

void
logline_format(struct buf *out, const char *event, const struct logfield *fields,
	       size_t n)
{
	buf_put_str(out, event);
	for (size_t i = 0; i < n; i++)
		put_field(out, &fields[i]);
}

void
logline_fields(enum logline_level level, const char *event,
	       const struct logfield *fields, size_t n)
{
	static _Thread_local struct buf line = {.max = LOGLINE_MAX};

	if (!the_sink || level > the_level)
		return;
	buf_reset(&line);
	logline_format(&line, event, fields, n);
	the_sink(level, buf_span(&line));
}
