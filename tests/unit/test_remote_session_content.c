/* tests/unit/test_remote_session_content.c - the message as it leaves: dots, chunks,
 * line ends, 8 bits
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

static const struct relay_recipient to = {.address = SPAN("a@example.org")};

static struct session_transaction
make(struct span content)
{
	return (struct session_transaction){.sender = SPAN("me@example.net"),
					    .content_bytes = content.n,
					    .recipients = &to,
					    .n_recipients = 1};
}

static void
begin(struct peer *p)
{
	struct session_config config = peer_config(p);

	p->s = session_new(&config);
	peer_run(p);
}

static const struct row {
	const char *name;
	struct span in, want; /* what leaves, its dots unstuffed */
} rows[] = {
    {"plain",            SPAN("a\r\n\r\nb\r\n"),      SPAN("a\r\n\r\nb\r\n")          },
    {"dots",	     SPAN(".\r\n..\r\n.a.\r\n"),  SPAN(".\r\n..\r\n.a.\r\n")      },
    {"the end of mail",  SPAN("a\r\n.\r\nMAIL\r\n"),  SPAN("a\r\n.\r\nMAIL\r\n")      },
    {"no line end",      SPAN("a\r\nb"),              SPAN("a\r\nb\r\n")              },
    {"a CR at the end",  SPAN("a\r\nb\r"),            SPAN("a\r\nb\r\n")              },
    {"bare LF",          SPAN("a\n.\nb\n\nc\r\n"),    SPAN("a\r\n.\r\nb\r\n\r\nc\r\n")},
    {"bare CR",          SPAN("a\r.\r\rb\r\n"),       SPAN("a\r\n.\r\n\r\nb\r\n")     },
    {"CR CR LF",         SPAN("a\r\r\n.\r\n"),        SPAN("a\r\n\r\n.\r\n")          },
    {"LF CR",            SPAN("a\n\r\n.\n\r"),        SPAN("a\r\n\r\n.\r\n\r\n")      },
    {"smuggled",         SPAN("a\r\n.\rMAIL\n.\r\n"), SPAN("a\r\n.\r\nMAIL\r\n.\r\n") },
    {"only a line end",  SPAN("\r\n"),                SPAN("\r\n")                    },
    {"only a dot",       SPAN("."),                   SPAN(".\r\n")                   },
    {"8 bits and a NUL", SPAN("\xff\0\xfe\r\n"),      SPAN("\xff\0\xfe\r\n")          },
};

/* The peer fails on every bare CR or LF in DATA; in a chunk we look. */
static void
assert_lines(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '\r')
			assert_true(i + 1 < s.n && s.at[i + 1] == '\n');
		if (s.at[i] == '\n')
			assert_true(i > 0 && s.at[i - 1] == '\r');
	}
	assert_true(s.n >= 2 && s.at[s.n - 1] == '\n');
}

static void
run_row(const struct row *row, bool chunking, size_t piece, unsigned avoid)
{
	struct session_transaction t = make(row->in);
	struct session_config config;
	struct peer p;

	peer_init(&p);
	p.pipelining = true;
	p.chunking = chunking;
	p.piece = piece;
	config = peer_config(&p);
	config.avoid = avoid;
	p.s = session_new(&config);
	peer_run(&p);
	peer_transact(&p, &t, row->in);
	assert_int_equal(p.n_taken, 1);
	assert_lines(buf_span(&p.taken));
	if (!span_equal(buf_span(&p.taken), row->want))
		fail_msg("%s, %s, pieces of %zu", row->name, chunking ? "BDAT" : "DATA",
			 piece);
	peer_release(&p);
}

static void
test_content_same_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t piece = 0; piece <= rows[i].in.n; piece++) {
			run_row(&rows[i], false, piece, 0);
			run_row(&rows[i], true, piece, 0);
			run_row(&rows[i], true, piece, SESSION_CHUNKING);
		}
}

/* 3 MB in chunks and by DATA, in odd pieces. */
static void
test_content_big_comes_whole(void **state)
{
	struct buf big = buf_make((size_t)4 << 20);

	(void)state;
	while (big.n < (size_t)3 << 20)
		buf_putf(&big, ".line %zu\r\n", big.n);
	for (unsigned bits = 0; bits < 8; bits++) {
		struct session_transaction t = make(buf_span(&big));
		struct peer p;

		peer_init(&p);
		p.chunking = bits & 1;
		p.pipelining = bits & 2;
		p.piece = bits & 4 ? 65535 : 1000003;
		begin(&p);
		peer_transact(&p, &t, buf_span(&big));
		assert_int_equal(p.n_taken, 1);
		assert_true(span_equal(buf_span(&p.taken), buf_span(&big)));
		if (p.chunking)
			assert_true(p.seen[AT_CHUNK] > 1);
		peer_release(&p);
	}
	buf_release(&big);
}

