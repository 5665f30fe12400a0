#include "common/smtp/smtp.h"

static const struct span newline = SPAN("\r\n");

void
dot_init(struct dot *d, bool stuffed, size_t line_bytes_max)
{
	*d = (struct dot){.stuffed = stuffed, .line_bytes_max = line_bytes_max};
}

static void
take(struct span *in, size_t n)
{
	*in = span_after(*in, n);
}

static void
count_text(struct dot *d, size_t n)
{
	if (n == 0)
		return;
	d->state = DOT_TEXT;
	d->line_bytes += n;
	if (d->line_bytes > d->line_bytes_max)
		d->faults |= DOT_FAULT_LINE;
}

/* A bare CR or LF: a line ends in what we keep, but not in the dialogue. */
static void
mend_newline(struct dot *d)
{
	d->faults |= DOT_FAULT_BARE;
	d->newline_owed = true;
	d->line_bytes = 0;
	d->state = DOT_TEXT;
}

/* The first CR or NUL of s; s.n when there is none. */
static size_t
find_odd(struct span s)
{
	s.n = span_find(s, '\r');
	return span_find(s, '\0');
}

enum scan_stop {
	SCAN_ALL,     /* the input is over, or a leading dot follows */
	SCAN_CR_LAST, /* at a CR, the last byte of the input */
	SCAN_BARE,    /* at a bare CR or LF */
	SCAN_NUL,
};

/* Goes over as many whole, sound lines as there are: *n bytes that may be handed
 * on as they are, and what stopped it. */
static enum scan_stop
scan(struct dot *d, struct span in, size_t *n)
{
	size_t at = 0;
	enum scan_stop stop = SCAN_ALL;

	while (at < in.n && stop == SCAN_ALL) {
		struct span rest = span_after(in, at);

		if (d->stuffed && d->state == DOT_LINE && rest.at[0] == '.')
			break;
		size_t lf = span_find(rest, '\n');
		size_t odd = find_odd(span_first(rest, lf));

		count_text(d, odd);
		if (lf < rest.n && odd + 1 == lf && rest.at[odd] == '\r') {
			d->state = DOT_LINE;
			d->line_bytes = 0;
			at += lf + 1;
			continue;
		}
		at += odd;
		if (odd == rest.n)
			break;
		stop = rest.at[odd] == '\0'                        ? SCAN_NUL
		       : odd + 1 == rest.n && rest.at[odd] == '\r' ? SCAN_CR_LAST
								   : SCAN_BARE;
	}
	*n = at;
	return stop;
}

/* Takes sound text and the odd byte that ends it off *in. */
static enum dot_result
next_text(struct dot *d, struct span *in, struct span *piece)
{
	size_t n;
	enum scan_stop stop = scan(d, *in, &n);
	struct span text = span_first(*in, n);

	take(in, n + (stop != SCAN_ALL));
	if (stop == SCAN_CR_LAST) {
		d->state = DOT_CR;
	} else if (stop == SCAN_BARE) {
		mend_newline(d);
	} else if (stop == SCAN_NUL) {
		d->faults |= DOT_FAULT_NUL;
		d->state = DOT_TEXT;
	}
	if (n == 0)
		return DOT_MORE;
	*piece = text;
	return DOT_PIECE;
}

/* A CR was held back: the next byte tells what it was. */
static void
resolve_cr(struct dot *d, struct span *in)
{
	if (in->at[0] != '\n') {
		mend_newline(d);
		return;
	}
	take(in, 1);
	d->newline_owed = true;
	d->line_bytes = 0;
	d->state = DOT_LINE;
}

/* One step in a state that holds something back, or at the start of a line. */
static enum dot_result
next(struct dot *d, struct span *in, struct span *piece)
{
	char c = in->at[0];

	switch (d->state) {
	case DOT_LINE:
		if (!d->stuffed || c != '.')
			return next_text(d, in, piece);
		take(in, 1);
		d->state = DOT_DOT;
		break;
	case DOT_TEXT:
		return next_text(d, in, piece);
	case DOT_CR:
		resolve_cr(d, in);
		break;
	case DOT_DOT:
		d->state = c == '\r' ? DOT_DOT_CR : DOT_TEXT;
		take(in, c == '\r');
		break;
	case DOT_DOT_CR:
		if (c != '\n') {
			mend_newline(d);
			break;
		}
		take(in, 1);
		return DOT_END;
	}
	return DOT_MORE;
}

enum dot_result
dot_next(struct dot *d, struct span *in, struct span *piece)
{
	for (;;) {
		enum dot_result result;

		if (d->newline_owed) {
			d->newline_owed = false;
			*piece = newline;
			return DOT_PIECE;
		}
		if (in->n == 0)
			return DOT_MORE;
		result = next(d, in, piece);
		if (result != DOT_MORE)
			return result;
	}
}

struct span
dot_finish(struct dot *d)
{
	bool bare = d->state == DOT_CR;

	if (bare)
		d->faults |= DOT_FAULT_BARE;
	return bare || d->line_bytes > 0 ? newline : span_first(newline, 0);
}

/* The text of a line, up to its CR or LF, which is taken off too. */
static void
put_text(struct dot_put *d, struct buf *out, struct span *body)
{
	size_t lf = span_find(*body, '\n');
	struct span text = span_first(*body, lf);

	text = span_first(text, span_find(text, '\r'));
	if (d->state == DOT_PUT_LINE && text.n > 0 && text.at[0] == '.')
		buf_put_char(out, '.');
	buf_put(out, text);
	if (text.n > 0)
		d->state = DOT_PUT_TEXT;
	take(body, text.n);
	if (body->n == 0)
		return;
	if (body->at[0] == '\r') {
		d->state = DOT_PUT_CR;
	} else {
		buf_put(out, newline);
		d->state = DOT_PUT_LINE;
	}
	take(body, 1);
}

void
dot_put(struct dot_put *d, struct buf *out, struct span body)
{
	while (body.n > 0) {
		if (d->state != DOT_PUT_CR) {
			put_text(d, out, &body);
			continue;
		}
		buf_put(out, newline);
		d->state = DOT_PUT_LINE;
		take(&body, body.at[0] == '\n');
	}
}

void
dot_put_end(struct dot_put *d, struct buf *out)
{
	if (d->state != DOT_PUT_LINE)
		buf_put(out, newline);
	d->state = DOT_PUT_LINE;
	buf_put(out, SPAN(".\r\n"));
}
