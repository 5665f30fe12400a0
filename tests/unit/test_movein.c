#include "common/movein/movein.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MAX ((size_t)64 << 20)

static const char *
text_of(struct span s)
{
	static char text[512];

	assert_true(s.n < sizeof(text));
	if (s.n > 0)
		memcpy(text, s.at, s.n);
	text[s.n] = '\0';
	return text;
}

static const struct movein_object *
object(const struct movein *m, enum movein_kind kind, const char *name)
{
	const struct movein_object *o = movein_find(m, kind, span_str(name));

	if (!o)
		fail_msg("no %s %s", movein_kind_name(kind), name);
	return o;
}

/* What a value of an object is to be; `field` may be "mail" or "password", too. */
struct want {
	enum movein_kind kind;
	const char *name, *field, *value;
};

static struct span
value_of(const struct movein *m, const struct want *w)
{
	const struct movein_object *o = object(m, w->kind, w->name);

	if (strcmp(w->field, "mail") == 0)
		return o->mail;
	if (strcmp(w->field, "password") == 0)
		return o->password;
	return movein_get(o, w->field);
}

static void
assert_values(const struct movein *m, const struct want *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct want *w = &rows[i];
		const char *got = text_of(value_of(m, w));

		if (strcmp(got, w->value) != 0)
			fail_msg("%s of %s is \"%s\", not \"%s\"", w->field, w->name,
				 got, w->value);
	}
}

/* ---- passwords */

static const struct {
	const char *name, *stored;
	enum movein_password want;
	const char *out;
} passwords[] = {
    {"none",          "",						  MOVEIN_PASSWORD_NONE,    ""            },
    {"shadow",        "x",						 MOVEIN_PASSWORD_NONE,    ""            },
    {"locked",        "!$6$a$b",					   MOVEIN_PASSWORD_LOCKED,  ""            },
    {"crypt",         "$6$salt$hash",				      MOVEIN_PASSWORD_HASH,    "$6$salt$hash"},
    {"scheme",        "{sha512-crypt}$6$salt$hash",                        MOVEIN_PASSWORD_HASH,    "$6$salt$hash"},
    {"bcrypt",        "{BLF-CRYPT}$2y$05$abc",                             MOVEIN_PASSWORD_HASH,    "$2y$05$abc"  },
    {"plain",         "{PLAIN}a:b",					MOVEIN_PASSWORD_PLAIN,   "a:b"         },
    {"ssha",          "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",            MOVEIN_PASSWORD_HASH,
     "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr"								     },
    {"no padding",    "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g",                  MOVEIN_PASSWORD_HASH,
     "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="									 },
    {"hex",           "{SHA.HEX}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", MOVEIN_PASSWORD_HASH,
     "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="									 },
    {"md5 of 32",     "5f4dcc3b5aa765d61d8327deb882cf99",                  MOVEIN_PASSWORD_HASH,
     "{SMD5}X03MO1qnZdYdgyfeuILPmQ=="									     },
    {"plain-md5",     "{PLAIN-MD5}5F4DCC3B5AA765D61D8327DEB882CF99",       MOVEIN_PASSWORD_HASH,
     "{SMD5}X03MO1qnZdYdgyfeuILPmQ=="									     },
    {"md5 was crypt", "{MD5}$1$salt$hash",                                 MOVEIN_PASSWORD_HASH,    "$1$salt$hash"},
    {"nt",	    "{NTLM}8846F7EAEE8FB117AD06BDD830B7586C",            MOVEIN_PASSWORD_HASH,
     "$3$$8846f7eaee8fb117ad06bdd830b7586c"								       },
    {"scram",         "{SCRAM-SHA-256}4096,c2FsdA==,AA==,AA==",            MOVEIN_PASSWORD_HASH,
     "{SCRAM-SHA-256}4096,c2FsdA==,AA==,AA=="								     },
    {"argon2",        "{ARGON2ID}$argon2id$v=19$m=65536",                  MOVEIN_PASSWORD_UNKNOWN, NULL          },
    {"cut short",     "{SSHA512}aGVsbG8=",                                 MOVEIN_PASSWORD_UNKNOWN, NULL          },
    {"no scheme",     "hello world",				       MOVEIN_PASSWORD_UNKNOWN, NULL          },
    {"brace",         "{",						 MOVEIN_PASSWORD_UNKNOWN, NULL          },
};

