/* tests/unit/test_tls_dane.c - servers verified by TLSA records [RFC7672] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

enum who {
	ROOT,
	MIDDLE,
	LEAF,
	CN_ONLY,
	OTHER_NAME,
	EXPIRED,
	SELF, /* of another name, and expired */
	STRANGER,
	WHO_N,
};

#define MX .san = "DNS:mx.example.org"

static const struct lab_order orders[WHO_N] = {
    [ROOT] = {.cn = "Root",                .authority = true},
    [MIDDLE] = {.cn = "Middle",              .authority = true},
    [LEAF] = {.cn = "leaf",                MX               },
    [CN_ONLY] = {.cn = "mx.example.org"     },
    [OTHER_NAME] = {.cn = "other", .san = "DNS:other.example"                 },
    [EXPIRED] = {.cn = "old",                         MX, .from_s = -7200, .until_s = -3600},
    [SELF] = {.cn = "nobody",                           .from_s = -7200,   .until_s = -3600},
    [STRANGER] = {.cn = "Stranger",           .authority = true                              },
};
static struct lab_issued made[WHO_N];

static int
make_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHO_N; i++) {
		struct lab_order order = orders[i];

		if (i == MIDDLE)
			order.issuer = &made[ROOT];
		else if (i != ROOT && i != SELF && i != STRANGER)
			order.issuer = &made[MIDDLE];
		made[i] = lab_issue(&order);
	}
	return 0;
}

static int
release_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHO_N; i++)
		lab_issued_release(&made[i]);
	return 0;
}

/* --- one server, one or two records --------------------------------------- */

struct record {
	unsigned usage, selector, matching;
	enum who of;
};

#define FAULT(text) TLS_VERIFY_NONE, "certificate of mx.example.org: " text
#define GOOD        TLS_VERIFY_DANE, ""

