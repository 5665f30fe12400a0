/* tests/unit/test_pop3.c - a POP3 session after its login, against a mailbox of arrays
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pop3d/session/session.h"

#include <stdio.h>

static const struct stored {
	const char *text;
	enum pop3_message_answer answer;
} mailbox[] = {
    {"Subject: one\r\n\r\nfirst\r\n",                                    POP3_MESSAGE_OK     },
    {"A: b\r\nC: d\r\n\r\n.dot\r\n..two\r\nx.\r\n.\r\nlast without end",
     POP3_MESSAGE_OK									 },
    {"Gone: yes\r\n\r\n",						POP3_MESSAGE_GONE   },
    {"Damaged: yes\r\n\r\n",					     POP3_MESSAGE_DAMAGED},
    {"no header line at all",					    POP3_MESSAGE_OK     },
};

struct run {
	struct pop3 *s;
	struct buf out;  /* not yet taken by the client */
	struct buf sent; /* what the client has */
	size_t piece;    /* how much of a message is read at once */
	size_t fail_at;  /* reading fails from this offset on; 0: never */
	bool update_ok;
	uint32_t removed[8];
	size_t n_removed, updates, opened, done, flushes;
	enum pop3_want last;
};

static struct pop3_message *
snapshot(void)
{
	struct pop3_message *m = memory_new(N_ELEMS(mailbox), sizeof(*m));

	for (size_t i = 0; i < N_ELEMS(mailbox); i++) {
		m[i].bytes = strlen(mailbox[i].text);
		m[i].uid = (uint32_t)(10 + i);
		memset(m[i].guid, (int)(0xa0 + i), sizeof(m[i].guid));
		m[i].uidl = i == 4 ? "0000000759a0b1c2" : NULL;
	}
	return m;
}

static void
start(struct run *r, const struct pop3_limits *limits)
{
	*r = (struct run){.piece = 1000, .update_ok = true};
	r->out = buf_make(1u << 20);
	r->sent = buf_make(1u << 20);
	r->s = pop3_new(limits, snapshot(), N_ELEMS(mailbox));
	pop3_open(r->s, &r->out);
}

static void
stop(struct run *r)
{
	pop3_free(&r->s);
	buf_release(&r->out);
	buf_release(&r->sent);
}

static void
flush(struct run *r)
{
	buf_put(&r->sent, buf_span(&r->out));
	buf_reset(&r->out);
}

static void
answer_bytes(struct run *r)
{
	const struct pop3_ask *ask = pop3_ask(r->s);
	struct span all = span_str(mailbox[ask->uid - 10].text);
	struct span rest = span_after(all, (size_t)ask->offset);

	if (r->fail_at && ask->offset >= r->fail_at)
		rest.n = 0;
	assert_true(ask->n > 0);
	rest = span_first(rest, ask->n < r->piece ? ask->n : r->piece);
	pop3_answer_bytes(r->s, rest, &r->out);
}

static void
answer_update(struct run *r)
{
	size_t at = 0;
	uint32_t uid;

	r->updates++;
	while (pop3_next_deleted(r->s, &at, &uid))
		r->removed[r->n_removed++] = uid;
	pop3_answer_update(r->s, r->update_ok, &r->out);
}

/* Feeds one piece of input, answers what is asked, until more input is wanted. */
static void
feed(struct run *r, struct span *in)
{
	for (int i = 0; i < 10000; i++) {
		r->last = pop3_step(r->s, in, &r->out);
		switch (r->last) {
		case POP3_WANT_TURN:
			break;
		case POP3_WANT_FLUSH:
			r->flushes++;
			flush(r);
			break;
		case POP3_WANT_MESSAGE:
			r->opened++;
			pop3_answer_message(
			    r->s, mailbox[pop3_ask(r->s)->uid - 10].answer, &r->out);
			break;
		case POP3_WANT_BYTES:
			answer_bytes(r);
			break;
		case POP3_WANT_DONE:
			r->done++;
			break;
		case POP3_WANT_UPDATE:
			answer_update(r);
			break;
		case POP3_WANT_ABORT:
			buf_reset(&r->out);
			return;
		case POP3_WANT_INPUT:
		case POP3_WANT_CLOSE:
			flush(r);
			return;
		}
	}
	fail_msg("it never ends");
}