static void
test_password_gets_the_form_that_is_kept(void **state)
{
	struct buf out = buf_make(512);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(passwords); i++) {
		if (movein_password(span_str(passwords[i].stored), &out) !=
		    passwords[i].want)
			fail_msg("%s", passwords[i].name);
		if (passwords[i].out)
			assert_string_equal(text_of(buf_span(&out)), passwords[i].out);
	}
	assert_string_equal(text_of(movein_password_scheme(SPAN("{ARGON2ID}$x"))),
			    "{ARGON2ID}");
	buf_release(&out);
}

/* ---- dates */

static const struct {
	const char *text;
	uint64_t seconds; /* 1: no date */
	bool zone;
} stamps[] = {
    {"2026-11-22 08:31:07",        1795336267, false},
    {"2026-11-22 08:31:07.123+02", 1795329067, true },
    {"2026-11-22T08:31:07Z",       1795336267, true },
    {"2016-11-28 08:53:31-03",     1480334011, true },
    {"2016-11-28 08:53:31+05:30",  1480303411, true },
    {"1970-01-01",                 0,          false},
    {"2000-02-29",                 951782400,  false},
    {"1899-12-30 00:00:00",        1,          false},
    {"2026-13-01",                 1,          false},
    {"2026-1-1",		   1,          false},
    {"now",			1,          false},
    {"",			   1,          false},
};

static void
test_stamp_is_seconds(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(stamps); i++) {
		uint64_t seconds = 1;
		bool zone = false;
		bool good = movein_stamp(span_str(stamps[i].text), &seconds, &zone);

		assert_int_equal(good, stamps[i].seconds != 1);
		assert_int_equal(seconds, stamps[i].seconds);
		assert_int_equal(zone, stamps[i].zone);
	}
}

/* ---- passwd-files */

static const char passwd_file[] =
    "# users\n"
    "Jane@Example.org:{SHA512-CRYPT}$6$s$h:1000:1000:Jane Doe,,,:/mail/jane::"
    "userdb_quota_rule=*:storage=1G userdb_mail=maildir:~/Maildir\n"
    "bob@example.org:{PLAIN}secret\r\n"
    "\n"
    "gone@example.org:{PLAIN}x::::::nologin userdb_quota_rule=*:bytes=1000\n"
    "local:{PLAIN}x\n"
    "spa ce@example.org:{PLAIN}x\n";

static void
test_passwd_file_gives_accounts_and_their_domain(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_ACCOUNT, "jane@example.org", "name",        "Jane Doe"                  },
	    {MOVEIN_ACCOUNT, "jane@example.org", "quota_bytes", "1073741824"                },
	    {MOVEIN_ACCOUNT, "jane@example.org", "mail",        "maildir:/mail/jane/Maildir"},
	    {MOVEIN_ACCOUNT, "bob@example.org",  "password",    "{PLAIN}secret"             },
	    {MOVEIN_ACCOUNT, "gone@example.org", "disabled",    "yes"                       },
	    {MOVEIN_ACCOUNT, "gone@example.org", "quota_bytes", "1000"                      },
	};
	struct movein m;

	(void)state;
	movein_init(&m, MAX);
	movein_passwd_read(&m, span_str(passwd_file), false);
	assert_int_equal(m.n, 4); /* and the domain */
	assert_int_equal(m.n_notes, 2);
	assert_values(&m, rows, N_ELEMS(rows));
	movein_release(&m);
}