static const struct row {
	const char *name;
	enum who leaf;
	struct record records[2];
	size_t n;
	enum tls_verify found;
	const char *fault;
} rows[] = {
    {"3 1 1",			    LEAF,    {{3, 1, 1, LEAF}},                    1, GOOD						},
    {"3 0 1",			    LEAF,    {{3, 0, 1, LEAF}},                    1, GOOD						},
    {"3 1 2",			    LEAF,    {{3, 1, 2, LEAF}},                    1, GOOD						},
    {"3 0 0",			    LEAF,    {{3, 0, 0, LEAF}},                    1, GOOD						},
    {"3 1 0",			    LEAF,    {{3, 1, 0, LEAF}},                    1, GOOD						},
    {"3 1 1: no name, no time",          SELF,    {{3, 1, 1, SELF}},                    1, GOOD                                                },
    {"3 1 1: of another",                LEAF,    {{3, 1, 1, SELF}},                    1, FAULT("no TLSA record matches")                     },
    {"3 1 1: of its issuer",
     LEAF,					{{3, 1, 1, MIDDLE}},
     1,										    FAULT("no TLSA record matches")                     },
    {"3 1 1: self-signed of another",
     SELF,					{{3, 1, 1, LEAF}},
     1,										    FAULT("no TLSA record matches")                     },
    {"3 1 1: the second one",            LEAF,    {{3, 1, 1, SELF}, {3, 1, 1, LEAF}},   2, GOOD                                                },

    {"2 0 1 of the issuer",              LEAF,    {{2, 0, 1, MIDDLE}},                  1, GOOD                                                },
    {"2 1 1 of the issuer",              LEAF,    {{2, 1, 1, MIDDLE}},                  1, GOOD                                                },
    {"2 0 2 of the issuer",              LEAF,    {{2, 0, 2, MIDDLE}},                  1, GOOD                                                },
    {"2 0 0 of a root that is not sent", LEAF,    {{2, 0, 0, ROOT}},                    1, GOOD                                                },
    {"2 1 0 of a root that is not sent", LEAF,    {{2, 1, 0, ROOT}},                    1, GOOD                                                },
    {"2 0 1 of a root that is not sent",
     LEAF,					{{2, 0, 1, ROOT}},
     1,										    FAULT("no TLSA record matches")                     },
    {"2 1 1 of another",
     LEAF,					{{2, 1, 1, STRANGER}},
     1,										    FAULT("no TLSA record matches")                     },
    {"2 1 1: name in the CN",            CN_ONLY, {{2, 1, 1, MIDDLE}},                  1, GOOD                                                },
    {"2 1 1: wrong name",
     OTHER_NAME,				  {{2, 1, 1, MIDDLE}},
     1,										    FAULT("hostname mismatch (it is for other.example)")},
    {"2 1 1: expired",                   EXPIRED, {{2, 1, 1, MIDDLE}},                  1, FAULT("expired")                                    },
    {"2 1 1 matches, 3 1 1 not",         LEAF,    {{3, 1, 1, SELF}, {2, 1, 1, MIDDLE}}, 2, GOOD                                                },

    {"1 1 1 is unusable",
     LEAF,					{{1, 1, 1, LEAF}},
     1,										    FAULT("no TLSA record of it can be used")           },
    {"0 0 1 is unusable",
     LEAF,					{{0, 0, 1, ROOT}},
     1,										    FAULT("no TLSA record of it can be used")           },
    {"3 2 1 is unusable",
     SELF,					{{3, 2, 1, SELF}},
     1,										    FAULT("no TLSA record of it can be used")           },
    {"3 1 3 is unusable",
     SELF,					{{3, 1, 3, SELF}},
     1,										    FAULT("no TLSA record of it can be used")           },
    {"unusable ones do not help",
     LEAF,					{{1, 1, 1, LEAF}, {3, 1, 1, SELF}},
     2,										    FAULT("no TLSA record matches")                     },
    {"unusable ones do not hurt",        LEAF,    {{0, 1, 1, SELF}, {3, 1, 1, LEAF}},   2, GOOD                                                },
    {"no record",			LEAF,    {{0}},				0, FAULT("no TLSA record of it can be used")           },
};

static size_t
records_of(const struct row *r, struct tls_tlsa *out, unsigned char bytes[][2048])
{
	for (size_t i = 0; i < r->n; i++) {
		const struct record *from = &r->records[i];

		out[i] = lab_tlsa(&made[from->of], from->usage, from->selector % 2,
				  from->matching, bytes[i]);
		out[i].selector = (uint8_t)from->selector;
	}
	return tls_tlsa_usable(out, r->n);
}

static void
check_row(const struct row *r, int version)
{
	static const struct span name = SPAN("mx.example.org");
	unsigned char bytes[2][2048];
	struct tls_tlsa records[2];
	struct tls_client_policy policy = {
	    .verify = TLS_VERIFY_DANE, .names = &name, .n_names = 1, .tlsa = records};
	size_t usable = records_of(r, records, bytes);
	bool fails = r->found == TLS_VERIFY_NONE && usable > 0;
	struct lab l;

	print_message("%s\n", r->name);
	policy.n_tlsa = r->n;
	lab_init(&l, &made[r->leaf], r->leaf == SELF ? NULL : &made[MIDDLE]);
	SSL_CTX_set_max_proto_version(l.server_context, version);
	/* The authority would do for the leaf, and must not count. */
	lab_trust(&l, &made[ROOT], NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults, fails);
	if (fails) {
		assert_string_equal(net_stream_fault(l.stream), r->fault);
	} else {
		const struct tls_session *t = net_stream_tls(l.stream);

		assert_int_equal(tls_session_verified(t), r->found);
		assert_string_equal(tls_session_peer_fault(t), r->fault);
		/* [RFC7672 8.1] */
		assert_true(
		    r->found != TLS_VERIFY_DANE ||
		    strcmp(SSL_get_servername(l.server, TLSEXT_NAMETYPE_host_name),
			   "mx.example.org") == 0);
	}
	lab_release(&l);
}

