/* tests/unit/test_smtpd_demands.c - what access tables want of a message of several */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtpd/demands.h"

#include <stdio.h>

static struct span
targets_of(struct buf *out, const char *address)
{
	struct target t = {.kind = TARGET_REMOTE, .address = span_str(address)};

	buf_reset(out);
	target_put(out, &t);
	return buf_span(out);
}

/* One recipient with one demand; the addresses in it lead to themselves. */
static bool
recipient(struct demands *d, enum demand_kind kind, const char *text)
{
	struct buf list = buf_make(2 * DEMAND_LIST_MAX), targets = buf_make(2000);
	struct demand wanted = {kind, span_str(text)};
	struct span address;
	bool accepted;

	demand_put(&list, &wanted);
	demands_begin(d, buf_span(&list), targets_of(&targets, "own@example.org"));
	while (demands_unknown(d, &address))
		demands_learn(d, address, targets_of(&targets, text));
	accepted = demands_accept(d);
	demands_forget(d);
	buf_release(&list);
	buf_release(&targets);
	return accepted;
}

/* "a@b c@d" of the message of two clients' recipients. */
static void
assert_recipients(const struct demands *d, const char *want)
{
	struct buf list = buf_make(1 << 20), targets = buf_make(2000),
		   names = buf_make(2000);
	struct envelope_recipient r = {.address = SPAN("one@example.org"),
				       .notify = ENVELOPE_NOTIFY_SUCCESS};
	struct cursor c;
	size_t n, seen = 0;

	r.targets = targets_of(&targets, "one@example.org");
	recipient_put(&list, &r);
	r.address = SPAN("two@example.org");
	recipient_put(&list, &r);
	n = demands_recipients(d, &list, 2);
	for (c = cursor_make(buf_span(&list)); recipient_next(&c, &r); seen++) {
		buf_put_str(&names, seen ? " " : "");
		buf_put(&names, r.address);
	}
	assert_int_equal(n, seen);
	print_message("%.*s\n", (int)names.n, names.at);
	assert_true(span_equal(buf_span(&names), span_str(want)));
	buf_release(&list);
	buf_release(&targets);
	buf_release(&names);
}

static void
test_demands_are_of_the_whole_message(void **state)
{
	struct demands *d = demands_new();

	(void)state;
	assert_true(recipient(d, DEMAND_BCC, "copy@example.org"));
	assert_true(recipient(d, DEMAND_BCC, "copy@example.org"));
	assert_true(recipient(d, DEMAND_BCC, "two@example.org"));
	assert_false(d->hold);
	assert_true(recipient(d, DEMAND_HOLD, ""));
	assert_true(d->hold);
	assert_recipients(d, "one@example.org two@example.org copy@example.org");
	assert_true(recipient(d, DEMAND_REDIRECT, "first@example.org"));
	assert_recipients(d, "first@example.org");
	assert_true(recipient(d, DEMAND_REDIRECT, "last@example.org"));
	assert_recipients(d, "last@example.org");
	demands_free(&d);
}

static void
test_demands_of_a_refused_recipient_do_not_count(void **state)
{
	struct demands *d = demands_new();
	struct buf list = buf_make(DEMAND_LIST_MAX);
	struct demand hold = {.kind = DEMAND_HOLD};
	struct demand away = {DEMAND_REDIRECT, SPAN("x@example.org")};
	struct span address;

	(void)state;
	demand_put(&list, &hold);
	demand_put(&list, &away);
	demands_begin(d, buf_span(&list), SPAN(""));
	assert_true(demands_unknown(d, &address));
	demands_forget(d);
	assert_true(recipient(d, DEMAND_PREPEND, "X: y"));
	assert_false(d->hold);
	assert_recipients(d, "one@example.org two@example.org");
	buf_release(&list);
	demands_free(&d);
}

#define TEN "123456789 "

