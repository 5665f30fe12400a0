#include "resolver/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- a message of the test's ---------------------------------------------- */

#define CLASS_IN 1
#define TYPE_SOA 6

static void
put_u16(struct buf *m, unsigned value)
{
	buf_put_char(m, (char)(value >> 8));
	buf_put_char(m, (char)value);
}

static void
put_u32(struct buf *m, uint32_t value)
{
	put_u16(m, value >> 16);
	put_u16(m, value & 0xffff);
}

/* Labels between dots; "" is the root. */
static void
put_name(struct buf *m, const char *text)
{
	struct span rest = span_str(text);

	while (rest.n > 0) {
		struct span label = span_cut(&rest, '.');

		buf_put_char(m, (char)label.n);
		buf_put(m, label);
	}
	buf_put_char(m, '\0');
}

static void
put_head(struct buf *m, unsigned rcode, unsigned answers, unsigned authority)
{
	put_u16(m, 0);
	put_u16(m, 0x8180 | rcode);
	put_u16(m, 1);
	put_u16(m, answers);
	put_u16(m, authority);
	put_u16(m, 0);
	put_name(m, "q.example");
	put_u16(m, 1);
	put_u16(m, CLASS_IN);
}

static void
put_rr(struct buf *m, const char *owner, unsigned type, uint32_t ttl_s,
       struct span data)
{
	put_name(m, owner);
	put_u16(m, type);
	put_u16(m, CLASS_IN);
	put_u32(m, ttl_s);
	put_u16(m, (unsigned)data.n);
	buf_put(m, data);
}

static void
put_cname(struct buf *m, const char *owner, const char *target)
{
	struct buf name = buf_make(300);

	put_name(&name, target);
	put_rr(m, owner, DNS_CNAME, 300, buf_span(&name));
	buf_release(&name);
}

/* Copied to its very length, so that the sanitizer sees each byte read too far. */
static enum message_result
read_it(struct span packet, enum dns_type type, struct buf *records,
	struct message_answer *out)
{
	char *copy = memory_new(packet.n + 1, 1);
	enum message_result result;

	if (packet.n > 0)
		memcpy(copy, packet.at, packet.n);
	copy = memory_resize(copy, packet.n > 0 ? packet.n : 1, 1);
	result = message_read(span_make(copy, packet.n), SPAN("Q.Example"), type,
			      records, out);
	free(copy);
	return result;
}

static enum message_result
result_of(const struct buf *m, enum dns_type type, struct message_answer *out)
{
	struct buf records = buf_make(DNS_RECORDS_BYTES_MAX);
	enum message_result result = read_it(buf_span(m), type, &records, out);

	if (result == MESSAGE_OK) {
		assert_true(records.n > 0);
		assert_true(dns_records_valid(buf_span(&records), type));
	}
	buf_release(&records);
	return result;
}

/* --- what is in it -------------------------------------------------------- */

static void
test_dns_message_records_are_read(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		struct span data;
		enum message_result want;
	} rows[] = {
	    {"A",			  DNS_A,    {"\xc0\0\2\1", 4},        MESSAGE_OK     },
	    {"A of 3",                     DNS_A,    {"\xc0\0\2", 3},          MESSAGE_USELESS},
	    {"A of 5",                     DNS_A,    {"\xc0\0\2\1\1", 5},      MESSAGE_USELESS},
	    {"AAAA",		       DNS_AAAA, {"0123456789abcdef", 16}, MESSAGE_OK     },
	    {"AAAA of 15",                 DNS_AAAA, {"0123456789abcde", 15},  MESSAGE_USELESS},
	    {"MX",			 DNS_MX,   {"\0\12\2mx\0", 6},       MESSAGE_OK     },
	    {"null MX",                    DNS_MX,   {"\0\0\0", 3},            MESSAGE_OK     },
	    {"MX by pointer",              DNS_MX,   {"\0\12\2mx\xc0\x0c", 7}, MESSAGE_OK     },
	    {"MX without name",            DNS_MX,   {"\0\12", 2},             MESSAGE_USELESS},
	    {"MX and more",                DNS_MX,   {"\0\12\2mx\0x", 7},      MESSAGE_USELESS},
	    {"MX with a blank",            DNS_MX,   {"\0\12\2m \0", 6},       MESSAGE_USELESS},
	    {"MX with a dot in its label",
	     DNS_MX,				 {"\0\12\3m.x\0", 7},
	     MESSAGE_USELESS								  },
	    {"MX with a NUL in its label",
	     DNS_MX,				 {"\0\12\3m\0x\0", 7},
	     MESSAGE_USELESS								  },
	    {"MX to itself",               DNS_MX,   {"\0\12\xc0\x29", 4},     MESSAGE_USELESS},
	    {"MX forwards",                DNS_MX,   {"\0\12\xc0\xff", 4},     MESSAGE_USELESS},
	    {"MX label type 1",            DNS_MX,   {"\0\12\x41x\0", 5},      MESSAGE_USELESS},
	    {"PTR",			DNS_PTR,  {"\1a\0", 3},             MESSAGE_OK     },
	    {"PTR to the root",            DNS_PTR,  {"\0", 1},                MESSAGE_USELESS},
	    {"TXT",			DNS_TXT,  {"\2ab\1c", 5},           MESSAGE_OK     },
	    {"empty TXT",                  DNS_TXT,  {"\0", 1},                MESSAGE_OK     },
	    {"TXT of none",                DNS_TXT,  {"", 0},                  MESSAGE_OK     },
	    {"TXT too short",              DNS_TXT,  {"\5ab", 3},              MESSAGE_USELESS},
	    {"TLSA",		       DNS_TLSA, {"\3\1\1abcd", 7},        MESSAGE_OK     },
	    {"TLSA of 2",                  DNS_TLSA, {"\3\1", 2},              MESSAGE_USELESS},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf m = buf_make(4096);
		struct message_answer out;

		print_message("%s\n", rows[i].name);
		put_head(&m, 0, 1, 0);
		put_rr(&m, "q.example", rows[i].type, 77, rows[i].data);
		assert_int_equal(result_of(&m, rows[i].type, &out), rows[i].want);
		assert_string_equal(out.name, "q.example");
		assert_int_equal(out.ttl_s, 77);
		buf_release(&m);
	}
}

