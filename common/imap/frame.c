#include "common/imap/frame.h"

#define TAG_KEPT 128 /* of a bad line: enough for its tag */

enum state {
	F_LINE,
	F_ASKED,   /* a literal is announced */
	F_LITERAL, /* `left` bytes go into the frame */
	F_DROP_LITERAL,
	F_DROP_LINE,
	F_ENDED, /* the command is over, `ending` not yet said */
	F_SAID,  /* imap_frame_next() is due */
	F_LOST,
};

void
imap_frame_init(struct imap_frame *f, const struct imap_frame_limits *limits)
{
	*f = (struct imap_frame){.limits = *limits, .state = F_LINE};
	buf_init(&f->bytes, limits->frame_bytes_max);
}

void
imap_frame_release(struct imap_frame *f)
{
	buf_release(&f->bytes);
}

struct span
imap_frame(const struct imap_frame *f)
{
	return buf_span(&f->bytes);
}

const struct imap_literal *
imap_frame_literal(const struct imap_frame *f)
{
	return &f->literal;
}

void
imap_frame_next(struct imap_frame *f)
{
	ASSERT(f->state == F_SAID || f->state == F_ENDED || f->state == F_LOST);
	buf_release(&f->bytes);
	f->line = 0;
	f->dropped = 0;
	if (f->state != F_LOST)
		f->state = F_LINE;
}

/* --- literals ------------------------------------------------------------- */

enum announced {
	NO_LITERAL,
	A_LITERAL,
	ABSURD, /* not synchronising, and no number can hold its size */
};

/* What the end of a line, without its CRLF, announces. `cut`: there was more before
 * it, which may have been the '{' of a number without end. */
static enum announced
announced(struct span line, bool cut, struct imap_literal *out)
{
	struct span digits = line;
	bool sync = true, known;
	size_t start;
	uint64_t bytes;

	if (digits.n < 3 || digits.at[--digits.n] != '}')
		return NO_LITERAL;
	if (digits.at[digits.n - 1] == '+') {
		sync = false;
		digits.n--;
	}
	for (start = digits.n; start > 0 && ascii_digit(digits.at[start - 1]);)
		start--;
	if (start == digits.n || (start == 0 && !(cut && !sync)) ||
	    (start > 0 && digits.at[start - 1] != '{'))
		return NO_LITERAL;
	known =
	    start > 0 && number_parse(span_after(digits, start), UINT64_MAX, &bytes);
	if (!sync && (!known || bytes > INT64_MAX))
		return ABSURD;
	*out = (struct imap_literal){
	    .bytes = known ? bytes : UINT64_MAX,
	    .sync = sync,
	    .binary = start > 1 && digits.at[start - 2] == '~',
	};
	return A_LITERAL;
}

bool
imap_frame_accept(struct imap_frame *f)
{
	size_t room = f->limits.frame_bytes_max - f->bytes.n;

	ASSERT(f->state == F_ASKED);
	if (f->literal.bytes > f->limits.literal_bytes_max || room < 2 ||
	    f->literal.bytes > room - 2)
		return false;
	f->left = f->literal.bytes;
	f->state = F_LITERAL;
	return true;
}

void
imap_frame_take(struct imap_frame *f)
{
	ASSERT(f->state == F_ASKED);
	f->line = f->bytes.n;
	f->state = F_LINE;
}

static bool
may_drop(struct imap_frame *f, uint64_t bytes)
{
	if (bytes > IMAP_DROP_MAX - f->dropped)
		return false;
	f->dropped += bytes;
	return true;
}

/* The command fails, `ending` is its result: what the client has sent of it already
 * is dropped. */
static void
drop_literal(struct imap_frame *f, enum imap_frame_result ending)
{
	f->ending = (uint8_t)ending;
	f->left = f->literal.bytes;
	if (f->literal.sync)
		f->state = F_ENDED;
	else
		f->state = may_drop(f, f->left) ? F_DROP_LITERAL : F_LOST;
}

void
imap_frame_refuse(struct imap_frame *f)
{
	ASSERT(f->state == F_ASKED);
	drop_literal(f, IMAP_FRAME_COMMAND);
}

/* --- what is dropped ------------------------------------------------------ */

static void
tail_add(struct imap_frame *f, struct span bytes)
{
	size_t keep = f->tail_bytes;

	if (bytes.n > IMAP_FRAME_TAIL)
		bytes = span_after(bytes, bytes.n - IMAP_FRAME_TAIL);
	if (keep > IMAP_FRAME_TAIL - bytes.n)
		keep = IMAP_FRAME_TAIL - bytes.n;
	memmove(f->tail, f->tail + f->tail_bytes - keep, keep);
	if (bytes.n > 0)
		memcpy(f->tail + keep, bytes.at, bytes.n);
	f->tail_bytes = (uint8_t)(keep + bytes.n);
}