static void
test_passwd_and_shadow_give_people(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_ACCOUNT, "jane@example.org", "password", "$y$j9T$s$h"},
	};
	struct movein m;

	(void)state;
	movein_init(&m, MAX);
	m.domain = SPAN("example.org");
	movein_passwd_read(&m,
			   SPAN("root:x:0:0:root:/root:/bin/sh\n"
				"jane:x:1000:1000:Jane:/home/jane:/bin/sh\n"
				"nobody:x:65534:65534::/:/bin/false\n"),
			   true);
	movein_shadow_read(&m,
			   SPAN("root:*:1::\njane:$y$j9T$s$h:19000:0:99999:7:::\n"));
	assert_int_equal(m.n, 2);
	assert_values(&m, rows, N_ELEMS(rows));
	movein_release(&m);
}

/* ---- Postfix */

static const char main_cf[] = "mydomain = example.org\n"
			      "base = /var/mail\n"
			      "virtual_mailbox_base = ${base}/vhosts\n"
			      "virtual_mailbox_maps = hash:/etc/postfix/vmailbox,\n"
			      "    # not this\n"
			      "    pgsql:/etc/postfix/pg.cf\n"
			      "loop = $loop x\n"
			      "virtual_mailbox_domains = $mydomain, example.net\n";

static void
test_postfix_setting_is_expanded(void **state)
{
	static const char *const rows[][2] = {
	    {"virtual_mailbox_base",    "/var/mail/vhosts"         },
	    {"virtual_mailbox_maps",
	     "hash:/etc/postfix/vmailbox, pgsql:/etc/postfix/pg.cf"},
	    {"virtual_mailbox_domains", "example.org, example.net" },
	    {"missing",                 ""                         },
	};
	struct buf out = buf_make(MOVEIN_SETTING_MAX);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		movein_postfix_setting(span_str(main_cf), rows[i][0], &out);
		assert_string_equal(text_of(buf_span(&out)), rows[i][1]);
	}
	movein_postfix_setting(span_str(main_cf), "loop", &out);
	assert_true(out.n > 0);
	buf_release(&out);
}

static void
test_postfix_maps_give_accounts_aliases_and_forwards(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_ACCOUNT, "jane@example.org", "mail",         "/var/mail/example.org/jane/"},
	    {MOVEIN_ACCOUNT, "bob@example.org",  "forward",      "bob@elsewhere.example"      },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "forward_keep", "yes"                        },
	    {MOVEIN_ACCOUNT, "jane@example.org", "forward",      ""                           },
	    {MOVEIN_ALIAS,   "@example.org",     "targets",      "jane@example.org"           },
	    {MOVEIN_DOMAIN,  "example.net",      "alias_of",     "example.org"                },
	};
	struct movein m;

	(void)state;
	movein_init(&m, MAX);
	movein_postfix_mailboxes(&m,
				 SPAN("jane@example.org example.org/jane/\n"
				      "bob@example.org  example.org/bob\n"),
				 SPAN("/var/mail"));
	movein_postfix_aliases(
	    &m, SPAN("example.org anything\n"
		     "sales@example.org jane@example.org,\n   bob@example.org\n"
		     "bob@example.org bob@example.org, bob@elsewhere.example\n"
		     "jane@example.org jane\n"
		     "@example.org jane@example.org\n"
		     "@example.net @example.org\n"
		     "cmd@example.org \"|/bin/x\"\n"));
	movein_settle(&m);
	assert_values(&m, rows, N_ELEMS(rows));
	assert_int_equal(
	    movein_count(object(&m, MOVEIN_ALIAS, "sales@example.org"), "targets"), 2);
	assert_true(object(&m, MOVEIN_ALIAS, "bob@example.org")->dropped);
	assert_true(object(&m, MOVEIN_ALIAS, "jane@example.org")->dropped);
	assert_true(object(&m, MOVEIN_ALIAS, "cmd@example.org")->dropped);
	movein_release(&m);
}

/* ---- tables */

struct seen {
	struct buf text;
};