static void
test_dns_message_names_are_lower_case_and_texts_are_joined(void **state)
{
	struct buf m = buf_make(4096), records = buf_make(4096);
	struct message_answer out;
	struct dns_record r;
	struct cursor c;

	(void)state;
	put_head(&m, 0, 2, 0);
	put_rr(&m, "Q.EXAMPLE", DNS_MX, 77, span_make("\0\12\2MX\xc0\x0c", 7));
	put_rr(&m, "q.example", DNS_MX, 50, span_make("\0\5\0", 3));
	assert_int_equal(read_it(buf_span(&m), DNS_MX, &records, &out), MESSAGE_OK);
	c = cursor_make(buf_span(&records));
	assert_true(dns_record_next(&c, &r));
	assert_int_equal(r.preference, 10);
	assert_true(span_equal(r.name, SPAN("mx.q.example")));
	assert_true(dns_record_next(&c, &r));
	assert_int_equal(r.name.n, 0);
	assert_int_equal(out.ttl_s, 50);
	buf_reset(&m);
	buf_reset(&records);
	put_head(&m, 0, 1, 0);
	put_rr(&m, "q.example", DNS_TXT, 77, span_make("\2ab\0\1c", 6));
	assert_int_equal(read_it(buf_span(&m), DNS_TXT, &records, &out), MESSAGE_OK);
	c = cursor_make(buf_span(&records));
	assert_true(dns_record_next(&c, &r));
	assert_true(span_equal(r.data, SPAN("abc")));
	buf_release(&m);
	buf_release(&records);
}

/* --- CNAMEs --------------------------------------------------------------- */

static enum message_result
chain_of(unsigned n, struct message_answer *out)
{
	struct buf m = buf_make(65536);
	enum message_result result;

	put_head(&m, 0, n + 1, 0);
	for (unsigned i = 0; i < n; i++) {
		char from[40], to[40];

		snprintf(from, sizeof(from), i == 0 ? "q.example" : "c%u", i);
		snprintf(to, sizeof(to), "c%u", i + 1);
		put_cname(&m, from, to);
	}
	char last[40];
	snprintf(last, sizeof(last), n == 0 ? "q.example" : "c%u", n);
	put_rr(&m, last, DNS_A, 300, SPAN("abcd"));
	result = result_of(&m, DNS_A, out);
	buf_release(&m);
	return result;
}

static void
test_dns_message_cnames_are_followed_up_to_the_limit(void **state)
{
	struct message_answer out;
	struct buf m = buf_make(4096);

	(void)state;
	assert_int_equal(chain_of(0, &out), MESSAGE_OK);
	assert_int_equal(chain_of(MESSAGE_CNAMES_MAX - 1, &out), MESSAGE_OK);
	assert_int_equal(chain_of(MESSAGE_CNAMES_MAX, &out), MESSAGE_OK);
	assert_string_equal(out.name, "c8");
	assert_int_equal(chain_of(MESSAGE_CNAMES_MAX + 1, &out), MESSAGE_CHAIN);
	put_head(&m, 0, 2, 0);
	put_cname(&m, "q.example", "b");
	put_cname(&m, "b", "q.example");
	assert_int_equal(result_of(&m, DNS_A, &out), MESSAGE_CHAIN);
	assert_int_equal(result_of(&m, DNS_CNAME, &out), MESSAGE_OK);
	buf_release(&m);
}

/* --- no ------------------------------------------------------------------- */

