/* A text with the values of its keys. */
#include "common/dsn/internal.h"

#define LINE_BYTES_MAX (16u << 10)

static const char *const names[DSN_KEYS] = {
    [DSN_KEY_HOSTNAME] = "hostname",
    [DSN_KEY_POSTMASTER] = "postmaster",
    [DSN_KEY_SENDER] = "sender",
    [DSN_KEY_RECIPIENTS] = "recipients",
    [DSN_KEY_SUBJECT] = "subject",
    [DSN_KEY_DATE] = "date",
    [DSN_KEY_ID] = "id",
    [DSN_KEY_UNTIL] = "until",
    [DSN_KEY_TITLE] = "title",
    [DSN_KEY_TEXT] = "text",
    [DSN_KEY_NAME] = "name",
    [DSN_KEY_USED] = "used",
    [DSN_KEY_LIMIT] = "limit",
    [DSN_KEY_PERCENT] = "percent",
    [DSN_KEY_ROWS] = "rows",
    [DSN_KEY_RECIPIENT] = "recipient",
    [DSN_KEY_FINAL] = "final",
    [DSN_KEY_REASON] = "reason",
    [DSN_KEY_ADVICE] = "advice",
    [DSN_KEY_DETAIL] = "detail",
    [DSN_KEY_SERVER] = "server",
    [DSN_KEY_REPLY] = "reply",
    [DSN_KEY_TRIED] = "tried",
};

static enum dsn_key
key_find(struct span name)
{
	unsigned i = 0;

	while (i < DSN_KEYS && !span_equal(name, span_str(names[i])))
		i++;
	return (enum dsn_key)i;
}

bool
key_next(struct span *rest, struct span *before, struct key_place *key)
{
	size_t at = span_find(*rest, '$'), n = 0;
	struct span name;

	*before = span_first(*rest, at);
	if (at == rest->n) {
		*rest = span_after(*rest, at);
		return false;
	}
	name = span_after(*rest, at + 1);
	while (n < name.n && name.at[n] >= 'a' && name.at[n] <= 'z')
		n++;
	*key = (struct key_place){key_find(span_first(name, n)), span_first(name, n)};
	*rest = span_after(name, n);
	return true;
}

/* False when the line has keys and all of them are empty. */
static bool
line_expand(struct buf *out, struct span line, const struct span values[DSN_KEYS])
{
	bool keys = false, filled = false;
	struct key_place key;
	struct span before;

	while (key_next(&line, &before, &key)) {
		buf_put(out, before);
		if (key.key == DSN_KEYS)
			continue; /* dsn_templates_parse() lets none pass */
		buf_put(out, values[key.key]);
		keys = true;
		filled |= values[key.key].n > 0;
	}
	buf_put(out, before);
	return filled || !keys;
}

void
dsn_expand_line(struct buf *out, struct span line, const struct span values[DSN_KEYS])
{
	(void)line_expand(out, line, values);
}

/* An empty line goes out before the next one that is not, and never at the front. */
struct lines {
	struct buf *out;
	size_t start;
	bool gap;
};

static void
line_begin(struct lines *l)
{
	if (l->gap && l->out->n > l->start)
		buf_put(l->out, SPAN("\r\n"));
	l->gap = false;
}

static bool
block_put(struct lines *l, struct span line, const struct span values[DSN_KEYS])
{
	struct span block = SPAN("");

	if (span_equal(line, SPAN("$rows")))
		block = values[DSN_KEY_ROWS];
	else if (span_equal(line, SPAN("$text")))
		block = values[DSN_KEY_TEXT];
	else
		return false;
	line_begin(l);
	buf_put(l->out, block);
	return true;
}

void
dsn_expand(struct buf *out, struct span text, const struct span values[DSN_KEYS])
{
	struct buf line = buf_make(LINE_BYTES_MAX);
	struct lines l = {.out = out, .start = out->n};

	while (text.n > 0) {
		struct span raw = span_trim(span_cut(&text, '\n'), "\r");

		if (span_starts(raw, SPAN("#")) ||
		    block_put(&l, span_trim(raw, " "), values))
			continue;
		buf_reset(&line);
		if (!line_expand(&line, raw, values))
			continue;
		if (span_trim(buf_span(&line), " ").n == 0) {
			l.gap = true;
			continue;
		}
		line_begin(&l);
		dsn_line_put(out, buf_span(&line));
	}
	buf_release(&line);
}
