/* tests/unit/test_table.c - lookup tables: files, patterns, queries, results */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/table/table.h"

#include <stdio.h>

static struct table_map *
parse(enum table_kind kind, const char *text)
{
	struct table_problems problems = {0};
	struct table_map *map = table_map_parse(kind, span_str(text), &problems);

	for (size_t i = 0; i < problems.n; i++)
		print_message("%u: %s\n", problems.at[i].line, problems.at[i].text);
	table_problems_release(&problems);
	return map;
}

/* What the map has; null for nothing. */
static void
assert_value(const struct table_map *map, const char *key, const char *want)
{
	struct buf value = buf_make(TABLE_VALUE_BYTES_MAX);
	struct err err;
	enum table_result result = table_map_get(map, span_str(key), &value, &err);

	print_message("%s\n", key);
	assert_int_equal(result, want ? TABLE_FOUND : TABLE_NOT_FOUND);
	if (want) {
		buf_put_char(&value, '\0');
		assert_string_equal(value.at, want);
	}
	buf_release(&value);
}

/* The problems as "LINE text|...", warnings with a "w". */
static void
assert_problems(enum table_kind kind, const char *text, const char *want)
{
	struct table_problems problems = {0};
	struct table_map *map = table_map_parse(kind, span_str(text), &problems);
	struct buf got = buf_make(10000);

	for (size_t i = 0; i < problems.n; i++)
		buf_putf(&got, "%s%s%u %s", i > 0 ? "|" : "",
			 problems.at[i].warning ? "w" : "", problems.at[i].line,
			 problems.at[i].text);
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	assert_int_equal(map == NULL, problems.broken);
	table_map_free(&map);
	table_problems_release(&problems);
	buf_release(&got);
}

/* --- texts ------------------------------------------------------------------ */

static void
test_text_lines_go_on_and_comments_count_for_nothing(void **state)
{
	struct table_map *map =
	    parse(TABLE_TEXT, "# first\n"
			      "plain val\n"
			      "cont one\n   two\n# comment\n\n\tthree\n"
			      "UPPER Val\r\n"
			      "\"a b\" quoted\n"
			      "bs\\\"x v4\n"
			      "x\"\" emptyq\n"
			      "tab\tv\tw  \n"
			      "\303\244\303\226 uml");

	(void)state;
	assert_non_null(map);
	assert_int_equal(table_map_count(map), 8);
	assert_value(map, "plain", "val");
	assert_value(map, "PLAIN", "val");
	assert_value(map, "cont", "one   two\tthree");
	assert_value(map, "upper", "Val");
	assert_value(map, "\"a b\"", "quoted");
	assert_value(map, "a b", NULL);
	assert_value(map, "bs\\\"x", "v4");
	assert_value(map, "x\"\"", "emptyq");
	assert_value(map, "tab", "v\tw");
	assert_value(map, "\303\204\303\266", "uml");
	assert_value(map, "\303", NULL);
	assert_value(map, "", NULL);
	table_map_free(&map);
}

static void
test_text_problems_have_lines(void **state)
{
	(void)state;
	assert_problems(TABLE_TEXT, "", "");
	assert_problems(TABLE_TEXT, "  a b\nc d\n",
			"1 starts with white space, but no line before it can go on");
	assert_problems(TABLE_TEXT, "c d\nnoval\n", "2 has no value: \"noval\"");
	assert_problems(TABLE_TEXT, "\"open v\n", "1 has a quote that is not closed");
	assert_problems(TABLE_TEXT, "a \377\n", "1 is not UTF-8");
	assert_problems(TABLE_TEXT, "a b\nA c\n",
			"w2 \"A\" is there before; the first one counts");
}

static void
test_text_of_many_keys_has_them_all(void **state)
{
	struct buf text = buf_make(1 << 20);
	struct table_map *map;
	char key[30], value[30];

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		buf_putf(&text, "user%u@example.org target%u\n", i, i);
	buf_put_char(&text, '\0');
	map = parse(TABLE_TEXT, text.at);
	assert_non_null(map);
	assert_int_equal(table_map_count(map), 5000);
	for (unsigned i = 0; i < 5000; i += 117) {
		snprintf(key, sizeof(key), "user%u@example.org", i);
		snprintf(value, sizeof(value), "target%u", i);
		assert_value(map, key, value);
	}
	table_map_free(&map);
	buf_release(&text);
}