static void
test_dns_message_no_is_told_apart_and_has_a_ttl(void **state)
{
	static const struct {
		const char *name;
		unsigned rcode;
		bool soa, cname;
		uint32_t soa_ttl_s;
		enum message_result want;
		uint32_t ttl_s;
	} rows[] = {
	    {"no data",             0, true,  false, 999, MESSAGE_NO_DATA, 120                   },
	    {"no name",             3, true,  false, 999, MESSAGE_NO_NAME, 120                   },
	    {"shorter SOA",         3, true,  false, 7,   MESSAGE_NO_NAME, 7                     },
	    {"no SOA",              3, false, false, 0,   MESSAGE_NO_NAME, MESSAGE_NEGATIVE_TTL_S},
	    {"alias of no name",    3, true,  true,  999, MESSAGE_NO_NAME, 120                   },
	    {"alias without a SOA", 0, false, true,  0,   MESSAGE_NO_DATA,
	     MESSAGE_NEGATIVE_TTL_S							      },
	    {"the server failed",   2, false, false, 0,   MESSAGE_SERVER,  UINT32_MAX            },
	    {"the server refused",  5, true,  false, 9,   MESSAGE_SERVER,  UINT32_MAX            },
	};
	/* Two names, four numbers, the time that "no" is good. */
	static const char soa[] = "\0\0xxxxxxxxxxxxxxxx\0\0\0\170";

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf m = buf_make(4096);
		struct message_answer out;

		print_message("%s\n", rows[i].name);
		put_head(&m, rows[i].rcode, rows[i].cname, rows[i].soa);
		if (rows[i].cname)
			put_cname(&m, "q.example", "other");
		if (rows[i].soa)
			put_rr(&m, "example", TYPE_SOA, rows[i].soa_ttl_s,
			       span_make(soa, sizeof(soa) - 1));
		assert_int_equal(result_of(&m, DNS_A, &out), rows[i].want);
		assert_int_equal(out.ttl_s, rows[i].ttl_s);
		buf_release(&m);
	}
}

/* --- damage --------------------------------------------------------------- */

static void
test_dns_message_cut_at_every_byte_is_broken(void **state)
{
	struct buf m = buf_make(4096);

	(void)state;
	put_head(&m, 0, 3, 0);
	put_cname(&m, "q.example", "b.example");
	put_rr(&m, "b.example", DNS_MX, 77, span_make("\0\12\2mx\xc0\x0c", 7));
	put_rr(&m, "b.example", DNS_MX, 77, span_make("\0\24\3mx2\xc0\x0c", 8));
	for (size_t n = 0; n <= m.n; n++) {
		struct buf records = buf_make(4096);
		struct message_answer out;
		enum message_result want = n < m.n ? MESSAGE_BROKEN : MESSAGE_OK;

		assert_int_equal(
		    read_it(span_first(buf_span(&m), n), DNS_MX, &records, &out), want);
		buf_release(&records);
	}
	buf_release(&m);
}

static void
test_dns_message_answer_too_big_is_told(void **state)
{
	struct buf m = buf_make(1u << 20);
	struct message_answer out;
	char text[2048];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 256)
		text[i] = (char)255;
	put_head(&m, 0, 30, 0);
	for (int i = 0; i < 30; i++)
		put_rr(&m, "q.example", DNS_TXT, 1, span_make(text, sizeof(text)));
	assert_int_equal(result_of(&m, DNS_TXT, &out), MESSAGE_TOO_BIG);
	buf_release(&m);
}

/* A pointer goes backwards only, so a name ends; one that grows too long is none. */
static void
test_dns_message_name_made_of_pointers_ends(void **state)
{
	struct buf m = buf_make(65536);
	struct message_answer out;
	size_t at;

	(void)state;
	put_head(&m, 0, 1, 0);
	put_name(&m, "q.example");
	put_u16(&m, DNS_PTR);
	put_u16(&m, CLASS_IN);
	put_u32(&m, 1);
	at = m.n + 2;
	put_u16(&m, 2 * 100);
	put_u16(&m, 0xc00c);
	for (unsigned i = 1; i < 100; i++) /* each points to the one before */
		put_u16(&m, 0xc000 | (unsigned)(at + 2 * (i - 1)));
	assert_int_equal(result_of(&m, DNS_PTR, &out), MESSAGE_USELESS);
	buf_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns_message_records_are_read),
	    cmocka_unit_test(
		test_dns_message_names_are_lower_case_and_texts_are_joined),
	    cmocka_unit_test(test_dns_message_cnames_are_followed_up_to_the_limit),
	    cmocka_unit_test(test_dns_message_no_is_told_apart_and_has_a_ttl),
	    cmocka_unit_test(test_dns_message_cut_at_every_byte_is_broken),
	    cmocka_unit_test(test_dns_message_answer_too_big_is_told),
	    cmocka_unit_test(test_dns_message_name_made_of_pointers_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
