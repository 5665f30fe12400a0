#include "common/smtp/smtp.h"

void
mend_init(struct mend *m, struct span date, struct span message_id)
{
	*m = (struct mend){.date = date, .message_id = message_id};
}

static void
put_held(struct mend *m, struct buf *out)
{
	buf_put(out, span_make(m->held, m->n_held));
	m->n_held = 0;
}

/* False when there is no room for one more. */
static bool
hold(struct mend *m, char c)
{
	if (m->n_held == sizeof(m->held))
		return false;
	m->held[m->n_held++] = c;
	return true;
}

static bool
put_missing(struct mend *m, struct buf *out)
{
	if (!m->has_date)
		buf_put(out, m->date);
	if (!m->has_message_id)
		buf_put(out, m->message_id);
	return !m->has_date || !m->has_message_id;
}

/* The header is over at an empty line, whose CR is held. */
static void
end_at_empty_line(struct mend *m, struct buf *out)
{
	(void)put_missing(m, out);
	put_held(m, out);
	m->state = MEND_OVER;
}

/* It is over at a line that is no field, of which a part may be held. */
static void
end_at_text(struct mend *m, struct buf *out)
{
	if (put_missing(m, out))
		buf_put_str(out, "\r\n");
	put_held(m, out);
	m->state = MEND_OVER;
}

/* A name that is held, and the colon behind it. */
static void
field_begins(struct mend *m, struct buf *out)
{
	struct span name = span_trim(span_make(m->held, m->n_held), " \t");

	m->begun = true;
	m->has_date |= span_equal_nocase(name, SPAN("date"));
	m->has_message_id |= span_equal_nocase(name, SPAN("message-id"));
	m->dropping = span_equal_nocase(name, SPAN("bcc")) ||
		      span_equal_nocase(name, SPAN("resent-bcc"));
	m->state = m->dropping ? MEND_DROP : MEND_FIELD;
	if (m->dropping) {
		m->n_held = 0;
		return;
	}
	put_held(m, out);
	buf_put_char(out, ':');
}

/* mbox's first line stays, and is no field. */
static bool
is_mbox(const struct mend *m)
{
	return !m->begun &&
	       span_equal_nocase(span_make(m->held, m->n_held), SPAN("from"));
}

static void
text_begins(struct mend *m, char c, struct buf *out)
{
	end_at_text(m, out);
	buf_put_char(out, c);
}

static void
name_byte(struct mend *m, char c, struct buf *out)
{
	bool space = c == ' ' || c == '\t';

	if (c == ':') {
		field_begins(m, out);
	} else if (space && m->state == MEND_NAME && is_mbox(m)) {
		put_held(m, out);
		buf_put_char(out, c);
		m->begun = true;
		m->state = MEND_FIELD;
	} else if ((!space && (m->state == MEND_COLON || c < 33 || c == 127)) ||
		   !hold(m, c)) {
		text_begins(m, c, out);
	} else if (space) {
		m->state = MEND_COLON;
	}
}

/* A byte at the start of a line decides what the line is. */
static void
line_start(struct mend *m, char c, struct buf *out)
{
	bool folded = c == ' ' || c == '\t';

	if (c == '\r') {
		m->state = MEND_CR;
		(void)hold(m, c);
	} else if (folded && m->begun) {
		m->state = m->dropping ? MEND_DROP : MEND_FIELD;
		if (!m->dropping)
			buf_put_char(out, c);
	} else if (folded) {
		text_begins(m, c, out);
	} else {
		m->dropping = false;
		m->state = MEND_NAME;
		name_byte(m, c, out);
	}
}

static void
step(struct mend *m, char c, struct buf *out)
{
	switch (m->state) {
	case MEND_LINE:
		line_start(m, c, out);
		break;
	case MEND_NAME:
	case MEND_COLON:
		name_byte(m, c, out);
		break;
	case MEND_CR:
		end_at_empty_line(m, out);
		__attribute__((fallthrough));
	case MEND_FIELD:
	case MEND_DROP:
	case MEND_OVER:
		buf_put_char(out, c);
		break;
	}
}

/* The rest of a line, up to and with its LF. */
static void
rest_of_line(struct mend *m, struct span *bytes, struct buf *out)
{
	size_t lf = span_find(*bytes, '\n');
	size_t n = lf < bytes->n ? lf + 1 : lf;

	if (m->state == MEND_FIELD)
		buf_put(out, span_first(*bytes, n));
	*bytes = span_after(*bytes, n);
	if (n > lf)
		m->state = MEND_LINE;
}

void
mend_feed(struct mend *m, struct span bytes, struct buf *out)
{
	while (bytes.n > 0 && m->state != MEND_OVER) {
		if (m->state == MEND_FIELD || m->state == MEND_DROP) {
			rest_of_line(m, &bytes, out);
			continue;
		}
		step(m, bytes.at[0], out);
		bytes = span_after(bytes, 1);
	}
	buf_put(out, bytes);
}

void
mend_end(struct mend *m, struct buf *out)
{
	if (m->state == MEND_FIELD)
		buf_put_str(out, "\r\n"); /* the last line lacks its end */
	if (m->state == MEND_NAME || m->state == MEND_COLON)
		end_at_text(m, out);
	else if (m->state != MEND_OVER)
		end_at_empty_line(m, out);
	m->state = MEND_OVER;
}
