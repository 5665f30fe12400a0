/* tests/unit/test_srs.c - senders of forwarded mail, there and back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/srs/srs.h"

#include <stdio.h>

#define DAY 20000

static const struct srs_keys keys = {{SPAN("0123456789abcdef")}, 1};
static const struct srs_keys other = {{SPAN("fedcba9876543210")}, 1};
static const struct srs_keys rotated = {
    {SPAN("fedcba9876543210"), SPAN("0123456789abcdef")},
    2
};

/* The sender as an address of `domain`; empty when it cannot be. */
static const char *
forward(const char *sender, const char *domain)
{
	static char text[SRS_ADDRESS_MAX + 1];
	struct buf out = buf_make(SRS_ADDRESS_MAX);
	bool made = srs_forward(&keys, span_str(sender), span_str(domain), DAY, &out);

	assert_int_equal(out.n > 0, made);
	assert_true(span_copy(buf_span(&out), text, sizeof(text)));
	buf_release(&out);
	return text;
}

static enum srs_result
reverse(const struct srs_keys *with, const char *address, uint64_t day, char *text)
{
	struct buf out = buf_make(SRS_ADDRESS_MAX);
	enum srs_result result = srs_reverse(with, span_str(address), day, &out);

	*text = '\0';
	if (result == SRS_OK)
		assert_true(span_copy(buf_span(&out), text, SRS_ADDRESS_MAX + 1));
	buf_release(&out);
	return result;
}

static void
test_srs_senders_there_and_back(void **state)
{
	static const char *const rows[] = {
	    "you@a.example",
	    "You.Too+x=y@A.Example",
	    "a=b@c.example",
	    "\"a b\"@c.example",
	    "\"a\\\"\\\\b\"@c.example",
	    "x@[192.0.2.1]",
	    "x@[IPv6:2001:db8::1]",
	    "\xc3\xa4@\xc3\xb6.example",
	    "SRS2=x@c.example",
	    "srs@c.example",
	    "SRS0@c.example",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char back[SRS_ADDRESS_MAX + 1];
		const char *made = forward(rows[i], "ours.example");

		print_message("%s -> %s\n", rows[i], made);
		assert_int_equal(reverse(&keys, made, DAY, back), SRS_OK);
		assert_string_equal(back, rows[i]);
	}
}

static void
test_srs_form_is_that_of_others(void **state)
{
	const char *made = forward("you@a.example", "ours.example");

	(void)state;
	assert_int_equal(strlen(made), strlen("SRS0=HHHHHHHH=TT=a.example=you@"
					      "ours.example"));
	assert_memory_equal(made, "SRS0=", 5);
	assert_string_equal(made + 13, "=RA=a.example=you@ours.example");
	made = forward("SRS0=ab=CD=b.example=x@c.example", "ours.example");
	assert_memory_equal(made, "SRS1=", 5);
	assert_string_equal(made + 13, "=c.example==ab=CD=b.example=x@ours.example");
}

/* However many servers forward it, a bounce goes to the first of them, and from
 * there to the sender. */
static void
test_srs_chain_does_not_grow(void **state)
{
	static const char *const firsts[] = {"SRS0=ab=CD=b.example=x@c.example",
					     "srs0+ab=CD=b.example=x@c.example",
					     "SRS0-ab=CD=b.example=x@c.example"};
	char second[SRS_ADDRESS_MAX + 1], third[SRS_ADDRESS_MAX + 1],
	    back[SRS_ADDRESS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(firsts); i++) {
		snprintf(second, sizeof(second), "%s",
			 forward(firsts[i], "two.example"));
		snprintf(third, sizeof(third), "%s", forward(second, "ours.example"));
		print_message("%s -> %s -> %s\n", firsts[i], second, third);
		assert_int_equal(strlen(third), strlen(second) + 1);
		assert_int_equal(reverse(&keys, third, DAY, back), SRS_OK);
		assert_string_equal(back + 4, firsts[i] + 4);
		assert_memory_equal(back, "SRS0", 4);
	}
}

