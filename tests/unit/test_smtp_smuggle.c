/* tests/unit/test_smtp_smuggle.c - no way to end a message but CRLF.CRLF
 *
 * Each row tries to hide a second message in the text of the first. On port 25 it
 * is refused, and the dialogue goes on behind its true end; on submission it is
 * mended, and arrives as one message. Never is there a second one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/smtp_script.h"

#define S(text)                                                                        \
	{                                                                              \
		"" text, sizeof(text) - 1                                              \
	}
#define HIDDEN "MAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nDATA\r\nhidden\r\n"

static const struct row {
	const char *name;
	struct span text;   /* after 354, its true end is added */
	const char *code;   /* on port 25 */
	struct span mended; /* what submission keeps */
} rows[] = {
    {"lf . lf",             S("a\n.\n" HIDDEN),       "550", S("a\r\n.\r\n" HIDDEN)        },
    {"lf . crlf",           S("a\n.\r\n" HIDDEN),     "550", S("a\r\n.\r\n" HIDDEN)        },
    {"lf . cr",             S("a\n.\r" HIDDEN),       "550", S("a\r\n.\r\n" HIDDEN)        },
    {"cr . cr",             S("a\r.\r" HIDDEN),       "550", S("a\r\n.\r\n" HIDDEN)        },
    {"cr . lf",             S("a\r.\n" HIDDEN),       "550", S("a\r\n.\r\n" HIDDEN)        },
    {"cr . crlf",           S("a\r.\r\n" HIDDEN),     "550", S("a\r\n.\r\n" HIDDEN)        },
    {"crlf . lf",           S("a\r\n.\n" HIDDEN),     "550", S("a\r\n\r\n" HIDDEN)         },
    {"crlf . cr",           S("a\r\n.\r" HIDDEN),     "550", S("a\r\n\r\n" HIDDEN)         },
    {"crlf . cr cr lf",     S("a\r\n.\r\r\n" HIDDEN), "550", S("a\r\n\r\n\r\n" HIDDEN)     },
    {"lf cr . crlf",        S("a\n\r.\r\n" HIDDEN),   "550", S("a\r\n\r\n.\r\n" HIDDEN)    },
    {"crlf nul . crlf",     S("a\r\n\0.\r\n" HIDDEN), "550", S("a\r\n.\r\n" HIDDEN)        },
    {"crlf . nul crlf",     S("a\r\n.\0\r\n" HIDDEN), "550", S("a\r\n\r\n" HIDDEN)         },
    {"cr nul lf . crlf",    S("a\r\0\n.\r\n" HIDDEN), "550", S("a\r\n\r\n.\r\n" HIDDEN)    },
    {"cr lf by nul . crlf", S("a\r\n.\r\0\n" HIDDEN), "550", S("a\r\n\r\n\r\n" HIDDEN)     },
    {"lf lf . lf lf",       S("a\n\n.\n\n" HIDDEN),   "550", S("a\r\n\r\n.\r\n\r\n" HIDDEN)},
    {"crlf . space crlf",   S("a\r\n. \r\n" HIDDEN),  "250", S("a\r\n \r\n" HIDDEN)        },
    {"crlf .. crlf",        S("a\r\n..\r\n" HIDDEN),  "250", S("a\r\n.\r\n" HIDDEN)        },
    {"bare cr alone",       S("a\rb\r\n"),            "550", S("a\r\nb\r\n")               },
    {"bare lf alone",       S("a\nb\r\n"),            "550", S("a\r\nb\r\n")               },
    {"nul alone",           S("a\0b\r\n"),            "550", S("ab\r\n")                   },
};

static void
open_transaction(struct script *t, enum session_kind kind, bool normalise)
{
	static struct session_policy policy;
	static const struct session_peer peer = {.address = SPAN("192.0.2.1"),
						 .login = SPAN("a")};

	policy = script_policy(kind);
	policy.normalise_bare = normalise;
	script_init(t, &policy, &peer);
	script_feed(t, SPAN("EHLO c\r\n"));
	script_feed(t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
}

/* The reply to the message, then 250 to the NOOP behind it, and nothing else. */
static void
check_replies(const struct script *t, const char *code)
{
	struct buf codes = buf_make(256), want = buf_make(256);

	script_codes(buf_span(&t->out), &codes);
	buf_putf(&want, "%s 250 ", code);
	assert_true(span_equal(buf_span(&codes), buf_span(&want)));
	buf_release(&codes);
	buf_release(&want);
}

static void
check(struct script *t, struct span mended, const char *code)
{
	bool taken = code[0] == '2';
	struct buf want = buf_make(4096);

	assert_int_equal(t->finished, taken ? 1 : 0);
	assert_int_equal(t->aborted, taken ? 0 : 1);
	assert_false(t->open);
	if (taken) {
		buf_put_str(&want, "a@b>c@d:");
		buf_put(&want, mended);
		buf_put_char(&want, '\n');
	}
	assert_true(span_equal(buf_span(&t->mail), buf_span(&want)));
	assert_int_equal(span_find_span(buf_span(&t->asked), SPAN("victim")),
			 t->asked.n);
	check_replies(t, code);
	buf_release(&want);
}

/* cut beyond the wire: byte by byte. */
static void
run(const struct row *row, enum session_kind kind, bool normalise, size_t cut)
{
	struct buf wire = buf_make(4096);
	struct script t;

	buf_put(&wire, row->text);
	buf_put_str(&wire, ".\r\nNOOP\r\n");
	open_transaction(&t, kind, normalise);
	script_feed(&t, SPAN("DATA\r\n"));
	buf_reset(&t.out);
	if (cut > wire.n)
		script_feed_bytes(&t, buf_span(&wire));
	else
		script_feed_cut(&t, buf_span(&wire), cut);
	check(&t, row->mended, normalise ? "250" : row->code);
	script_release(&t);
	buf_release(&wire);
}

static void
test_smuggling_in_data_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= rows[i].text.n + 10; cut++) {
			run(&rows[i], SESSION_MX, false, cut);
			run(&rows[i], SESSION_MX, true, cut);
			run(&rows[i], SESSION_SUBMISSIONS, true, cut);
		}
	}
}