/* --- patterns ----------------------------------------------------------------- */

static const char rules[] = "/^(b)(a)?r/ ${1}x$(2)y $1\n"
			    "if /^q/\n/z$/ qz\nif !/^qq/\n/Y$/i qy\nendif\nendif\n"
			    "IF /^w/\n/$/ w-end\nENDIF\n"
			    "| pipe | x\n"
			    "%^per%x perx\n"
			    "/^\\/s$/ slash\n"
			    "/^d/ $$5\n"
			    "/^(.)v/ v$1\n   continued\n"
			    "!!/twice/ not not\n"
			    "!/^n/ other\n";

static void
test_patterns_find_as_postfix_does(void **state)
{
	static const enum table_kind kinds[] = {TABLE_REGEXP, TABLE_PCRE};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		struct table_map *map = parse(kinds[i], rules);

		assert_non_null(map);
		assert_value(map, "bar", "bxay b");
		assert_value(map, "BRX", "Bxy B");
		assert_value(map, "qz", "qz");
		assert_value(map, "qY", "qy");
		assert_value(map, "qqY", "other");
		assert_value(map, "wa", "w-end");
		assert_value(map, " pipe ", "x");
		assert_value(map, "per", kinds[i] == TABLE_PCRE ? "perx" : "perx");
		assert_value(map, "/s", "slash");
		assert_value(map, "d", "$5");
		assert_value(map, "Xv", "vX   continued");
		assert_value(map, "a twice", "not not");
		assert_value(map, "n", NULL);
		assert_value(map, "z", "other");
		table_map_free(&map);
	}
}

static void
test_pattern_problems_have_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"/a/ b\n/bad\n",      "2 has no closing \"/\" after its pattern"            },
	    {"/a/ $1",             "1 has $1 in its result, but its pattern has 0 groups"},
	    {"/(a)/ $1x",          "1 has $1x in its result, which is no group; write $$ "
			  "for a $"                             },
	    {"/(a)/ $0",           "1 has $0 in its result, which is no group; write $$ "
			 "for a $"                               },
	    {"/(a)/ a$",           "1 has a $ in its result with no number; write $$ for a "
			 "$"				     },
	    {"!/(a)/ $1",          "1 is negated and has $1 in its result"               },
	    {"/a/",                "w1 has no result: it is empty"                       },
	    {"word x",             "1 is no rule: \"word x\""                            },
	    {"endif",              "1 is an endif without if"                            },
	    {"\nif /a/\n/b/ c",    "2 is an if without endif"                            },
	    {"if /a/ junk\nendif", "w1 has extra text after the if"                      },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		assert_problems(TABLE_REGEXP, rows[i].text, rows[i].want);
		assert_problems(TABLE_PCRE, rows[i].text, rows[i].want);
	}
	assert_problems(TABLE_REGEXP, "/a/q x", "1 has a flag that is not i, m or x");
	assert_problems(TABLE_PCRE, "/a/q x", "1 has a flag that is not in imsxAEU");
	assert_problems(
	    TABLE_REGEXP, "/(a)\\1/ x",
	    "1 has a back reference, whose time has no limit: use a table of "
	    "type pcre");
	assert_problems(TABLE_REGEXP, "/(/ x",
			"1 has a wrong pattern: Unmatched ( or \\(");
	assert_problems(
	    TABLE_PCRE, "/(/ x",
	    "1 has a wrong pattern, at its byte 2: missing closing parenthesis");
}

static void
test_pcre_that_never_ends_is_a_fault(void **state)
{
	struct table_map *map = parse(TABLE_PCRE, "/^(a|aa)+$/ x\n");
	struct buf value = buf_make(100);
	char key[200];
	struct err err;

	(void)state;
	assert_non_null(map);
	memset(key, 'a', sizeof(key));
	key[199] = 'b';
	assert_int_equal(table_map_get(map, span_make(key, sizeof(key)), &value, &err),
			 TABLE_FAULT);
	table_map_free(&map);
	buf_release(&value);
}