/* "Subject: x", and lines of 2,500 and of 998 letters; broken or not. */
static void
long_lines_put(struct buf *out, bool are_broken)
{
	static const size_t whole[] = {2500, 998, 0},
			    broken[] = {998, 997, 505, 998, 0};
	const size_t *line = are_broken ? broken : whole;

	buf_put_str(out, "Subject: x\r\n\r\n");
	for (size_t i = 0; line[i] > 0; i++) {
		if (are_broken && (i == 1 || i == 2))
			buf_put_char(out, ' ');
		memset(buf_extend(out, line[i]), 'l', line[i]);
		buf_put_str(out, "\r\n");
	}
}

static void
test_content_lines_too_long_are_broken(void **state)
{
	static const struct {
		const char *name;
		const char *offers;
		size_t max;
		uint32_t flags;
		bool chunking, eightbit, broken;
	} longs[] = {
	    {"data",              "",                   998,  0,                   false, true,  true },
	    {"chunks",            "",                   998,  0,                   true,  true,  true },
	    {"8BITMIME",          "",                   998,  ENVELOPE_8BITMIME,   true,  true,  true },
	    {"7 bits",            "",                   998,  0,                   false, false, true },
	    {"binary",            "250-BINARYMIME\r\n", 998,  ENVELOPE_BINARYMIME, true,  true,
	     false										    },
	    {"wider, not enough", "",                   2499, 0,                   true,  true,  true },
	    {"wide enough",       "",                   2500, 0,                   false, true,  false},
	    {"never",             "",                   0,    0,                   true,  true,  false},
	};

	(void)state;
	for (size_t i = 0; i < 3 * N_ELEMS(longs); i++) {
		static const size_t pieces[] = {0, 1, 1000};
		struct buf in = buf_make(10000), want = buf_make(10000);
		struct session_transaction t;
		struct session_config config;
		struct peer p;

		print_message("%s\n", longs[i / 3].name);
		long_lines_put(&in, false);
		long_lines_put(&want, longs[i / 3].broken);
		t = make(buf_span(&in));
		t.flags = longs[i / 3].flags;
		peer_init(&p);
		p.pipelining = true;
		p.chunking = longs[i / 3].chunking;
		p.eightbit = longs[i / 3].eightbit;
		p.more = longs[i / 3].offers;
		p.piece = pieces[i % 3];
		config = peer_config(&p);
		config.line_bytes_max = longs[i / 3].max;
		p.s = session_new(&config);
		peer_run(&p);
		peer_transact(&p, &t, buf_span(&in));
		assert_int_equal(p.n_taken, 1);
		if (longs[i / 3].max != 2499)
			assert_true(span_equal(buf_span(&p.taken), buf_span(&want)));
		else
			assert_int_equal(p.taken.n, in.n + FOLD_BREAK.n);
		peer_release(&p);
		buf_release(&in);
		buf_release(&want);
	}
}

/* A big message goes nowhere before it is known that somebody takes it. */
static void
test_content_waits_for_a_recipient(void **state)
{
	struct session_transaction t = make(SPAN("x"));
	struct peer p;

	(void)state;
	peer_init(&p);
	p.chunking = p.pipelining = true;
	begin(&p);
	t.content_bytes = (uint64_t)1 << 30;
	session_start(p.s, &t);
	assert_int_equal(session_wish(p.s), SESSION_READ);
	peer_release(&p);
}