static void
change_case(const char *from, bool upper, char *to)
{
	for (; *from; from++) {
		*to = ascii_lower(*from);
		if (upper && ascii_alpha(*to))
			*to = (char)(*to - 'a' + 'A');
		to++;
	}
	*to = '\0';
}

static void
test_srs_letters_may_lose_their_case(void **state)
{
	static const char *const senders[] = {"You@A.example",
					      "SRS0=Ab=CD=b.example=x@c.example"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(senders); i++)
		for (int upper = 0; upper < 2; upper++) {
			char text[SRS_ADDRESS_MAX + 1], back[SRS_ADDRESS_MAX + 1];

			change_case(forward(senders[i], "ours.example"), upper, text);
			print_message("%s\n", text);
			assert_int_equal(reverse(&keys, text, DAY, back), SRS_OK);
			assert_true(
			    span_equal_nocase(span_str(back), span_str(senders[i])));
		}
}

static void
test_srs_any_changed_byte_is_seen(void **state)
{
	static const char *const senders[] = {"you@a.example",
					      "SRS0=ab=CD=b.example=x@c.example"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(senders); i++) {
		char text[SRS_ADDRESS_MAX + 1], back[SRS_ADDRESS_MAX + 1];
		const char *made = forward(senders[i], "ours.example");

		for (size_t k = 5; made[k] != '@'; k++) {
			snprintf(text, sizeof(text), "%s", made);
			text[k] = text[k] == '7' ? '6' : '7';
			print_message("%s\n", text);
			assert_int_equal(reverse(&keys, text, DAY, back), SRS_FORGED);
		}
	}
}

static void
test_srs_what_is_no_such_address(void **state)
{
	static const struct {
		const char *address;
		enum srs_result want;
	} rows[] = {
	    {"you@ours.example",                          SRS_NONE  },
	    {"srs0@ours.example",                         SRS_NONE  },
	    {"SRS0=@ours.example",                        SRS_NONE  },
	    {"SRS0x=a@ours.example",                      SRS_NONE  },
	    {"SRS2=a=b=c=d@ours.example",                 SRS_NONE  },
	    {"",					  SRS_NONE  },
	    {"@",					 SRS_NONE  },
	    {"SRS0=a@ours.example",                       SRS_FORGED},
	    {"SRS0=AAAAAAAA=AA=a.example=b@ours.example", SRS_FORGED},
	    {"SRS0=AAAA=AA=a.example=b@ours.example",     SRS_FORGED},
	    {"SRS0====@ours.example",                     SRS_FORGED},
	    {"SRS1=AAAAAAAA=a.example==b@ours.example",   SRS_FORGED},
	    {"SRS1=AAAAAAAA@ours.example",                SRS_FORGED},
	};
	char back[SRS_ADDRESS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].address);
		assert_int_equal(reverse(&keys, rows[i].address, DAY, back),
				 rows[i].want);
	}
}

static void
test_srs_expires_at_its_limit(void **state)
{
	char made[SRS_ADDRESS_MAX + 1], back[SRS_ADDRESS_MAX + 1];

	(void)state;
	snprintf(made, sizeof(made), "%s", forward("you@a.example", "ours.example"));
	assert_int_equal(reverse(&keys, made, DAY, back), SRS_OK);
	assert_int_equal(reverse(&keys, made, DAY + SRS_DAYS - 1, back), SRS_OK);
	assert_int_equal(reverse(&keys, made, DAY + SRS_DAYS, back), SRS_OK);
	assert_int_equal(reverse(&keys, made, DAY + SRS_DAYS + 1, back), SRS_EXPIRED);
	assert_int_equal(reverse(&keys, made, DAY - 1, back), SRS_EXPIRED);
	snprintf(made, sizeof(made), "%s",
		 forward("SRS0=ab=CD=b.example=x@c.example", "ours.example"));
	assert_int_equal(reverse(&keys, made, DAY + 500, back), SRS_OK);
}