/* Each way from one place is short enough, and there are many places and patterns. */
static void
test_patterns_that_take_long_together_are_a_fault(void **state)
{
	static const struct {
		const char *name;
		enum table_kind kind;
		const char *rule;
		size_t key, rules;
		enum table_result want;
	} rows[] = {
	    {"pcre, from each place",                               TABLE_PCRE,   "/a*a*[bc]/ x\n",    600,           1,
	     TABLE_FAULT														   },
	    {"pcre, behind a group",                                TABLE_PCRE,   "/(a|a?)+[bc]/ x\n", 2000,          1,
	     TABLE_FAULT														   },
	    {"pcre, many of them",                                  TABLE_PCRE,   "/a*[bc]/ x\n",      500,           1000, TABLE_FAULT    },
	    {"regexp, many of them",                                TABLE_REGEXP, "/a*[bc]/ x\n",      500,           1000,
	     TABLE_FAULT														   },
	    {"regexp, many of which one branch may begin anywhere", TABLE_REGEXP,
	     "/^b|a*[bc]/ x\n",									500,           1000, TABLE_FAULT    },
	    {"regexp, very many with brackets",                     TABLE_REGEXP,
	     "/^[^]|[:alpha:])]+@(a|b)\\.\\|x$/ x\n",                                                  250,           5000, TABLE_NOT_FOUND},
	    {"pcre, one",					   TABLE_PCRE,   "/a*[bc]/ x\n",      500,           1,    TABLE_NOT_FOUND},
	    {"regexp, one",					 TABLE_REGEXP, "/a*[bc]/ x\n",      TABLE_KEY_MAX, 1,
	     TABLE_NOT_FOUND													       },
	    {"pcre, very many of them that are none",               TABLE_PCRE,
	     "/^a{9}b(.*)@example\\.(org|net)$/ x\n",                                                  250,           5000, TABLE_NOT_FOUND},
	    {"regexp, very many of them that are none",             TABLE_REGEXP,
	     "/^a{9}b(.*)@example\\.(org|net)$/ x\n",                                                  250,           5000, TABLE_NOT_FOUND},
	    {"pcre, hundreds that may begin anywhere",              TABLE_PCRE,
	     "/[0-9]+\\.dsl\\./ x\n",								  250,           2000, TABLE_NOT_FOUND},
	    {"regexp, hundreds that may begin anywhere",            TABLE_REGEXP,
	     "/[0-9]+\\.dsl\\./ x\n",								  100,           1500, TABLE_NOT_FOUND},
	};
	char key[TABLE_KEY_MAX];

	(void)state;
	memset(key, 'a', sizeof(key));
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf text = buf_make(4 << 20), value = buf_make(100);
		struct table_map *map;
		struct err err;

		print_message("%s\n", rows[i].name);
		for (size_t n = 0; n < rows[i].rules; n++)
			buf_put_str(&text, rows[i].rule);
		buf_put_char(&text, '\0');
		map = parse(rows[i].kind, text.at);
		assert_non_null(map);
		assert_int_equal(
		    table_map_get(map, span_make(key, rows[i].key), &value, &err),
		    rows[i].want);
		table_map_free(&map);
		buf_release(&value);
		buf_release(&text);
	}
}

static void
test_key_that_is_too_long_is_a_fault(void **state)
{
	struct table_map *map = parse(TABLE_REGEXP, "/a/ x\n");
	struct buf value = buf_make(100);
	char key[TABLE_KEY_MAX + 1];
	struct err err;

	(void)state;
	memset(key, 'a', sizeof(key));
	assert_int_equal(
	    table_map_get(map, span_make(key, TABLE_KEY_MAX), &value, &err),
	    TABLE_FOUND);
	assert_int_equal(table_map_get(map, span_make(key, sizeof(key)), &value, &err),
			 TABLE_FAULT);
	table_map_free(&map);
	buf_release(&value);
}

/* --- networks ------------------------------------------------------------------- */