/* All of the input, cut once; what is left of the first part comes again. */
static void
feed_cut(struct run *r, struct span all, size_t cut)
{
	struct span in = span_first(all, cut);

	feed(r, &in);
	in = span_make(in.at, in.n + all.n - cut);
	if (r->last == POP3_WANT_INPUT)
		feed(r, &in);
}

#define HELLO      "+OK 5 messages in 123 octets\r\n"
#define UIDL(i, c) i " " c c c c c c c c c c c c c c c c "\r\n"

static const struct row {
	const char *name, *in, *out;
} rows[] = {
    {"nothing",				 "",					      ""							     },
    {"stat",				    "STAT\r\n",				      "+OK 5 123\r\n"						},
    {"any case",				"sTaT\r\n",				      "+OK 5 123\r\n"						},
    {"list",				    "LIST\r\n",
     "+OK 5 messages\r\n1 23\r\n2 50\r\n3 13\r\n4 16\r\n5 21\r\n.\r\n"											  },
    {"list one",				"LIST 2\r\n",				    "+OK 2 50\r\n"						 },
    {"list none",			       "LIST 6\r\n",				    "-ERR no such message\r\n"                                     },
    {"list zero",			       "LIST 0\r\n",				    "-ERR no such message\r\n"                                     },
    {"list huge",			       "LIST 99999999999999999999\r\n",
     "-ERR that is no message number\r\n"														       },
    {"list minus",			      "LIST -1\r\n",				   "-ERR that is no message number\r\n"                           },
    {"uidl",				    "UIDL\r\n",
     "+OK 5 messages\r\n" UIDL("1",															       "a0") UIDL("2", "a1") UIDL("3", "a2")
	 UIDL("4", "a3") "5 0000000759a0b1c2\r\n.\r\n"},
    {"uidl one",			   "UIDL 5\r\n",							  "+OK 5 0000000759a0b1c2\r\n"										     },
    {"retr",				"RETR 1\r\n",					 "+OK 23 octets\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"                  },
    {"retr stuffs dots and ends the last line",                                    "RETR 2\r\n",
     "+OK 50 octets\r\nA: b\r\nC: d\r\n\r\n..dot\r\n...two\r\nx.\r\n..\r\n"
     "last without end\r\n.\r\n"         },
    {"retr of a message that went", "RETR 3\r\n",
     "-ERR [SYS/PERM] another session deleted it\r\n"																},
    {"retr of a damaged one",             "RETR 4\r\n",
     "-ERR [SYS/PERM] the message is damaged\r\n"													   },
    {"retr without argument",                   "RETR\r\n",					  "-ERR an argument is needed\r\n"													       },
    {"retr with two",                   "RETR 1 2\r\n",				      "-ERR that is no message number\r\n"                           },
    {"top 0",			   "TOP 2 0\r\n",					  "+OK\r\nA: b\r\nC: d\r\n\r\n.\r\n"                               },
    {"top 1",				   "TOP 2 1\r\n",					   "+OK\r\nA: b\r\nC: d\r\n\r\n..dot\r\n.\r\n"                              },
    {"top beyond the end",				   "TOP 1 99\r\n",                                   "+OK\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"            },
    {"top of a header without end",                      "TOP 5 3\r\n",
     "+OK\r\nno header line at all\r\n.\r\n"      },
    {"top without lines",             "TOP 2\r\n",                          "-ERR that is no number of lines\r\n"														    },
    {"top without message",                       "TOP 9 1\r\n",					       "-ERR no such message\r\n"                                               },
    {"dele",		     "DELE 1\r\nSTAT\r\nLIST 1\r\nRETR 1\r\nDELE 1\r\n",
     "+OK\r\n+OK 4 100\r\n-ERR no such message\r\n-ERR no such message\r\n"
     "-ERR no such message\r\n"                       },
    {"dele and rset",				    "DELE 1\r\nRSET\r\nSTAT\r\n",             "+OK\r\n+OK\r\n+OK 5 123\r\n"																 },
    {"list without deleted",                           "DELE 2\r\nLIST\r\n",
     "+OK\r\n+OK 4 messages\r\n1 23\r\n3 13\r\n4 16\r\n5 21\r\n.\r\n"                                },
    {"noop",		    "NOOP\r\n",                     "+OK\r\n"											   },
    {"noop with argument",				    "NOOP x\r\n",						      "-ERR there is no argument\r\n"										       },
    {"blanks at the end",                      "NOOP  \r\n",                      "+OK\r\n"},
    {"unknown",		       "XYZZY\r\n",				     "-ERR unknown command\r\n"								     },
    {"empty line",				 "\r\n",					       "-ERR unknown command\r\n"                                               },
    {"login again",			      "USER x\r\n",				       "-ERR unknown command\r\n"                             },
    {"bare LF ends nothing",			     "NOOP\nNOOP\r\n",
     "-ERR a bare CR, a bare LF or a NUL\r\n"                                 },
    {"bare CR ends nothing",                    "NOOP\rNOOP\r\n",
     "-ERR a bare CR, a bare LF or a NUL\r\n"														   },
    {"language list",                    "LANG\r\n",
     "+OK Language listing follows\r\ni-default English\r\nen English\r\n.\r\n"														   },
    {"language",			   "LANG EN\r\n",					     "+OK en English it is\r\n"										 },
    {"no such language",				"LANG de\r\n",					"-ERR there is English only\r\n"                                },
    {"capa",			"CAPA\r\n",
     "+OK Capability list follows\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
     "PIPELINING\r\nEXPIRE NEVER\r\nLANG\r\nUTF8\r\nIMPLEMENTATION Postroad\r\n.\r\n"                  },
    {"quit",				    "QUIT\r\nNOOP\r\n",						  "+OK bye\r\n"									   },
    {"pipelined",				    "STAT\r\nRETR 1\r\nNOOP\r\nTOP 1 0\r\nQUIT\r\n",
     "+OK 5 123\r\n+OK 23 octets\r\nSubject: one\r\n\r\nfirst\r\n.\r\n+OK\r\n+OK\r\n"
     "Subject: one\r\n\r\n.\r\n+OK bye\r\n"                              },
};

