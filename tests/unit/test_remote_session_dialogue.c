/* tests/unit/test_remote_session_dialogue.c - the very commands that go out, and what
 * becomes of messages that this server or that cannot take
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

#define HELLO "EHLO client.example\n"

static const char text[] = "Subject: x\r\n\r\nhello\r\n";

static struct session_transaction
make(const struct relay_recipient *r, size_t n)
{
	return (struct session_transaction){.sender = SPAN("me@example.net"),
					    .content_bytes = strlen(text),
					    .recipients = r,
					    .n_recipients = n};
}

static void
assert_log(const struct peer *p, const char *want)
{
	if (!span_equal(buf_span(&p->log), span_str(want)))
		fail_msg("said:\n%.*snot:\n%s", (int)p->log.n, p->log.at, want);
}

/* --- the words of MAIL and RCPT ------------------------------------------- */

static const struct words {
	const char *name;
	bool dsn, utf8;
	const char *more;
	struct session_transaction t;
	struct relay_recipient r;
	const char *want; /* behind EHLO, up to DATA */
} words[] = {
  /* clang-format off */
    {"plain",
     .t = {.sender = SPAN("a@b.example")},
     .r = {.address = SPAN("c@d.example")},
     .want = "MAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\n"},
    {"null sender",
     .r = {.address = SPAN("c@d.example")},
     .want = "MAIL FROM:<>\nRCPT TO:<c@d.example>\n"},
    {"size, 8-bit", .more = "250-SIZE 1000\r\n",
     .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_8BITMIME},
     .r = {.address = SPAN("\"a b\"@d")},
     .want = "MAIL FROM:<a@b> SIZE=21 BODY=8BITMIME\nRCPT TO:<\"a b\"@d>\n"},
    {"size without a limit", .more = "250-SIZE\r\n",
     .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@d")},
     .want = "MAIL FROM:<a@b> SIZE=21\nRCPT TO:<c@d>\n"},
    {"no DSN there",
     .t = {.sender = SPAN("a@b"), .ret = ENVELOPE_RET_FULL, .envid = SPAN("x")},
     .r = {.address = SPAN("c@d"), .notify = ENVELOPE_NOTIFY_NEVER},
     .want = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"},
    {"DSN", .dsn = true,
     .t = {.sender = SPAN("a@b"), .ret = ENVELOPE_RET_FULL, .envid = SPAN("x+3D")},
     .r = {.address = SPAN("c@d"),
	   .notify = ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY,
	   .orcpt = SPAN("rfc822;e@f")},
     .want = "MAIL FROM:<a@b> RET=FULL ENVID=x+3D\n"
	     "RCPT TO:<c@d> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;e@f\n"},
    {"DSN, never", .dsn = true,
     .t = {.sender = SPAN("a@b"), .ret = ENVELOPE_RET_HEADERS},
     .r = {.address = SPAN("c@d"), .notify = ENVELOPE_NOTIFY_NEVER},
     .want = "MAIL FROM:<a@b> RET=HDRS\nRCPT TO:<c@d> NOTIFY=NEVER\n"},
    {"DSN, nothing asked", .dsn = true,
     .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@d")},
     .want = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"},
    {"DSN, a command in what should be xtext", .dsn = true,
     .t = {.sender = SPAN("a@b"), .envid = SPAN("x\r\nRCPT TO:<y@z>")},
     .r = {.address = SPAN("c@d"), .orcpt = SPAN("rfc822;a b")},
     .want = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"},
    {"quoted pairs",
     .t = {.sender = SPAN("\"a\\\"<b>\\\\\"@b")},
     .r = {.address = SPAN("\"\\c\"@d")},
     .want = "MAIL FROM:<\"a\\\"<b>\\\\\"@b>\nRCPT TO:<\"\\c\"@d>\n"},
    {"SMTPUTF8 by flag", .utf8 = true,
     .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_SMTPUTF8},
     .r = {.address = SPAN("c@d")},
     .want = "MAIL FROM:<a@b> SMTPUTF8\nRCPT TO:<c@d>\n"},
    {"SMTPUTF8 by address", .utf8 = true,
     .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("j\xc3\xbcrgen@d")},
     .want = "MAIL FROM:<a@b> SMTPUTF8\nRCPT TO:<j\xc3\xbcrgen@d>\n"},
    {"A-labels without SMTPUTF8",
     .t = {.sender = SPAN("a@gr\xc3\xbcn.example")},
     .r = {.address = SPAN("c@B\xc3\xbc" "cher.example")},
     .want = "MAIL FROM:<a@xn--grn-ioa.example>\nRCPT TO:<c@xn--bcher-kva.example>\n"},
    {"SMTPUTF8 by flag, not offered, not needed",
     .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_SMTPUTF8},
     .r = {.address = SPAN("c@d")},
     .want = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\n"},
  /* clang-format on */
};

