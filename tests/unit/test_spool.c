#include "common/spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
recipient_add(struct buf *list, const char *address, unsigned n_targets)
{
	struct buf targets = buf_make(65536);

	for (unsigned i = 0; i < n_targets; i++) {
		struct target t = {.kind = i % 2 ? TARGET_REMOTE : TARGET_ACCOUNT,
				   .account = i % 2 ? 0 : i + 1,
				   .address = span_str(address)};

		target_put(&targets, &t);
	}
	struct envelope_recipient r = {.address = span_str(address),
				       .orcpt = SPAN("rfc822;x@example.org"),
				       .notify = ENVELOPE_NOTIFY_DELAY,
				       .targets = buf_span(&targets)};

	recipient_put(list, &r);
	buf_release(&targets);
}

/* Two recipients, three targets. */
static void
envelope_make(struct buf *list, struct buf *out)
{
	recipient_add(list, "a@example.org", 2);
	recipient_add(list, "b@example.org", 1);
	struct envelope e = {.flags = ENVELOPE_8BITMIME,
			     .ret = ENVELOPE_RET_HEADERS,
			     .account = 17,
			     .sender = SPAN("s@example.net"),
			     .envid = SPAN("QQ314159"),
			     .login = SPAN("s@example.net"),
			     .client = SPAN("0123456789abcdef"),
			     .helo = SPAN("mail.example.net"),
			     .protocol = SPAN("ESMTPSA"),
			     .message_id = SPAN("1@example.net"),
			     .recipients = buf_span(list),
			     .n_recipients = 2};

	envelope_put(out, &e);
}

static void
test_envelope_comes_back_as_it_was(void **state)
{
	(void)state;
	struct buf list = buf_make(65536), bytes = buf_make(65536);
	struct envelope_recipient r;
	struct envelope e;
	struct target t;

	envelope_make(&list, &bytes);
	assert_true(envelope_parse(buf_span(&bytes), &e));
	assert_true(span_equal(e.sender, SPAN("s@example.net")));
	assert_true(span_equal(e.protocol, SPAN("ESMTPSA")));
	assert_int_equal(e.account, 17);
	assert_int_equal(e.ret, ENVELOPE_RET_HEADERS);

	struct cursor c = cursor_make(e.recipients);
	assert_true(recipient_next(&c, &r));
	assert_true(span_equal(r.address, SPAN("a@example.org")));
	assert_int_equal(r.notify, ENVELOPE_NOTIFY_DELAY);
	struct cursor targets = cursor_make(r.targets);
	assert_true(target_next(&targets, &t));
	assert_int_equal(t.kind, TARGET_ACCOUNT);
	assert_int_equal(t.account, 1);
	assert_true(target_next(&targets, &t));
	assert_int_equal(t.kind, TARGET_REMOTE);
	assert_false(target_next(&targets, &t));
	assert_true(cursor_done(&targets));
	assert_true(recipient_next(&c, &r));
	assert_false(recipient_next(&c, &r));
	assert_true(cursor_done(&c));
	buf_release(&list);
	buf_release(&bytes);
}

static void
test_envelope_is_refused_at_every_cut(void **state)
{
	(void)state;
	struct buf list = buf_make(65536), bytes = buf_make(65536);
	struct envelope e;

	envelope_make(&list, &bytes);
	for (size_t n = 0; n < bytes.n; n++) {
		char *exact = span_dup(buf_span(&bytes));

		assert_false(envelope_parse(span_make(exact, n), &e));
		free(exact);
	}
	buf_put_char(&bytes, 0);
	assert_false(envelope_parse(buf_span(&bytes), &e));
	buf_release(&list);
	buf_release(&bytes);
}

/* Any one byte changed: refused, or still walkable to its end. */
static void
test_envelope_survives_every_changed_byte(void **state)
{
	(void)state;
	struct buf list = buf_make(65536), bytes = buf_make(65536);
	struct envelope e;
	struct envelope_recipient r;
	size_t n;

	envelope_make(&list, &bytes);
	for (size_t i = 0; i < bytes.n * 8; i++) {
		bytes.at[i / 8] ^= (char)(1 << i % 8);
		if (envelope_parse(buf_span(&bytes), &e)) {
			struct cursor c = cursor_make(e.recipients);

			while (recipient_next(&c, &r))
				assert_true(target_list_check(r.targets, &n));
			assert_true(cursor_done(&c));
		}
		bytes.at[i / 8] ^= (char)(1 << i % 8);
	}
	buf_release(&list);
	buf_release(&bytes);
}