static void
see_row(void *context, const struct movein_row *row)
{
	struct seen *seen = context;

	buf_put(&seen->text, row->table);
	for (size_t i = 0; i < row->n; i++) {
		buf_putf(&seen->text, " %.*s=", SPAN_ARG(row->columns[i]));
		if (row->values[i].at)
			buf_put(&seen->text, row->values[i]);
		else
			buf_put_str(&seen->text, "NULL");
	}
	buf_put_char(&seen->text, '\n');
}

static const struct {
	const char *name, *dump, *rows;
	size_t bad;
} dumps[] = {
    {"copy",
     "SET x = 1;\nCOPY public.alias (address, goto) FROM stdin;\na@b\tc\\td\\\\\n"
     "x\t\\N\n\\.\n\nCOPY t (a) FROM stdin;\n1\n\\.\n",			    "alias address=a@b goto=c\td\\\nalias address=x goto=NULL\nt a=1\n", 0},
    {"insert with columns",
     "INSERT INTO public.alias (address, goto) VALUES ('it''s', NULL), (E'a\\nb', "
     "12);\n",								     "alias address=it's goto=NULL\nalias address=a\nb goto=12\n",        0},
    {"insert after create",
     "CREATE TABLE public.t (\n a character varying(255) DEFAULT ''::character varying "
     "NOT NULL,\n \"key\" numeric(1,2),\n CONSTRAINT c CHECK ((a)::text = 'x, y')\n);\n"
     "INSERT INTO public.t VALUES ('1;2', true);\n",			       "t a=1;2 key=true\n",						0},
    {"function with quotes",
     "CREATE FUNCTION f() AS $$ INSERT INTO t VALUES ('a'); it's $$;\n"
     "INSERT INTO u (a) VALUES ('1');",					    "u a=1\n",							   0},
    {"mysql",
     "-- MySQL dump 10\nCREATE TABLE IF NOT EXISTS `t` (`a` int(1), PRIMARY KEY "
     "(`a`));\n"
     "/*!40000 ALTER */;\nINSERT INTO `t` VALUES ('a\\'b\\n');",		   "t a=a'b\n\n",						       0},
    {"too few values",
     "INSERT INTO t (a, b) VALUES (1);\nCOPY t (a) FROM stdin;\n1\t2\n\\.\n",      "",                                                                  2},
    {"unknown columns",      "INSERT INTO t VALUES (1);\n",                        "",								  1},
    {"comments",
     "-- a; b\n/* INSERT INTO t (a) VALUES (1); */ INSERT INTO t (a) VALUES (2);", "t a=2\n",							   0},
};

static void
test_dump_rows_are_read(void **state)
{
	struct seen seen = {buf_make(1 << 16)};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(dumps); i++) {
		size_t bad;

		buf_reset(&seen.text);
		(void)movein_dump_read(span_str(dumps[i].dump), NULL, see_row, &seen,
				       &bad);
		if (strcmp(text_of(buf_span(&seen.text)), dumps[i].rows) != 0)
			fail_msg("%s: %s", dumps[i].name,
				 text_of(buf_span(&seen.text)));
		assert_int_equal(bad, dumps[i].bad);
	}
	buf_release(&seen.text);
}

static void
test_dump_rows_of_one_table_are_read(void **state)
{
	struct seen seen = {buf_make(1 << 16)};
	size_t bad, n;

	(void)state;
	n = movein_dump_read(SPAN("COPY a (x) FROM stdin;\n\\.\n"
				  "COPY b (x) FROM stdin;\n1\n\\.\n"
				  "INSERT INTO c (x) VALUES (1);\n"
				  "COPY c (x) FROM stdin;\n2\n\\.\n"),
			     "c", see_row, &seen, &bad);
	assert_string_equal(text_of(buf_span(&seen.text)), "c x=1\nc x=2\n");
	assert_int_equal(n, 2);
	assert_int_equal(bad, 0);
	buf_release(&seen.text);
}