static void
test_session_words_of_mail_and_rcpt(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		struct session_transaction t = words[i].t;
		struct buf want = buf_make(4096);
		struct peer p;

		print_message("%s\n", words[i].name);
		peer_init(&p);
		p.pipelining = true;
		p.dsn = words[i].dsn;
		p.utf8 = words[i].utf8;
		p.more = words[i].more;
		peer_begin(&p);
		t.content_bytes = strlen(text);
		t.recipients = &words[i].r;
		t.n_recipients = 1;
		peer_transact(&p, &t, span_str(text));
		buf_putf(&want, HELLO "%sDATA\n", words[i].want);
		buf_put_char(&want, '\0');
		assert_log(&p, want.at);
		result_has_status(peer_result(&p, 0), DELIVERY_DONE, 250, 2, 0, 0);
		assert_int_equal(peer_result(&p, 0)->flags,
				 words[i].dsn ? RELAY_NOTIFIES : 0);
		buf_release(&want);
		peer_release(&p);
	}
}

/* --- what this server cannot take ----------------------------------------- */

static const struct cannot {
	const char *name;
	const char *more;
	bool seven_bit_server;
	struct session_transaction t;
	struct relay_recipient r;
	const char *content; /* null: `text` */
	unsigned b, c;       /* 5.b.c */
} cannot[] = {
  /* clang-format off */
    {"too big", "250-SIZE 20\r\n",
     .t = {.sender = SPAN("a@b")}, .r = {.address = SPAN("c@d")}, .b = 3, .c = 4},
    {"UTF-8 sender",
     .t = {.sender = SPAN("\xc3\xbc@b")}, .r = {.address = SPAN("c@d")}, .b = 6, .c = 7},
    {"UTF-8 recipient",
     .t = {.sender = SPAN("a@b")}, .r = {.address = SPAN("\xc3\xbc@d")}, .b = 6, .c = 7},
    {"a domain without A-labels", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@\xef\xbf\xbd.example")}, .b = 6, .c = 7},
    {"a wide > in the domain", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@d\xef\xbc\x9e.example")}, .b = 6, .c = 7},
    {"UTF-8 header", .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_SMTPUTF8},
     .r = {.address = SPAN("c@d")},
     .content = "Subject: \xc3\xbc\r\n\r\nx\r\n", .b = 6, .c = 7},
    {"binary", "250-BINARYMIME\r\n",
     .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_BINARYMIME},
     .r = {.address = SPAN("c@d")}, .b = 6, .c = 1},
    {"REQUIRETLS without TLS", "250-REQUIRETLS\r\n",
     .t = {.sender = SPAN("a@b"), .flags = ENVELOPE_REQUIRETLS},
     .r = {.address = SPAN("c@d")}, .b = 7, .c = 30},
    {"signed and 8-bit", .seven_bit_server = true,
     .t = {.sender = SPAN("a@b")}, .r = {.address = SPAN("c@d")},
     .content = "Content-Type: multipart/signed; boundary=x\r\n\r\n"
		"--x\r\n\r\n\xc3\xbc\r\n--x--\r\n", .b = 6, .c = 3},
    {"a line end in the sender", .t = {.sender = SPAN("a@b>\r\nDATA")},
     .r = {.address = SPAN("c@d")}, .b = 1, .c = 7},
    {"a line end in the recipient", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@d\r\nDATA")}, .b = 1, .c = 3},
    {"a parameter in the recipient", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("c@d> NOTIFY=<NEVER")}, .b = 1, .c = 3},
    {"an open quote", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("\"c@d")}, .b = 1, .c = 3},
    {"a control in quotes", .t = {.sender = SPAN("a@b")},
     .r = {.address = SPAN("\"\\\n\"@d")}, .b = 1, .c = 3},
    {"no recipient", .t = {.sender = SPAN("a@b")}, .b = 1, .c = 3},
  /* clang-format on */
};

