/* THREAD: both algorithms, on small mailboxes that show one rule each, and a deep one
 */
#include "tests/unit/imap_like.h"

#include <stdio.h>

#define MESSAGES_MAX 8

/* Id, references, subject; messages are a minute apart, in this order, but when
 * `minute` says otherwise. An empty id: no Message-ID. */
struct message {
	const char *id, *references, *subject;
	int minute;
};

static const struct row {
	const char *name;
	struct message messages[MESSAGES_MAX];
	const char *references, *subjects;
} rows[] = {
    {"a chain",
     {{"a", "", "s", 0}, {"b", "<a>", "Re: s", 0}, {"c", "<a> <b>", "Re: s", 0}},
     "(1 2 3)",										"(1 (2)(3))"     },
    {"branches",
     {{"a", "", "s", 0}, {"b", "<a>", "s", 0}, {"c", "<a>", "s", 0}},
     "(1 (2)(3))",									     "(1 (2)(3))"     },
    {"siblings by date",
     {{"a", "", "s", 1}, {"b", "<a>", "s", 9}, {"c", "<a>", "s", 5}},
     "(1 (3)(2))",									     "(1 (3)(2))"     },
    {"a reply before its parent",
     {{"b", "<a>", "x", 0}, {"a", "", "y", 0}},
     "(2 1)",										  "(1)(2)"         },
    {"a missing parent of two",
     {{"b", "<a>", "x", 0}, {"c", "<a>", "y", 0}},
     "((1)(2))",									       "(1)(2)"         },
    {"a missing parent of one",      {{"b", "<a>", "x", 0}},                          "(1)",   "(1)"            },
    {"missing in between",
     {{"a", "", "x", 0}, {"d", "<a> <b> <c>", "y", 0}, {"e", "<a> <b> <c>", "z", 0}},
     "(1 (2)(3))",									     "(1)(2)(3)"      },
    {"missing above missing",
     {{"c", "<a> <b>", "x", 0}, {"e", "<a> <d>", "y", 0}, {"f", "<d>", "z", 0}},
     "((1)(2)(3))",									    "(1)(2)(3)"      },
    {"the same id twice",
     {{"a", "", "x", 0}, {"a", "", "y", 0}, {"b", "<a>", "z", 0}},
     "(1 3)(2)",									       "(1)(2)(3)"      },
    {"no id",
     {{"", "<a>", "x", 0}, {"", "<a>", "y", 0}, {"a", "", "z", 0}},
     "(3 (1)(2))",									     "(1)(2)(3)"      },
    {"a loop",		       {{"a", "<b>", "x", 0}, {"b", "<a>", "y", 0}},    "(2 1)", "(1)(2)"         },
    {"itself",		       {{"a", "<a>", "x", 0}},                          "(1)",   "(1)"            },
    {"the last reference counts",
     {{"a", "", "x", 0},
      {"b", "<a>", "y", 0},
      {"c", "<a>", "z", 0},
      {"d", "<b> <c>", "w", 0},
      {"c2", "<c> <b>", "v", 0}},
     "(1 (2 5)(3 4))",									 "(1)(2)(3)(4)(5)"},
    {"an own reference moves it",
     {{"c", "<b> <a>", "x", 0}, {"a", "", "y", 0}, {"b", "", "z", 0}},
     "(2 1)(3)",									       "(1)(2)(3)"      },
    {"ids in quotes",
     {{"\"a\"@h", "", "x", 0}, {"b@h", "<a@h>", "y", 0}},
     "(1 2)",										  "(1)(2)"         },
    {"a reply by its subject alone",
     {{"a", "", "s", 0}, {"b", "", "RE: S", 0}},
     "(1 2)",										  "(1 2)"          },
    {"a reply that came first",
     {{"a", "", "Re: s", 0}, {"b", "", "s", 0}},
     "(2 1)",										  "(1 2)"          },
    {"one subject, no reply",
     {{"a", "", "s", 0}, {"b", "", "s", 0}, {"c", "", "Re: s", 0}},
     "((1)(2)(3))",									    "(1 (2)(3))"     },
    {"replies alone",
     {{"a", "", "Re: s", 0}, {"b", "", "Fwd: s", 0}},
     "((1)(2))",									       "(1 2)"          },
    {"a dummy takes its subject",
     {{"b", "<a>", "s", 0}, {"c", "<a>", "t", 0}, {"d", "", "s", 0}},
     "((1)(2)(3))",									    "(1 3)(2)"       },
    {"two dummies of one subject",
     {{"b", "<a>", "s", 0},
      {"c", "<a>", "t", 0},
      {"e", "<d>", "s", 0},
      {"f", "<d>", "u", 0}},
     "((1)(2)(3)(4))",									 "(1 3)(2)(4)"    },
    {"no subject joins nothing",
     {{"a", "", "", 0}, {"b", "", "Re:", 0}},
     "(1)(2)",										 "(1 2)"          },
    {"threads by date",
     {{"a", "", "x", 5}, {"b", "", "y", 1}, {"c", "<b>", "y", 9}},
     "(2 3)(1)",									       "(2 3)(1)"       },
};