static void
test_networks_find_as_postfix_does(void **state)
{
	struct table_map *map = parse(TABLE_CIDR, "10.0.0.0/8 ten\n"
						  "!192.168.0.0/16 not192\n"
						  "if 192.168.0.0/16\n"
						  "192.168.1.1 one\n"
						  "if !192.168.2.0/24\n"
						  "192.168.3.0/24 three\n"
						  "endif\nendif\n"
						  "2001:db8::/32 doc\n"
						  "[2001:db9::1] br\n"
						  "[2001:dba::]/32 br2\n"
						  "0.0.0.0/0 all4\n");

	(void)state;
	assert_non_null(map);
	assert_value(map, "10.1.1.1", "ten");
	assert_value(map, "1.2.3.4", "not192");
	assert_value(map, "192.168.1.1", "one");
	assert_value(map, "192.168.2.3", "all4");
	assert_value(map, "192.168.3.3", "three");
	assert_value(map, "2001:DB8:0::5", "doc");
	assert_value(map, "2001:db9::1", "br");
	assert_value(map, "2001:dba:1::1", "br2");
	assert_value(map, "::1", NULL);
	assert_value(map, "[10.1.1.1]", NULL);
	assert_value(map, "10.1", NULL);
	assert_value(map, "hello", NULL);
	table_map_free(&map);
}

static void
test_network_problems_have_lines(void **state)
{
	(void)state;
	assert_problems(TABLE_CIDR, "10.0.0.1/8 x",
			"1 \"10.0.0.1/8\" has bits set behind its network");
	assert_problems(TABLE_CIDR, "1.1.1.1/33 x",
			"1 \"1.1.1.1/33\" has no right number of bits");
	assert_problems(TABLE_CIDR, "1.1.1/24 x",
			"1 \"1.1.1/24\" is no address and no network");
	assert_problems(TABLE_CIDR, "[1.1.1.0/24] x",
			"1 \"[1.1.1.0/24]\" is no address and no network");
	assert_problems(TABLE_CIDR, "1.1.1.1", "1 has no result");
}

/* --- queries ---------------------------------------------------------------------- */

static void
test_query_sends_every_escape_as_a_parameter(void **state)
{
	static const struct {
		const char *text, *statement, *first;
	} rows[] = {
	    {"SELECT a FROM b WHERE c = '%s'",                      "SELECT a FROM b WHERE c = $1",    "%s"   },
	    {"SELECT a FROM b WHERE c = %s",                        "SELECT a FROM b WHERE c = $1",    "%s"   },
	    {"SELECT '%u@%d', 'it''s' WHERE x = '%d'",
	     "SELECT $1, 'it''s' WHERE x = $2",							"%u@%d"},
	    {"SELECT 5 %% 3, '5%%' WHERE x = '%s'",                 "SELECT 5 % 3, '5%' WHERE x = $1",
	     "%s"											     },
	    {"SELECT \"a'b\" /* it's */ -- '\nFROM c WHERE d='%1'",
	     "SELECT \"a'b\" /* it's */ -- '\nFROM c WHERE d=$1",                                      "%1"   },
	    {"SELECT $$it's$$ WHERE x LIKE '%%.%s'",                "SELECT $$it's$$ WHERE x LIKE $1",
	     "%%.%s"											  },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct table_query q;
		struct err err;

		print_message("%s\n", rows[i].text);
		assert_int_equal(table_query_parse(span_str(rows[i].text), &q, &err),
				 0);
		assert_string_equal(q.statement, rows[i].statement);
		assert_string_equal(q.parameters[0], rows[i].first);
		table_query_release(&q);
	}
}

static void
test_query_that_cannot_be_is_an_error(void **state)
{
	static const char *const rows[] = {
	    "",
	    "SELECT 1",
	    "SELECT '%s",
	    "SELECT %q",
	    "SELECT 5%",
	    "SELECT E'%s'",
	    "SELECT \"%s\"",
	    "SELECT $1",
	    "SELECT $a$%s$a$",
	    "SELECT '%s' -- %s",
	    "SELECT '%s' /* open",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct table_query q;
		struct err err;

		print_message("%s\n", rows[i]);
		assert_int_equal(table_query_parse(span_str(rows[i]), &q, &err), -1);
	}
}

