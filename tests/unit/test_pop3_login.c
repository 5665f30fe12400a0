/* tests/unit/test_pop3_login.c - POP3 before the login, against a small authd */
#include "tests/unit/login_script.h"

static const struct login_policy policy = {
    .protocol = &login_pop3,
    .limits = {.line_bytes_max = 8192,
	       .failures_max = 5,
	       .errors_max = 20,
	       .commands_max = 100,
	       .long_lines_max = 3,
	       .steps_max = 8},
    .host_name = {"mx.example.org",    14                             },
    .mechanisms_tls = {"PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",                      44                              },
    .mechanisms_plain = {"SCRAM-SHA-256",                      13},
    .starttls = true,
};

#define HELLO "+OK mx.example.org POP3 ready\r\n"
#define CAPA                                                                           \
	"+OK Capability list "                                                         \
	"follows\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"                   \
	"PIPELINING\r\nEXPIRE NEVER\r\nLANG\r\n"
#define DENIED "-ERR [AUTH] wrong name or password\r\n"

static const struct script script = {&policy, sizeof(HELLO) - 1, sizeof(HELLO) - 1};

static const struct script_dialogue rows[] = {
    {"capa without tls",            false, "CAPA\r\n",
     CAPA "UTF8\r\nSASL SCRAM-SHA-256\r\nSTLS\r\nIMPLEMENTATION Postroad\r\n.\r\n",
     false,																	    ""			     },
    {"capa with tls",               true,  "CAPA\r\n",
     CAPA "UTF8 USER\r\nUSER\r\nSASL PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n"
	  "IMPLEMENTATION Postroad\r\n.\r\n",												   false, ""			     },
    {"user and pass",               true,  "USER joe\r\nPASS a b\r\n",                                "+OK\r\n",                                true,
     "PLAIN=|joe|a b\n"																			       },
    {"wrong password",              true,  "USER joe\r\nPASS ab\r\nPASS a b\r\n",
     "+OK\r\n" DENIED "-ERR USER comes first\r\n",											      false, "PLAIN=|joe|ab\n"              },
    {"user without tls",            false, "USER joe\r\nPASS a b\r\n",
     "-ERR begin TLS first\r\n-ERR begin TLS first\r\n",											false, ""                             },
    {"pass first",                  true,  "PASS x\r\n",					      "-ERR USER comes first\r\n",              false, ""                             },
    {"no name",		     true,  "USER\r\n",						"-ERR that is no name\r\n",               false, ""                             },
    {"plain at once",               true,  "AUTH PLAIN AGpvZQBhIGI=\r\n",                             "",                                       true,
     "PLAIN=|joe|a b\n"																			       },
    {"plain later",                 true,  "AUTH PLAIN\r\nAGpvZQBhIGI=\r\n",                          "+ \r\n",                                 true,
     "PLAIN=|joe|a b\n"																			       },
    {"plain without tls",           false, "AUTH PLAIN AGpvZQBhIGI=\r\n",
     "-ERR no such mechanism here\r\n",													 false, ""                             },
    {"login",		       true,  "AUTH login\r\nam9l\r\nYSBi\r\n",
     "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n",												    true,  "login\nlogin=joe\nlogin=a b\n"},
    {"login with initial response", true,  "AUTH LOGIN am9l\r\nYSBi\r\n",
     "+ UGFzc3dvcmQ6\r\n",														      true,  "LOGIN=joe\nLOGIN=a b\n"       },
    {"scram",		       false, "AUTH SCRAM-SHA-256 Y2xpZW50\r\ncHJvb2Y=\r\n\r\n",
     "+ c2VydmVy\r\n+ dj14\r\n",														true,
     "SCRAM-SHA-256=client\nSCRAM-SHA-256=proof\nSCRAM-SHA-256=\n"														    },
    {"scram later",                 true,  "AUTH SCRAM-SHA-256-PLUS\r\nY2xpZW50\r\ncHJvb2Y=\r\n\r\n",
     "+ \r\n+ c2VydmVy\r\n+ dj14\r\n",													  true,
     "SCRAM-SHA-256-PLUS=client\nSCRAM-SHA-256-PLUS=proof\nSCRAM-SHA-256-PLUS=\n"												     },
    {"plus without tls",            false, "AUTH SCRAM-SHA-256-PLUS Y2xpZW50\r\n",
     "-ERR no such mechanism here\r\n",													 false, ""                             },
    {"empty initial response",      false, "AUTH SCRAM-SHA-256 =\r\n",                                "",                                       true,
     "SCRAM-SHA-256=\n"																			       },
    {"given up before it began",    true,  "AUTH PLAIN\r\n*\r\nQUIT\r\n",
     "+ \r\n-ERR login given up\r\n+OK bye\r\n",												false, ""                             },
    {"given up",		    true,  "AUTH LOGIN\r\n*\r\nQUIT\r\n",
     "+ VXNlcm5hbWU6\r\n-ERR login given up\r\n+OK bye\r\n",										    false, "LOGIN\n"                      },
    {"no base64",		   true,  "AUTH PLAIN !\r\nAUTH PLAIN\r\nQUI\r\n",
     "-ERR that is no base64\r\n+ \r\n-ERR that is no base64\r\n",									      false, ""                             },
    {"malformed",		   false, "AUTH SCRAM-SHA-256 eA==\r\n",
     "-ERR the login is malformed\r\n",													 false, "SCRAM-SHA-256=x\n"            },
    {"list of mechanisms",          true,  "AUTH\r\n",
     "+OK\r\nPLAIN\r\nLOGIN\r\nSCRAM-SHA-256\r\nSCRAM-SHA-256-PLUS\r\n.\r\n",                                                                   false,
     ""																					       },
    {"unknown mechanism",           true,  "AUTH CRAM-MD5\r\n",                                       "-ERR no such mechanism here\r\n",
     false,																	    ""			     },
    {"stls twice",                  true,  "STLS\r\n",						"-ERR TLS is up already\r\n",             false, ""                             },
    {"stls with argument",          false, "STLS now\r\n",                                            "-ERR STLS has no argument\r\n",
     false,																	    ""			     },
    {"utf8",			true,  "UTF8\r\n",						"+OK UTF-8 it is\r\n",                    false, ""                             },
    {"language",		    true,  "LANG i-default\r\n",                                      "+OK i-default English it is\r\n",        false,
     ""																					       },
    {"not before the login",        true,  "STAT\r\nNOOP\r\nAPOP joe x\r\n",
     "-ERR unknown command, or not before the login\r\n"
     "-ERR unknown command, or not before the login\r\n"
     "-ERR unknown command, or not before the login\r\n",										       false, ""			     },
    {"bare LF",		     true,  "USER joe\nPASS x\r\n",                                    "-ERR a bare CR, a bare LF or a NUL\r\n",
     false,																	    ""			     },
    {"quit",			true,  "QUIT\r\nCAPA\r\n",					"+OK bye\r\n",                            false, ""                             },
};

