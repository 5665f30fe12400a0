/* tests/unit/test_tls_dane.c - servers verified by TLSA records [RFC7672] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"

#include <stdio.h>

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

#define MX "DNS:mx.example.org"

/* Name, other names, issuer (see below), authority, from, until, bits of RSA. */
static const struct lab_order orders[WHO_N] = {
    [ROOT] = {"Root",           NULL,                NULL, true,  0,     0,     0},
    [MIDDLE] = {"Middle",         NULL,                NULL, true,  0,     0,     0},
    [LEAF] = {"leaf",           MX,                  NULL, false, 0,     0,     0},
    [CN_ONLY] = {"mx.example.org", NULL,                NULL, false, 0,     0,     0},
    [OTHER_NAME] = {"other",          "DNS:other.example", NULL, false, 0,     0,     0},
    [EXPIRED] = {"old",            MX,                  NULL, false, -7200, -3600, 0},
    [SELF] = {"nobody",         NULL,                NULL, false, -7200, -3600, 0},
    [STRANGER] = {"Stranger",       NULL,                NULL, true,  0,     0,     0},
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

#define MISMATCH "hostname mismatch (it is for other.example)"
#define NO_MATCH "no TLSA record matches"
#define UNUSABLE "no TLSA record of it can be used"

static const struct row {
	const char *name;
	enum who leaf;
	struct record records[2]; /* 0 0 0 ends them */
	const char *fault;        /* behind "certificate of ..: "; null: verified */
} rows[] = {
    {"3 1 1",            LEAF,       {{3, 1, 1, LEAF}, {0}},               NULL     },
    {"3 0 1",            LEAF,       {{3, 0, 1, LEAF}, {0}},               NULL     },
    {"3 1 2",            LEAF,       {{3, 1, 2, LEAF}, {0}},               NULL     },
    {"3 0 0",            LEAF,       {{3, 0, 0, LEAF}, {0}},               NULL     },
    {"3 1 0",            LEAF,       {{3, 1, 0, LEAF}, {0}},               NULL     },
    {"no name, no time", SELF,       {{3, 1, 1, SELF}, {0}},               NULL     },
    {"of another",       LEAF,       {{3, 1, 1, SELF}, {0}},               NO_MATCH },
    {"of its issuer",    LEAF,       {{3, 1, 1, MIDDLE}, {0}},             NO_MATCH },
    {"self-signed",      SELF,       {{3, 1, 1, LEAF}, {0}},               NO_MATCH },
    {"the second one",   LEAF,       {{3, 1, 1, SELF}, {3, 1, 1, LEAF}},   NULL     },

    {"2 0 1",            LEAF,       {{2, 0, 1, MIDDLE}, {0}},             NULL     },
    {"2 1 1",            LEAF,       {{2, 1, 1, MIDDLE}, {0}},             NULL     },
    {"2 0 2",            LEAF,       {{2, 0, 2, MIDDLE}, {0}},             NULL     },
    {"2 0 0, not sent",  LEAF,       {{2, 0, 0, ROOT}, {0}},               NULL     },
    {"2 1 0, not sent",  LEAF,       {{2, 1, 0, ROOT}, {0}},               NULL     },
    {"2 0 1, not sent",  LEAF,       {{2, 0, 1, ROOT}, {0}},               NO_MATCH },
    {"2 1 1 of another", LEAF,       {{2, 1, 1, STRANGER}, {0}},           NO_MATCH },
    {"name in the CN",   CN_ONLY,    {{2, 1, 1, MIDDLE}, {0}},             NULL     },
    {"wrong name",       OTHER_NAME, {{2, 1, 1, MIDDLE}, {0}},             MISMATCH },
    {"expired",          EXPIRED,    {{2, 1, 1, MIDDLE}, {0}},             "expired"},
    {"2 matches, 3 not", LEAF,       {{3, 1, 1, SELF}, {2, 1, 1, MIDDLE}}, NULL     },

    {"1 1 1",            LEAF,       {{1, 1, 1, LEAF}, {0}},               UNUSABLE },
    {"0 0 1",            LEAF,       {{0, 0, 1, ROOT}, {0}},               UNUSABLE },
    {"3 2 1",            SELF,       {{3, 2, 1, SELF}, {0}},               UNUSABLE },
    {"3 1 3",            SELF,       {{3, 1, 3, SELF}, {0}},               UNUSABLE },
    {"no help",          LEAF,       {{1, 1, 1, LEAF}, {3, 1, 1, SELF}},   NO_MATCH },
    {"no harm",          LEAF,       {{0, 1, 1, SELF}, {3, 1, 1, LEAF}},   NULL     },
    {"no record",        LEAF,       {{0}, {0}},                           UNUSABLE },
};

static size_t
records_of(const struct row *r, struct tls_tlsa *out, unsigned char bytes[][2048])
{
	size_t n = 0;

	while (n < 2 && (r->records[n].usage || r->records[n].matching)) {
		const struct record *from = &r->records[n];

		out[n] = lab_tlsa(&made[from->of], from->usage, from->selector % 2,
				  from->matching, bytes[n]);
		out[n++].selector = (uint8_t)from->selector;
	}
	return n;
}

/* Verified, or not for want of usable records. */
static void
check_secured(struct lab *l, const char *fault)
{
	const struct tls_session *t = net_stream_tls(l->stream);

	assert_int_equal(tls_session_verified(t),
			 fault[0] ? TLS_VERIFY_NONE : TLS_VERIFY_DANE);
	assert_string_equal(tls_session_peer_fault(t), fault);
	/* [RFC7672 8.1] */
	if (fault[0] == '\0')
		assert_string_equal(
		    SSL_get_servername(l->server, TLSEXT_NAMETYPE_host_name),
		    "mx.example.org");
}

static void
check_row(const struct row *r, int version)
{
	static const struct span name = SPAN("mx.example.org");
	unsigned char bytes[2][2048];
	struct tls_tlsa records[2];
	struct tls_client_policy policy = {
	    .verify = TLS_VERIFY_DANE, .names = &name, .n_names = 1, .tlsa = records};
	char fault[120] = "";
	struct lab l;

	print_message("%s\n", r->name);
	policy.n_tlsa = records_of(r, records, bytes);
	if (r->fault)
		snprintf(fault, sizeof(fault), "certificate of mx.example.org: %s",
			 r->fault);
	lab_init(&l, &made[r->leaf], r->leaf == SELF ? NULL : &made[MIDDLE]);
	SSL_CTX_set_max_proto_version(l.server_context, version);
	/* The authority would do for the leaf, and must not count. */
	lab_trust(&l, &made[ROOT], NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults,
			 r->fault && tls_tlsa_usable(records, policy.n_tlsa) > 0);
	if (l.faults)
		assert_string_equal(net_stream_fault(l.stream), fault);
	else
		check_secured(&l, fault);
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