static void
test_templates_expand(void **state)
{
	static const struct {
		const char *template, *key, *want;
	} rows[] = {
	    {"%s",    "a@b.c",        "a@b.c"     },
	    {"%u|%d", "a@b.c",        "a|b.c"     },
	    {"%u",    "a",            "a"         },
	    {"%d",    "a",            NULL        },
	    {"%u",    "@b",           NULL        },
	    {"%d",    "a@",           NULL        },
	    {"%1.%2", "u@mail.b.org", "org.b"     },
	    {"%3",    "u@mail.b.org", "mail"      },
	    {"%4",    "u@mail.b.org", NULL        },
	    {"%%%s",  "x",            "%x"        },
	    {"'%s'",  "x'; DROP",     "'x'; DROP'"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);
		struct span key = span_str(rows[i].key);

		print_message("%s %s\n", rows[i].template, rows[i].key);
		assert_int_equal(
		    table_expand(span_str(rows[i].template), key, key, &out),
		    rows[i].want != NULL);
		buf_put_char(&out, '\0');
		if (rows[i].want)
			assert_string_equal(out.at, rows[i].want);
		buf_release(&out);
	}
}

static void
test_config_of_postfix_is_read(void **state)
{
	static const char text[] =
	    "# comment\nhosts = inet:db1:5433 db2 unix:/run/pg\n"
	    "user = o'hara\npassword = secret\ndbname = mail\n"
	    "query = SELECT goto FROM alias\n WHERE address='%s'\n"
	    "result_format = <%s>\ndomain = a.org, b.org\n"
	    "expansion_limit = 7\n";
	struct table_problems problems = {0};
	struct table_config c;

	(void)state;
	assert_true(table_config_parse(span_str(text), &c, &problems));
	assert_string_equal(c.connection,
			    "host='db1,db2,/run/pg' port='5433,5432,5432' "
			    "dbname='mail' user='o\\'hara'");
	assert_string_equal(c.password, "secret");
	assert_string_equal(c.query.statement,
			    "SELECT goto FROM alias WHERE address=$1");
	assert_string_equal(c.result_format, "<%s>");
	assert_int_equal(c.results_max, 7);
	assert_true(table_config_wants(&c, SPAN("x@B.org")));
	assert_false(table_config_wants(&c, SPAN("x@c.org")));
	assert_false(table_config_wants(&c, SPAN("a.org")));
	table_config_release(&c);
	assert_false(table_config_parse(SPAN("tabel = x\n"), &c, &problems));
	assert_int_equal(problems.n, 2);
	assert_string_equal(problems.at[0].text, "\"tabel\" is not known here");
	assert_string_equal(problems.at[1].text, "has no query");
	table_problems_release(&problems);
}

/* --- results ------------------------------------------------------------------------
 */