static void
assert_sent(const struct run *r, const char *want)
{
	struct span got = buf_span(&r->sent);

	if (span_starts(got, SPAN(HELLO)))
		got = span_after(got, sizeof(HELLO) - 1);
	if (!span_equal(got, span_str(want)))
		print_message("got:\n%.*s\nwant:\n%s\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

static void
test_pop3_same_answer_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= strlen(rows[i].in); cut++) {
			struct run r;

			start(&r, &pop3_limits_default);
			feed_cut(&r, span_str(rows[i].in), cut);
			assert_sent(&r, rows[i].out);
			stop(&r);
		}
	}
}

static void
test_pop3_same_answer_however_messages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t piece = 1; piece < 60; piece++) {
			struct span in = span_str(rows[i].in);
			struct run r;

			start(&r, &pop3_limits_default);
			r.piece = piece;
			feed(&r, &in);
			assert_sent(&r, rows[i].out);
			stop(&r);
		}
}

static void
test_pop3_stops_at_the_high_water_mark(void **state)
{
	struct pop3_limits small = pop3_limits_default;

	(void)state;
	small.output_high = 1;
	small.piece_bytes = 7;
	small.commands_per_step = 1;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span in = span_str(rows[i].in);
		struct run r;

		print_message("%s\n", rows[i].name);
		start(&r, &small);
		feed(&r, &in);
		assert_sent(&r, rows[i].out);
		assert_true(r.flushes > 0);
		/* A step may go over the mark by one piece, stuffed, or one row. */
		assert_true(r.out.size <= 512);
		stop(&r);
	}
}

