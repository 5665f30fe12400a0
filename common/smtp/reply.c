#include "common/smtp/smtp.h"

void
smtp_reply_init(struct smtp_reply *r)
{
	*r = (struct smtp_reply){0};
	buf_init(&r->text, (size_t)SMTP_REPLY_LINE_BYTES_MAX * SMTP_REPLY_LINES_MAX);
}

void
smtp_reply_release(struct smtp_reply *r)
{
	buf_release(&r->text);
}

void
smtp_reply_reset(struct smtp_reply *r)
{
	buf_reset(&r->text);
	r->code = 0;
	r->lines = 0;
	memset(r->enhanced, 0, sizeof(r->enhanced));
}

/* "5.1.1" at the front of the text, of the class of the code [RFC3463 2]. */
static void
note_enhanced(struct smtp_reply *r, struct span text)
{
	struct span word = span_first(text, span_find(text, ' '));
	unsigned parts[3];

	for (size_t i = 0; i < 3; i++) {
		struct span part = i < 2 ? span_cut(&word, '.') : word;
		uint64_t value;

		if (!number_parse(part, 999, &value))
			return;
		parts[i] = (unsigned)value;
	}
	if (parts[0] == r->code / 100)
		memcpy(r->enhanced, parts, sizeof(parts));
}

/* A whole line without its CRLF. */
static enum smtp_reply_result
take_line(struct smtp_reply *r, struct span line)
{
	uint64_t code;
	bool last;

	if (line.n < 3 || !number_parse(span_first(line, 3), 599, &code) || code < 200)
		return SMTP_REPLY_BAD;
	if ((r->lines > 0 && r->code != code) || ++r->lines > SMTP_REPLY_LINES_MAX)
		return SMTP_REPLY_BAD;
	if (line.n > 3 && line.at[3] != ' ' && line.at[3] != '-')
		return SMTP_REPLY_BAD;
	last = line.n == 3 || line.at[3] == ' ';
	line = span_after(line, 4);
	r->code = (unsigned)code;
	note_enhanced(r, line);
	buf_put(&r->text, line);
	buf_put_char(&r->text, '\n');
	return last ? SMTP_REPLY_DONE : SMTP_REPLY_MORE;
}

enum smtp_reply_result
smtp_reply_feed(struct smtp_reply *r, struct span *in)
{
	enum smtp_reply_result result = SMTP_REPLY_MORE;

	while (result == SMTP_REPLY_MORE) {
		size_t lf = span_find(*in, '\n');
		struct span line = span_first(*in, lf ? lf - 1 : 0);

		if (lf >= SMTP_REPLY_LINE_BYTES_MAX)
			return SMTP_REPLY_BAD;
		if (lf == in->n)
			break;
		if (lf == 0 || in->at[lf - 1] != '\r' || span_find(line, '\r') < line.n)
			return SMTP_REPLY_BAD;
		*in = span_after(*in, lf + 1);
		result = take_line(r, line);
	}
	return result;
}

struct span
smtp_reply_line(struct span *rest)
{
	return span_cut(rest, '\n');
}

bool
smtp_reply_offers(const struct smtp_reply *r, struct span keyword, struct span *args)
{
	struct span rest = buf_span(&r->text);

	smtp_reply_line(&rest); /* the greeting */
	while (rest.n > 0) {
		struct span line = smtp_reply_line(&rest);

		if (!span_equal_nocase(smtp_word(&line), keyword))
			continue;
		*args = span_trim(line, " ");
		return true;
	}
	return false;
}
