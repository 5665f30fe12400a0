/* tests/unit/test_remote_session_start.c - from the greeting to the first transaction:
 * hello, TLS, login
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

/* --- TLS ------------------------------------------------------------------ */

static const struct tls_row {
	const char *name;
	enum session_tls rule;
	bool offered;
	enum event answer; /* to STARTTLS */
	bool ready, secured;
	enum session_end end;
} tls_rows[] = {
    {"never, offered",       SESSION_TLS_NEVER, true,  EVENT_NONE, true,  false,
     SESSION_END_NONE									    },
    {"may, offered",         SESSION_TLS_MAY,   true,  EVENT_NONE, true,  true,  SESSION_END_NONE},
    {"may, not offered",     SESSION_TLS_MAY,   false, EVENT_NONE, true,  false,
     SESSION_END_NONE									    },
    {"may, not now",         SESSION_TLS_MAY,   true,  EVENT_4XX,  true,  false, SESSION_END_NONE},
    {"may, refused",         SESSION_TLS_MAY,   true,  EVENT_5XX,  true,  false, SESSION_END_NONE},
    {"must, offered",        SESSION_TLS_MUST,  true,  EVENT_NONE, true,  true,  SESSION_END_NONE},
    {"must, not offered",    SESSION_TLS_MUST,  false, EVENT_NONE, false, false,
     SESSION_END_TLS									     },
    {"must, not now",        SESSION_TLS_MUST,  true,  EVENT_4XX,  false, false, SESSION_END_TLS },
    {"must, refused",        SESSION_TLS_MUST,  true,  EVENT_5XX,  false, false, SESSION_END_TLS },
    {"must, told to go",     SESSION_TLS_MUST,  true,  EVENT_421,  false, false,
     SESSION_END_BUSY									    },
    {"must, strange answer", SESSION_TLS_MUST,  true,  EVENT_OK,   false, false,
     SESSION_END_BROKEN									  },
};

static void
test_session_tls_by_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(tls_rows); i++) {
		const struct tls_row *row = &tls_rows[i];
		struct session_config config;
		struct peer p;

		print_message("%s\n", row->name);
		peer_init(&p);
		p.tls = row->offered;
		p.rule_at = AT_STARTTLS;
		p.rule_event = row->answer;
		config = peer_config(&p);
		config.tls = row->rule;
		p.s = session_new(&config);
		peer_run(&p);
		assert_int_equal(session_wish(p.s) == SESSION_READY, row->ready);
		assert_int_equal(session_is_secured(p.s), row->secured);
		assert_int_equal(session_end(p.s), row->end);
		if (row->end == SESSION_END_TLS) {
			assert_int_equal(session_reason(p.s)->outcome,
					 DELIVERY_DEFERRED);
			assert_int_equal(session_reason(p.s)->enhanced[0], 4);
			assert_int_equal(session_reason(p.s)->enhanced[1], 7);
			assert_int_equal(session_reason(p.s)->enhanced[2], 5);
		}
		peer_release(&p);
	}
}

static struct session *
session_at_tls(struct span behind)
{
	struct session_config config = {.helo = SPAN("c"), .tls = SESSION_TLS_MAY};
	struct session *s = session_new(&config);
	struct span in = SPAN("220 x\r\n250-x\r\n250-CHUNKING\r\n250 STARTTLS\r\n");
	struct buf last = buf_make(1000);

	session_input(s, &in);
	buf_put_str(&last, "220 go\r\n");
	buf_put(&last, behind);
	in = buf_span(&last);
	session_input(s, &in);
	buf_release(&last);
	return s;
}