static void
test_pop3_removes_at_quit_only(void **state)
{
	static const struct {
		const char *name, *in, *out;
		bool ok;
		size_t updates, removed;
		uint32_t uids[3];
	} cases[] = {
	    {"quit",
	     "DELE 1\r\nDELE 5\r\nQUIT\r\n",         "+OK\r\n+OK\r\n+OK bye\r\n",
	     true,													     1,
	     2,														      {10, 14}},
	    {"nothing to remove", "QUIT\r\n",        "+OK bye\r\n",                                                      true, 0, 0, {0}     },
	    {"after rset",
	     "DELE 1\r\nRSET\r\nDELE 2\r\nQUIT\r\n", "+OK\r\n+OK\r\n+OK\r\n+OK bye\r\n",
	     true,													     1,
	     1,														      {11}    },
	    {"it fails",
	     "DELE 1\r\nQUIT\r\n",		   "+OK\r\n-ERR [SYS/TEMP] the deleted messages were not removed\r\n",
	     false,													    1,
	     1,														      {10}    },
	    {"no quit",           "DELE 1\r\n",      "+OK\r\n",							  true, 0, 0, {0}     },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct span in = span_str(cases[i].in);
		struct run r;

		print_message("%s\n", cases[i].name);
		start(&r, &pop3_limits_default);
		r.update_ok = cases[i].ok;
		feed(&r, &in);
		assert_sent(&r, cases[i].out);
		assert_int_equal(r.updates, cases[i].updates);
		assert_int_equal(r.n_removed, cases[i].removed);
		for (size_t j = 0; j < r.n_removed; j++)
			assert_int_equal(r.removed[j], cases[i].uids[j]);
		assert_int_equal(pop3_totals(r.s).deleted,
				 r.update_ok ? r.n_removed : 0);
		stop(&r);
	}
}

static void
test_pop3_never_ends_a_message_it_could_not_read(void **state)
{
	struct span in = SPAN("DELE 1\r\nRETR 2\r\nQUIT\r\n");
	struct run r;

	(void)state;
	start(&r, &pop3_limits_default);
	r.piece = 10;
	r.fail_at = 20;
	feed(&r, &in);
	assert_int_equal(r.last, POP3_WANT_ABORT);
	assert_int_equal(r.updates, 0);
	assert_int_equal(pop3_totals(r.s).retrieved, 0);
	assert_int_equal(pop3_step(r.s, &in, &r.out), POP3_WANT_ABORT);
	stop(&r);
}

static void
test_pop3_opens_and_closes_each_message_once(void **state)
{
	struct span in = SPAN("RETR 1\r\nTOP 2 1\r\nRETR 3\r\nRETR 2\r\n");
	struct run r;

	(void)state;
	start(&r, &pop3_limits_default);
	r.piece = 3;
	feed(&r, &in);
	assert_int_equal(r.opened, 4);
	assert_int_equal(r.done, 3);
	assert_int_equal(pop3_totals(r.s).retrieved, 2);
	stop(&r);
}

/* A line of n bytes with its CRLF. */
static void
put_line(struct buf *out, size_t n)
{
	for (size_t i = 2; i < n; i++)
		buf_put_char(out, 'x');
	buf_put_str(out, "\r\n");
}

static void
test_pop3_line_limit(void **state)
{
	static const struct {
		size_t bytes;
		const char *want;
	} cases[] = {
	    {511,    "-ERR unknown command\r\n+OK\r\n"},
	    {512,    "-ERR unknown command\r\n+OK\r\n"},
	    {513,    "-ERR line too long\r\n+OK\r\n"  },
	    {100000, "-ERR line too long\r\n+OK\r\n"  },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++)
		for (size_t cut = 500; cut <= 520; cut++) {
			struct buf text = buf_make(200000);
			struct run r;

			put_line(&text, cases[i].bytes);
			buf_put_str(&text, "NOOP\r\n");
			start(&r, &pop3_limits_default);
			feed_cut(&r, buf_span(&text), cut < text.n ? cut : text.n);
			assert_sent(&r, cases[i].want);
			stop(&r);
			buf_release(&text);
		}
}