/* A line failed, whose end is yet to come: `ahead` is the next of it, not taken. */
static void
drop_line(struct imap_frame *f, struct span ahead, enum imap_frame_result ending)
{
	struct buf start = buf_make(f->bytes.max);

	f->tail_bytes = 0;
	tail_add(f, span_after(imap_frame(f), f->line));
	buf_put(&start, span_first(imap_frame(f), TAG_KEPT));
	buf_put(&start, span_first(ahead, TAG_KEPT - start.n));
	buf_release(&f->bytes);
	f->bytes = start;
	f->ending = (uint8_t)ending;
	f->state = F_DROP_LINE;
}

static bool
ends_line(struct span s)
{
	return s.n >= 2 && s.at[s.n - 2] == '\r' && s.at[s.n - 1] == '\n';
}

/* Off *in: the bytes up to and with the next LF, or all. */
static struct span
take_piece(struct span *in)
{
	size_t end = span_find(*in, '\n');
	struct span piece = span_first(*in, end < in->n ? end + 1 : in->n);

	*in = span_after(*in, piece.n);
	return piece;
}

static void
feed_drop_line(struct imap_frame *f, struct span *in)
{
	struct span piece = take_piece(in), tail;

	if (!may_drop(f, piece.n)) {
		f->state = F_LOST;
		return;
	}
	tail_add(f, piece);
	tail = span_make(f->tail, f->tail_bytes);
	if (!ends_line(tail))
		return;
	switch (announced(span_first(tail, tail.n - 2), tail.n == IMAP_FRAME_TAIL,
			  &f->literal)) {
	case NO_LITERAL:
		f->state = F_ENDED;
		return;
	case A_LITERAL:
		drop_literal(f, (enum imap_frame_result)f->ending);
		return;
	case ABSURD:
		f->state = F_LOST;
		return;
	}
}

static void
feed_drop_literal(struct imap_frame *f, struct span *in)
{
	size_t n = f->left < in->n ? (size_t)f->left : in->n;

	*in = span_after(*in, n);
	f->left -= n;
	f->tail_bytes = 0;
	if (f->left == 0)
		f->state = F_DROP_LINE;
}

/* --- what is gathered ----------------------------------------------------- */

static bool
line_clean(struct span line)
{
	return span_find(line, '\0') == line.n && span_find(line, '\r') == line.n &&
	       span_find(line, '\n') == line.n;
}

/* A line is whole. */
static void
end_line(struct imap_frame *f)
{
	struct span line = span_after(imap_frame(f), f->line);
	bool clean;

	line.n -= 2;
	clean = line_clean(line);
	switch (announced(line, false, &f->literal)) {
	case NO_LITERAL:
		f->ending = clean ? IMAP_FRAME_COMMAND : IMAP_FRAME_BAD;
		f->state = F_ENDED;
		return;
	case A_LITERAL:
		if (clean)
			f->state = F_ASKED;
		else
			drop_literal(f, IMAP_FRAME_BAD);
		return;
	case ABSURD:
		f->state = F_LOST;
		return;
	}
}

static void
feed_line(struct imap_frame *f, struct span *in)
{
	struct span rest = *in, piece = take_piece(&rest);

	if (piece.n > f->limits.line_bytes_max - (f->bytes.n - f->line)) {
		drop_line(f, piece, IMAP_FRAME_BAD);
		return;
	}
	if (!buf_room(&f->bytes, piece.n)) {
		drop_line(f, piece, IMAP_FRAME_FULL);
		return;
	}
	buf_put(&f->bytes, piece);
	*in = rest;
	if (ends_line(span_after(imap_frame(f), f->line)))
		end_line(f);
}

static void
feed_literal(struct imap_frame *f, struct span *in)
{
	struct span piece = span_first(*in, f->left < in->n ? (size_t)f->left : in->n);

	buf_put(&f->bytes, piece);
	*in = span_after(*in, piece.n);
	f->left -= piece.n;
	if (f->left == 0) {
		f->line = f->bytes.n;
		f->state = F_LINE;
	}
}

enum imap_frame_result
imap_frame_feed(struct imap_frame *f, struct span *in)
{
	ASSERT(f->state != F_SAID); /* imap_frame_next() was due */
	for (;;) {
		switch ((enum state)f->state) {
		case F_ASKED:
			return IMAP_FRAME_LITERAL;
		case F_LOST:
			return IMAP_FRAME_LOST;
		case F_ENDED:
			f->state = F_SAID;
			return (enum imap_frame_result)f->ending;
		case F_SAID:
			break;
		case F_LINE:
			feed_line(f, in);
			break;
		case F_LITERAL:
			feed_literal(f, in);
			break;
		case F_DROP_LITERAL:
			feed_drop_literal(f, in);
			break;
		case F_DROP_LINE:
			feed_drop_line(f, in);
			break;
		}
		if (in->n == 0 &&
		    (f->state == F_LINE || f->state == F_LITERAL ||
		     f->state == F_DROP_LITERAL || f->state == F_DROP_LINE))
			return IMAP_FRAME_MORE;
	}
}