static void
test_dump_cut_anywhere_is_read_to_there(void **state)
{
	struct seen seen = {buf_make(1 << 16)};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(dumps); i++) {
		struct span all = span_str(dumps[i].dump);

		for (size_t cut = 0; cut < all.n; cut++) {
			size_t bad;

			(void)movein_dump_read(span_first(all, cut), NULL, see_row,
					       &seen, &bad);
		}
	}
	buf_release(&seen.text);
}

static void
test_csv_values_may_have_quotes_and_lines(void **state)
{
	struct seen seen = {buf_make(1 << 16)};
	size_t bad, n;

	(void)state;
	n = movein_csv_read(SPAN("\xef\xbb\xbf"
				 "a,b\r\n1,\"x\"\"y,\n\"\r\n\r\n2,\n3\n\"4\"z,5\n6,7"),
			    SPAN("t"), see_row, &seen, &bad);
	assert_string_equal(text_of(buf_span(&seen.text)),
			    "t a=1 b=x\"y,\n\nt a=2 b=\nt a=6 b=7\n");
	assert_int_equal(n, 3);
	assert_int_equal(bad, 2);
	buf_release(&seen.text);
}

static void
take_user(void *context, const struct movein_row *row)
{
	movein_user_row(context, row);
}

static void
test_table_of_users_gives_accounts(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_ACCOUNT, "jane@example.org", "quota_bytes", "104857600"},
	    {MOVEIN_ACCOUNT, "bob@example.net",  "disabled",    "yes"      },
	};
	struct movein m;
	size_t bad;

	(void)state;
	movein_init(&m, MAX);
	(void)movein_csv_read(SPAN("user,domain,password,quota_mb,home,active\n"
				   "jane,example.org,{PLAIN}x,100,/home/jane,1\n"
				   "bob@example.net,,{PLAIN}y,0,,0\n"),
			      SPAN("users"), take_user, &m, &bad);
	assert_values(&m, rows, N_ELEMS(rows));
	assert_int_equal(bad, 0);
	movein_release(&m);
}

/* ---- Postfixadmin */

static const char postfixadmin[] =
    "COPY public.domain (domain, description, aliases, mailboxes, maxquota, quota, "
    "active) "
    "FROM stdin;\n"
    "ALL\t\t0\t0\t0\t0\tt\n"
    "example.org\tx\t10\t-1\t100\t1000\tt\n"
    "example.net\tx\t0\t0\t0\t0\tt\n"
    "off.example\tx\t0\t0\t0\t0\tf\n"
    "\\.\n"
    "COPY public.alias (address, goto, domain, active) FROM stdin;\n"
    "jane@example.org\tjane@example.org,out@else.example\texample.org\tt\n"
    "bob@example.org\tbob@example.org,bob#example.org@autoreply.example.org\t"
    "example.org\tt\n"
    "info@example.org\tjane@example.org,bob@example.org\texample.org\tt\n"
    "old@example.org\tjane@example.org\texample.org\tf\n"
    "@example.org\tjane@example.org\texample.org\tt\n"
    "\\.\n"
    "COPY public.alias_domain (alias_domain, target_domain, active) FROM stdin;\n"
    "example.net\texample.org\tt\n"
    "\\.\n"
    "COPY public.domain_admins (username, domain, active) FROM stdin;\n"
    "root@example.org\tALL\tt\n"
    "jane@example.org\texample.org\tt\n"
    "\\.\n"
    "COPY public.mailbox (username, password, name, maildir, quota, active) FROM "
    "stdin;\n"
    "jane@example.org\t$1$s$h\tJane\texample.org/jane/\t1048576\tt\n"
    "bob@example.org\t{SHA512-CRYPT}$6$s$h\t\texample.org/bob/\t0\tf\n"
    "\\.\n"
    "COPY public.vacation (email, subject, body, active, activefrom, activeuntil, "
    "interval_time) FROM stdin;\n"
    "bob@example.org\tAway\tBack soon\\nBob\tt\t2026-11-01 00:00:00+00\t"
    "2038-01-18 00:00:00+00\t86400\n"
    "\\.\n";

