/* tests/unit/test_imap_names.c - names of mailboxes on the wire, and patterns of them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/imap/imap.h"
#include "tests/unit/imap_random.h"

#include <stdio.h>

/* --- mUTF-7 and UTF-8 ----------------------------------------------------- */

static const struct name_row {
	const char *what, *wire, *name; /* no name: refused */
	bool utf8;
} names[] = {
  /* clang-format off */
	{"plain", "foo/bar", "foo/bar", false},
	{"empty", "", "", false},
	{"all that stands for itself", " !\"#$%'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~",
	 " !\"#$%'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~", false},
	{"ampersand", "a&-b", "a&b", false},
	{"two of them", "&-&-", "&&", false},
	{"one unit", "&AOQ-", "\303\244", false},
	{"two units", "&AOQA9g-", "\303\244\303\266", false},
	{"three units", "&AOQA9gD8-", "\303\244\303\266\303\274", false},
	{"of the RFC", "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
	 "~peter/mail/\345\217\260\345\214\227/\346\227\245\346\234\254\350\252\236", false},
	{"beyond 16 bits", "&2D3eAA-", "\360\237\230\200", false},
	{"shift then ampersand", "&AOQ-&-", "\303\244&", false},
	{"shift, a letter, shift", "&AOQ-x&AOQ-", "\303\244x\303\244", false},
	{"inbox", "inbox", "INBOX", false},
	{"below it", "Inbox/a", "INBOX/a", false},
	{"not it", "inboxer", "inboxer", false},
	{"not the first level", "a/inbox", "a/inbox", false},
	{"raw UTF-8", "\303\244", "\303\244", false},
	{"raw and shifted", "\303\244&AOQ-", "\303\244\303\244", false},

	{"ampersand alone", "&", NULL, false},
	{"at the end", "a&", NULL, false},
	{"unclosed", "&AOQ", NULL, false},
	{"unclosed, a letter", "&AOQ x", NULL, false},
	{"wrong alphabet", "&AO/-", NULL, false},
	{"padding", "&AOQ=-", NULL, false},
	{"one digit", "&A-", NULL, false},
	{"half a unit", "&AO-", NULL, false},
	{"a digit too many", "&AOQA-", NULL, false},
	{"bits that are left over", "&AOR-", NULL, false},
	{"more bits that are left over", "&AOQA9h-", NULL, false},
	{"a letter in a shift", "&AGE-", NULL, false},
	{"an ampersand in a shift", "&ACY-", NULL, false},
	{"shift upon shift", "&AOQ-&AOQ-", NULL, false},
	{"high surrogate alone", "&2D0-", NULL, false},
	{"high surrogate and a letter", "&2D0A5A-", NULL, false},
	{"low surrogate alone", "&3gA-", NULL, false},
	{"surrogates the wrong way", "&3gDYPQ-", NULL, false},
	{"a control", "a\tb", NULL, false},
	{"DEL", "a\177", NULL, false},
	{"a control in a shift", "&AAk-", NULL, false},
	{"C1 in a shift", "&AIU-", NULL, false},
	{"C1", "\302\205", NULL, false},
	{"a line separator", "\342\200\250", NULL, false},
	{"a paragraph separator in a shift", "&ICk-", NULL, false},
	{"latin1", "\344", NULL, false},

	{"UTF-8", "\303\244", "\303\244", true},
	{"no shift there", "&AOQ-", "&AOQ-", true},
	{"ampersand there", "R&D", "R&D", true},
	{"inbox there", "iNBOX", "INBOX", true},
	{"broken UTF-8", "\303", NULL, true},
	{"overlong", "\300\257", NULL, true},
	{"a surrogate", "\355\240\200", NULL, true},
	{"beyond Unicode", "\364\220\200\200", NULL, true},
	{"a control there", "\001", NULL, true},
	{"C1 there", "\302\200", NULL, true},
  /* clang-format on */
};

static void
test_names_decode(void **state)
{
	struct buf out = buf_make(IMAP_NAME_MAX);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		const struct name_row *row = &names[i];
		bool fine = imap_name_decode(span_str(row->wire), row->utf8, &out);

		if (fine != (row->name != NULL) ||
		    !span_equal(buf_span(&out), span_str(row->name)))
			fail_msg("%s: %.*s", row->what, SPAN_ARG(buf_span(&out)));
		buf_reset(&out);
	}
	buf_release(&out);
}

