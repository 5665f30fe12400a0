#include "common/dsn/dsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
request_make(struct buf *rows, struct buf *out)
{
	struct dsn_row one = {
	    .action = DSN_FAILED,
	    .flags = DSN_EXPIRED,
	    .code = 451,
	    .enhanced = {4, 7, 1},
	    .tried_us = 1763800000000000,
	    .final = SPAN("a@example.org"),
	    .original = SPAN("alias@example.net"),
	    .orcpt = SPAN("rfc822;alias@example.net"),
	    .text = SPAN("greylisted"),
	    .host = SPAN("mx.example.org[192.0.2.1]")
        };
	struct dsn_row two = {.action = DSN_FAILED, .final = SPAN("b@example.org")};

	dsn_row_put(rows, &one);
	dsn_row_put(rows, &two);
	struct dsn_request r = {.kind = DSN_FAILURE,
				.ret = 1,
				.flags = 2,
				.arrived_us = 1763700000000000,
				.sender = SPAN("s@example.com"),
				.envid = SPAN("QQ314159"),
				.helo = SPAN("client.example.com"),
				.client = SPAN("0123456789abcdef"),
				.n_rows = 2,
				.rows = buf_span(rows)};

	dsn_request_put(out, &r);
}

static void
test_request_comes_back_as_it_was(void **state)
{
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	struct buf bytes = buf_make(DSN_REQUEST_BYTES_MAX);
	struct dsn_request r;
	struct dsn_row row;

	(void)state;
	request_make(&rows, &bytes);
	assert_true(dsn_request_parse(buf_span(&bytes), &r));
	assert_int_equal(r.kind, DSN_FAILURE);
	assert_int_equal(r.ret, 1);
	assert_true(span_equal(r.sender, SPAN("s@example.com")));
	assert_true(span_equal(r.envid, SPAN("QQ314159")));
	assert_int_equal(r.arrived_us, 1763700000000000);

	struct cursor c = cursor_make(r.rows);
	assert_true(dsn_row_next(&c, &row));
	assert_int_equal(row.code, 451);
	assert_int_equal(row.enhanced[1], 7);
	assert_int_equal(row.flags, DSN_EXPIRED);
	assert_true(span_equal(row.final, SPAN("a@example.org")));
	assert_true(span_equal(row.original, SPAN("alias@example.net")));
	assert_true(span_equal(row.host, SPAN("mx.example.org[192.0.2.1]")));
	assert_true(dsn_row_next(&c, &row));
	assert_true(span_equal(row.final, SPAN("b@example.org")));
	assert_false(dsn_row_next(&c, &row));
	assert_true(cursor_done(&c));
	buf_release(&rows);
	buf_release(&bytes);
}

static void
test_request_is_refused_at_every_cut(void **state)
{
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	struct buf bytes = buf_make(DSN_REQUEST_BYTES_MAX);
	struct dsn_request r;

	(void)state;
	request_make(&rows, &bytes);
	for (size_t n = 0; n < bytes.n; n++) {
		char *exact = memory_new(n + 1, 1);

		memcpy(exact, bytes.at, n);
		exact = memory_resize(exact, n ? n : 1, 1);
		assert_false(dsn_request_parse(span_make(exact, n), &r));
		free(exact);
	}
	buf_put_char(&bytes, 0);
	assert_false(dsn_request_parse(buf_span(&bytes), &r));
	buf_release(&rows);
	buf_release(&bytes);
}

/* Any one bit changed: refused, or still walkable to its end. */
static void
test_request_survives_every_changed_bit(void **state)
{
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	struct buf bytes = buf_make(DSN_REQUEST_BYTES_MAX);
	struct dsn_request r;
	struct dsn_row row;

	(void)state;
	request_make(&rows, &bytes);
	for (size_t i = 0; i < bytes.n * 8; i++) {
		bytes.at[i / 8] ^= (char)(1 << i % 8);
		if (dsn_request_parse(buf_span(&bytes), &r)) {
			struct cursor c = cursor_make(r.rows);
			uint32_t n = 0;

			while (dsn_row_next(&c, &row))
				n++;
			assert_false(c.failed);
			assert_int_equal(n, r.n_rows);
		}
		bytes.at[i / 8] ^= (char)(1 << i % 8);
	}
	buf_release(&rows);
	buf_release(&bytes);
}