/* The same texts as one chunk and as two: no dot means anything. */
static void
run_chunks(const struct row *row, size_t cut, size_t split)
{
	struct buf wire = buf_make(4096);
	struct script t;

	buf_putf(&wire, "BDAT %zu LAST\r\n", row->text.n - split);
	buf_put(&wire, span_after(row->text, split));
	buf_put_str(&wire, "NOOP\r\n");
	open_transaction(&t, SESSION_MX, false);
	if (split > 0) {
		struct buf head = buf_make(4096);

		buf_putf(&head, "BDAT %zu\r\n", split);
		buf_put(&head, span_first(row->text, split));
		script_feed(&t, buf_span(&head));
		buf_release(&head);
	}
	buf_reset(&t.out);
	script_feed_cut(&t, buf_span(&wire), cut);
	assert_int_equal(span_find_span(buf_span(&t.asked), SPAN("victim")), t.asked.n);
	assert_int_equal(t.finished, row->code[0] == '2' ? 1 : 0);
	assert_false(t.open);
	script_release(&t);
	buf_release(&wire);
}

static void
test_smuggling_in_chunks_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= rows[i].text.n + 22; cut++)
			run_chunks(&rows[i], cut, 0);
		for (size_t split = 1; split < rows[i].text.n; split++)
			run_chunks(&rows[i], SIZE_MAX, split);
	}
}

static const struct mixed_row {
	const char *name, *in, *codes, *mail;
} mixed_rows[] = {
    {"data behind a chunk",          "BDAT 3\r\na\r\n|DATA\r\n|BDAT 5 LAST\r\n.\r\nb\r|NOOP\r\n",
     "250 503 550 250 ",											      ""			      },
    {"chunk behind the end of data",
     "DATA\r\n|a\r\n.\r\nBDAT 6 LAST\r\nNOOP\r\nQUIT\r\n",                                        "354 250 503 221 ",
     "a@b>c@d:a\r\n\n"																},
    {"chunk in data is text",        "DATA\r\n|BDAT 3 LAST\r\na\r\n.\r\n|NOOP\r\n",
     "354 250 250 ",												  "a@b>c@d:BDAT 3 LAST\r\na\r\n\n"},
    {"commands in a chunk are text", "BDAT 7\r\n.\r\nQUITBDAT 0 LAST\r\nNOOP\r\n",
     "250 250 250 ",												  "a@b>c@d:.\r\nQUIT\r\n\n"       },
    {"nul last in a chunk",          "BDAT 4\r\na\r\n@|NOOP\r\n",                                 "550 250 ",         ""                              },
    {"refused chunk is no command",
     "RSET\r\nBDAT 40 LAST\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nNOOP\r\n",	      "250 503 250 ",     ""			      },
};

/* "@" stands for NUL when it is the last byte. */
static void
feed_with_nuls(struct script *t, struct span in)
{
	bool nul = in.n > 0 && in.at[in.n - 1] == '@';

	script_feed(t, span_first(in, in.n - nul));
	if (nul)
		script_feed(t, span_make("", 1));
}

static void
test_chunks_mixed_with_data(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(mixed_rows); i++) {
		struct span in = span_str(mixed_rows[i].in);
		struct buf codes = buf_make(256);
		struct script t;

		print_message("%s\n", mixed_rows[i].name);
		open_transaction(&t, SESSION_MX, false);
		buf_reset(&t.out);
		while (in.n > 0)
			feed_with_nuls(&t, span_cut(&in, '|'));
		script_codes(buf_span(&t.out), &codes);
		assert_true(
		    span_equal(buf_span(&codes), span_str(mixed_rows[i].codes)));
		assert_true(
		    span_equal(buf_span(&t.mail), span_str(mixed_rows[i].mail)));
		buf_release(&codes);
		script_release(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_smuggling_in_data_at_every_cut),
	    cmocka_unit_test(test_smuggling_in_chunks_at_every_cut),
	    cmocka_unit_test(test_chunks_mixed_with_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