/* A server that answers no chunk is sent 8 of them. */
static void
test_content_waits_for_replies_to_chunks(void **state)
{
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	struct span in = SPAN(
	    "220 x\r\n250-x\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
	struct session_transaction t = make(SPAN("x"));
	struct buf piece = buf_make((size_t)200 << 10);
	unsigned n = 0;

	(void)state;
	while (buf_room(&piece, 10))
		buf_put_str(&piece, "12345678\r\n");
	session_input(s, &in);
	session_start(s, &t);
	in = SPAN("250 mail\r\n250 rcpt\r\n");
	session_input(s, &in);
	for (; session_wish(s) == SESSION_CONTENT; n++)
		session_content(s, buf_span(&piece), false);
	assert_int_equal(n, 8);
	in = SPAN("250 chunk\r\n");
	session_input(s, &in);
	assert_int_equal(session_wish(s), SESSION_CONTENT);
	buf_release(&piece);
	session_free(&s);
}

/* Content that nobody takes away ends the session, and nothing with a gap is sent. */
static void
test_content_output_has_a_limit(void **state)
{
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	struct span in = SPAN("220 x\r\n250 x\r\n250 mail\r\n250 rcpt\r\n354 go\r\n");
	struct session_transaction t = make(SPAN("x"));
	struct buf piece = buf_make(SESSION_CONTENT_BYTES_MAX);
	unsigned n = 0;
	size_t n_results;

	(void)state;
	t.seven_bit = true;
	while (buf_room(&piece, 10))
		buf_put_str(&piece, "12345678\r\n");
	for (struct span line; in.n > 0;) {
		size_t end = span_find(in, '\n') + 1;

		line = span_first(in, end);
		in = span_after(in, end);
		if (session_wish(s) == SESSION_READY)
			session_start(s, &t);
		session_input(s, &line);
	}
	for (; session_wish(s) == SESSION_CONTENT && n < 100; n++)
		session_content(s, buf_span(&piece), false);
	assert_int_equal(session_end(s), SESSION_END_BROKEN);
	assert_int_equal(session_output(s)->n, 0);
	assert_int_equal(session_results(s, &n_results)->outcome, DELIVERY_DEFERRED);
	assert_int_equal(n, 17);
	buf_release(&piece);
	session_free(&s);
}

/* What a server says while the message is still on its way. */
static void
test_content_reply_before_the_end(void **state)
{
	static const struct {
		struct span said;
		enum delivery_outcome outcome;
		enum session_end end;
	} early[] = {
	    {SPAN("552 5.3.4 too big\r\n"), DELIVERY_FAILED,   SESSION_END_REFUSED},
	    {SPAN("452 4.3.1 full\r\n"),    DELIVERY_DEFERRED, SESSION_END_REFUSED},
	    {SPAN("421 4.3.2 bye\r\n"),     DELIVERY_DEFERRED, SESSION_END_BUSY   },
	    {SPAN("250 2.0.0 taken\r\n"),   DELIVERY_DEFERRED, SESSION_END_BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < 2 * N_ELEMS(early); i++) {
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct session_transaction t = make(SPAN("a\r\nb\r\n"));
		struct span in = i % 2 ? SPAN("220 x\r\n250-x\r\n250 CHUNKING\r\n")
				       : SPAN("220 x\r\n250 x\r\n");
		struct span said = early[i / 2].said;
		size_t n;

		t.seven_bit = true;
		session_input(s, &in);
		session_start(s, &t);
		in = SPAN("250 mail\r\n");
		session_input(s, &in);
		in = i % 2 ? SPAN("250 rcpt\r\n") : SPAN("250 rcpt\r\n354 go\r\n");
		session_input(s, &in);
		session_content(s, SPAN("a\r\n"), false);
		session_input(s, &said);
		assert_int_equal(session_wish(s), SESSION_OVER);
		assert_int_equal(session_end(s), early[i / 2].end);
		assert_int_equal(session_results(s, &n)->outcome, early[i / 2].outcome);
		assert_false(session_uncertain(s));
		session_free(&s);
	}
}

/* --- a server of 7 bits --------------------------------------------------- */

static const struct eight {
	const char *name;
	struct span in, want;
} eights[] = {
    {"7-bit after all", SPAN("Subject: x\r\n\r\nhello\r\n"),
     SPAN("Subject: x\r\n\r\nhello\r\n")                                     },
    {"text",
     SPAN("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc=\r\n"),
     SPAN("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC=3D\r\n")},
};

static void
test_content_is_downgraded_for_7_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * N_ELEMS(eights); i++) {
		const struct eight *row = &eights[i / 2];
		struct session_transaction t = make(row->in);
		struct peer p;

		print_message("%s\n", row->name);
		peer_init(&p);
		p.eightbit = false;
		p.chunking = i % 2;
		begin(&p);
		t.flags = ENVELOPE_8BITMIME;
		peer_transact(&p, &t, row->in);
		assert_string_equal(p.taken_from, "MAIL FROM:<me@example.net>");
		assert_true(span_equal(buf_span(&p.taken), row->want));
		peer_release(&p);
	}
}

static void
test_content_big_is_downgraded_in_pieces(void **state)
{
	struct buf big = buf_make((size_t)4 << 20);
	struct session_transaction t;
	struct peer p;
	size_t n = 0;

	(void)state;
	buf_put_str(&big, "Subject: x\r\n\r\n");
	while (big.n < (size_t)2 << 20)
		buf_put_str(&big, "gr\xc3\xbc\xc3\x9f dich\r\n");
	for (size_t i = 0; i < big.n; i++)
		n += (unsigned char)big.at[i] >= 0x80;
	for (int chunking = 0; chunking < 2; chunking++) {
		peer_init(&p);
		p.eightbit = false;
		p.chunking = chunking;
		begin(&p);
		t = make(buf_span(&big));
		peer_transact(&p, &t, buf_span(&big));
		assert_int_equal(p.n_taken, 1);
		assert_lines(buf_span(&p.taken));
		for (size_t i = 0; i < p.taken.n; i++)
			assert_true((unsigned char)p.taken.at[i] < 0x80);
		assert_true(p.taken.n > big.n + 2 * n);
		peer_release(&p);
	}
	buf_release(&big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_content_same_at_every_cut),
	    cmocka_unit_test(test_content_big_comes_whole),
	    cmocka_unit_test(test_content_lines_too_long_are_broken),
	    cmocka_unit_test(test_content_waits_for_a_recipient),
	    cmocka_unit_test(test_content_waits_for_replies_to_chunks),
	    cmocka_unit_test(test_content_output_has_a_limit),
	    cmocka_unit_test(test_content_reply_before_the_end),
	    cmocka_unit_test(test_content_is_downgraded_for_7_bits),
	    cmocka_unit_test(test_content_big_is_downgraded_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