/* What is sent in the clear behind 220 might be taken for what came under TLS. */
static void
test_session_takes_no_plain_text_behind_starttls(void **state)
{
	struct session *s;
	struct span in = SPAN("250");

	(void)state;
	s = session_at_tls(SPAN("2"));
	assert_int_equal(session_end(s), SESSION_END_BROKEN);
	session_free(&s);
	s = session_at_tls(SPAN("250-x\r\n250 AUTH PLAIN\r\n"));
	assert_int_equal(session_end(s), SESSION_END_BROKEN);
	session_free(&s);
	s = session_at_tls(SPAN(""));
	assert_int_equal(session_wish(s), SESSION_TLS);
	session_input(s, &in);
	assert_int_equal(session_end(s), SESSION_END_BROKEN);
	session_free(&s);
}

static void
test_session_forgets_what_was_said_in_the_clear(void **state)
{
	struct session *s = session_at_tls(SPAN(""));
	struct span in = SPAN("250 x\r\n");

	(void)state;
	assert_int_equal(session_offers(s), 0);
	buf_reset(session_output(s));
	session_secured(s, false);
	assert_true(span_equal(buf_span(session_output(s)), SPAN("EHLO c\r\n")));
	session_input(s, &in);
	assert_int_equal(session_wish(s), SESSION_READY);
	assert_int_equal(session_offers(s), 0);
	session_free(&s);
}

static void
test_session_failed_handshake_names_tls(void **state)
{
	struct session *s = session_at_tls(SPAN(""));

	(void)state;
	session_lost(s, SPAN("certificate has expired"));
	assert_int_equal(session_end(s), SESSION_END_TLS);
	assert_true(span_equal(session_reason(s)->text,
			       SPAN("the TLS handshake failed: certificate has "
				    "expired")));
	session_free(&s);
}

/* --- AUTH ----------------------------------------------------------------- */

static const struct auth_row {
	const char *name;
	const char *offers;
	const char *password;
	bool tls, auth_without_tls;
	const char *want; /* how the AUTH line begins; null: there is none */
	bool ready;
} auth_rows[] = {
  /* clang-format off */
    {"plain", "PLAIN", "secret", true, false, "AUTH PLAIN AG1lAHNlY3JldA==\n", true},
    {"login", "LOGIN", "secret", true, false, "AUTH LOGIN\nbWU=\nc2VjcmV0\n", true},
    {"scram", "SCRAM-SHA-256", "secret", true, false, "AUTH SCRAM-SHA-256 biws", true},
    {"the best of all", "LOGIN PLAIN SCRAM-SHA-256", "secret", true, false,
     "AUTH SCRAM-SHA-256 ", true},
    {"plain before login", "LOGIN PLAIN XOAUTH2", "secret", true, false,
     "AUTH PLAIN ", true},
    {"wrong, plain", "PLAIN", "no", true, false, "AUTH PLAIN ", false},
    {"wrong, scram", "SCRAM-SHA-256", "no", true, false, "AUTH SCRAM-SHA-256 ", false},
    {"unknown ones only", "GSSAPI", "secret", true, false, NULL, false},
    {"none offered", NULL, "secret", true, false, NULL, false},
    {"without TLS", "SCRAM-SHA-256 PLAIN", "secret", false, false, NULL, false},
    {"without TLS, may", "PLAIN", "secret", false, true, "AUTH PLAIN ", true},
  /* clang-format on */
};

static void
test_session_logs_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(auth_rows); i++) {
		const struct auth_row *row = &auth_rows[i];
		struct session_config config;
		struct span log;
		size_t at;
		struct peer p;

		print_message("%s\n", row->name);
		peer_init(&p);
		p.tls = row->tls;
		p.auth = row->offers;
		config = peer_config(&p);
		config.user = SPAN("me");
		config.password = span_str(row->password);
		config.auth_without_tls = row->auth_without_tls;
		p.s = session_new(&config);
		peer_run(&p);
		log = buf_span(&p.log);
		at = span_find_span(log, SPAN("AUTH"));
		assert_int_equal(at == log.n, row->want == NULL);
		if (row->want)
			assert_true(
			    span_starts(span_after(log, at), span_str(row->want)));
		assert_int_equal(session_wish(p.s) == SESSION_READY, row->ready);
		if (!row->ready) {
			assert_int_equal(session_end(p.s), SESSION_END_REFUSED);
			assert_int_equal(session_reason(p.s)->outcome,
					 DELIVERY_DEFERRED);
			assert_int_equal(session_reason(p.s)->enhanced[0], 4);
			assert_int_equal(session_reason(p.s)->enhanced[1], 7);
		}
		peer_release(&p);
	}
}