static void
read_postfixadmin(struct movein *m)
{
	struct movein_postfixadmin p = {.m = m, .base = SPAN("/var/mail")};
	size_t bad;

	(void)movein_dump_read(span_str(postfixadmin), NULL, movein_postfixadmin_row,
			       &p, &bad);
	assert_int_equal(bad, 0);
	movein_postfixadmin_end(&p);
	movein_settle(m);
}

static void
test_postfixadmin_tables_give_everything(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_DOMAIN,  "example.org",      "aliases_max",         "10"              },
	    {MOVEIN_DOMAIN,  "example.org",      "accounts_max",        ""                },
	    {MOVEIN_DOMAIN,  "example.org",      "account_quota_bytes", "104857600"       },
	    {MOVEIN_DOMAIN,  "example.org",      "quota_bytes",         "1048576000"      },
	    {MOVEIN_DOMAIN,  "example.org",      "administrators",      "jane@example.org"},
	    {MOVEIN_DOMAIN,  "off.example",      "enabled",             "no"              },
	    {MOVEIN_DOMAIN,  "example.net",      "alias_of",            "example.org"     },
	    {MOVEIN_ACCOUNT, "jane@example.org", "forward",             "out@else.example"},
	    {MOVEIN_ACCOUNT, "jane@example.org", "forward_keep",        "yes"             },
	    {MOVEIN_ACCOUNT, "jane@example.org", "quota_bytes",         "1048576"         },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "forward",             ""                },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "disabled",            "yes"             },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "reply_text",          "Back soon\nBob"  },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "reply_from",          "1793491200"      },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "reply_until",         ""                },
	};
	struct movein m;

	(void)state;
	movein_init(&m, MAX);
	read_postfixadmin(&m);
	assert_values(&m, rows, N_ELEMS(rows));
	assert_null(movein_find(&m, MOVEIN_DOMAIN, SPAN("ALL")));
	assert_true(object(&m, MOVEIN_ALIAS, "old@example.org")->dropped);
	assert_false(object(&m, MOVEIN_ALIAS, "@example.org")->dropped);
	assert_int_equal(
	    movein_count(object(&m, MOVEIN_ALIAS, "info@example.org"), "targets"), 2);
	movein_release(&m);
}

/* ---- hMailServer */