/* The text of an astring. */
static struct span
unquoted(struct span s)
{
	return s.n >= 2 && *s.at == '"' ? span_make(s.at + 1, s.n - 2) : s;
}

static void
expect_round_trip(struct span name, bool utf8)
{
	struct buf wire = buf_make(10000), back = buf_make(IMAP_NAME_MAX);

	imap_put_name(&wire, name, utf8);
	if (!utf8)
		for (size_t i = 0; i < wire.n; i++)
			assert_in_range(wire.at[i], ' ', '~');
	assert_true(imap_name_decode(unquoted(buf_span(&wire)), utf8, &back));
	if (!span_equal(name, buf_span(&back)))
		fail_msg("%.*s came back as %.*s", SPAN_ARG(name),
			 SPAN_ARG(buf_span(&back)));
	buf_release(&wire);
	buf_release(&back);
}

static bool
may_stand(uint32_t c)
{
	return !(c >= 0x7f && c <= 0x9f) && !(c >= 0xd800 && c <= 0xdfff) &&
	       c != 0x2028 && c != 0x2029 && c != '"' && c != '\\';
}

/* Every character there is, some hundred to a name. */
static void
test_names_round_trip_over_unicode(void **state)
{
	char name[IMAP_NAME_MAX];
	size_t n = 0;

	(void)state;
	for (uint32_t c = 0x20; c <= 0x10ffff; c++) {
		if (may_stand(c))
			n += utf8_encode(c, name + n);
		if (n < 500 && c < 0x10ffff)
			continue;
		expect_round_trip(span_make(name, n), false);
		expect_round_trip(span_make(name, n), true);
		n = 0;
	}
}

/* Each alone, and between letters, where a shift begins and ends at each place. */
static void
test_names_round_trip_at_random(void **state)
{
	struct random random = random_begin();
	char name[100];

	(void)state;
	for (int round = 0; round < 30000; round++) {
		size_t n = 0, characters = random_below(&random, 12);

		while (characters-- > 0) {
			uint32_t c = random_below(&random, 3) == 0
					 ? random_below(&random, 0x110000 - 0x20)
					 : random_below(&random, 0xe0);

			if (may_stand(c + 0x20))
				n += utf8_encode(c + 0x20, name + n);
		}
		expect_round_trip(span_make(name, n), false);
	}
}

/* What decodes comes back as it was: there is one form of each name. */
static void
test_names_have_one_form(void **state)
{
	static const char alphabet[] = "&&&--AEQOegDY29,+bx";
	struct random random = random_begin();
	struct buf out = buf_make(IMAP_NAME_MAX), wire = buf_make(10000);
	char text[12];

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t n = random_below(&random, sizeof(text));

		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		if (imap_name_decode(span_make(text, n), false, &out)) {
			imap_put_name(&wire, buf_span(&out), false);
			if (!span_equal(unquoted(buf_span(&wire)), span_make(text, n)))
				fail_msg("%.*s came back as %.*s", (int)n, text,
					 SPAN_ARG(buf_span(&wire)));
		}
		buf_reset(&out);
		buf_reset(&wire);
	}
	buf_release(&out);
	buf_release(&wire);
}

static void
test_names_have_a_limit(void **state)
{
	struct buf out = buf_make(2 * IMAP_NAME_MAX);
	char wire[IMAP_NAME_MAX + 1];

	(void)state;
	memset(wire, 'x', sizeof(wire));
	for (size_t n = IMAP_NAME_MAX - 1; n <= IMAP_NAME_MAX; n++) {
		assert_true(imap_name_decode(span_make(wire, n), false, &out));
		assert_int_equal(out.n, n);
		buf_reset(&out);
	}
	buf_put(&out, SPAN("before"));
	assert_false(imap_name_decode(span_make(wire, IMAP_NAME_MAX + 1), false, &out));
	assert_int_equal(out.n, 6);
	buf_release(&out);

	out = buf_make(10);
	assert_false(imap_name_decode(SPAN("12345678901"), false, &out));
	assert_false(out.full);
	assert_true(imap_name_decode(SPAN("1234567890"), false, &out));
	buf_release(&out);
}