static void
assert_said(const struct authd *a, const char *want)
{
	authd_assert_said(a, sizeof(HELLO) - 1, want);
}

static void
test_login_same_answer_at_every_cut(void **state)
{
	(void)state;
	script_dialogues(&script, rows, N_ELEMS(rows));
}

static void
test_login_takes_nothing_behind_it(void **state)
{
	struct span in = SPAN("USER joe\r\nPASS a b\r\nSTAT\r\nQUI");
	struct authd a;

	(void)state;
	authd_start(&a, &policy, true);
	authd_feed(&a, &in);
	assert_true(a.opened);
	assert_true(span_equal(in, SPAN("STAT\r\nQUI")));
	assert_int_equal(login_step(a.l, &in, &a.out), LOGIN_WANT_OPEN);
	login_answer_unopened(a.l, &a.out);
	assert_said(&a,
		    "+OK\r\n-ERR [SYS/TEMP] mailboxes are away, try again later\r\n");
	authd_stop(&a);
}

static void
test_login_stls_forgets_and_goes_on(void **state)
{
	struct span in = SPAN("STLS\r\n");
	struct authd a;

	(void)state;
	authd_start(&a, &policy, false);
	authd_feed(&a, &in);
	assert_int_equal(a.secured, 1);
	assert_true(login_tls(a.l));
	in = SPAN("USER joe\r\nPASS a b\r\n");
	authd_feed(&a, &in);
	assert_true(a.opened);
	assert_said(&a, "+OK begin TLS\r\n{TLS}+OK\r\n");
	authd_stop(&a);
}

static void
test_login_plaintext_behind_stls_closes(void **state)
{
	static const char *const behind[] = {"C", "CAPA\r\n", "\r\n", "\x16\x03\x01"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(behind); i++) {
		struct buf text = buf_make(100);
		struct span in;
		struct authd a;

		buf_put_str(&text, "STLS\r\n");
		buf_put_str(&text, behind[i]);
		in = buf_span(&text);
		authd_start(&a, &policy, false);
		authd_feed(&a, &in);
		assert_int_equal(a.last, LOGIN_WANT_CLOSE);
		assert_int_equal(a.secured, 0);
		assert_string_equal(login_reason(a.l), "plaintext behind STLS");
		assert_said(&a, "-ERR nothing may stand behind STLS\r\n");
		authd_stop(&a);
		buf_release(&text);
	}
}

