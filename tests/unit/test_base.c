/* tests/unit/test_base.c - the room every other room stands on */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/base.h"

static void
test_number_limits_and_units(void **state)
{
	static const struct {
		const char *name, *text;
		bool (*parse)(struct span, uint64_t *);
		bool ok;
		uint64_t want;
	} rows[] = {
	    {"plain",            "10",                    number_parse_bytes,   true,  10         },
	    {"giga",             "10G",                   number_parse_bytes,   true,  10ull << 30},
	    {"mega with b",      "5MB",                   number_parse_bytes,   true,  5ull << 20 },
	    {"unit alone",       "G",                     number_parse_bytes,   false, 0          },
	    {"unknown unit",     "5x",                    number_parse_bytes,   false, 0          },
	    {"overflow",         "99999999999999999999",  number_parse_bytes,   false, 0          },
	    {"overflow by unit", "18446744073709551615T", number_parse_bytes,   false, 0          },
	    {"days",             "5d",                    number_parse_seconds, true,  432000     },
	    {"seconds",          "90",                    number_parse_seconds, true,  90         },
	    {"sign",             "-1",                    number_parse_seconds, false, 0          },
	    {"empty",            "",                      number_parse_seconds, false, 0          },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		uint64_t got = 0;

		print_message("%s\n", rows[i].name);
		assert_int_equal(rows[i].parse(span_str(rows[i].text), &got),
				 rows[i].ok);
		assert_int_equal(got, rows[i].want);
	}
}

static void
test_base64_round_trip_and_strictness(void **state)
{
	static const char *bad[] = {
	    "a", "ab==c", "====", "YQ=", "YR==", "YWI=YWI=", "Y Q="};
	struct buf text = buf_make(64), back = buf_make(64);

	(void)state;
	for (size_t n = 0; n <= 6; n++) {
		buf_reset(&text);
		buf_reset(&back);
		base64_put(&text, span_make("\0\xff"
					    "foob",
					    n));
		assert_true(base64_parse(buf_span(&text), &back));
		assert_true(span_equal(buf_span(&back), span_make("\0\xff"
								  "foob",
								  n)));
	}
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(base64_parse(span_str(bad[i]), &back));
	buf_release(&text);
	buf_release(&back);
}

static void
test_crc32c_known_values(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, SPAN("123456789")), 0xe3069283u);
	assert_int_equal(crc32c(crc32c(0, SPAN("1234")), SPAN("56789")), 0xe3069283u);
	assert_int_equal(crc32c(0, SPAN("")), 0);
}

/* Byte by byte is the plain way; at every length and alignment it says the same. */
static void
test_crc32c_of_many_bytes_is_that_of_each(void **state)
{
	char bytes[4200];
	uint32_t crc = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * i + i / 7);
	for (size_t i = 3; i < sizeof(bytes); i++) {
		assert_int_equal(crc32c(0, span_make(bytes + 3, i - 3)), crc);
		crc = crc32c(crc, span_make(bytes + i, 1));
	}
}

static void
test_buf_limit_is_kept(void **state)
{
	struct buf b = buf_make(5);

	(void)state;
	buf_put_str(&b, "abcd");
	assert_false(b.full);
	buf_put_str(&b, "e");
	assert_false(b.full);
	buf_put_str(&b, "f");
	assert_true(b.full);
	assert_true(span_equal(buf_span(&b), SPAN("abcde")));
	buf_release(&b);
}

static void
test_wire_cut_anywhere_fails_once(void **state)
{
	struct buf b = buf_make(100);

	(void)state;
	wire_put_u8(&b, 1);
	wire_put_u64(&b, UINT64_MAX);
	wire_put_bytes(&b, SPAN("hello"));
	for (size_t n = 0; n <= b.n; n++) {
		struct cursor c = cursor_make(span_first(buf_span(&b), n));

		wire_get_u8(&c);
		wire_get_u64(&c);
		(void)wire_get_bytes(&c);
		assert_int_equal(cursor_done(&c), n == b.n);
	}
	buf_release(&b);
}

static void
test_logline_escapes_what_a_peer_sends(void **state)
{
	struct buf out = buf_make(LOGLINE_MAX);
	const struct logfield fields[] = {L_SPAN("rcpt", SPAN("a b\"\r\n\xe9")),
					  L_U64("n", 7)};

	(void)state;
	logline_format(&out, "smtp.rcpt", fields, N_ELEMS(fields));
	assert_true(span_equal(buf_span(&out),
			       SPAN("smtp.rcpt rcpt=\"a b\\\"\\x0d\\x0a\\xe9\" n=7")));
	buf_release(&out);
}

static void
test_arena_refuses_beyond_its_limit(void **state)
{
	struct arena a;
	struct span copy;

	(void)state;
	arena_init(&a, 64);
	assert_non_null(arena_new(&a, 3, 16));
	assert_null(arena_new(&a, SIZE_MAX, 2));
	assert_false(arena_copy(&a, SPAN("seventeen letters"), &copy));
	assert_true(arena_copy(&a, SPAN("sixteen letters!"), &copy));
	arena_release(&a);
}

static void
test_utf8_of_every_character_is_valid_and_in_order(void **state)
{
	char before[4] = {0}, now[4];
	size_t n_before = 0;

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		size_t n = utf8_encode(c, now);
		bool surrogate = c >= 0xd800 && c < 0xe000;

		assert_int_equal(n, 1 + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000));
		assert_int_equal(utf8_valid(span_make(now, n)), !surrogate);
		assert_true(
		    span_compare(span_make(before, n_before), span_make(now, n)) < 0);
		memcpy(before, now, n);
		n_before = n;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_number_limits_and_units),
	    cmocka_unit_test(test_base64_round_trip_and_strictness),
	    cmocka_unit_test(test_crc32c_known_values),
	    cmocka_unit_test(test_crc32c_of_many_bytes_is_that_of_each),
	    cmocka_unit_test(test_buf_limit_is_kept),
	    cmocka_unit_test(test_wire_cut_anywhere_fails_once),
	    cmocka_unit_test(test_logline_escapes_what_a_peer_sends),
	    cmocka_unit_test(test_arena_refuses_beyond_its_limit),
	    cmocka_unit_test(test_utf8_of_every_character_is_valid_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