/* --- patterns ------------------------------------------------------------- */

static const struct match_row {
	const char *pattern, *name;
	bool want;
} matches[] = {
    {"",	   "",           true },
    {"",	   "a",          false},
    {"*",	  "",           true },
    {"*",	  "a/b",        true },
    {"%",	  "a",          true },
    {"%",	  "a/b",        false},
    {"%/%",        "a/b",        true },
    {"%/%",        "a/b/c",      false},
    {"a*c",        "a/b/c",      true },
    {"a%c",        "abbc",       true },
    {"a%c",        "a/c",        false},
    {"*%",         "a/b",        true },
    {"%*",         "a/b",        true },
    {"a%/c",       "abc/c",      true },
    {"*b%",        "ab/b/bc",    true },
    {"foo",        "foo",        true },
    {"foo",        "Foo",        false},
    {"foo%",       "foo",        true },
    {"foo/%",      "foo",        false},
    {"inbox",      "INBOX",      true },
    {"iN%X",       "INBOX",      true },
    {"inbox/%",    "INBOX/a",    true },
    {"inbox/A",    "INBOX/a",    false},
    {"inboxer",    "INBOXer",    false},
    {"*inbox",     "a/INBOX",    false},
    {"%\303\244%", "x\303\244y", true },
};

static void
test_patterns_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(matches); i++)
		if (imap_name_match(span_str(matches[i].pattern),
				    span_str(matches[i].name)) != matches[i].want)
			fail_msg("%s on %s", matches[i].pattern, matches[i].name);
}

/* As the RFC says it, in any time. */
static bool
model_match(const char *pattern, const char *name)
{
	if (*pattern == '\0')
		return *name == '\0';
	if (*pattern == '*' || *pattern == '%') {
		if (model_match(pattern + 1, name))
			return true;
		return *name != '\0' && (*pattern == '*' || *name != '/') &&
		       model_match(pattern, name + 1);
	}
	return *pattern == *name && model_match(pattern + 1, name + 1);
}

static void
test_patterns_match_as_the_model(void **state)
{
	struct random random = random_begin();
	char pattern[9], name[11];
	unsigned hits = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t p = random_below(&random, sizeof(pattern));
		size_t n = random_below(&random, sizeof(name));

		for (size_t i = 0; i < p; i++)
			pattern[i] = "ab/**%%a"[random_below(&random, 8)];
		for (size_t i = 0; i < n; i++)
			name[i] = "ab/a"[random_below(&random, 4)];
		pattern[p] = name[n] = '\0';
		if (imap_name_match(span_make(pattern, p), span_make(name, n)) !=
		    model_match(pattern, name))
			fail_msg("%s on %s", pattern, name);
		hits += model_match(pattern, name);
	}
	assert_true(hits > 1000);
}

/* One that would take a backtracking matcher ages. */
static void
test_patterns_take_bounded_time(void **state)
{
	char pattern[IMAP_NAME_MAX], name[IMAP_NAME_MAX];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = "*a%a"[i % 4];
	pattern[sizeof(pattern) - 1] = 'b';
	for (int round = 0; round < 5; round++)
		assert_false(imap_name_match(span_make(pattern, sizeof(pattern)),
					     span_make(name, sizeof(name))));
}

static void
test_patterns_longer_than_a_name_match_none(void **state)
{
	char text[IMAP_NAME_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(imap_name_match(span_make(text, IMAP_NAME_MAX),
				    span_make(text, IMAP_NAME_MAX)));
	assert_false(imap_name_match(span_make(text, IMAP_NAME_MAX + 1),
				     span_make(text, IMAP_NAME_MAX + 1)));
	memset(text, '*', sizeof(text));
	assert_true(imap_name_match(span_make(text, sizeof(text)), SPAN("a/b")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_decode),
	    cmocka_unit_test(test_names_round_trip_over_unicode),
	    cmocka_unit_test(test_names_round_trip_at_random),
	    cmocka_unit_test(test_names_have_one_form),
	    cmocka_unit_test(test_names_have_a_limit),
	    cmocka_unit_test(test_patterns_match),
	    cmocka_unit_test(test_patterns_match_as_the_model),
	    cmocka_unit_test(test_patterns_take_bounded_time),
	    cmocka_unit_test(test_patterns_longer_than_a_name_match_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