static const struct target_row {
	const char *name;
	struct target target;
	bool want;
} target_rows[] = {
    {"account",		   {TARGET_ACCOUNT, 5, {"a@b", 3}, {0}, {0}, {0}},             true },
    {"remote",		    {TARGET_REMOTE, 0, {"a@b", 3}, {0}, {0}, {0}},              true },
    {"account without a number",  {TARGET_ACCOUNT, 0, {"a@b", 3}, {0}, {0}, {0}},             false},
    {"remote with a number",      {TARGET_REMOTE, 5, {"a@b", 3}, {0}, {0}, {0}},              false},
    {"forward",		   {TARGET_FORWARD, 0, {"a@b", 3}, {"SRS0=x@c", 8}, {0}, {0}}, true },
    {"forward with a number",
     {TARGET_FORWARD, 5, {"a@b", 3}, {"c@d", 3}, {0}, {0}},
     false											 },
    {"remote by a hop",           {TARGET_REMOTE, 0, {"a@b", 3}, {0}, {"c:25", 4}, {0}},      true },
    {"forward by a hop",
     {TARGET_FORWARD, 0, {"a@b", 3}, {"c@d", 3}, {"c", 1}, {0}},
     true											  },
    {"hop of two words",          {TARGET_REMOTE, 0, {"a@b", 3}, {0}, {"c d", 3}, {0}},       false},
    {"hop with a line end",
     {TARGET_REMOTE, 0, {"a@b", 3}, {0}, {"c\n", 2}, {0}},
     false											 },
    {"answer",		    {TARGET_REPLY, 5, {"a@b", 3}, {0}, {0}, {0}},               true },
    {"answer without a number",   {TARGET_REPLY, 0, {"a@b", 3}, {0}, {0}, {0}},               false},
    {"owner of a list",           {TARGET_ACCOUNT, 5, {"a@b", 3}, {0}, {0}, {"o@b", 3}},      true },
    {"owner of a list elsewhere",
     {TARGET_REMOTE, 0, {"a@b", 3}, {0}, {"c", 1}, {"o@b", 3}},
     true											  },
    {"unknown kind",              {(enum target_kind)5, 0, {"a@b", 3}, {0}, {0}, {0}},        false},
};

static void
test_target_that_makes_no_sense_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(target_rows); i++) {
		struct buf list = buf_make(1024);
		size_t n;

		target_put(&list, &target_rows[i].target);
		if (target_list_check(buf_span(&list), &n) != target_rows[i].want)
			fail_msg("%s", target_rows[i].name);
		buf_release(&list);
	}
}

static void
test_target_next_hop_has_a_limit(void **state)
{
	(void)state;
	char hop[TARGET_NEXT_HOP_MAX + 1];
	size_t n;

	memset(hop, 'a', sizeof(hop));
	for (size_t length = TARGET_NEXT_HOP_MAX - 1; length <= TARGET_NEXT_HOP_MAX + 1;
	     length++) {
		struct buf list = buf_make(4096);
		struct target t = {.kind = TARGET_REMOTE,
				   .address = SPAN("a@b"),
				   .next_hop = span_make(hop, length)},
			      back;
		struct cursor c;

		target_put(&list, &t);
		assert_int_equal(target_list_check(buf_span(&list), &n),
				 length <= TARGET_NEXT_HOP_MAX);
		c = cursor_make(buf_span(&list));
		if (target_next(&c, &back))
			assert_true(span_equal(back.next_hop, t.next_hop));
		buf_release(&list);
	}
}

static void
test_target_address_has_a_limit(void **state)
{
	(void)state;
	char address[TARGET_ADDRESS_MAX + 1] = {0};
	size_t n;

	for (size_t length = TARGET_ADDRESS_MAX - 1; length <= TARGET_ADDRESS_MAX + 1;
	     length++) {
		struct buf list = buf_make(4096);
		struct target t = {.kind = TARGET_ACCOUNT,
				   .account = 1,
				   .address = span_make(address, length)};

		target_put(&list, &t);
		assert_int_equal(target_list_check(buf_span(&list), &n),
				 length <= TARGET_ADDRESS_MAX);
		buf_release(&list);
	}
}

static void
test_envelope_has_a_limit_of_targets(void **state)
{
	(void)state;
	for (unsigned n = ENVELOPE_TARGETS_MAX - 1; n <= ENVELOPE_TARGETS_MAX + 1;
	     n++) {
		struct buf targets = buf_make(ENVELOPE_BYTES_MAX);
		struct buf list = buf_make(ENVELOPE_BYTES_MAX);
		struct buf bytes = buf_make(ENVELOPE_BYTES_MAX);
		struct target t = {
		    .kind = TARGET_ACCOUNT, .account = 1, .address = SPAN("a@b")};
		struct envelope e;

		for (unsigned i = 0; i < n; i++)
			target_put(&targets, &t);
		struct envelope_recipient r = {.targets = buf_span(&targets)};
		recipient_put(&list, &r);
		e = (struct envelope){.recipients = buf_span(&list), .n_recipients = 1};
		envelope_put(&bytes, &e);
		assert_int_equal(envelope_parse(buf_span(&bytes), &e),
				 n <= ENVELOPE_TARGETS_MAX);
		buf_release(&targets);
		buf_release(&list);
		buf_release(&bytes);
	}
}