/* Replies of a server to our AUTH, one after another; what comes of it. */
static const struct exchange {
	const char *name;
	const char *offers;
	const char *replies[3];
	bool ready;
	enum session_end end;
} exchanges[] = {
  /* clang-format off */
    {"no base64", "SCRAM-SHA-256", {"334 ?\r\n"}, false, SESSION_END_BROKEN},
    {"no nonce of ours", "SCRAM-SHA-256", {"334 cj1hYmMscz1hYWFhLGk9NDA5Ng==\r\n"},
     false, SESSION_END_REFUSED},
    {"taken without a proof", "SCRAM-SHA-256", {"235 ok\r\n"}, false, SESSION_END_REFUSED},
    {"more than PLAIN has", "PLAIN", {"334 \r\n"}, false, SESSION_END_REFUSED},
    {"more than LOGIN has", "LOGIN", {"334 \r\n", "334 \r\n", "334 \r\n"},
     false, SESSION_END_REFUSED},
    {"not this way, but that", "SCRAM-SHA-256 LOGIN",
     {"504 no\r\n", "334 \r\n", "235 ok\r\n"}, true, SESSION_END_NONE},
    {"no way at all", "PLAIN", {"534 5.7.9 no\r\n"}, false, SESSION_END_REFUSED},
    {"busy", "PLAIN", {"421 4.3.2 x\r\n"}, false, SESSION_END_BUSY},
    {"mail instead", "PLAIN", {"354 x\r\n"}, false, SESSION_END_BROKEN},
  /* clang-format on */
};

static void
test_session_bears_strange_logins(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(exchanges); i++) {
		const struct exchange *row = &exchanges[i];
		struct session_config config = {.helo = SPAN("c"),
						.user = SPAN("me"),
						.password = SPAN("secret"),
						.nonce = SPAN("0123456789abcdefgh"),
						.auth_without_tls = true};
		struct session *s = session_new(&config);
		struct buf hello = buf_make(1000);
		struct span in;

		print_message("%s\n", row->name);
		buf_putf(&hello, "220 x\r\n250-x\r\n250 AUTH %s\r\n", row->offers);
		in = buf_span(&hello);
		session_input(s, &in);
		for (int j = 0; j < 3 && row->replies[j]; j++) {
			in = span_str(row->replies[j]);
			session_input(s, &in);
		}
		assert_int_equal(session_wish(s) == SESSION_READY, row->ready);
		assert_int_equal(session_end(s), row->end);
		buf_release(&hello);
		session_free(&s);
	}
}

/* --- hello ---------------------------------------------------------------- */