static void
test_session_refuses_what_the_server_cannot_take(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(cannot); i++) {
		const struct cannot *row = &cannot[i];
		struct session_transaction t = row->t;
		struct peer p;

		print_message("%s\n", row->name);
		peer_init(&p);
		p.more = row->more;
		p.eightbit = !row->seven_bit_server;
		peer_begin(&p);
		t.content_bytes = strlen(text);
		t.recipients = &row->r;
		t.n_recipients = 1;
		peer_transact(&p, &t, span_str(row->content ? row->content : text));
		assert_log(&p, HELLO);
		result_has_status(peer_result(&p, 0), DELIVERY_FAILED, 0, 5, row->b,
				  row->c);
		assert_int_equal(session_wish(p.s), SESSION_READY);
		peer_release(&p);
	}
}

static void
test_session_addresses_have_a_limit(void **state)
{
	struct session_transaction t = make(NULL, 1);
	struct relay_recipient r = {.ordinal = 0};
	struct buf address = buf_make(2000);
	struct peer p;

	(void)state;
	t.recipients = &r;
	for (size_t n = 999; n <= 1001; n++) {
		buf_reset(&address);
		while (address.n < n - 2)
			buf_put_char(&address, 'x');
		buf_put_str(&address, "@d");
		r.address = buf_span(&address);
		peer_init(&p);
		peer_begin(&p);
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(peer_result(&p, 0)->outcome,
				 n <= 1000 ? DELIVERY_DONE : DELIVERY_FAILED);
		peer_release(&p);
	}
	buf_release(&address);
}

static void
test_session_sends_to_the_others(void **state)
{
	static const struct relay_recipient r[] = {
	    {.ordinal = 1, .address = SPAN("\xc3\xbc@example.org")},
	    {.ordinal = 2, .address = SPAN("b@example.org")       },
	};
	struct session_transaction t = make(r, N_ELEMS(r));
	struct peer p;

	(void)state;
	peer_init(&p);
	p.pipelining = true;
	peer_begin(&p);
	peer_transact(&p, &t, span_str(text));
	result_has_status(peer_result(&p, 0), DELIVERY_FAILED, 0, 5, 6, 7);
	result_has_status(peer_result(&p, 1), DELIVERY_DONE, 250, 2, 0, 0);
	assert_true(span_equal(buf_span(&p.taken_rcpts), SPAN("<b@example.org> ")));
	peer_release(&p);
}

static void
test_session_requiretls_needs_a_verified_name(void **state)
{
	static const struct relay_recipient r = {.address = SPAN("c@d")};
	struct session_transaction t = make(&r, 1);
	struct session_config config;
	struct peer p;

	(void)state;
	t.flags = ENVELOPE_REQUIRETLS;
	for (int verified = 0; verified < 2; verified++) {
		peer_init(&p);
		p.more = "250-REQUIRETLS\r\n";
		config = peer_config(&p);
		config.secured = true;
		config.verified = verified;
		p.s = session_new(&config);
		peer_run(&p);
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(peer_result(&p, 0)->outcome,
				 verified ? DELIVERY_DONE : DELIVERY_FAILED);
		if (verified)
			assert_string_equal(p.taken_from,
					    "MAIL FROM:<me@example.net> REQUIRETLS");
		peer_release(&p);
	}
}

