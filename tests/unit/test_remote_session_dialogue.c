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

static void
begin(struct peer *p)
{
	struct session_config config = peer_config(p);

	p->s = session_new(&config);
	peer_run(p);
	assert_int_equal(session_wish(p->s), SESSION_READY);
}

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

static const struct relay_result *
result(const struct peer *p, size_t i)
{
	size_t n;
	const struct relay_result *r = session_results(p->s, &n);

	assert_true(i < n);
	return &r[i];
}

static void
assert_text(const struct relay_result *r, const char *want)
{
	if (!span_equal(r->text, span_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)r->text.n, r->text.at, want);
}

static void
assert_status(const struct relay_result *r, enum delivery_outcome outcome,
	      unsigned code, unsigned a, unsigned b, unsigned c)
{
	assert_int_equal(r->outcome, outcome);
	assert_int_equal(r->code, code);
	assert_int_equal(r->enhanced[0], a);
	assert_int_equal(r->enhanced[1], b);
	assert_int_equal(r->enhanced[2], c);
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
		begin(&p);
		t.content_bytes = strlen(text);
		t.recipients = &words[i].r;
		t.n_recipients = 1;
		peer_transact(&p, &t, span_str(text));
		buf_putf(&want, HELLO "%sDATA\n", words[i].want);
		buf_put_char(&want, '\0');
		assert_log(&p, want.at);
		assert_status(result(&p, 0), DELIVERY_DONE, 250, 2, 0, 0);
		assert_int_equal(result(&p, 0)->flags,
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
		begin(&p);
		t.content_bytes = strlen(text);
		t.recipients = &row->r;
		t.n_recipients = 1;
		peer_transact(&p, &t, span_str(row->content ? row->content : text));
		assert_log(&p, HELLO);
		assert_status(result(&p, 0), DELIVERY_FAILED, 0, 5, row->b, row->c);
		assert_int_equal(session_wish(p.s), SESSION_READY);
		peer_release(&p);
	}
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
	begin(&p);
	peer_transact(&p, &t, span_str(text));
	assert_status(result(&p, 0), DELIVERY_FAILED, 0, 5, 6, 7);
	assert_status(result(&p, 1), DELIVERY_DONE, 250, 2, 0, 0);
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
		assert_int_equal(result(&p, 0)->outcome,
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
		begin(&p);
		p.n_writes = 0;
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(p.n_writes, rows[i].writes);
		assert_int_equal(result(&p, 1)->outcome, DELIVERY_DONE);
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
		begin(&p);
		for (int i = 0; i < 3; i++) {
			peer_transact(&p, &t, span_str(text));
			assert_int_equal(result(&p, 1)->outcome,
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

/* --- limits of the server [RFC9422] --------------------------------------- */

static void
test_session_keeps_to_the_servers_limits(void **state)
{
	static const struct relay_recipient r[] = {
	    {.address = SPAN("a@one")},   {.address = SPAN("b@one")},
	    {.address = SPAN("c@two")},   {.address = SPAN("d@ONE")},
	    {.address = SPAN("e@three")},
	};
	static const struct {
		const char *more;
		size_t want;
	} rows[] = {
	    {NULL,				   5},
	    {"250-LIMITS RCPTMAX=3\r\n",             3},
	    {"250-LIMITS X=1 RCPTDOMAINMAX=1\r\n",   2},
	    {"250-LIMITS RCPTDOMAINMAX=2\r\n",       4},
	    {"250-LIMITS RCPTMAX=0 RCPTMAX=x =\r\n", 5},
	    {"250-LIMITS MAILMAX=1\r\n",             5},
	};
	struct session_transaction t = make(r, 1);
	struct peer p;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		peer_init(&p);
		p.more = rows[i].more;
		begin(&p);
		assert_int_equal(session_fits(p.s, r, N_ELEMS(r)), rows[i].want);
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(session_fits(p.s, r, N_ELEMS(r)) == 0, i == 5);
		peer_release(&p);
	}
}

/* --- texts ---------------------------------------------------------------- */

static void
test_session_texts_are_printable_lines(void **state)
{
	static const struct {
		const char *name;
		struct span reply;
		unsigned code, e[3];
		const char *want;
	} rows[] = {
	    {"one line",
	     SPAN("550 5.1.1 no such user\r\n"),
	     550,								       {5, 1, 1},
	     "no such user"										 },
	    {"lines",
	     SPAN("550-5.7.1 We do not\r\n550-5.7.1  like you.\r\n550 5.7.1\r\n"),
	     550,								       {5, 7, 1},
	     "We do not like you."									  },
	    {"no codes",                SPAN("550 go away\r\n"),                   550, {5, 0, 0}, "go away"},
	    {"codes of another class",
	     SPAN("550 2.0.0 ok?\r\n"),
	     550,								       {5, 0, 0},
	     "ok?"											  },
	    {"an address at the start",
	     SPAN("550 192.0.2.1 is listed\r\n"),
	     550,								       {5, 0, 0},
	     "192.0.2.1 is listed"									  },
	    {"nothing",                 SPAN("452\r\n"),                           452, {4, 0, 0}, ""       },
	    {"controls",
	     SPAN("550 a\x1b[31mb\tc\0d\x7f\xc2\x9bm\r\n"),
	     550,								       {5, 0, 0},
	     "a [31mb c d m"										},
	    {"no UTF-8",
	     SPAN("550 gr\xfc\xdf \xe2\x82 \xc3\xbc\r\n"),
	     550,								       {5, 0, 0},
	     "gr?? ?? \xc3\xbc"									     },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_transaction t = make(two, 1);
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n250 x\r\n");
		const struct relay_result *r;
		size_t n;

		print_message("%s\n", rows[i].name);
		t.seven_bit = true;
		session_input(s, &in);
		session_start(s, &t);
		in = rows[i].reply;
		session_input(s, &in);
		r = session_results(s, &n);
		assert_int_equal(r->code, rows[i].code);
		for (int j = 0; j < 3; j++)
			assert_int_equal(r->enhanced[j], rows[i].e[j]);
		assert_text(r, rows[i].want);
		session_free(&s);
	}
}

/* [RFC5321 4.5.3.1.10] */
static void
test_session_too_many_recipients_are_sent_later(void **state)
{
	static const struct {
		struct span reply;
		enum delivery_outcome want;
		unsigned code;
	} rows[] = {
	    {SPAN("452 4.5.3 too many\r\n"), DELIVERY_DEFERRED, 452},
	    {SPAN("552 5.5.3 too many\r\n"), DELIVERY_DEFERRED, 452},
	    {SPAN("552 5.2.2 full\r\n"),     DELIVERY_FAILED,   552},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_transaction t = make(two, 2);
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n250-x\r\n250 PIPELINING\r\n");
		const struct relay_result *r;
		size_t n;

		t.seven_bit = true;
		session_input(s, &in);
		session_start(s, &t);
		in = SPAN("250 ok\r\n250 ok\r\n");
		session_input(s, &in);
		in = rows[i].reply;
		session_input(s, &in);
		in = SPAN("354 go\r\n");
		session_input(s, &in);
		session_content(s, SPAN("x"), true);
		in = SPAN("250 done\r\n");
		session_input(s, &in);
		r = session_results(s, &n);
		assert_status(&r[0], DELIVERY_DONE, 250, 2, 0, 0);
		assert_int_equal(r[1].outcome, rows[i].want);
		assert_int_equal(r[1].code, rows[i].code);
		session_free(&s);
	}
}

static void
test_session_long_texts_are_cut(void **state)
{
	struct session_transaction t = make(two, 1);
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	struct span in = SPAN("220 x\r\n250 x\r\n");
	struct buf reply = buf_make(1 << 20);
	size_t n;

	(void)state;
	t.seven_bit = true;
	session_input(s, &in);
	session_start(s, &t);
	for (int i = 0; i < 99; i++) {
		buf_put_str(&reply, "550-");
		for (int j = 0; j < 200; j++)
			buf_put_str(&reply, "\xe2\x82\xac");
		buf_put_str(&reply, "\r\n");
	}
	buf_put_str(&reply, "550 end\r\n");
	in = buf_span(&reply);
	session_input(s, &in);
	assert_int_equal(session_wish(s), SESSION_READY);
	assert_true(session_results(s, &n)->text.n > RELAY_TEXT_MAX - 4);
	assert_true(session_results(s, &n)->text.n <= RELAY_TEXT_MAX);
	assert_true(utf8_valid(session_results(s, &n)->text));
	buf_release(&reply);
	session_free(&s);
}

/* That the connection then ends adds a text, for which the others may have to move. */
static void
test_session_results_stay_when_it_ends(void **state)
{
	struct session_transaction t = make(two, N_ELEMS(two));
	struct buf why = buf_make(RELAY_TEXT_MAX);
	struct peer p;

	(void)state;
	while (buf_room(&why, 1))
		buf_put_char(&why, 'x');
	peer_init(&p);
	p.rule_at = AT_RCPT;
	p.rule_event = EVENT_4XX;
	begin(&p);
	peer_transact(&p, &t, span_str(text));
	session_lost(p.s, buf_span(&why));
	assert_text(result(&p, 0), "not now, later");
	assert_int_equal(result(&p, 0)->code, 451);
	assert_text(result(&p, 1), "queued");
	assert_int_equal(session_reason(p.s)->text.n, RELAY_TEXT_MAX);
	buf_release(&why);
	peer_release(&p);
}

static void
test_session_says_when_a_message_may_have_arrived(void **state)
{
	struct session_transaction t = make(two, N_ELEMS(two));
	struct peer p;

	(void)state;
	for (enum at at = AT_MAIL; at <= AT_FINAL; at++) {
		peer_init(&p);
		p.rule_at = at;
		p.rule_event = EVENT_DROP;
		begin(&p);
		peer_transact(&p, &t, span_str(text));
		if (session_end(p.s) == SESSION_END_LOST)
			assert_int_equal(session_uncertain(p.s), at == AT_FINAL);
		peer_release(&p);
	}
	peer_init(&p);
	p.rule_at = AT_FINAL;
	p.rule_event = EVENT_DROP;
	begin(&p);
	peer_transact(&p, &t, span_str(text));
	assert_text(result(&p, 0),
		    "the connection was lost after the end of the message (which may "
		    "have arrived): Connection reset by peer");
	assert_status(result(&p, 0), DELIVERY_DEFERRED, 0, 4, 4, 2);
	assert_true(span_equal(result(&p, 0)->host, SPAN("mx.example[192.0.2.1]")));
	peer_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_words_of_mail_and_rcpt),
	    cmocka_unit_test(test_session_refuses_what_the_server_cannot_take),
	    cmocka_unit_test(test_session_sends_to_the_others),
	    cmocka_unit_test(test_session_requiretls_needs_a_verified_name),
	    cmocka_unit_test(test_session_one_write_where_it_can),
	    cmocka_unit_test(test_session_resets_only_where_needed),
	    cmocka_unit_test(test_session_lone_dot_for_nobody),
	    cmocka_unit_test(test_session_keeps_to_the_servers_limits),
	    cmocka_unit_test(test_session_texts_are_printable_lines),
	    cmocka_unit_test(test_session_too_many_recipients_are_sent_later),
	    cmocka_unit_test(test_session_long_texts_are_cut),
	    cmocka_unit_test(test_session_results_stay_when_it_ends),
	    cmocka_unit_test(test_session_says_when_a_message_may_have_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