static void
test_fields_are_folded_and_added_once(void **state)
{
	static const struct {
		const char *name, *field, *want;
	} rows[] = {
	    {"short",      "X-A: b",				    "X-A: b\r\n"                               },
	    {"twice",      "X-A: b",				    ""					 },
	    {"inside one", "A: b",				      "A: b\r\n"                                 },
	    {"no space",
	     "X-B: "
	     "1234567890123456789012345678901234567890"
	     "1234567890123456789012345678901234567890",		"X-B: 1234567890123456789012345678901234567890"
	     "1234567890123456789012345678901234567890\r\n"},
	    {"folded",     "X-C: " TEN TEN TEN TEN TEN TEN TEN TEN "x",
	     "X-C: " TEN TEN TEN TEN TEN TEN "123456789\r\n 123456789 x\r\n"                                       },
	};
	struct demands *d = demands_new();

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		size_t before = d->fields.n;

		print_message("%s\n", rows[i].name);
		assert_true(recipient(d, DEMAND_PREPEND, rows[i].field));
		assert_true(span_equal(span_after(buf_span(&d->fields), before),
				       span_str(rows[i].want)));
	}
	assert_int_equal(d->n_fields, N_ELEMS(rows) - 1);
	demands_free(&d);
}

/* Every line ends, is short enough to be sent, and is no line of its own. */
static void
test_folded_fields_stay_one_field(void **state)
{
	char text[600];

	(void)state;
	for (unsigned every = 1; every < 200; every += 7) {
		struct demands *d = demands_new();
		size_t line = 0;

		for (size_t i = 0; i < sizeof(text) - 1; i++)
			text[i] = i % (every + 1) == every || i % 31 == 7 ? ' ' : 'x';
		text[sizeof(text) - 1] = '\0';
		text[0] = 'X';
		text[1] = ':';
		text[sizeof(text) - 2] = 'x';
		assert_true(recipient(d, DEMAND_PREPEND, text));
		for (size_t i = 0; i < d->fields.n; i++, line++) {
			if (d->fields.at[i] != '\n')
				continue;
			assert_int_equal(d->fields.at[i - 1], '\r');
			assert_in_range(line, 2, 998);
			assert_true(i + 1 == d->fields.n || d->fields.at[i + 1] == ' ');
			line = 0;
		}
		demands_free(&d);
	}
}

static void
test_too_many_demands_are_refused(void **state)
{
	struct demands *d = demands_new();
	char text[64];
	unsigned n = 0;

	(void)state;
	for (bool more = true; more; n++) {
		snprintf(text, sizeof(text), "u%u@example.org", n);
		more = recipient(d, DEMAND_BCC, text);
	}
	assert_int_equal(n, DEMANDS_BCC_MAX + 1);
	demands_free(&d);
}

static void
test_damaged_list_is_found(void **state)
{
	struct buf list = buf_make(DEMAND_LIST_MAX);
	static const struct demand right[] =
	    {
		{DEMAND_HOLD, {"", 0}   },
                {DEMAND_BCC,  {"a@b", 3}}
        },
				   wrong[] = {{DEMAND_HOLD, {"x", 1}},
					      {DEMAND_BCC, {"ab", 2}},
					      {DEMAND_PREPEND, {"a: b\r\nc: d", 10}},
					      {(enum demand_kind)9, {"", 0}}};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(right); i++)
		demand_put(&list, &right[i]);
	assert_true(demand_list_check(buf_span(&list)));
	for (size_t cut = 1; cut < list.n; cut++)
		if (cut != 5)
			assert_false(
			    demand_list_check(span_first(buf_span(&list), cut)));
	for (size_t i = 0; i < N_ELEMS(wrong); i++) {
		buf_reset(&list);
		demand_put(&list, &wrong[i]);
		assert_false(demand_list_check(buf_span(&list)));
	}
	buf_release(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_demands_are_of_the_whole_message),
	    cmocka_unit_test(test_demands_of_a_refused_recipient_do_not_count),
	    cmocka_unit_test(test_fields_are_folded_and_added_once),
	    cmocka_unit_test(test_folded_fields_stay_one_field),
	    cmocka_unit_test(test_too_many_demands_are_refused),
	    cmocka_unit_test(test_damaged_list_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
