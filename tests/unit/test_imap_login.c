/* tests/unit/test_imap_login.c - IMAP before the login, against a small authd */
#include "tests/unit/login_script.h"

#define CAPA_TLS                                                                       \
	"CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID AUTH=PLAIN AUTH=LOGIN "    \
	"AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS"
#define CAPA_PLAIN                                                                     \
	"CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID STARTTLS LOGINDISABLED "   \
	"AUTH=SCRAM-SHA-256"
#define HELLO_TLS   "* OK [" CAPA_TLS "] mx.example.org Postroad ready\r\n"
#define HELLO_PLAIN "* OK [" CAPA_PLAIN "] mx.example.org Postroad ready\r\n"
#define DENIED      " NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
#define NOT_LOGIN   " BAD LOGIN has a name and a password\r\n"
#define NO_COMMAND  " BAD that is no command\r\n"
#define TLS_FIRST   " NO [PRIVACYREQUIRED] begin TLS first\r\n"

static const struct login_policy policy = {
    .protocol = &login_imap,
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

static void
assert_said(const struct authd *a, bool tls, const char *want)
{
	authd_assert_said(a, tls ? sizeof(HELLO_TLS) - 1 : sizeof(HELLO_PLAIN) - 1,
			  want);
}

static const struct script script = {&policy, sizeof(HELLO_PLAIN) - 1,
				     sizeof(HELLO_TLS) - 1};

/* clang-format off */
static const struct script_dialogue rows[] = {
    {"capability without tls", false, "a CAPABILITY\r\n",
     "* " CAPA_PLAIN "\r\na OK CAPABILITY completed\r\n", false, ""},
    {"capability with tls", true, "a capability\r\n",
     "* " CAPA_TLS "\r\na OK CAPABILITY completed\r\n", false, ""},
    {"capability with argument", true, "a CAPABILITY x\r\n",
     "a BAD CAPABILITY has no argument\r\n", false, ""},
    {"noop", true, "a.1 NOOP\r\n", "a.1 OK NOOP completed\r\n", false, ""},
    {"atoms", true, "a LOGIN joe \"a b\"\r\n", "", true, "PLAIN=|joe|a b\n"},
    {"quoted", true, "a login \"joe\" \"a b\"\r\n", "", true, "PLAIN=|joe|a b\n"},
    {"escapes", true, "a LOGIN \"j\\\"\\\\\" x\r\n", "a" DENIED, false, "PLAIN=|j\"\\|x\n"},
    {"literals", true, "a LOGIN {3}\r\njoe {3}\r\na b\r\n", "+ OK\r\n+ OK\r\n", true,
     "PLAIN=|joe|a b\n"},
    {"literals at once", true, "a LOGIN {3+}\r\njoe {3+}\r\na b\r\n", "", true,
     "PLAIN=|joe|a b\n"},
    {"an empty literal", true, "a LOGIN joe {0}\r\n\r\n", "+ OK\r\na" DENIED, false,
     "PLAIN=|joe|\n"},
    {"a line inside a literal", true, "a LOGIN joe {5}\r\na\r\nb \r\n", "+ OK\r\na" DENIED,
     false, "PLAIN=|joe|a\r\nb \n"},
    {"resp-specials in an atom", true, "a LOGIN j]e x]\r\n", "a" DENIED, false,
     "PLAIN=|j]e|x]\n"},
    {"utf-8", true, "a LOGIN \"j\xc3\xb6\" \xc3\xb6\r\n", "a" DENIED, false,
     "PLAIN=|j\xc3\xb6|\xc3\xb6\n"},
    {"too long a name", true,
     "a LOGIN {321+}\r\n"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "x y\r\n",
     "a" DENIED, false, ""},
    {"wrong password", true, "a LOGIN joe x\r\nb NOOP\r\n",
     "a" DENIED "b OK NOOP completed\r\n", false, "PLAIN=|joe|x\n"},
    {"one argument", true, "a LOGIN joe\r\n", "a" NOT_LOGIN, false, ""},
    {"three arguments", true, "a LOGIN joe x y\r\n", "a" NOT_LOGIN, false, ""},
    {"a special in an atom", true, "a LOGIN j*e x\r\n", "a" NOT_LOGIN, false, ""},
    {"a quote that never ends", true, "a LOGIN \"joe x\r\n", "a" NOT_LOGIN, false, ""},
    {"an escape of nothing", true, "a LOGIN \"j\\oe\" x\r\n", "a" NOT_LOGIN, false, ""},
    {"login without tls", false, "a LOGIN joe x\r\n", "a" TLS_FIRST, false, ""},
    {"plain at once", true, "a AUTHENTICATE PLAIN AGpvZQBhIGI=\r\n", "", true,
     "PLAIN=|joe|a b\n"},
    {"plain later", true, "a AUTHENTICATE plain\r\nAGpvZQBhIGI=\r\n", "+ \r\n", true,
     "plain=|joe|a b\n"},
    {"plain without tls", false, "a AUTHENTICATE PLAIN AGpvZQBhIGI=\r\n", "a" TLS_FIRST,
     false, ""},
    {"login, the mechanism", true, "a AUTHENTICATE LOGIN\r\nam9l\r\nYSBi\r\n",
     "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n", true, "LOGIN\nLOGIN=joe\nLOGIN=a b\n"},
    {"scram", false, "a AUTHENTICATE SCRAM-SHA-256 Y2xpZW50\r\ncHJvb2Y=\r\n\r\n",
     "+ c2VydmVy\r\n+ dj14\r\n", true,
     "SCRAM-SHA-256=client\nSCRAM-SHA-256=proof\nSCRAM-SHA-256=\n"},
    {"plus without tls", false, "a AUTHENTICATE SCRAM-SHA-256-PLUS Y2xpZW50\r\n",
     "a NO no such mechanism here\r\n", false, ""},
    {"empty initial response", false, "a AUTHENTICATE SCRAM-SHA-256 =\r\n", "", true,
     "SCRAM-SHA-256=\n"},
    {"unknown mechanism", true, "a AUTHENTICATE CRAM-MD5\r\n",
     "a NO no such mechanism here\r\n", false, ""},
    {"no mechanism", true, "a AUTHENTICATE\r\n",
     "a BAD AUTHENTICATE has a mechanism, and perhaps a response\r\n", false, ""},
    {"given up", true, "a AUTHENTICATE LOGIN\r\n*\r\nb LOGOUT\r\n",
     "+ VXNlcm5hbWU6\r\na BAD login given up\r\n* BYE bye\r\nb OK LOGOUT completed\r\n", false,
     "LOGIN\n"},
    {"no base64", true, "a AUTHENTICATE PLAIN !\r\nb AUTHENTICATE PLAIN\r\n?\r\n",
     "a BAD that is no base64\r\n+ \r\nb BAD that is no base64\r\n", false, ""},
    {"malformed", false, "a AUTHENTICATE SCRAM-SHA-256 eA==\r\n", "a BAD the login is malformed\r\n",
     false, "SCRAM-SHA-256=x\n"},
    {"id", true, "a ID (\"name\" \"x\" \"y\" NIL)\r\n",
     "* ID (\"name\" \"Postroad\")\r\na OK ID completed\r\n", false, ""},
    {"id of nothing", true, "a ID NIL\r\nb ID ()\r\n",
     "* ID (\"name\" \"Postroad\")\r\na OK ID completed\r\n"
     "* ID (\"name\" \"Postroad\")\r\nb OK ID completed\r\n", false, ""},
    {"id with a literal", true, "a ID (\"name\" {1+}\r\nx)\r\n",
     "* ID (\"name\" \"Postroad\")\r\na OK ID completed\r\n", false, ""},
    {"id too deep", true, "a ID ((\"name\" \"x\"))\r\n", "a BAD ID has a list of strings\r\n",
     false, ""},
    {"id that never ends", true, "a ID (\"name\" \"x\"\r\n",
     "a BAD ID has a list of strings\r\n", false, ""},
    {"starttls twice", true, "a STARTTLS\r\n", "a BAD TLS is up already\r\n", false, ""},
    {"starttls with argument", false, "a STARTTLS now\r\n",
     "a BAD STARTTLS has no argument\r\n", false, ""},
    {"not before the login", true, "a SELECT INBOX\r\n",
     "a BAD unknown command, or not before the login\r\n", false, ""},
    {"no command", true, "a\r\n", "a" NO_COMMAND, false, ""},
    {"nothing", true, "\r\n", "*" NO_COMMAND, false, ""},
    {"a tag that is none", true, "a+b NOOP\r\n", "*" NO_COMMAND, false, ""},
    {"bare LF", true, "a NOOP\nb NOOP\r\n",
     "a BAD too long, or with a bare CR, a bare LF or a NUL\r\n", false, ""},
    {"too large a literal", true, "a LOGIN {4097}\r\n",
     "a NO [TOOBIG] so long a literal may not come before the login\r\n"
     "* BYE literal too large\r\n", false, ""},
    {"too large a literal at once", true, "a LOGIN {99999999999999999999+}\r\n",
     "* NO [TOOBIG] so long a literal may not come before the login\r\n"
     "* BYE literal too large\r\n", false, ""},
    {"logout", true, "a LOGOUT\r\nb NOOP\r\n", "* BYE bye\r\na OK LOGOUT completed\r\n", false,
     ""},
};
/* clang-format on */

static void
test_login_same_answer_at_every_cut(void **state)
{
	(void)state;
	script_dialogues(&script, rows, N_ELEMS(rows));
}

static void
test_login_greets_with_what_it_can(void **state)
{
	struct authd a;

	(void)state;
	authd_start(&a, &policy, true);
	authd_assert_said(&a, 0, HELLO_TLS);
	authd_stop(&a);
	authd_start(&a, &policy, false);
	authd_assert_said(&a, 0, HELLO_PLAIN);
	authd_stop(&a);
}

static void
test_login_leaves_tag_agent_and_the_rest_to_the_session(void **state)
{
	struct span in = SPAN(
	    "a ID (\"name\" \"mutt\")\r\nx1 LOGIN joe \"a b\"\r\nx2 SELECT INBOX\r\n");
	struct authd a;

	(void)state;
	authd_start(&a, &policy, true);
	authd_feed(&a, &in);
	assert_true(a.opened);
	assert_true(span_equal(in, SPAN("x2 SELECT INBOX\r\n")));
	assert_true(span_equal(login_tag(a.l), SPAN("x1")));
	assert_true(span_equal(login_agent(a.l), SPAN("(\"name\" \"mutt\")")));
	assert_int_equal(login_step(a.l, &in, &a.out), LOGIN_WANT_OPEN);
	login_answer_unopened(a.l, &a.out);
	assert_said(&a, true,
		    "* ID (\"name\" \"Postroad\")\r\na OK ID completed\r\n"
		    "x1 NO [UNAVAILABLE] mailboxes are away, try again later\r\n"
		    "* BYE mailboxes are away\r\n");
	authd_stop(&a);
}

static void
test_login_starttls_goes_on(void **state)
{
	struct span in = SPAN("a STARTTLS\r\n");
	struct authd a;

	(void)state;
	authd_start(&a, &policy, false);
	authd_feed(&a, &in);
	assert_int_equal(a.secured, 1);
	assert_true(login_tls(a.l));
	in = SPAN("b LOGIN joe \"a b\"\r\n");
	authd_feed(&a, &in);
	assert_true(a.opened);
	assert_said(&a, false, "a OK begin TLS\r\n{TLS}");
	authd_stop(&a);
}

static void
test_login_plaintext_behind_starttls_closes(void **state)
{
	struct span in = SPAN("a STARTTLS\r\nb NOOP\r\n");
	struct authd a;

	(void)state;
	authd_start(&a, &policy, false);
	authd_feed(&a, &in);
	assert_int_equal(a.last, LOGIN_WANT_CLOSE);
	assert_int_equal(a.secured, 0);
	assert_said(&a, false, "* BYE nothing may stand behind STARTTLS\r\n");
	authd_stop(&a);
}

static void
test_login_setting_allows_bare_passwords(void **state)
{
	(void)state;
	script_bare_password(&script, "a LOGIN joe \"a b\"\r\n");
}

static void
test_login_closes_at_its_limits(void **state)
{
	static const struct script_limit cases[] = {
	    {"failed logins", "a LOGIN joe x\r\n", 4,   "too many failed logins"},
	    {"errors",        "a XYZZY\r\n",       19,  "too many errors"       },
	    {"commands",      "a NOOP\r\n",        100, "too many commands"     },
	    {"bare newlines", "a NOOP\n\r\n",      2,   "too many long lines"   },
	};

	(void)state;
	script_limits(&script, cases, N_ELEMS(cases));
}

/* What a client sends of `bytes`, as a line or as a literal. */
static void
put_long(struct buf *out, size_t bytes, bool literal)
{
	if (literal)
		buf_putf(out, "a LOGIN joe {%zu+}\r\n", bytes);
	else
		buf_put_str(out, "a NOOP "), bytes -= 9;
	while (bytes-- > 0)
		buf_put_char(out, 'x');
	buf_put_str(out, "\r\n");
}

static void
test_login_limits_of_lines_and_literals(void **state)
{
	static const struct {
		size_t bytes;
		bool literal;
		const char *want;
	} cases[] = {
	    {8191, false, "a BAD NOOP has no argument\r\n"                           },
	    {8192, false, "a BAD NOOP has no argument\r\n"                           },
	    {8193, false, "a BAD too long, or with a bare CR, a bare LF or a NUL\r\n"},
	    {3774, true,  "a" DENIED						 },
	    {3775, true,  "a" DENIED						 },
	    {4096, true,  "a" DENIED						 },
	    {4097, true,
	     "a NO [TOOBIG] so long a literal may not come before the login\r\n"
	     "* BYE literal too large\r\n"					   },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct buf text = buf_make(10000);
		struct span in;
		struct authd a;

		put_long(&text, cases[i].bytes, cases[i].literal);
		in = buf_span(&text);
		authd_start(&a, &policy, true);
		authd_feed(&a, &in);
		assert_said(&a, true, cases[i].want);
		authd_stop(&a);
		buf_release(&text);
	}
}

static void
test_login_directory_away_is_told_as_temporary(void **state)
{
	(void)state;
	script_directory_away(
	    &script, "a LOGIN joe x\r\n",
	    "a NO [UNAVAILABLE] logins do not work now, try again later\r\n");
}

static void
test_login_endings(void **state)
{
	static const struct script_ending cases[] = {
	    {LOGIN_TIMEOUT,  "* BYE you took too long\r\n"                      },
	    {LOGIN_TOO_MANY, "* BYE [LIMIT] too many connections from you\r\n"  },
	    {LOGIN_TOO_FAST, "* BYE [LIMIT] you connect too often\r\n"          },
	    {LOGIN_BUSY,     "* BYE [UNAVAILABLE] too busy, try again later\r\n"},
	    {LOGIN_STOPPING,
	     "* BYE [UNAVAILABLE] the server stops, try again later\r\n"        },
	};

	(void)state;
	script_endings(&script, cases, N_ELEMS(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_login_same_answer_at_every_cut),
	    cmocka_unit_test(test_login_greets_with_what_it_can),
	    cmocka_unit_test(test_login_leaves_tag_agent_and_the_rest_to_the_session),
	    cmocka_unit_test(test_login_starttls_goes_on),
	    cmocka_unit_test(test_login_plaintext_behind_starttls_closes),
	    cmocka_unit_test(test_login_setting_allows_bare_passwords),
	    cmocka_unit_test(test_login_closes_at_its_limits),
	    cmocka_unit_test(test_login_limits_of_lines_and_literals),
	    cmocka_unit_test(test_login_directory_away_is_told_as_temporary),
	    cmocka_unit_test(test_login_endings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