static const char hmailserver[] =
    "COPY public.hm_domains (domainid, domainname, domainactive, domainpostmaster, "
    "domainmaxsize, domainmaxmessagesize, domainuseplusaddressing, "
    "domainplusaddressingchar, domainmaxnoofaccounts, domainmaxnoofaliases, "
    "domainlimitationsenabled, domainmaxaccountsize) FROM stdin;\n"
    "1\texample.org\t1\tjane@example.org\t1000\t20480\t1\t+\t10\t20\t1\t50\n"
    "\\.\n"
    "COPY public.hm_domain_aliases (daid, dadomainid, daalias) FROM stdin;\n"
    "1\t1\texample.net\n"
    "\\.\n"
    "COPY public.hm_accounts (accountid, accountdomainid, accountadminlevel, "
    "accountaddress, accountpassword, accountactive, accountisad, accountmaxsize, "
    "accountvacationmessageon, accountvacationmessage, accountvacationsubject, "
    "accountpwencryption, accountforwardenabled, accountforwardaddress, "
    "accountforwardkeeporiginal, accountvacationexpires, accountvacationexpiredate, "
    "accountpersonfirstname, accountpersonlastname) FROM stdin;\n"
    "7\t1\t1\tjane@example.org\t5f4dcc3b5aa765d61d8327deb882cf99\t1\t0\t10\t1\tAway\t"
    "Out\t2\t1\tjane@else.example\t1\t1\t2026-12-24 00:00:00\tJane\tDoe\n"
    "8\t1\t0\tbob@example.org\tdeadbeef\t0\t0\t0\t0\t\t\t1\t0\t\t0\t0\t"
    "2026-12-24 00:00:00\t\t\n"
    "\\.\n"
    "COPY public.hm_aliases (aliasid, aliasdomainid, aliasname, aliasvalue, "
    "aliasactive) "
    "FROM stdin;\n"
    "1\t1\tinfo@example.org\tjane@example.org\t1\n"
    "\\.\n"
    "COPY public.hm_distributionlists (distributionlistid, distributionlistdomainid, "
    "distributionlistaddress, distributionlistenabled, distributionlistrequireauth, "
    "distributionlistrequireaddress, distributionlistmode) FROM stdin;\n"
    "3\t1\tall@example.org\t1\t0\tjane@example.org\t2\n"
    "4\t1\tour@example.org\t1\t0\t\t3\n"
    "5\t1\tfar@example.org\t1\t0\t\t9\n"
    "\\.\n"
    "COPY public.hm_distributionlistsrecipients (distributionlistrecipientid, "
    "distributionlistrecipientlistid, distributionlistrecipientaddress) FROM stdin;\n"
    "1\t3\tjane@example.org\n2\t3\tx@else.example\n"
    "\\.\n"
    "COPY public.hm_imapfolders (folderid, folderaccountid, folderparentid, "
    "foldername, folderissubscribed, foldercreationtime, foldercurrentuid) FROM "
    "stdin;\n"
    "1\t7\t-1\tINBOX\t1\t2020-01-01 00:00:00\t4\n"
    "2\t0\t-1\tShared\t1\t2020-01-01 00:00:00\t4\n"
    "3\t0\t2\tBelow\t1\t2020-01-01 00:00:00\t4\n"
    "\\.\n";

static void
test_hmailserver_tables_give_everything(void **state)
{
	static const struct want rows[] = {
	    {MOVEIN_DOMAIN,  "example.org",      "accounts_max",      "10"                      },
	    {MOVEIN_DOMAIN,  "example.org",      "aliases_max",       ""                        },
	    {MOVEIN_DOMAIN,  "example.org",      "message_bytes_max", "20971520"                },
	    {MOVEIN_DOMAIN,  "example.org",      "delimiters",        "+"                       },
	    {MOVEIN_DOMAIN,  "example.org",      "administrators",    "jane@example.org"        },
	    {MOVEIN_DOMAIN,  "example.net",      "alias_of",          "example.org"             },
	    {MOVEIN_ALIAS,   "@example.org",     "targets",           "jane@example.org"        },
	    {MOVEIN_ACCOUNT, "jane@example.org", "name",              "Jane Doe"                },
	    {MOVEIN_ACCOUNT, "jane@example.org", "forward_keep",      "yes"                     },
	    {MOVEIN_ACCOUNT, "jane@example.org", "reply_until",       "1798070400"              },
	    {MOVEIN_ACCOUNT, "jane@example.org", "password",
	     "{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99"                                      },
	    {MOVEIN_ACCOUNT, "bob@example.org",  "password",          "{HMAIL-BLOWFISH}deadbeef"},
	    {MOVEIN_LIST,    "all@example.org",  "posting",           "sender"                  },
	    {MOVEIN_LIST,    "our@example.org",  "posting",           "authenticated"           },
	    {MOVEIN_LIST,    "far@example.org",  "posting",           "authenticated"           },
	};
	struct movein m;
	struct movein_hmailserver h = {.m = &m};
	size_t bad;

	(void)state;
	movein_init(&m, MAX);
	for (size_t i = 0; movein_hmailserver_tables[i]; i++) {
		(void)movein_dump_read(span_str(hmailserver),
				       movein_hmailserver_tables[i],
				       movein_hmailserver_row, &h, &bad);
		assert_int_equal(bad, 0);
	}
	(void)movein_dump_read(span_str(hmailserver), "hm_imapfolders",
			       movein_hmailserver_public, &h, &bad);
	assert_string_equal(text_of(m.notes[m.n_notes - 1].name), "#Public/Shared");
	movein_settle(&m);
	assert_values(&m, rows, N_ELEMS(rows));
	assert_int_equal(object(&m, MOVEIN_ACCOUNT, "bob@example.org")->number, 8);
	assert_int_equal(
	    movein_count(object(&m, MOVEIN_LIST, "all@example.org"), "members"), 2);
	movein_hmailserver_release(&h);
	movein_release(&m);
}