static void
test_login_setting_allows_bare_passwords(void **state)
{
	(void)state;
	script_bare_password(&script, "USER joe\r\nPASS a b\r\n");
}

static void
test_login_closes_at_its_limits(void **state)
{
	static const struct script_limit cases[] = {
	    {"failed logins",      "AUTH PLAIN AGpvZQBhYg==\r\n", 4,
	     "too many failed logins"						     },
	    {"errors",             "XYZZY\r\n",                   19,  "too many errors"  },
	    {"refused mechanisms", "AUTH X\r\n",                  19,  "too many errors"  },
	    {"commands",           "CAPA\r\n",                    100, "too many commands"},
	};

	(void)state;
	script_limits(&script, cases, N_ELEMS(cases));
}

static void
test_login_line_limit(void **state)
{
	static const struct {
		size_t bytes;
		const char *want;
	} cases[] = {
	    {8191, "-ERR unknown command, or not before the login\r\n"},
	    {8192, "-ERR unknown command, or not before the login\r\n"},
	    {8193, "-ERR line too long\r\n"                           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct buf text = buf_make(10000);
		struct span in;
		struct authd a;

		for (size_t n = 2; n < cases[i].bytes; n++)
			buf_put_char(&text, 'x');
		buf_put_str(&text, "\r\n");
		in = buf_span(&text);
		authd_start(&a, &policy, true);
		authd_feed(&a, &in);
		assert_said(&a, cases[i].want);
		authd_stop(&a);
		buf_release(&text);
	}
}

static void
test_login_directory_away_is_told_as_temporary(void **state)
{
	(void)state;
	script_directory_away(
	    &script, "USER joe\r\nPASS a b\r\n",
	    "+OK\r\n-ERR [SYS/TEMP] logins do not work now, try again later\r\n");
}

static void
test_login_given_up_exchange_is_cancelled_once(void **state)
{
	static const struct {
		const char *name, *in;
		size_t cancels;
	} cases[] = {
	    {"by the client",           "AUTH LOGIN\r\n*\r\nCAPA\r\n",    1},
	    {"by a line that is none",  "AUTH LOGIN\r\nx\ny\r\nCAPA\r\n", 1},
	    {"by bad base64",           "AUTH LOGIN\r\n?\r\nCAPA\r\n",    1},
	    {"before authd knew of it", "AUTH PLAIN\r\n*\r\nCAPA\r\n",    0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct span in = span_str(cases[i].in);
		struct authd a;

		print_message("%s\n", cases[i].name);
		authd_start(&a, &policy, true);
		authd_feed(&a, &in);
		assert_int_equal(a.cancels, cases[i].cancels);
		assert_int_equal(in.n, 0);
		authd_stop(&a);
	}
}

static void
test_login_endings(void **state)
{
	static const struct script_ending cases[] = {
	    {LOGIN_TIMEOUT,  "-ERR you took too long\r\n"                           },
	    {LOGIN_TOO_MANY, "-ERR [SYS/TEMP] too many connections from you\r\n"    },
	    {LOGIN_TOO_FAST, "-ERR [SYS/TEMP] you connect too often\r\n"            },
	    {LOGIN_BUSY,     "-ERR [SYS/TEMP] too busy, try again later\r\n"        },
	    {LOGIN_STOPPING, "-ERR [SYS/TEMP] the server stops, try again later\r\n"},
	};

	(void)state;
	script_endings(&script, cases, N_ELEMS(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_login_same_answer_at_every_cut),
	    cmocka_unit_test(test_login_takes_nothing_behind_it),
	    cmocka_unit_test(test_login_stls_forgets_and_goes_on),
	    cmocka_unit_test(test_login_plaintext_behind_stls_closes),
	    cmocka_unit_test(test_login_setting_allows_bare_passwords),
	    cmocka_unit_test(test_login_closes_at_its_limits),
	    cmocka_unit_test(test_login_line_limit),
	    cmocka_unit_test(test_login_directory_away_is_told_as_temporary),
	    cmocka_unit_test(test_login_given_up_exchange_is_cancelled_once),
	    cmocka_unit_test(test_login_endings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