static void
test_session_helo_only_where_it_may(void **state)
{
	static const struct {
		const char *name;
		bool lmtp, user;
		enum session_tls tls;
		bool ready;
	} rows[] = {
	    {"HELO will do",    false, false, SESSION_TLS_MAY,  true },
	    {"TLS is required", false, false, SESSION_TLS_MUST, false},
	    {"login",           false, true,  SESSION_TLS_MAY,  false},
	    {"LMTP",            true,  false, SESSION_TLS_MAY,  false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_config config;
		struct peer p;

		print_message("%s\n", rows[i].name);
		peer_init(&p);
		p.lmtp = rows[i].lmtp;
		p.rule_at = AT_EHLO;
		p.rule_event = EVENT_5XX;
		config = peer_config(&p);
		config.tls = rows[i].tls;
		config.user = rows[i].user ? SPAN("me") : SPAN("");
		p.s = session_new(&config);
		peer_run(&p);
		assert_int_equal(session_wish(p.s) == SESSION_READY, rows[i].ready);
		if (!rows[i].ready)
			assert_int_equal(session_end(p.s), SESSION_END_REFUSED);
		peer_release(&p);
	}
}

static void
test_session_both_hellos_refused(void **state)
{
	static const struct {
		struct span helo;
		enum session_end end;
		enum delivery_outcome outcome;
	} rows[] = {
	    {SPAN("550 5.7.1 no\r\n"), SESSION_END_REFUSED, DELIVERY_FAILED  },
	    {SPAN("450 not now\r\n"),  SESSION_END_REFUSED, DELIVERY_DEFERRED},
	    {SPAN("354 go\r\n"),       SESSION_END_BROKEN,  DELIVERY_DEFERRED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n502 what\r\n"), helo = rows[i].helo;

		session_input(s, &in);
		session_input(s, &helo);
		assert_int_equal(session_end(s), rows[i].end);
		assert_int_equal(session_reason(s)->outcome, rows[i].outcome);
		session_free(&s);
	}
}

static void
test_session_ends_when_the_server_speaks_unasked(void **state)
{
	static const struct {
		struct span said;
		enum session_end end;
	} rows[] = {
	    {SPAN("421 4.4.2 idle\r\n"), SESSION_END_BUSY  },
	    {SPAN("250 ok\r\n"),         SESSION_END_BROKEN},
	    {SPAN("\r\n"),               SESSION_END_BROKEN},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n250 x\r\n"), said = rows[i].said;

		session_input(s, &in);
		assert_int_equal(session_wish(s), SESSION_READY);
		session_input(s, &said);
		assert_int_equal(session_wish(s), SESSION_OVER);
		assert_int_equal(session_end(s), rows[i].end);
		if (rows[i].end == SESSION_END_BROKEN)
			assert_true(span_equal(session_reason(s)->text,
					       SPAN("the server spoke unasked")));
		session_free(&s);
	}
}

/* Whom to wait for and when the clock starts anew. */
static void
test_session_waits_are_told(void **state)
{
	static const struct relay_recipient r = {.address = SPAN("a@b")};
	struct session_transaction t = {
	    .recipients = &r, .n_recipients = 1, .seven_bit = true};
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	static const struct {
		struct span in;
		enum session_wait want;
	} rows[] = {
	    {SPAN("220 x\r\n"),    SESSION_WAIT_COMMAND},
	    {SPAN("250 x\r\n"),    SESSION_WAIT_NONE   },
	    {SPAN("250 mail\r\n"), SESSION_WAIT_COMMAND},
	    {SPAN("250 rcpt\r\n"), SESSION_WAIT_COMMAND},
	    {SPAN("354 data\r\n"), SESSION_WAIT_CONTENT},
	};
	unsigned turn, before;

	(void)state;
	assert_int_equal(session_wait(s, &before), SESSION_WAIT_GREETING);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span in = rows[i].in;

		if (i == 2) {
			session_start(s, &t);
			assert_int_equal(session_wait(s, &before),
					 SESSION_WAIT_COMMAND);
		}
		session_input(s, &in);
		assert_int_equal(session_wait(s, &turn), rows[i].want);
		assert_int_not_equal(turn, before);
		before = turn;
	}
	session_content(s, SPAN("x"), true);
	assert_int_equal(session_wait(s, &turn), SESSION_WAIT_FINAL);
	assert_int_not_equal(turn, before);
	session_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_tls_by_rule),
	    cmocka_unit_test(test_session_takes_no_plain_text_behind_starttls),
	    cmocka_unit_test(test_session_forgets_what_was_said_in_the_clear),
	    cmocka_unit_test(test_session_failed_handshake_names_tls),
	    cmocka_unit_test(test_session_logs_in),
	    cmocka_unit_test(test_session_bears_strange_logins),
	    cmocka_unit_test(test_session_helo_only_where_it_may),
	    cmocka_unit_test(test_session_both_hellos_refused),
	    cmocka_unit_test(test_session_ends_when_the_server_speaks_unasked),
	    cmocka_unit_test(test_session_waits_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