static void
test_queue_id_text_sorts_as_the_number(void **state)
{
	(void)state;
	static const uint64_t ids[] = {
	    1, 31, 32, 0xffffffff, 0x6543210100000000, 0x6543210100000001, UINT64_MAX};
	char text[QUEUE_ID_TEXT_SIZE], before[QUEUE_ID_TEXT_SIZE] = "";
	uint64_t back;

	for (size_t i = 0; i < N_ELEMS(ids); i++) {
		queue_id_format(ids[i], text);
		assert_true(queue_id_parse(span_str(text), &back));
		assert_true(back == ids[i]);
		assert_true(strcmp(before, text) < 0);
		memcpy(before, text, sizeof(text));
	}
}

static void
test_queue_id_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const rows[] = {
	    "",
	    "0000000000000",  /* 0 is no id */
	    "000000000000",   /* short */
	    "00000000000001", /* long */
	    "g000000000000",  /* beyond 64 bits */
	    "000000000000w",
	    "000000000000-",
	};
	uint64_t id;

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_false(queue_id_parse(span_str(rows[i]), &id));
	assert_true(queue_id_parse(SPAN("00000000000VG"), &id));
	assert_int_equal(id, 31 * 32 + 16);
}

static void
test_spool_head_is_checked_against_the_record(void **state)
{
	(void)state;
	struct spool_head h = {.id = 7, .arrived_us = 9, .envelope_bytes = 100}, back;
	char bytes[SPOOL_HEAD_BYTES];
	struct span s = span_make(bytes, sizeof(bytes));

	spool_head_put(&h, bytes);
	assert_false(spool_head_parse(s, SPOOL_HEAD_BYTES + 99, &back));
	assert_true(spool_head_parse(s, SPOOL_HEAD_BYTES + 100, &back));
	assert_int_equal(back.id, 7);
	assert_int_equal(back.arrived_us, 9);
	assert_false(spool_head_parse(span_first(s, 23), 1000, &back));
	assert_false(spool_head_parse(s, 3, &back));
	h.id = 0;
	spool_head_put(&h, bytes);
	assert_false(spool_head_parse(s, 1000, &back));
}

/* --- relay lists ---------------------------------------------------------- */

static void
relay_results_put(struct buf *list)
{
	struct relay_result r = {
	    .ordinal = 7,
	    .outcome = 2,
	    .flags = RELAY_LMTP,
	    .code = 550,
	    .enhanced = {5, 1, 1},
	    .text = SPAN("no such user"),
	    .host = SPAN("mx.example.org[192.0.2.1]")
        };

	relay_result_put(list, &r);
	r.ordinal = 8;
	relay_result_put(list, &r);
}

static void
test_relay_lists_come_back_as_put(void **state)
{
	struct buf list = buf_make(4096), results = buf_make(4096);
	struct relay_recipient in = {3, ENVELOPE_NOTIFY_DELAY, SPAN("a@b"),
				     SPAN("rfc822;c@d")},
			       out = {0};
	struct relay_result r = {0};
	struct cursor c;

	(void)state;
	relay_recipient_put(&list, &in);
	c = cursor_make(buf_span(&list));
	assert_true(relay_recipient_next(&c, &out));
	assert_int_equal(out.ordinal, 3);
	assert_int_equal(out.notify, ENVELOPE_NOTIFY_DELAY);
	assert_true(span_equal(out.address, in.address));
	assert_true(span_equal(out.orcpt, in.orcpt));
	assert_false(relay_recipient_next(&c, &out));
	assert_true(cursor_done(&c));
	relay_results_put(&results);
	c = cursor_make(buf_span(&results));
	assert_true(relay_result_next(&c, &r) && relay_result_next(&c, &r));
	assert_int_equal(r.ordinal, 8);
	assert_int_equal(r.code, 550);
	assert_int_equal(r.enhanced[1], 1);
	assert_true(span_equal(r.text, SPAN("no such user")));
	assert_false(relay_result_next(&c, &r));
	assert_true(cursor_done(&c));
	buf_release(&list);
	buf_release(&results);
}

static void
test_relay_list_cut_anywhere_is_damaged(void **state)
{
	struct buf results = buf_make(4096);
	size_t one;

	(void)state;
	relay_results_put(&results);
	one = results.n / 2;
	for (size_t n = 1; n < results.n; n++) {
		struct cursor c = cursor_make(span_first(buf_span(&results), n));
		struct relay_result r;

		while (relay_result_next(&c, &r))
			;
		assert_int_equal(c.failed, n != one);
	}
	buf_release(&results);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_envelope_comes_back_as_it_was),
	    cmocka_unit_test(test_envelope_is_refused_at_every_cut),
	    cmocka_unit_test(test_envelope_survives_every_changed_byte),
	    cmocka_unit_test(test_target_that_makes_no_sense_is_refused),
	    cmocka_unit_test(test_target_next_hop_has_a_limit),
	    cmocka_unit_test(test_target_address_has_a_limit),
	    cmocka_unit_test(test_envelope_has_a_limit_of_targets),
	    cmocka_unit_test(test_queue_id_text_sorts_as_the_number),
	    cmocka_unit_test(test_queue_id_refuses_what_is_none),
	    cmocka_unit_test(test_spool_head_is_checked_against_the_record),
	    cmocka_unit_test(test_relay_lists_come_back_as_put),
	    cmocka_unit_test(test_relay_list_cut_anywhere_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
