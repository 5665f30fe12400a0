/* tests/fuzz/fuzz_imap_frame.c - any bytes as what a logged-in client sends
 *
 * The first byte says where the stream is cut and what becomes of its literals. Each
 * command is parsed; every span must lie in the frame or the arena, which is seen by
 * reading all of them; a set that is printed and parsed again is the same; the stream
 * gives the same commands, cut anywhere.
 */
#include "tests/unit/imap_dump.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imap_frame_limits limits = {200, 60, 400};

enum policy {
	ACCEPT = 1,
	TAKE = 2, /* messages of APPEND */
	UTF8 = 4,
};

struct run {
	struct imap_frame f;
	unsigned policy;
	uint64_t taking;
	struct arena arena; /* of an APPEND under way */
	struct imap_append_message message;
	size_t rest; /* where the frame goes on behind its last message; 0: none */
	struct buf trace;
};

static void
check(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* "a COPY <set> x" must give the set again. */
static void
check_set(const struct imap_set *set)
{
	const struct imap_parse_options options = {0};
	struct buf wire = buf_make(1u << 16);
	struct imap_command command;
	const char *text;
	struct arena arena;

	if (set->saved)
		return;
	arena_init(&arena, 1u << 16);
	buf_put_str(&wire, "a COPY ");
	imap_put_ranges(&wire, set->at, set->n);
	buf_put_str(&wire, " x\r\n");
	check(imap_parse(buf_span(&wire), &options, &arena, &command, &text) ==
		  IMAP_PARSE_OK,
	      "a printed set is none");
	check(command.copy.set.n == set->n &&
		  memcmp(command.copy.set.at, set->at, set->n * sizeof(*set->at)) == 0,
	      "a printed set is another");
	arena_release(&arena);
	buf_release(&wire);
}

static bool
same_section(const struct imap_section *a, const struct imap_section *b)
{
	bool same = a->text == b->text && a->depth == b->depth &&
		    a->n_fields == b->n_fields && span_equal(a->echo, b->echo);

	for (size_t i = 0; same && i < a->depth; i++)
		same = a->path[i] == b->path[i];
	for (size_t i = 0; same && i < a->n_fields; i++)
		same = span_equal(a->fields[i], b->fields[i]);
	return same;
}

/* What a response writes of a section is that section. */
static void
check_echo(const struct imap_section *section)
{
	const struct imap_parse_options options = {0};
	struct buf wire = buf_make(1u << 16);
	struct imap_command command;
	struct arena arena;
	const char *text;

	arena_init(&arena, 1u << 16);
	buf_put_str(&wire, "a FETCH 1 BODY[");
	buf_put(&wire, section->echo);
	buf_put_str(&wire, "]\r\n");
	check(imap_parse(buf_span(&wire), &options, &arena, &command, &text) ==
		  IMAP_PARSE_OK,
	      "what a section echoes is none");
	check(same_section(&command.fetch.items[0].section, section),
	      "what a section echoes is another");
	arena_release(&arena);
	buf_release(&wire);
}

static void
check_fetch(const struct imap_fetch *fetch)
{
	check_set(&fetch->set);
	for (size_t i = 0; i < fetch->n_items; i++)
		if (fetch->items[i].kind == IMAP_FETCH_SECTION)
			check_echo(&fetch->items[i].section);
}

static void
parse(struct run *r, struct span frame)
{
	const struct imap_parse_options options = {(r->policy & UTF8) != 0};
	struct imap_command command;
	const char *text = NULL;
	struct arena arena;
	enum imap_parse_result result;

	arena_init(&arena, 1u << 16);
	result = imap_parse(frame, &options, &arena, &command, &text);
	buf_putf(&r->trace, "%d", result);
	check((result == IMAP_PARSE_OK) == (text == NULL), "no text, or one too many");
	check(result == IMAP_PARSE_NO_TAG || command.tag.n > 0, "the tag is lost");
	if (result == IMAP_PARSE_OK) {
		imap_dump(&command, &r->trace);
		if (command.id == IMAP_FETCH)
			check_fetch(&command.fetch);
	} else {
		buf_put_str(&r->trace, text);
	}
	arena_release(&arena);
}

static void
command_over(struct run *r, bool whole)
{
	struct span tag, frame = imap_frame(&r->f);

	if (whole && r->rest > 0)
		buf_putf(
		    &r->trace, "end %d",
		    imap_parse_append_end(span_after(frame, r->rest), r->message.utf8));
	else if (whole)
		parse(r, frame);
	else if (imap_tag(frame, &tag))
		buf_put(&r->trace, tag);
	buf_put_char(&r->trace, '\n');
	r->rest = 0;
	arena_release(&r->arena);
	imap_frame_next(&r->f);
	check(r->f.bytes.at == NULL, "memory between commands");
}

/* What becomes of the literal announced: true when it is a message. */
static bool
is_message(struct run *r)
{
	const struct imap_parse_options options = {(r->policy & UTF8) != 0};
	struct span frame = imap_frame(&r->f);
	struct imap_command command;
	enum imap_append_result result;
	const char *text;

	if (r->rest > 0)
		result =
		    imap_parse_append_next(span_after(frame, r->rest), r->message.utf8,
					   &r->arena, &r->message, &text);
	else
		result = imap_parse_append(frame, &options, &r->arena, &command,
					   &r->message, &text);
	buf_putf(&r->trace, "<%d", result);
	if (result != IMAP_APPEND_MESSAGE)
		return false;
	if (r->rest == 0)
		imap_dump(&command, &r->trace);
	imap_dump_message(&r->message, &r->trace);
	check(r->message.bytes == imap_frame_literal(&r->f)->bytes, "another size");
	return true;
}

static void
literal(struct run *r)
{
	const struct imap_literal *l = imap_frame_literal(&r->f);
	/* One that is refused while a message was taken leaves no command to run. */
	bool message = l->bytes <= INT64_MAX && is_message(r);

	if (message && (r->policy & TAKE) && l->bytes < 1000) {
		r->taking = l->bytes;
		r->rest = imap_frame(&r->f).n;
		imap_frame_take(&r->f);
	} else if (message || r->rest > 0 || !(r->policy & ACCEPT) ||
		   !imap_frame_accept(&r->f)) {
		imap_frame_refuse(&r->f);
	}
}

static bool
step(struct run *r, struct span *in)
{
	size_t n = r->taking < in->n ? (size_t)r->taking : in->n;

	*in = span_after(*in, n);
	r->taking -= n;
	if (r->taking > 0)
		return false;
	switch (imap_frame_feed(&r->f, in)) {
	case IMAP_FRAME_MORE:
		check(in->n == 0, "not all taken");
		return false;
	case IMAP_FRAME_COMMAND:
		command_over(r, true);
		return true;
	case IMAP_FRAME_LITERAL:
		literal(r);
		return true;
	case IMAP_FRAME_BAD:
	case IMAP_FRAME_FULL:
		command_over(r, false);
		return true;
	case IMAP_FRAME_LOST:
		buf_put_str(&r->trace, "lost");
		return false;
	}
	return false;
}

/* A copy of its own, so that a look beyond a piece is seen. */
static void
feed(struct run *r, struct span piece)
{
	char *exact = memory_new(piece.n ? piece.n : 1, 1);
	struct span in = span_make(exact, piece.n);

	if (piece.n > 0)
		memcpy(exact, piece.at, piece.n);
	while (step(r, &in))
		check(r->f.bytes.n <= limits.frame_bytes_max, "a frame without limit");
	free(exact);
}

static struct buf
trace(struct span stream, unsigned policy, size_t cut)
{
	struct run r = {.policy = policy};

	r.trace = buf_make(1u << 20);
	imap_frame_init(&r.f, &limits);
	arena_init(&r.arena, 1u << 16);
	feed(&r, span_first(stream, cut));
	if (r.trace.n < 4 || memcmp(r.trace.at + r.trace.n - 4, "lost", 4) != 0)
		feed(&r, span_after(stream, cut));
	arena_release(&r.arena);
	imap_frame_release(&r.f);
	return r.trace;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span stream = span_after(span_make(data, size), 1);
	struct buf whole, cut;

	if (size < 2)
		return 0;
	whole = trace(stream, data[0] & 7, stream.n);
	cut = trace(stream, data[0] & 7, stream.n * (data[0] >> 3) / 32);
	check(span_equal(buf_span(&whole), buf_span(&cut)), "a cut changes it");
	buf_release(&whole);
	buf_release(&cut);
	return 0;
}