static void
test_srs_earlier_key_still_verifies(void **state)
{
	static const struct srs_keys none = {.n = 0};
	char made[SRS_ADDRESS_MAX + 1], back[SRS_ADDRESS_MAX + 1];
	struct buf out = buf_make(SRS_ADDRESS_MAX);

	(void)state;
	snprintf(made, sizeof(made), "%s", forward("you@a.example", "ours.example"));
	assert_int_equal(reverse(&rotated, made, DAY, back), SRS_OK);
	assert_int_equal(reverse(&other, made, DAY, back), SRS_FORGED);
	assert_int_equal(reverse(&none, made, DAY, back), SRS_FORGED);
	assert_false(srs_forward(&none, SPAN("a@b"), SPAN("c"), DAY, &out));
	assert_true(srs_forward(&rotated, SPAN("you@a.example"), SPAN("ours.example"),
				DAY, &out));
	assert_false(span_equal(buf_span(&out), span_str(made)));
	buf_release(&out);
}

static void
test_srs_length_at_its_limit(void **state)
{
	const size_t around = strlen("SRS0=HHHHHHHH=TT=a.example=");

	(void)state;
	for (size_t n = SRS_LOCAL_MAX - 1; n <= SRS_LOCAL_MAX + 1; n++) {
		char sender[SRS_ADDRESS_MAX + 1], back[SRS_ADDRESS_MAX + 1];
		char made[SRS_ADDRESS_MAX + 1];

		memset(sender, 'x', n - around);
		snprintf(sender + n - around, 20, "@a.example");
		snprintf(made, sizeof(made), "%s", forward(sender, "ours.example"));
		assert_int_equal(*made != '\0', n <= SRS_LOCAL_MAX);
		if (*made) {
			assert_int_equal(reverse(&keys, made, DAY, back), SRS_OK);
			assert_string_equal(back, sender);
		}
	}
	assert_string_equal(forward("no-domain", "ours.example"), "");
	assert_string_equal(forward("@a.example", "ours.example"), "");
}

static void
test_srs_keys_of_a_file(void **state)
{
	static const struct {
		const char *text, *first, *error;
		size_t n;
	} rows[] = {
	    {"0123456789abcdef\n",                                "0123456789abcdef", "",                                       1},
	    {"# new\n\n 0123456789abcdeX \r\n0123456789abcdef",   "0123456789abcdeX", "",
	     2														   },
	    {"",						  "",                 "there is no key",                        0},
	    {"# nothing\n",				       "",                 "there is no key",                        0},
	    {"0123456789abcdef\nshort\n",                         "",                 "line 2: a key has 16 to 200 characters",
	     0														   },
	    {"a234567890123456\nb234567890123456\nc234567890123456\n"
	     "d234567890123456\ne234567890123456\nf234567890123456\n"
	     "g234567890123456\nh234567890123456\ni234567890123456\n"
	     "j234567890123456\nk234567890123456\n", "",		 "line 11: there are more than 10 keys",   0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct srs_keys got = {.n = 0};
		struct err err = {.text = ""};
		int result = srs_keys_parse(span_str(rows[i].text), &got, &err);

		assert_int_equal(result, rows[i].n > 0 ? 0 : -1);
		assert_string_equal(err.text, rows[i].error);
		assert_int_equal(got.n, rows[i].n);
		if (got.n > 0)
			assert_true(span_equal(got.at[0], span_str(rows[i].first)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_srs_senders_there_and_back),
	    cmocka_unit_test(test_srs_form_is_that_of_others),
	    cmocka_unit_test(test_srs_chain_does_not_grow),
	    cmocka_unit_test(test_srs_letters_may_lose_their_case),
	    cmocka_unit_test(test_srs_any_changed_byte_is_seen),
	    cmocka_unit_test(test_srs_what_is_no_such_address),
	    cmocka_unit_test(test_srs_expires_at_its_limit),
	    cmocka_unit_test(test_srs_earlier_key_still_verifies),
	    cmocka_unit_test(test_srs_length_at_its_limit),
	    cmocka_unit_test(test_srs_keys_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