static void
test_pop3_closes_after_too_many_faults(void **state)
{
	static const struct {
		const char *name, *line;
		unsigned before; /* so many are answered, the next one closes */
		const char *reason;
	} cases[] = {
	    {"errors",     "XYZZY\r\n", 19, "too many errors"    },
	    {"long lines", NULL,        2,  "too many long lines"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct buf text = buf_make(1000);
		struct run r;

		print_message("%s\n", cases[i].name);
		if (cases[i].line)
			buf_put_str(&text, cases[i].line);
		else
			put_line(&text, 600);
		start(&r, &pop3_limits_default);
		for (unsigned n = 0; n <= cases[i].before; n++) {
			struct span in = buf_span(&text);

			feed(&r, &in);
			assert_int_equal(r.last, n < cases[i].before ? POP3_WANT_INPUT
								     : POP3_WANT_CLOSE);
		}
		assert_string_equal(pop3_reason(r.s), cases[i].reason);
		stop(&r);
		buf_release(&text);
	}
}

static void
test_pop3_timeout_deletes_nothing(void **state)
{
	struct span in = SPAN("DELE 1\r\n");
	struct run r;

	(void)state;
	start(&r, &pop3_limits_default);
	feed(&r, &in);
	pop3_timeout(r.s, &r.out);
	assert_int_equal(pop3_step(r.s, &in, &r.out), POP3_WANT_CLOSE);
	flush(&r);
	assert_sent(&r, "+OK\r\n-ERR you were silent for too long\r\n");
	assert_int_equal(r.updates, 0);
	stop(&r);
}

static void
test_pop3_timeout_inside_a_message_says_nothing(void **state)
{
	struct span in = SPAN("RETR 1\r\n");
	struct run r;

	(void)state;
	start(&r, &pop3_limits_default);
	flush(&r);
	assert_int_equal(pop3_step(r.s, &in, &r.out), POP3_WANT_MESSAGE);
	pop3_answer_message(r.s, POP3_MESSAGE_OK, &r.out);
	pop3_timeout(r.s, &r.out);
	assert_int_equal(pop3_step(r.s, &in, &r.out), POP3_WANT_ABORT);
	flush(&r);
	assert_sent(&r, "+OK 23 octets\r\n");
	stop(&r);
}

static void
test_pop3_empty_mailbox(void **state)
{
	struct span in = SPAN("STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n");
	struct run r;

	(void)state;
	start(&r, &pop3_limits_default);
	pop3_free(&r.s);
	buf_reset(&r.out);
	r.s = pop3_new(&pop3_limits_default, NULL, 0);
	pop3_open(r.s, &r.out);
	feed(&r, &in);
	assert_sent(&r,
		    "+OK 0 messages in 0 octets\r\n+OK 0 0\r\n+OK 0 messages\r\n.\r\n"
		    "+OK 0 messages\r\n.\r\n-ERR no such message\r\n+OK bye\r\n");
	stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pop3_same_answer_at_every_cut),
	    cmocka_unit_test(test_pop3_same_answer_however_messages_are_read),
	    cmocka_unit_test(test_pop3_stops_at_the_high_water_mark),
	    cmocka_unit_test(test_pop3_removes_at_quit_only),
	    cmocka_unit_test(test_pop3_never_ends_a_message_it_could_not_read),
	    cmocka_unit_test(test_pop3_opens_and_closes_each_message_once),
	    cmocka_unit_test(test_pop3_line_limit),
	    cmocka_unit_test(test_pop3_closes_after_too_many_faults),
	    cmocka_unit_test(test_pop3_timeout_deletes_nothing),
	    cmocka_unit_test(test_pop3_timeout_inside_a_message_says_nothing),
	    cmocka_unit_test(test_pop3_empty_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
