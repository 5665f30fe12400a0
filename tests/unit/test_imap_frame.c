/* tests/unit/test_imap_frame.c - commands off a stream, literals accepted, taken,
 * refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/imap_dump.h"

#include <inttypes.h>
#include <stdio.h>

static const struct imap_frame_limits limits = {40, 10, 67};

/* What is done with each literal: 'a' accepted (and refused when it does not fit),
 * 'r' refused, 't' taken. A trace has C[frame], B[tag], F[tag], X for LOST, L with the
 * announced size, T[bytes] for what was taken; ^ is a CRLF, 0 a NUL. */
static const struct row {
	const char *name;
	struct span wire;
	const char *literals, *want;
} rows[] = {
  /* clang-format off */
	{"two commands", SPAN("a NOOP\r\nb NOOP\r\n"), "", "C[a NOOP^]C[b NOOP^]"},
	{"an empty line", SPAN("\r\na NOOP\r\n"), "", "C[^]C[a NOOP^]"},
	{"no end", SPAN("a NOOP\r"), "", ""},

	{"a literal", SPAN("a X {3}\r\na\r\n d\r\n"), "a", "L3C[a X {3}^a^ d^]"},
	{"not waiting", SPAN("a X {3+}\r\nabc d\r\n"), "a", "L3+C[a X {3+}^abc d^]"},
	{"binary", SPAN("a X ~{3}\r\na\0b\r\n"), "a", "L3~C[a X ~{3}^a0b^]"},
	{"of no bytes", SPAN("a X {0}\r\n\r\n"), "a", "L0C[a X {0}^^]"},
	{"zeros before", SPAN("a X {0003+}\r\nabc\r\n"), "a", "L3+C[a X {0003+}^abc^]"},
	{"several", SPAN("a X {1}\r\na {2+}\r\nbc {0}\r\n\r\n"), "aaa",
	 "L1L2+L0C[a X {1}^a {2+}^bc {0}^^]"},
	{"alone on a line", SPAN("{1}\r\na\r\n"), "a", "L1C[{1}^a^]"},

	{"no literals", SPAN("a {}\r\nb {x}\r\nc {3 }\r\nd {-3}\r\ne 3}\r\nf {3+\r\n"
			     "g {3++}\r\nh {+}\r\n}\r\n{3} \r\n"), "",
	 "C[a {}^]C[b {x}^]C[c {3 }^]C[d {-3}^]C[e 3}^]C[f {3+^]C[g {3++}^]C[h {+}^]"
	 "C[}^]C[{3} ^]"},

	{"taken", SPAN("a X {3}\r\nabc {2+}\r\nde\r\nb NOOP\r\n"), "tt",
	 "L3T[abc]L2+T[de]C[a X {3}^ {2+}^^]C[b NOOP^]"},
	{"taken, of no bytes", SPAN("a X {0+}\r\n\r\n"), "t", "L0+T[]C[a X {0+}^^]"},
	{"taken, beyond all limits", SPAN("a X {60+}\r\n"
	 "123456789 123456789 123456789 123456789 123456789 123456789 \r\n"), "t",
	 "L60+T[123456789 123456789 123456789 123456789 123456789 123456789 ]"
	 "C[a X {60+}^^]"},

	{"refused, waiting", SPAN("a X {3}\r\nb NOOP\r\n"), "r",
	 "L3C[a X {3}^]C[b NOOP^]"},
	{"refused, not waiting", SPAN("a X {3+}\r\nabc d\r\nb NOOP\r\n"), "r",
	 "L3+C[a X {3+}^]C[b NOOP^]"},
	{"refused, with commands inside", SPAN("a X {8+}\r\nx NOOP\r\n {9+}\r\n"
	 "y NOOP \r\n z\r\nb NOOP\r\n"), "r", "L8+C[a X {8+}^]C[b NOOP^]"},
	{"refused, then one waits", SPAN("a X {3+}\r\nabc {5}\r\nb NOOP\r\n"), "r",
	 "L3+C[a X {3+}^]C[b NOOP^]"},
	{"refused, then a long line", SPAN("a X {1+}\r\nz"
	 " 123456789 123456789 123456789 123456789 {8+}\r\nx NOOP\r\n\r\nb NOOP\r\n"),
	 "r", "L1+C[a X {1+}^]C[b NOOP^]"},
	{"refused, of no bytes", SPAN("a X {0+}\r\n\r\nb NOOP\r\n"), "r",
	 "L0+C[a X {0+}^]C[b NOOP^]"},
	{"the second refused", SPAN("a X {1+}\r\nz {1+}\r\nz\r\nb NOOP\r\n"), "ar",
	 "L1+L1+C[a X {1+}^z {1+}^]C[b NOOP^]"},

	{"a bare LF", SPAN("a NO\nOP\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"a bare CR", SPAN("a NO\rOP\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"CR before CRLF", SPAN("a NOOP\r\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"LF first", SPAN("\na NOOP\r\nb NOOP\r\n"), "", "B[]C[b NOOP^]"},
	{"a NUL", SPAN("a NO\0OP\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"a NUL in the tag", SPAN("a\0b NOOP\r\n"), "", "B[]"},
	{"bad, and announces", SPAN("a \n {8+}\r\nx NOOP\r\n\r\nb NOOP\r\n"), "",
	 "B[a]C[b NOOP^]"},
	{"bad, and waits", SPAN("a \r {8}\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"bad behind a literal", SPAN("a {1}\r\nx\n\r\nb NOOP\r\n"), "a",
	 "L1B[a]C[b NOOP^]"},

	{"a line at the limit", SPAN("a 3456789 123456789 123456789 12345678\r\n"), "",
	 "C[a 3456789 123456789 123456789 12345678^]"},
	{"and beyond", SPAN("a 3456789 123456789 123456789 123456789\r\nb NOOP\r\n"), "",
	 "B[a]C[b NOOP^]"},
	{"beyond, and announces", SPAN("a 3456789 123456789 123456789 123456789 {8+}\r\n"
	 "x NOOP\r\n {1+}\r\nz\r\nb NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"beyond, and waits", SPAN("a 3456789 123456789 123456789 123456789 {8}\r\n"
	 "b NOOP\r\n"), "", "B[a]C[b NOOP^]"},
	{"each line has its own", SPAN("a 3456789 123456789 12345678 {1}\r\n"
	 "a 123456789 123456789\r\n"), "a",
	 "L1C[a 3456789 123456789 12345678 {1}^a 123456789 123456789^]"},

	{"a literal at the limit", SPAN("a {10}\r\n1234567890\r\n"), "a",
	 "L10C[a {10}^1234567890^]"},
	{"and beyond, waiting", SPAN("a {11}\r\nb NOOP\r\n"), "a",
	 "L11C[a {11}^]C[b NOOP^]"},
	{"and beyond, not waiting", SPAN("a {11+}\r\n12345678901\r\nb NOOP\r\n"), "a",
	 "L11+C[a {11+}^]C[b NOOP^]"},
	{"a frame at the limit", SPAN("a {10+}\r\n1234567890 {10+}\r\n1234567890"
	 "123456789 1234567 {4+}\r\nxxxx\r\n"), "aaa",
	 "L10+L10+L4+C[a {10+}^1234567890 {10+}^1234567890123456789 1234567 {4+}^xxxx^]"},
	{"a literal beyond it", SPAN("a {10+}\r\n1234567890 {10+}\r\n1234567890"
	 "123456789 1234567 {5+}\r\nxxxxx\r\nb NOOP\r\n"), "aaa",
	 "L10+L10+L5+C[a {10+}^1234567890 {10+}^1234567890123456789 1234567 {5+}^]"
	 "C[b NOOP^]"},
	{"a line beyond it", SPAN("a {10+}\r\n1234567890 {10+}\r\n1234567890"
	 "123456789 1234567 {4+}\r\nxxxx {9+}\r\ny NOOP \r\n\r\nb NOOP\r\n"), "aaa",
	 "L10+L10+L4+F[a]C[b NOOP^]"},

	{"a size no number holds, waiting", SPAN("a {18446744073709551616}\r\nb X\r\n"),
	 "a", "L18446744073709551615C[a {18446744073709551616}^]C[b X^]"},
	{"a size no number holds", SPAN("a {18446744073709551616+}\r\nb X\r\n"), "", "X"},
	{"beyond 2^63", SPAN("a {9223372036854775808+}\r\nb X\r\n"), "", "X"},
	{"too much to drop", SPAN("a {268435457+}\r\nb X\r\n"), "r", "L268435457+X"},
	{"not too much to drop", SPAN("a {268435456+}\r\nb X\r\n"), "r", "L268435456+"},
	{"lost in a bad line", SPAN("a \n{9223372036854775808+}\r\nb X\r\n"), "", "X"},
	{"lost in a long line", SPAN("a 3456789 123456789 123456789 123456789 "
	 "{9223372036854775808+}\r\nb X\r\n"), "", "X"},
	{"a number without end", SPAN("a {3456789012345678901234567890123456789012345678"
	 "+}\r\nb X\r\n"), "", "X"},
	{"lost behind a refusal", SPAN("a {1+}\r\nx {268435457+}\r\nb X\r\n"), "r",
	 "L1+X"},
	{"all that is dropped counts", SPAN("a {1+}\r\nzx {268435440+}\r\nb X\r\n"), "r",
	 "L1+X"},
	{"all that may be dropped", SPAN("a {1+}\r\nzx {268435439+}\r\nb X\r\n"), "r",
	 "L1+"},
  /* clang-format on */
};

struct run {
	struct imap_frame f;
	const struct row *row;
	const char *literals;
	uint64_t taking;
	bool is_taking, lost;
	struct buf trace;
};

static void
trace_bytes(struct run *r, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '\r' && i + 1 < s.n && s.at[i + 1] == '\n')
			buf_put_char(&r->trace, '^');
		else if (s.at[i] == '\n' && i > 0 && s.at[i - 1] == '\r')
			continue;
		else
			buf_put_char(&r->trace, s.at[i] ? s.at[i] : '0');
	}
}

static void
trace(struct run *r, const char *what, struct span s)
{
	buf_put_str(&r->trace, what);
	buf_put_char(&r->trace, '[');
	trace_bytes(r, s);
	buf_put_char(&r->trace, ']');
}

static void
decide(struct run *r)
{
	const struct imap_literal *l = imap_frame_literal(&r->f);
	char what = *r->literals++;

	buf_putf(&r->trace, "L%" PRIu64 "%s%s", l->bytes, l->sync ? "" : "+",
		 l->binary ? "~" : "");
	if (what == 't') {
		r->taking = l->bytes;
		r->is_taking = true;
		buf_put_str(&r->trace, "T[");
		imap_frame_take(&r->f);
	} else if (what == 'r' || !imap_frame_accept(&r->f)) {
		imap_frame_refuse(&r->f);
	}
}

static void
end_command(struct run *r, const char *what, bool tag_alone)
{
	struct span s = imap_frame(&r->f);

	if (tag_alone && !imap_tag(s, &s))
		s.n = 0;
	trace(r, what, s);
	imap_frame_next(&r->f);
	assert_null(r->f.bytes.at);
}

/* True while there may be more in what was fed. */
static bool
step(struct run *r, struct span *in)
{
	if (r->is_taking) {
		struct span s = span_first(*in, (size_t)r->taking);

		trace_bytes(r, s);
		*in = span_after(*in, s.n);
		r->taking -= s.n;
		if (r->taking > 0)
			return false;
		r->is_taking = false;
		buf_put_char(&r->trace, ']');
	}
	switch (imap_frame_feed(&r->f, in)) {
	case IMAP_FRAME_MORE:
		assert_int_equal(in->n, 0);
		return false;
	case IMAP_FRAME_COMMAND:
		end_command(r, "C", false);
		break;
	case IMAP_FRAME_LITERAL:
		decide(r);
		break;
	case IMAP_FRAME_BAD:
		end_command(r, "B", true);
		break;
	case IMAP_FRAME_FULL:
		end_command(r, "F", true);
		break;
	case IMAP_FRAME_LOST:
		if (!r->lost)
			buf_put_char(&r->trace, 'X');
		r->lost = true;
		return false;
	}
	return true;
}

static void
feed(struct run *r, struct span s)
{
	char *exact = memory_new(s.n ? s.n : 1, 1);
	struct span in = span_make(exact, s.n);

	if (s.n > 0)
		memcpy(exact, s.at, s.n);
	while (step(r, &in))
		;
	free(exact);
}

static void
start(struct run *r, const struct row *row)
{
	*r = (struct run){.row = row, .literals = row->literals};
	r->trace = buf_make(1000);
	imap_frame_init(&r->f, &limits);
}

static void
finish(struct run *r)
{
	if (!span_equal(buf_span(&r->trace), span_str(r->row->want)))
		fail_msg("%s: %.*s", r->row->name, SPAN_ARG(buf_span(&r->trace)));
	imap_frame_release(&r->f);
	buf_release(&r->trace);
}

static void
test_frame_same_at_every_cut(void **state)
{
	struct run r;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span wire = rows[i].wire;

		for (size_t cut = 0; cut <= wire.n; cut++) {
			start(&r, &rows[i]);
			feed(&r, span_first(wire, cut));
			feed(&r, span_after(wire, cut));
			finish(&r);
		}
	}
}

static void
test_frame_same_byte_by_byte(void **state)
{
	struct run r;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		start(&r, &rows[i]);
		for (size_t at = 0; at < rows[i].wire.n; at++)
			feed(&r, span_make(rows[i].wire.at + at, 1));
		finish(&r);
	}
}

/* A refused literal that is waited for ends the command at once: the next one may
 * begin without another feed. */
static void
test_frame_next_right_behind_a_refusal(void **state)
{
	struct span in = SPAN("a X {3}\r\n");
	struct imap_frame f;

	(void)state;
	imap_frame_init(&f, &limits);
	assert_int_equal(imap_frame_feed(&f, &in), IMAP_FRAME_LITERAL);
	/* Asked again, it says so again. */
	assert_int_equal(imap_frame_feed(&f, &in), IMAP_FRAME_LITERAL);
	imap_frame_refuse(&f);
	imap_frame_next(&f);
	in = SPAN("b NOOP\r\n");
	assert_int_equal(imap_frame_feed(&f, &in), IMAP_FRAME_COMMAND);
	assert_true(span_equal(imap_frame(&f), SPAN("b NOOP\r\n")));
	imap_frame_release(&f);
}

static void
test_frame_line_without_end_is_lost(void **state)
{
	static char piece[1 << 20];
	struct span end = SPAN("\r\n");
	struct imap_frame f;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	imap_frame_init(&f, &limits);
	for (uint64_t fed = 0; fed < IMAP_DROP_MAX; fed += sizeof(piece)) {
		struct span in = span_make(piece, sizeof(piece));

		assert_int_equal(imap_frame_feed(&f, &in), IMAP_FRAME_MORE);
	}
	assert_int_equal(imap_frame_feed(&f, &end), IMAP_FRAME_LOST);
	imap_frame_release(&f);
}

/* --- APPEND and REPLACE in pieces ----------------------------------------- */

/* The pieces between messages, each with its {n}CRLF at its end; what is parsed. */
static const struct append {
	const char *pieces[4];
	const char *want;
} appends[] = {
  /* clang-format off */
	{{"a APPEND x {3}"}, "APPEND \"x\" () {3};"},
	{{"a append \"x y\" {3+}"}, "APPEND \"x y\" () {3};"},
	{{"a APPEND x () {0}"}, "APPEND \"x\" () {0};"},
	{{"a APPEND x (\\Seen $A) \" 7-Feb-1994 21:52:25 -0800\" {310}"},
	 "APPEND \"x\" (\\Seen \"$A\") date=760686745 {310};"},
	{{"a APPEND x \"17-Jul-1996 02:44:25 -0700\" {9223372036854775807}"},
	 "APPEND \"x\" () date=837596665 {9223372036854775807};"},
	{{"a APPEND x ~{5}"}, "APPEND \"x\" () {5};"},
	{{"a APPEND x (\\Draft) UTF8 (~{5}", ")"}, "APPEND \"x\" (\\Draft) utf8 {5};"},
	{{"a APPEND x utf8 (~{5+}", ") (\\Seen) {6}", ""},
	 "APPEND \"x\" () utf8 {5}; (\\Seen) {6};"},
	{{"a APPEND x {5}", " {6+}", " \"17-Jul-1996 02:44:25 -0700\" {7}", " "},
	 "APPEND \"x\" () {5}; () {6}; () date=837596665 {7};"},
	{{"a APPEND {3+}"}, "not"},
	{{"a APPEND {3}\r\nx y {4}"}, "APPEND \"x y\" () {4};"},
	{{"a APPEND {0}"}, "not"},
	{{"a REPLACE 4 x {5}"}, "REPLACE 4 \"x\" () {5};"},
	{{"a UID REPLACE 4294967295 Entw&APw-rfe (\\Seen) {5+}"},
	 "UID REPLACE 4294967295 \"Entw\303\274rfe\" (\\Seen) {5};"},
	{{"a REPLACE * {1}"}, "not"},
	{{"a REPLACE * {1}\r\nx UTF8 (~{5}", ")"}, "REPLACE 0 \"x\" () utf8 {5};"},
	{{"a SELECT {3}"}, "not"},
	{{"a UID APPEND {3}"}, "not"},
	{{"APPEND x {3}"}, "not"},

	{{"a APPEND x{3}"}, "bad: a message was expected"},
	{{"a APPEND x (\\Foo) {3}"}, "bad: no such system flag"},
	{{"a APPEND x \\Seen {3}"}, "bad: a literal with a message was expected"},
	{{"a APPEND x (\\Seen){3}"}, "bad: a message was expected"},
	{{"a APPEND x \"yesterday\" {3}"},
	 "bad: a date such as \"17-Jul-1996 02:44:25 -0700\" was expected"},
	{{"a APPEND x \"17-Jul-1996 02:44:25 -0700\" () {3}"},
	 "bad: a literal with a message was expected"},
	{{"a APPEND x UTF8 ({3}"}, "bad: a literal with a message was expected"},
	{{"a APPEND x UTF8 ~{3}"}, "bad: UTF8: '(' was expected"},
	{{"a APPEND x CATENATE (URL {3}"}, "bad: a literal with a message was expected"},
	{{"a APPEND x y {3}"}, "bad: a literal with a message was expected"},
	{{"a APPEND & {3}"}, "bad: a mailbox name is broken"},
	{{"a REPLACE 0 x {3}"}, "bad: REPLACE: a message number was expected"},
	{{"a REPLACE 1:2 x {3}"}, "bad: a mailbox name was expected"},
	{{"a REPLACE x {3}"}, "bad: REPLACE: a message number was expected"},
	{{"a APPEND x {5}", "{6}"}, "APPEND \"x\" () {5}; bad: a space was expected behind a message"},
	{{"a APPEND x {5}", ") {6}"}, "APPEND \"x\" () {5}; bad: a space was expected behind a message"},
	{{"a APPEND x UTF8 (~{5}", " {6}"}, "APPEND \"x\" () utf8 {5}; bad: UTF8: ')' was expected"},
	{{"a APPEND x {5}", " x {6}"}, "APPEND \"x\" () {5}; bad: a literal with a message was expected"},
	{{"a APPEND x {5}", " x"}, "APPEND \"x\" () {5}; bad end"},
	{{"a APPEND x {5}", ")"}, "APPEND \"x\" () {5}; bad end"},
	{{"a APPEND x UTF8 (~{5}", ""}, "APPEND \"x\" () utf8 {5}; bad end"},
  /* clang-format on */
};

struct append_run {
	struct arena arena;
	struct imap_command command;
	struct imap_append_message message;
	struct buf trace;
};

/* The piece in memory of its own, gone when it was parsed: nothing may point there. */
static enum imap_append_result
append_piece(struct append_run *r, const char *text, bool first)
{
	const struct imap_parse_options options = {0};
	char wire[200];
	int n = snprintf(wire, sizeof(wire), "%s\r\n", text);
	char *exact = memory_new((size_t)n, 1);
	struct span s = span_make(exact, (size_t)n);
	const char *why = NULL;
	enum imap_append_result result;

	memcpy(exact, wire, (size_t)n);
	if (first)
		result = imap_parse_append(s, &options, &r->arena, &r->command,
					   &r->message, &why);
	else
		result = imap_parse_append_next(s, r->message.utf8, &r->arena,
						&r->message, &why);
	free(exact);
	if (result == IMAP_APPEND_NOT)
		buf_put_str(&r->trace, " not");
	if (result == IMAP_APPEND_BAD)
		buf_putf(&r->trace, " bad: %s", why);
	if (result != IMAP_APPEND_MESSAGE)
		return result;
	if (first)
		imap_dump(&r->command, &r->trace);
	imap_dump_message(&r->message, &r->trace);
	buf_put_char(&r->trace, ';');
	return result;
}

static void
append_pieces(struct append_run *r, const char *const *pieces)
{
	size_t n = 0;

	while (n < 4 && pieces[n])
		n++;
	for (size_t i = 0; i < n; i++) {
		struct span piece = span_str(pieces[i]);
		char end[100];

		if (i == 0 || span_ends_nocase(piece, SPAN("}"))) {
			if (append_piece(r, pieces[i], i == 0) != IMAP_APPEND_MESSAGE)
				return;
			continue;
		}
		snprintf(end, sizeof(end), "%s\r\n", pieces[i]);
		if (!imap_parse_append_end(span_str(end), r->message.utf8))
			buf_put_str(&r->trace, " bad end");
	}
}

static void
test_append_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(appends); i++) {
		struct append_run r = {.trace = buf_make(1000)};
		struct span got;

		arena_init(&r.arena, 1u << 16);
		append_pieces(&r, appends[i].pieces);
		got = span_after(buf_span(&r.trace), 1);
		if (!span_equal(got, span_str(appends[i].want)))
			fail_msg("%s gives %.*s", appends[i].pieces[0], SPAN_ARG(got));
		buf_release(&r.trace);
		arena_release(&r.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame_same_at_every_cut),
	    cmocka_unit_test(test_frame_same_byte_by_byte),
	    cmocka_unit_test(test_frame_next_right_behind_a_refusal),
	    cmocka_unit_test(test_frame_line_without_end_is_lost),
	    cmocka_unit_test(test_append_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