static void
test_request_has_only_rows_of_its_kind(void **state)
{
	static const struct {
		const char *name;
		enum dsn_kind kind;
		enum dsn_action action;
		bool want;
	} table[] = {
	    {"failed in failure",  DSN_FAILURE, DSN_FAILED,    true },
	    {"delayed in failure", DSN_FAILURE, DSN_DELAYED,   false},
	    {"relayed in failure", DSN_FAILURE, DSN_RELAYED,   false},
	    {"delayed in delay",   DSN_DELAY,   DSN_DELAYED,   true },
	    {"failed in delay",    DSN_DELAY,   DSN_FAILED,    false},
	    {"delivered",          DSN_SUCCESS, DSN_DELIVERED, true },
	    {"relayed",            DSN_SUCCESS, DSN_RELAYED,   true },
	    {"expanded",           DSN_SUCCESS, DSN_EXPANDED,  true },
	    {"failed in success",  DSN_SUCCESS, DSN_FAILED,    false},
	    {"row in a notice",    DSN_NOTICE,  DSN_FAILED,    false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(table); i++) {
		struct buf rows = buf_make(4096), bytes = buf_make(4096);
		struct dsn_row row = {.action = table[i].action};
		struct dsn_request r = {.kind = table[i].kind, .n_rows = 1}, out;

		dsn_row_put(&rows, &row);
		r.rows = buf_span(&rows);
		dsn_request_put(&bytes, &r);
		if (dsn_request_parse(buf_span(&bytes), &out) != table[i].want)
			fail_msg("%s", table[i].name);
		buf_release(&rows);
		buf_release(&bytes);
	}
}

static void
test_request_without_rows_is_a_notice(void **state)
{
	struct buf bytes = buf_make(4096);
	struct dsn_request r = {
	    .kind = DSN_NOTICE, .subject = SPAN("held"), .text = SPAN("a line\n")};
	struct dsn_request out;

	(void)state;
	dsn_request_put(&bytes, &r);
	assert_true(dsn_request_parse(buf_span(&bytes), &out));
	assert_true(span_equal(out.text, r.text));
	buf_reset(&bytes);
	r.kind = DSN_FAILURE;
	dsn_request_put(&bytes, &r);
	assert_false(dsn_request_parse(buf_span(&bytes), &out));
	buf_release(&bytes);
}

static void
test_texts_are_cut_at_their_limits(void **state)
{
	char *text = memory_new(DSN_TEXT_MAX + 2, 1);
	const size_t sizes[] = {DSN_TEXT_MAX - 1, DSN_TEXT_MAX, DSN_TEXT_MAX + 1};

	(void)state;
	memset(text, 'x', DSN_TEXT_MAX + 1);
	for (size_t i = 0; i < N_ELEMS(sizes); i++) {
		struct buf rows = buf_make(4096);
		struct dsn_row row = {.action = DSN_FAILED,
				      .text = span_make(text, sizes[i])};

		dsn_row_put(&rows, &row);
		struct cursor c = cursor_make(buf_span(&rows));
		assert_true(dsn_row_next(&c, &row));
		assert_int_equal(row.text.n,
				 sizes[i] < DSN_TEXT_MAX ? sizes[i] : DSN_TEXT_MAX);
		buf_release(&rows);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_request_comes_back_as_it_was),
	    cmocka_unit_test(test_request_is_refused_at_every_cut),
	    cmocka_unit_test(test_request_survives_every_changed_bit),
	    cmocka_unit_test(test_request_has_only_rows_of_its_kind),
	    cmocka_unit_test(test_request_without_rows_is_a_notice),
	    cmocka_unit_test(test_texts_are_cut_at_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