static const struct {
	const char *address, *file, *want; /* null: none */
} paths[] = {
    {"jane@example.org", "{AB12}.eml",                              "example.org/jane/AB/{AB12}.eml"},
    {"jane@example.org", "C:\\Data\\example.org\\jane\\{CD34}.eml",
     "example.org/jane/CD/{CD34}.eml"							       },
    {"../x@example.org", "{AB12}.eml",                              NULL                            },
    {"jane@..",          "{AB12}.eml",			      NULL                            },
    {"jane@example.org", "x..",				     NULL                            },
    {"jane@example.org", "a/../../..",                              NULL                            },
    {"jane@example.org", "",					NULL                            },
};

static void
test_hmailserver_path_leads_nowhere_else(void **state)
{
	struct buf out = buf_make(1024);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(paths); i++) {
		bool good = movein_hmail_path(span_str(paths[i].address),
					      span_str(paths[i].file), &out);

		assert_int_equal(good, paths[i].want != NULL);
		if (good)
			assert_string_equal(text_of(buf_span(&out)), paths[i].want);
	}
	buf_release(&out);
}

/* ---- limits */

static void
test_list_says_when_it_is_full(void **state)
{
	struct movein m;
	char name[64];

	(void)state;
	movein_init(&m, 4096);
	for (int i = 0; i < 1000 && !m.full; i++) {
		snprintf(name, sizeof(name), "user%d@example.org", i);
		movein_set(&m, movein_add(&m, MOVEIN_ACCOUNT, span_str(name)), "name",
			   SPAN("x"));
	}
	assert_true(m.full);
	movein_release(&m);
}

static void
test_list_finds_each_of_many(void **state)
{
	struct movein m;
	char name[64];

	(void)state;
	movein_init(&m, MAX);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "User%d@example.org", i);
		assert_non_null(movein_add(&m, MOVEIN_ACCOUNT, span_str(name)));
		assert_non_null(movein_add(&m, MOVEIN_ACCOUNT, span_str(name)));
	}
	assert_int_equal(m.n, 5001);
	assert_int_equal(object(&m, MOVEIN_DOMAIN, "example.org")->members, 5000);
	assert_non_null(movein_find(&m, MOVEIN_ACCOUNT, SPAN("USER4999@example.org")));
	movein_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_password_gets_the_form_that_is_kept),
	    cmocka_unit_test(test_stamp_is_seconds),
	    cmocka_unit_test(test_passwd_file_gives_accounts_and_their_domain),
	    cmocka_unit_test(test_passwd_and_shadow_give_people),
	    cmocka_unit_test(test_postfix_setting_is_expanded),
	    cmocka_unit_test(test_postfix_maps_give_accounts_aliases_and_forwards),
	    cmocka_unit_test(test_dump_rows_are_read),
	    cmocka_unit_test(test_dump_rows_of_one_table_are_read),
	    cmocka_unit_test(test_dump_cut_anywhere_is_read_to_there),
	    cmocka_unit_test(test_csv_values_may_have_quotes_and_lines),
	    cmocka_unit_test(test_table_of_users_gives_accounts),
	    cmocka_unit_test(test_postfixadmin_tables_give_everything),
	    cmocka_unit_test(test_hmailserver_tables_give_everything),
	    cmocka_unit_test(test_hmailserver_path_leads_nowhere_else),
	    cmocka_unit_test(test_list_says_when_it_is_full),
	    cmocka_unit_test(test_list_finds_each_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