static void
test_dane_records_against_certificates(void **state)
{
	(void)state;
	for (size_t v = 0; v < N_ELEMS(versions); v++)
		for (size_t i = 0; i < N_ELEMS(rows); i++)
			check_row(&rows[i], versions[v]);
}

/* [RFC7672 3.2.2]: with usage 2 the next hop's own name does as well. */
static void
test_dane_second_name_will_do_for_an_issuer(void **state)
{
	static const struct span names[] = {SPAN("mx.example.net"),
					    SPAN("other.example")};
	unsigned char bytes[2048];
	struct tls_tlsa record = lab_tlsa(&made[MIDDLE], 2, 1, 1, bytes);
	struct tls_client_policy policy = {.verify = TLS_VERIFY_DANE,
					   .names = names,
					   .n_names = 2,
					   .tlsa = &record,
					   .n_tlsa = 1};
	struct lab l;

	(void)state;
	lab_init(&l, &made[OTHER_NAME], &made[MIDDLE]);
	lab_trust(&l, NULL, NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.secured, 1);
	assert_int_equal(tls_session_verified(net_stream_tls(l.stream)),
			 TLS_VERIFY_DANE);
	lab_release(&l);
}

static void
test_dane_without_a_base_domain_is_a_fault(void **state)
{
	unsigned char bytes[2048];
	struct tls_tlsa record = lab_tlsa(&made[LEAF], 3, 1, 1, bytes);
	struct tls_client_policy policy = {
	    .verify = TLS_VERIFY_DANE, .tlsa = &record, .n_tlsa = 1};
	struct lab l;

	(void)state;
	lab_init(&l, &made[LEAF], NULL);
	lab_trust(&l, NULL, NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults, 1);
	assert_string_equal(net_stream_fault(l.stream),
			    "TLS with the server: no base domain for its TLSA records");
	lab_release(&l);
}

static void
test_dane_usable_looks_at_the_data(void **state)
{
	unsigned char whole[2048], key[2048], zeros[65] = {0};
	struct tls_tlsa certificate = lab_tlsa(&made[LEAF], 3, 0, 0, whole);
	struct tls_tlsa public_key = lab_tlsa(&made[LEAF], 3, 1, 0, key);
	struct tls_tlsa r;

	(void)state;
	assert_int_equal(tls_tlsa_usable(NULL, 0), 0);
	for (size_t n = 0; n <= sizeof(zeros); n++) {
		r = (struct tls_tlsa){3, 1, 1, span_make(zeros, n)};
		assert_int_equal(tls_tlsa_usable(&r, 1), n == 32);
		r.matching = 2;
		assert_int_equal(tls_tlsa_usable(&r, 1), n == 64);
		r.matching = 0;
		assert_int_equal(tls_tlsa_usable(&r, 1), 0);
	}
	assert_int_equal(tls_tlsa_usable(&certificate, 1), 1);
	assert_int_equal(tls_tlsa_usable(&public_key, 1), 1);
	for (size_t n = 0; n < certificate.data.n; n++) {
		r = certificate;
		r.data = span_first(r.data, n);
		assert_int_equal(tls_tlsa_usable(&r, 1), 0);
	}
	certificate.data.n++;
	assert_int_equal(tls_tlsa_usable(&certificate, 1), 0);
	public_key.selector = 0;
	assert_int_equal(tls_tlsa_usable(&public_key, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dane_records_against_certificates),
	    cmocka_unit_test(test_dane_second_name_will_do_for_an_issuer),
	    cmocka_unit_test(test_dane_without_a_base_domain_is_a_fault),
	    cmocka_unit_test(test_dane_usable_looks_at_the_data),
	};

	return cmocka_run_group_tests(tests, make_all, release_all);
}
