/* tests/unit/test_smtpd_name.c - names of clients, and when one is believed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtpd/name.h"

#define NONE NULL

static void
test_candidates_are_hosts_in_one_order(void **state)
{
	static const struct {
		const char *name;
		const char *records[8];
		const char *want[NAMES_MAX];
	} rows[] = {
	    {"none",         {NONE},				    {NONE}            },
	    {"one",          {"mx.example.org"},                        {"mx.example.org"}},
	    {"sorted",
	     {"c.example", "a.example", "b.example"},
	     {"a.example", "b.example", "c.example"}                                      },
	    {"twice",        {"a.example", "a.example"},                {"a.example"}     },
	    {"no host",
	     {"a b.example", "-", "1.2.3.4", "unknown", "a..b", "x/y"},
	     {NONE}								       },
	    {"top level",    {"localhost"},                             {"localhost"}     },
	    {"first four",
	     {"f.e", "e.e", "d.e", "c.e", "b.e", "a.e"},
	     {"a.e", "b.e", "c.e", "d.e"}						 },
	    {"late arrival",
	     {"a.e", "b.e", "c.e", "d.e", "e.e"},
	     {"a.e", "b.e", "c.e", "d.e"}						 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf list = buf_make(DNS_RECORDS_BYTES_MAX);
		char names[NAMES_MAX][DNS_NAME_MAX + 1];
		size_t n, want = 0;

		print_message("%s\n", rows[i].name);
		for (size_t k = 0; rows[i].records[k]; k++) {
			struct dns_record r = {.type = DNS_PTR,
					       .name = span_str(rows[i].records[k])};

			dns_record_put(&list, &r);
		}
		n = name_candidates(buf_span(&list), names);
		for (; want < NAMES_MAX && rows[i].want[want]; want++)
			assert_string_equal(names[want], rows[i].want[want]);
		assert_int_equal(n, want);
		buf_release(&list);
	}
}

static void
test_only_the_same_address_confirms(void **state)
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1},
			     v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct dns_record a = {.type = DNS_A, .data = span_make(v4 + 12, 4)};
	struct dns_record aaaa = {.type = DNS_AAAA, .data = span_make(v6, 16)};
	struct dns_record ptr = {.type = DNS_PTR, .name = SPAN("mx.example")};
	struct buf list = buf_make(1000);
	uint8_t other[16];

	(void)state;
	assert_false(name_confirms(buf_span(&list), v4));
	dns_record_put(&list, &ptr);
	dns_record_put(&list, &a);
	dns_record_put(&list, &aaaa);
	assert_true(name_confirms(buf_span(&list), v4));
	assert_true(name_confirms(buf_span(&list), v6));
	for (size_t i = 0; i < sizeof(other); i++) {
		memcpy(other, v4, sizeof(other));
		other[i] ^= 1;
		assert_false(name_confirms(buf_span(&list), other));
	}
	buf_release(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_candidates_are_hosts_in_one_order),
	    cmocka_unit_test(test_only_the_same_address_confirms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