static void
test_actions(void **state)
{
	static const struct {
		const char *text;
		int kind; /* -1: wrong */
		unsigned code;
		const char *status, *reply;
	} rows[] = {
	    {"OK",			 ACTION_OK,              0,   "",      ""             },
	    {"ok",			 ACTION_OK,              0,   "",      ""             },
	    {"1234567",                    ACTION_OK,              0,   "",      ""             },
	    {"DUNNO",		      ACTION_DUNNO,           0,   "",      ""             },
	    {"WARN look",                  ACTION_WARN,            0,   "",      "look"         },
	    {"REJECT",                     ACTION_REFUSE,          554, "5.7.1", "Access denied"},
	    {"reject Go away",             ACTION_REFUSE,          554, "5.7.1", "Go away"      },
	    {"REJECT 5.1.8 Go",            ACTION_REFUSE,          554, "5.1.8", "Go"           },
	    {"REJECT 4.1.8 Go",            ACTION_REFUSE,          554, "5.1.8", "Go"           },
	    {"REJECT 5.1 Go",              ACTION_REFUSE,          554, "5.7.1", "5.1 Go"       },
	    {"DEFER",		      ACTION_REFUSE,          450, "4.7.1", "Access denied"},
	    {"550 No",                     ACTION_REFUSE,          550, "5.7.1", "No"           },
	    {"450 4.2.0 Wait",             ACTION_REFUSE,          450, "4.2.0", "Wait"         },
	    {"550",			ACTION_REFUSE,          550, "5.7.1", "Access denied"},
	    {"DISCARD",                    ACTION_DISCARD,         0,   "",      ""             },
	    {"REJECT a\001b",              -1,                     0,   NULL,    NULL           },
	    {"REJECT \303\274",            -1,                     0,   NULL,    NULL           },
	    {"INFO",		       ACTION_INFO,            0,   "",      ""             },
	    {"HOLD",		       ACTION_HOLD,            0,   "",      ""             },
	    {"hold look at it",            ACTION_HOLD,            0,   "",      "look at it"   },
	    {"REDIRECT a@b.c",             ACTION_REDIRECT,        0,   "",      "a@b.c"        },
	    {"REDIRECT <a@b>",             ACTION_REDIRECT,        0,   "",      "a@b"          },
	    {"BCC  a+x@b.c ",              ACTION_BCC,             0,   "",      "a+x@b.c"      },
	    {"PREPEND X-A: b c",           ACTION_PREPEND,         0,   "",      "X-A: b c"     },
	    {"PREPEND X:b",                ACTION_PREPEND,         0,   "",      "X:b"          },
	    {"DEFER_IF_PERMIT",            ACTION_DEFER_IF_PERMIT, 450, "4.7.1",
	     "Service unavailable"							      },
	    {"defer_if_reject 4.3.2 Soon", ACTION_DEFER_IF_REJECT, 450, "4.3.2",
	     "Soon"									     },
	    {"421 Go",                     ACTION_REFUSE,          421, "4.7.1", "Go"           },
	    {"REDIRECT",                   -1,                     0,   NULL,    NULL           },
	    {"REDIRECT here",              -1,                     0,   NULL,    NULL           },
	    {"REDIRECT a@b c@d",           -1,                     0,   NULL,    NULL           },
	    {"REDIRECT a@b>",              -1,                     0,   NULL,    NULL           },
	    {"REDIRECT @b:a@c",            -1,                     0,   NULL,    NULL           },
	    {"REDIRECT <>",                -1,                     0,   NULL,    NULL           },
	    {"BCC \303\274@b.c",           -1,                     0,   NULL,    NULL           },
	    {"BCC a@b\001c",               -1,                     0,   NULL,    NULL           },
	    {"PREPEND",                    -1,                     0,   NULL,    NULL           },
	    {"PREPEND X-A",                -1,                     0,   NULL,    NULL           },
	    {"PREPEND : b",                -1,                     0,   NULL,    NULL           },
	    {"PREPEND X A: b",             -1,                     0,   NULL,    NULL           },
	    {"PREPEND X-A: ",              -1,                     0,   NULL,    NULL           },
	    {"PREPEND X: a\r\nY: b",       -1,                     0,   NULL,    NULL           },
	    {"PREPEND X: a\nb",            -1,                     0,   NULL,    NULL           },
	    {"PREPEND X: \303\274",        -1,                     0,   NULL,    NULL           },
	    {"FILTER smtp:x",              -1,                     0,   NULL,    NULL           },
	    {"reject_unknown_client",      -1,                     0,   NULL,    NULL           },
	    {"myclass",                    -1,                     0,   NULL,    NULL           },
	    {"5x0 No",                     -1,                     0,   NULL,    NULL           },
	    {"",			   -1,		     0,   NULL,    NULL           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct table_action a;
		const char *wrong = table_action_parse(span_str(rows[i].text), &a);

		print_message("%s\n", rows[i].text);
		assert_int_equal(wrong != NULL, rows[i].kind == -1);
		if (wrong)
			continue;
		assert_int_equal(a.kind, rows[i].kind);
		assert_int_equal(a.code, rows[i].code);
		assert_string_equal(a.status, rows[i].status);
		assert_true(span_equal(a.text, span_str(rows[i].reply)));
	}
}

/* What is wrong is told with its line, and what to do. */
static void
test_actions_that_are_elsewhere(void **state)
{
	static const struct {
		const char *text, *advice;
	} rows[] = {
	    {"FILTER smtp:[127.0.0.1]:10024", "content filter"        },
	    {"reject_unverified_sender",      "restriction of Postfix"},
	    {"check_sender_access hash:/x",   "sender_access"         },
	    {"permit_mynetworks",             "restriction of Postfix"},
	    {"strict_clients",                "restriction class"     },
	    {"PREPEND no header",             "header field"          },
	    {"BCC nobody",                    "user@domain"           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct table_action a;
		const char *wrong = table_action_parse(span_str(rows[i].text), &a);

		print_message("%s\n", rows[i].text);
		assert_non_null(wrong);
		assert_non_null(strstr(wrong, rows[i].advice));
	}
}

static const char *
action_check(void *context, struct span value)
{
	struct table_action a;

	(void)context;
	return table_action_parse(value, &a);
}

static void
test_wrong_action_is_told_with_its_line(void **state)
{
	struct table_problems problems = {0};
	struct table_map *m =
	    table_map_parse(TABLE_TEXT,
			    SPAN("# rules\na@b.c HOLD\n\nc@b.c FILTER smtp:x\n"
				 "d@b.c PREPEND X-Y\n"),
			    &problems);

	(void)state;
	assert_non_null(m);
	assert_false(table_map_check(m, action_check, NULL, &problems));
	assert_int_equal(problems.n, 2);
	assert_int_equal(problems.at[0].line + problems.at[1].line, 4 + 5);
	table_map_free(&m);
	table_problems_release(&problems);
}

static void
test_hops(void **state)
{
	static const struct {
		const char *text;
		enum table_hop hop;
		const char *to;
	} rows[] = {
	    {"smtp:[mail.example.org]:2525", TABLE_HOP_ROUTE,  "mail.example.org:2525"     },
	    {"smtp:[mail.example.org]",      TABLE_HOP_ROUTE,  "mail.example.org"          },
	    {"smtp:example.org",             TABLE_HOP_ROUTE,  "mx:example.org"            },
	    {"relay:example.org:26",         TABLE_HOP_ROUTE,  "mx:example.org:26"         },
	    {"lmtp:mail.example.org:24",     TABLE_HOP_ROUTE,  "lmtp://mail.example.org:24"},
	    {"lmtp:inet:mail.example.org",   TABLE_HOP_ROUTE,  "lmtp://mail.example.org"   },
	    {"lmtp:[2001:db8::1]:24",        TABLE_HOP_ROUTE,  "lmtp://[2001:db8::1]:24"   },
	    {"lmtp:",			TABLE_HOP_WRONG,  ""                          },
	    {"lmtp:inet:",                   TABLE_HOP_WRONG,  ""                          },
	    {"lmtp:unix:/run/dovecot/lmtp",  TABLE_HOP_WRONG,  ""                          },
	    {":[192.0.2.1]",                 TABLE_HOP_ROUTE,  "192.0.2.1"                 },
	    {"smtp:[2001:db8::1]:25",        TABLE_HOP_ROUTE,  "[2001:db8::1]:25"          },
	    {"smtp:[ipv6:2001:db8::1]",      TABLE_HOP_ROUTE,  "[2001:db8::1]"             },
	    {":",			    TABLE_HOP_NONE,   ""                          },
	    {"smtp:",			TABLE_HOP_NONE,   ""                          },
	    {"error:5.1.2 no such place",    TABLE_HOP_REFUSE, ""                          },
	    {"retry:not now",                TABLE_HOP_REFUSE, ""                          },
	    {"uucp:x",		       TABLE_HOP_WRONG,  ""                          },
	    {"smtp:[x",                      TABLE_HOP_WRONG,  ""                          },
	    {"smtp:[]",                      TABLE_HOP_WRONG,  ""                          },
	    {"mail.example.org",             TABLE_HOP_WRONG,  ""                          },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf to = buf_make(1000);
		struct table_action refusal;

		print_message("%s\n", rows[i].text);
		assert_int_equal(table_hop_parse(span_str(rows[i].text), &to, &refusal),
				 rows[i].hop);
		if (rows[i].hop != TABLE_HOP_WRONG)
			assert_true(span_equal(buf_span(&to), span_str(rows[i].to)));
		buf_release(&to);
	}
}

static void
assert_keys(enum table_order order, const char *key, bool ours, const char *want)
{
	struct buf got = buf_make(10000);
	struct table_keys keys;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_true(
	    table_keys_make(order, span_str(key), SPAN("+-"), ours, &arena, &keys));
	for (size_t i = 0; i < keys.n; i++) {
		buf_put_str(&got, i > 0 ? " " : "");
		buf_put(&got, keys.at[i].text);
		assert_int_equal(keys.at[i].part, i > 0);
	}
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	arena_release(&arena);
	buf_release(&got);
}

static void
test_keys_in_the_orders_of_postfix(void **state)
{
	(void)state;
	assert_keys(TABLE_ORDER_ACCESS, "you+box@mail.example.org", false,
		    "you+box@mail.example.org you@mail.example.org mail.example.org "
		    "example.org org you+box@ you@");
	assert_keys(TABLE_ORDER_ACCESS, "you@a.b", false, "you@a.b a.b b you@");
	assert_keys(TABLE_ORDER_ACCESS, "+x@a", false, "+x@a a +x@");
	assert_keys(TABLE_ORDER_ACCESS, "", false, "<>");
	assert_keys(TABLE_ORDER_ALIAS, "you+box@a.b", true,
		    "you+box@a.b you@a.b you+box you @a.b");
	assert_keys(TABLE_ORDER_ALIAS, "you+box@a.b", false,
		    "you+box@a.b you@a.b @a.b");
	assert_keys(TABLE_ORDER_ROUTE, "you-x@a.b.c", false,
		    "you-x@a.b.c you@a.b.c a.b.c .b.c .c *");
	assert_keys(TABLE_ORDER_NAME, "a.b.c", false, "a.b.c b.c c");
	assert_keys(TABLE_ORDER_NAME, "1.2.3.4", false, "1.2.3.4");
	assert_keys(TABLE_ORDER_CLIENT, "192.0.2.1", false,
		    "192.0.2.1 192.0.2 192.0 192");
	assert_keys(TABLE_ORDER_CLIENT, "2001:db8::1", false,
		    "2001:db8::1 2001:db8: 2001:db8 2001");
}

static void
test_words_end_outside_of_quotes(void **state)
{
	struct span rest = SPAN(" a@b,  \"x, y\"@c,\n,d "), word;

	(void)state;
	assert_true(table_word_next(&rest, &word));
	assert_true(span_equal(word, SPAN("a@b")));
	assert_true(table_word_next(&rest, &word));
	assert_true(span_equal(word, SPAN("\"x, y\"@c")));
	assert_true(table_word_next(&rest, &word));
	assert_true(span_equal(word, SPAN("d")));
	assert_false(table_word_next(&rest, &word));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_lines_go_on_and_comments_count_for_nothing),
	    cmocka_unit_test(test_text_problems_have_lines),
	    cmocka_unit_test(test_text_of_many_keys_has_them_all),
	    cmocka_unit_test(test_patterns_find_as_postfix_does),
	    cmocka_unit_test(test_pattern_problems_have_lines),
	    cmocka_unit_test(test_pcre_that_never_ends_is_a_fault),
	    cmocka_unit_test(test_patterns_that_take_long_together_are_a_fault),
	    cmocka_unit_test(test_key_that_is_too_long_is_a_fault),
	    cmocka_unit_test(test_networks_find_as_postfix_does),
	    cmocka_unit_test(test_network_problems_have_lines),
	    cmocka_unit_test(test_query_sends_every_escape_as_a_parameter),
	    cmocka_unit_test(test_query_that_cannot_be_is_an_error),
	    cmocka_unit_test(test_templates_expand),
	    cmocka_unit_test(test_config_of_postfix_is_read),
	    cmocka_unit_test(test_actions),
	    cmocka_unit_test(test_actions_that_are_elsewhere),
	    cmocka_unit_test(test_wrong_action_is_told_with_its_line),
	    cmocka_unit_test(test_hops),
	    cmocka_unit_test(test_keys_in_the_orders_of_postfix),
	    cmocka_unit_test(test_words_end_outside_of_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