static void
append(struct harness *h, const struct message *m, int minute)
{
	struct buf text = buf_make(1 << 16), command = buf_make(1 << 16);

	if (m->id[0])
		buf_putf(&text, "Message-ID: <%s>\r\n", m->id);
	if (m->references[0])
		buf_putf(&text, "References: %s\r\n", m->references);
	buf_putf(&text, "Subject: %s\r\nDate: Fri, 1 Jan 2027 12:%02d:00 +0000\r\n\r\n",
		 m->subject, m->minute ? m->minute : minute);
	buf_putf(&command, "a APPEND INBOX {%zu+}\r\n", text.n);
	buf_put(&command, buf_span(&text));
	buf_put_str(&command, "\r\n");
	assert_true(span_starts(harness_send(h, 0, buf_span(&command)), SPAN("a OK")));
	buf_release(&text);
	buf_release(&command);
}

static void
expect_threads(struct harness *h, const char *algorithm, const char *threads)
{
	struct buf send = buf_make(1024), want = buf_make(1024);

	buf_putf(&send, "a THREAD %s UTF-8 ALL\r\n", algorithm);
	buf_putf(&want, "* THREAD %s\r\na OK THREAD completed\r\n", threads);
	expect_like(h, buf_span(&send), buf_span(&want));
	buf_release(&send);
	buf_release(&want);
}

static void
run_row(const struct row *row)
{
	struct harness h;

	print_message("%s\n", row->name);
	harness_init(&h);
	for (int i = 0; i < MESSAGES_MAX && row->messages[i].id; i++)
		append(&h, &row->messages[i], i);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	expect_threads(&h, "REFERENCES", row->references);
	expect_threads(&h, "ORDEREDSUBJECT", row->subjects);
	harness_release(&h);
}

static void
test_thread_follows_each_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		run_row(&rows[i]);
}

static void
test_thread_of_none_and_of_some(void **state)
{
	const struct message m[] = {
	    {"a", "",    "x", 0},
            {"b", "<a>", "y", 0}
        };
	struct harness h;

	(void)state;
	harness_init(&h);
	for (int i = 0; i < 2; i++)
		append(&h, &m[i], i);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	expect_like(&h, SPAN("a THREAD REFERENCES UTF-8 KEYWORD none\r\n"),
		    SPAN("* THREAD\r\na OK THREAD completed\r\n"));
	expect_like(&h, SPAN("a UID THREAD REFERENCES UTF-8 2\r\n"),
		    SPAN("* THREAD (2)\r\na OK UID THREAD completed\r\n"));
	expect_like(&h, SPAN("a THREAD REFERENCES x-nowhere ALL\r\n"),
		    SPAN("a NO [BADCHARSET ~\r\n"));
	harness_release(&h);
}

/* Each refers to the one before: deeper than any stack of calls should be. */
static void
test_thread_as_deep_as_the_mailbox(void **state)
{
	enum {
		DEPTH = 20000
	};
	struct buf text = buf_make(4096), want = buf_make(1 << 20);
	struct store_appended out;
	struct harness h;

	(void)state;
	harness_init(&h);
	fixture_check(&h.f, store_batch_begin(h.f.account, true, &h.f.err));
	buf_put_str(&want, "* THREAD (");
	for (int i = 1; i <= DEPTH; i++) {
		struct store_message m;

		buf_reset(&text);
		buf_putf(&text, "Message-ID: <%d@h>\r\nIn-Reply-To: <%d@h>\r\n\r\n", i,
			 i - 1);
		m = fixture_message(&h.f, buf_span(&text), SPAN(""));
		fixture_check(&h.f, store_append(h.f.account, &m, &out, &h.f.err));
		fixture_check(&h.f, store_batch_end(h.f.account, &h.f.err));
		fixture_check(&h.f, store_batch_begin(h.f.account, true, &h.f.err));
		buf_putf(&want, i > 1 ? " %d" : "%d", i);
	}
	buf_put_str(&want, ")\r\na OK THREAD completed\r\n");
	fixture_check(&h.f, store_batch_end(h.f.account, &h.f.err));
	fixture_check(&h.f, store_sync(h.f.account, h.f.now_us, &h.f.err));
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	assert_true(span_equal(harness_say(&h, 0, "a THREAD REFERENCES UTF-8 ALL\r\n"),
			       buf_span(&want)));
	buf_release(&text);
	buf_release(&want);
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_thread_follows_each_rule),
	    cmocka_unit_test(test_thread_of_none_and_of_some),
	    cmocka_unit_test(test_thread_as_deep_as_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