/* --- round trips ---------------------------------------------------------- */

static const struct relay_recipient two[] = {
    {.ordinal = 0, .address = SPAN("a@example.org")},
    {.ordinal = 1, .address = SPAN("b@example.org")},
};

static void
test_session_one_write_where_it_can(void **state)
{
	static const struct {
		const char *name;
		bool pipelining, chunking;
		unsigned writes;
	} rows[] = {
	    {"all at once",   true,  true,  1},
	    {"DATA waits",    true,  false, 2},
	    {"BDAT, stepped", false, true,  4},
	    {"DATA, stepped", false, false, 5},
	};
	struct session_transaction t = make(two, N_ELEMS(two));

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct peer p;

		print_message("%s\n", rows[i].name);
		peer_init(&p);
		p.pipelining = rows[i].pipelining;
		p.chunking = rows[i].chunking;
		peer_begin(&p);
		p.n_writes = 0;
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(p.n_writes, rows[i].writes);
		assert_int_equal(peer_result(&p, 1)->outcome, DELIVERY_DONE);
		assert_true(span_equal(buf_span(&p.taken), span_str(text)));
		peer_release(&p);
	}
}

static enum event
refuse_all(struct peer *p, enum at at, unsigned nth)
{
	(void)nth;
	return at == AT_RCPT && p->seen[AT_MAIL] == 1 ? EVENT_5XX : EVENT_NONE;
}

static void
test_session_resets_only_where_needed(void **state)
{
	struct session_transaction t = make(two, N_ELEMS(two));
	struct peer p;

	(void)state;
	for (unsigned bits = 0; bits < 4; bits++) {
		peer_init(&p);
		p.pipelining = bits & 1;
		p.chunking = bits & 2;
		p.rule = refuse_all;
		peer_begin(&p);
		for (int i = 0; i < 3; i++) {
			peer_transact(&p, &t, span_str(text));
			assert_int_equal(peer_result(&p, 1)->outcome,
					 i == 0 ? DELIVERY_FAILED : DELIVERY_DONE);
		}
		assert_int_equal(p.seen[AT_RSET], 1);
		assert_int_equal(p.n_taken, 2);
		session_quit(p.s);
		peer_run(&p);
		assert_true(p.gone);
		assert_int_equal(session_end(p.s), SESSION_END_QUIT);
		peer_release(&p);
	}
}

/* DATA is taken although nobody was: a lone dot [RFC2920 3.1]. */
static void
test_session_lone_dot_for_nobody(void **state)
{
	static const char greeting[] = "220 x\r\n250-x\r\n250 PIPELINING\r\n";
	struct session_transaction t = make(two, N_ELEMS(two));
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	struct span in = span_str(greeting);
	size_t n;

	(void)state;
	t.seven_bit = true;
	session_input(s, &in);
	session_start(s, &t);
	buf_reset(session_output(s));
	in = SPAN("250 ok\r\n550 no\r\n451 no\r\n354 yes\r\n");
	session_input(s, &in);
	assert_true(span_equal(buf_span(session_output(s)), SPAN(".\r\n")));
	assert_int_equal(session_wish(s), SESSION_READ);
	in = SPAN("250 what a short message\r\n");
	session_input(s, &in);
	assert_int_equal(session_wish(s), SESSION_READY);
	assert_int_equal(session_results(s, &n)[0].outcome, DELIVERY_FAILED);
	assert_int_equal(session_results(s, &n)[1].outcome, DELIVERY_DEFERRED);
	session_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_words_of_mail_and_rcpt),
	    cmocka_unit_test(test_session_refuses_what_the_server_cannot_take),
	    cmocka_unit_test(test_session_addresses_have_a_limit),
	    cmocka_unit_test(test_session_sends_to_the_others),
	    cmocka_unit_test(test_session_requiretls_needs_a_verified_name),
	    cmocka_unit_test(test_session_one_write_where_it_can),
	    cmocka_unit_test(test_session_resets_only_where_needed),
	    cmocka_unit_test(test_session_lone_dot_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
