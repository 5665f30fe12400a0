#include "common/dns/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- names ---------------------------------------------------------------- */

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static const struct {
	const char *name, *text;
	bool valid;
} names[] = {
    {"plain",          "mx.example.org",                  true },
    {"one label",      "localhost",                       true },
    {"underscore",     "_25._tcp.mx.example.org",         true },
    {"label of 63",    L63 ".org",                        true },
    {"label of 64",    L63 "x.org",                       false},
    {"253 together",   &(L63 "." L63 "." L63 "." L63)[2], true },
    {"254 together",   &(L63 "." L63 "." L63 "." L63)[1], false},
    {"empty",          "",				false},
    {"root",           ".",			       false},
    {"dot at its end", "example.org.",                    false},
    {"dot first",      ".example.org",                    false},
    {"empty label",    "a..b",			    false},
    {"blank",          "a b",			     false},
    {"backslash",      "a\\046b",                         false},
    {"quote",          "a\"b",			    false},
    {"UTF-8",
     "b\xc3\xbc"
     "cher.example",				      false},
    {"line feed",      "a\nb",			    false},
};

static void
test_dns_name_is_what_can_be_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		struct span text = span_str(names[i].text);

		/* The start of the literal is cut off by the rows of 253 and 254. */
		print_message("%s (%zu)\n", names[i].name, text.n);
		assert_int_equal(dns_name_valid(text), names[i].valid);
	}
	assert_false(dns_name_valid(span_make("a\0b", 3)));
}

static void
test_dns_reverse_names_are_as_in_the_rfcs(void **state)
{
	/* [RFC3596 2.5] has the second. */
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	static const uint8_t v6[16] = {0x43, 0x21, 0, 0, 0, 1,    0,    2,
				       0,    3,    0, 4, 5, 0x67, 0x89, 0xab};
	struct buf out = buf_make(200);

	(void)state;
	dns_reverse_put(v4, &out);
	assert_true(span_equal(buf_span(&out), SPAN("1.2.0.192.in-addr.arpa")));
	buf_reset(&out);
	dns_reverse_put(v6, &out);
	assert_true(span_equal(buf_span(&out),
			       SPAN("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0."
				    "0.0.0.0.1.2.3.4.ip6.arpa")));
	buf_reset(&out);
	dns_tlsa_put(SPAN("mx.example.org"), 25, &out);
	assert_true(span_equal(buf_span(&out), SPAN("_25._tcp.mx.example.org")));
	buf_release(&out);
}

static void
test_dns_words_have_names(void **state)
{
	(void)state;
	assert_string_equal(dns_type_name(DNS_TLSA), "TLSA");
	assert_string_equal(dns_type_name(2), "?");
	assert_true(dns_type_known(DNS_A));
	assert_false(dns_type_known(0));
	assert_string_equal(dns_security_name(DNS_SECURE), "secure");
}

/* --- records -------------------------------------------------------------- */

/* clang-format off */
static const struct dns_record records[] = {
    {.type = DNS_A, .data = {"\xc0\0\2\1", 4}},
    {.type = DNS_AAAA, .data = {"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16}},
    {.type = DNS_MX, .preference = 10, .name = {"mx.example.org", 14}},
    {.type = DNS_MX, .preference = 0, .name = {"", 0}},
    {.type = DNS_CNAME, .name = {"a.example", 9}},
    {.type = DNS_PTR, .name = {"b.example", 9}},
    {.type = DNS_TXT, .data = {"v=STSv1; id=1;\0\xff", 16}},
    {.type = DNS_TXT, .data = {"", 0}},
    {.type = DNS_TLSA, .usage = 3, .selector = 1, .matching = 1, .data = {"abc", 3}},
};
/* clang-format on */

static void
same_record(const struct dns_record *a, const struct dns_record *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->preference, b->preference);
	assert_int_equal(a->usage, b->usage);
	assert_int_equal(a->selector, b->selector);
	assert_int_equal(a->matching, b->matching);
	assert_true(span_equal(a->name, b->name));
	assert_true(span_equal(a->data, b->data));
}

static void
test_dns_records_come_back_as_they_were(void **state)
{
	struct buf list = buf_make(DNS_RECORDS_BYTES_MAX);
	struct cursor c;
	struct dns_record r;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(records); i++)
		dns_record_put(&list, &records[i]);
	c = cursor_make(buf_span(&list));
	for (size_t i = 0; i < N_ELEMS(records); i++) {
		assert_true(dns_record_next(&c, &r));
		same_record(&r, &records[i]);
	}
	assert_false(dns_record_next(&c, &r));
	assert_true(cursor_done(&c));
	buf_release(&list);
}

/* Each record cut at every byte: damage is found, nothing behind it is read. */
static void
test_dns_record_cut_short_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(records); i++) {
		struct buf list = buf_make(1000);

		dns_record_put(&list, &records[i]);
		for (size_t n = 1; n < list.n; n++) {
			char *copy = memory_new(n, 1);
			struct cursor c;
			struct dns_record r = {.preference = 77};

			memcpy(copy, list.at, n);
			c = cursor_make(span_make(copy, n));
			assert_false(dns_record_next(&c, &r));
			assert_true(c.failed);
			assert_int_equal(r.preference, 77);
			free(copy);
		}
		buf_release(&list);
	}
}

static void
test_dns_records_of_another_type_or_too_many_are_refused(void **state)
{
	struct buf list = buf_make(DNS_RECORDS_BYTES_MAX);
	static const struct dns_record bad_name = {
	    .type = DNS_PTR, .name = {"a b", 3}
        };

	(void)state;
	assert_true(dns_records_valid(SPAN(""), DNS_A));
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		dns_record_put(&list, &records[0]);
	assert_true(dns_records_valid(buf_span(&list), DNS_A));
	assert_false(dns_records_valid(buf_span(&list), DNS_AAAA));
	dns_record_put(&list, &records[0]);
	assert_false(dns_records_valid(buf_span(&list), DNS_A));
	buf_reset(&list);
	dns_record_put(&list, &bad_name);
	assert_false(dns_records_valid(buf_span(&list), DNS_PTR));
	assert_false(dns_records_valid(span_make("\2\0", 2), (enum dns_type)2));
	buf_release(&list);
}

static void
test_dns_record_ip_is_mapped(void **state)
{
	uint8_t ip[16];

	(void)state;
	dns_record_ip(&records[0], ip);
	assert_memory_equal(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	dns_record_ip(&records[1], ip);
	assert_memory_equal(ip, records[1].data.at, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns_name_is_what_can_be_asked_for),
	    cmocka_unit_test(test_dns_reverse_names_are_as_in_the_rfcs),
	    cmocka_unit_test(test_dns_words_have_names),
	    cmocka_unit_test(test_dns_records_come_back_as_they_were),
	    cmocka_unit_test(test_dns_record_cut_short_is_found),
	    cmocka_unit_test(test_dns_records_of_another_type_or_too_many_are_refused),
	    cmocka_unit_test(test_dns_record_ip_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
