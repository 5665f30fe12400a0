/* tests/unit/test_tls_client.c - what a server must prove, by names and authorities */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"

#include <stdio.h>
#include <unistd.h>

#define MISMATCH  "hostname mismatch"
#define FOR(name) MISMATCH " (it is for " name ")"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

enum who {
	ROOT,
	MIDDLE, /* below the root */
	GOOD,
	WILD,
	PARTIAL,
	EXPIRED,
	EARLY,
	OLD_MIDDLE,
	UNDER_OLD,
	CN_ONLY,
	ADDRESS,
	SELF,
	ODD_NAME, /* its name is not to be shown */
	STRANGER, /* an authority nobody knows */
	STRANGE,
	LONE,
	WEAK,
	WHO_N,
};

#define MX "DNS:mx.example.org"

/* Name, other names, issuer (see below), authority, from, until, bits of RSA. */
static const struct lab_order orders[WHO_N] = {
    [ROOT] = {"Root",           NULL,				     NULL, true,  0,     0,     0   },
    [MIDDLE] = {"Middle",         NULL,				     NULL, true,  0,     0,     0   },
    [GOOD] = {"ignored",        "DNS:mx.example.org,DNS:mx2.example.org", NULL, false, 0,     0,
	      0											  },
    [WILD] = {"wild",           "DNS:*.example.org",                      NULL, false, 0,     0,     0   },
    [PARTIAL] = {"part",           "DNS:m*.example.org",                     NULL, false, 0,     0,     0   },
    [EXPIRED] = {"old",            MX,				       NULL, false, -7200, -3600, 0   },
    [EARLY] = {"early",          MX,				       NULL, false, 3600,  7200,  0   },
    [OLD_MIDDLE] = {"Old",            NULL,				     NULL, true,  -7200, -60,   0   },
    [UNDER_OLD] = {"under",          MX,				       NULL, false, 0,     0,     0   },
    [CN_ONLY] = {"mx.example.org", NULL,                                     NULL, false, 0,     0,     0   },
    [ADDRESS] = {"address",        "IP:192.0.2.1",                           NULL, false, 0,     0,     0   },
    [SELF] = {"mx.example.org", MX,				       NULL, false, 0,     0,     0   },
    [ODD_NAME] = {"odd",            "DNS:a\rb c.example.org",                 NULL, false, 0,     0,     0   },
    [STRANGER] = {"Stranger",       NULL,				     NULL, true,  0,     0,     0   },
    [STRANGE] = {"strange",        MX,				       NULL, false, 0,     0,     0   },
    [LONE] = {"lone",           MX,				       NULL, false, 0,     0,     0   },
    [WEAK] = {"weak",           MX,				       NULL, false, 0,     0,     1024},
};

static enum who
issuer_of(enum who who)
{
	switch (who) {
	case ROOT:
	case SELF:
	case STRANGER:
	case WEAK:
		return who;
	case MIDDLE:
	case OLD_MIDDLE:
		return ROOT;
	case UNDER_OLD:
		return OLD_MIDDLE;
	case STRANGE:
		return STRANGER;
	default:
		return MIDDLE;
	}
}

static struct lab_issued made[WHO_N];

static int
make_all(void **state)
{
	(void)state;
	for (enum who i = 0; i < WHO_N; i++) {
		enum who issuer = issuer_of(i);
		struct lab_order order = orders[i];

		order.issuer = issuer == i ? NULL : &made[issuer];
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

/* What stands between a certificate and the root. */
static const struct lab_issued *
chain_of(enum who leaf)
{
	enum who issuer = issuer_of(leaf);

	return issuer == leaf || leaf == LONE ? NULL : &made[issuer];
}

/* --- names ---------------------------------------------------------------- */

static const struct row {
	const char *name;
	enum who leaf;
	const char *names; /* with commas between */
	const char *fault; /* behind "certificate of NAME: "; null: it will do */
} rows[] = {
    {"its name",		 GOOD,      "mx.example.org",            NULL                       },
    {"dot at the end",           GOOD,      "MX.Example.ORG.",           NULL                       },
    {"one of several",           GOOD,      "a.example,mx2.example.org", NULL                       },
    {"wrong names",              GOOD,      "b.example,c.example",       FOR("mx.example.org")      },
    {"wildcard",		 WILD,      "mx.example.org",            NULL                       },
    {"wildcard, A-label",        WILD,      "xn--bcher-kva.example.org", NULL                       },
    {"wildcard is one label",    WILD,      "a.mx.example.org",          FOR("*.example.org")       },
    {"wildcard is not none",     WILD,      "example.org",               FOR("*.example.org")       },
    {"wildcard of half",         PARTIAL,   "mx.example.org",            FOR("m*.example.org")      },
    {"CN is no name",            CN_ONLY,   "mx.example.org",            MISMATCH                   },
    {"a name that is not shown", ODD_NAME,  "mx.example.org",            MISMATCH                   },
    {"an address",               ADDRESS,   "192.0.2.1",                 NULL                       },
    {"another address",          ADDRESS,   "192.0.2.2",                 "address mismatch"         },
    {"expired",		  EXPIRED,   "mx.example.org",            "expired"                  },
    {"not yet valid",            EARLY,     "mx.example.org",            "not yet valid"            },
    {"expired issuer",           UNDER_OLD, "mx.example.org",            "expired (an issuer of it)"},
    {"self-signed",              SELF,      "mx.example.org",            "self-signed"              },
    {"unknown root",             STRANGE,   "mx.example.org",            "its root is not known"    },
    {"chain not sent",           LONE,      "mx.example.org",            "its issuer is not known"  },
};

static size_t
split(const char *text, struct span *out)
{
	struct span rest = span_str(text);
	size_t n = 0;

	while (rest.n > 0)
		out[n++] = span_cut(&rest, ',');
	return n;
}

/* A handshake with the server of `leaf`; what the policy asks for, and what is then
 * said of the certificate. */
static void
check(enum who leaf, enum tls_verify verify, const char *names, int version,
      enum tls_verify found, const char *fault)
{
	struct span parts[4];
	struct tls_client_policy policy = {
	    .verify = verify, .names = parts, .n_names = split(names, parts)};
	bool fails = verify == TLS_VERIFY_NAMES && found == TLS_VERIFY_NONE;
	struct lab l;

	lab_init(&l, &made[leaf], chain_of(leaf));
	SSL_CTX_set_max_proto_version(l.server_context, version);
	lab_trust(&l, &made[ROOT], NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults, fails);
	if (fails) {
		assert_string_equal(net_stream_fault(l.stream), fault);
		assert_null(net_stream_tls(l.stream));
	} else {
		const struct tls_session *t = net_stream_tls(l.stream);

		assert_int_equal(tls_session_verified(t), found);
		assert_string_equal(tls_session_peer_fault(t), fault);
		lab_server_says(&l, "250 2.0.0 Ok\r\n");
	}
	lab_release(&l);
}

static void
check_row(const struct row *r, enum tls_verify verify, int version)
{
	struct span first = span_str(r->names);
	char fault[200] = "";

	print_message("%s\n", r->name);
	first = span_cut(&first, ',');
	if (r->fault)
		snprintf(fault, sizeof(fault), "certificate of %.*s: %s",
			 SPAN_ARG(first), r->fault);
	check(r->leaf, verify, r->names, version,
	      r->fault ? TLS_VERIFY_NONE : TLS_VERIFY_NAMES, fault);
}

/* NONE fails for nothing and says the same. */
static void
test_client_names_and_authorities(void **state)
{
	(void)state;
	for (size_t v = 0; v < N_ELEMS(versions); v++)
		for (size_t i = 0; i < N_ELEMS(rows); i++) {
			check_row(&rows[i], TLS_VERIFY_NAMES, versions[v]);
			check_row(&rows[i], TLS_VERIFY_NONE, versions[v]);
		}
}

static void
test_client_weak_key_does_only_where_nothing_is_asked(void **state)
{
	(void)state;
	check(WEAK, TLS_VERIFY_NAMES, "mx.example.org", TLS1_3_VERSION, TLS_VERIFY_NONE,
	      "certificate of mx.example.org: EE certificate key too weak");
	check(WEAK, TLS_VERIFY_NONE, "mx.example.org", TLS1_3_VERSION, TLS_VERIFY_NONE,
	      "certificate of mx.example.org: self-signed");
}

static void
test_client_policy_that_cannot_be(void **state)
{
	static const struct {
		const char *names, *fault;
	} bad[] = {
	    {"",		 "TLS with the server: no name to verify"           },
	    {".example.org",     "TLS with .example.org: a name to verify is none"  },
	    {"mx.example.org,.", "TLS with mx.example.org: a name to verify is none"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		check(GOOD, TLS_VERIFY_NAMES, bad[i].names, TLS1_3_VERSION,
		      TLS_VERIFY_NONE, bad[i].fault);
	check(GOOD, TLS_VERIFY_NONE, ".example.org", TLS1_3_VERSION, TLS_VERIFY_NONE,
	      "certificate of .example.org: no name to compare with");
	check(GOOD, TLS_VERIFY_NONE, "", TLS1_3_VERSION, TLS_VERIFY_NONE,
	      "certificate of the server: no name to compare with");
}

static void
test_client_greets_by_the_name(void **state)
{
	struct tls_client_policy policy = {.sni = SPAN("mx.example.org")};
	struct lab l;

	(void)state;
	lab_init(&l, &made[GOOD], NULL);
	lab_trust(&l, NULL, NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.secured, 1);
	assert_string_equal(SSL_get_servername(l.server, TLSEXT_NAMETYPE_host_name),
			    "mx.example.org");
	assert_false(tls_session_resumed(net_stream_tls(l.stream)));
	lab_release(&l);
}

static void
test_client_binds_to_the_certificate_of_the_server(void **state)
{
	struct tls_client_policy policy = {.verify = TLS_VERIFY_NONE};
	uint8_t ours[TLS_BINDING_MAX], theirs[TLS_BINDING_MAX];
	unsigned n = 0;
	struct lab l;

	(void)state;
	lab_init(&l, &made[GOOD], NULL);
	lab_trust(&l, NULL, NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(X509_digest(made[GOOD].x, EVP_sha256(), theirs, &n), 1);
	assert_int_equal(tls_session_binding(net_stream_tls(l.stream),
					     TLS_BINDING_SERVER_END_POINT, ours),
			 n);
	assert_memory_equal(ours, theirs, n);
	lab_release(&l);
}

/* --- the context ---------------------------------------------------------- */

#define NO_AUTHORITY "no certificate authority in PEM form"
#define NOT_READABLE "certificate authority 2 is not readable: "

struct bundle {
	const char *name;
	struct span text;
	const char *fault; /* null: it is read, and all that is in it known */
};

static void
test_client_authorities_of_a_bundle(void **state)
{
	static const struct tls_client_limits limits = {10, 10};
	struct buf bundle = buf_make(65536), torn = buf_make(65536);
	struct span cut;
	struct err err = {0};

	(void)state;
	buf_put_str(&bundle, "# some text between\n");
	lab_put_pem(&bundle, &made[ROOT]);
	lab_put_pem(&bundle, &made[STRANGER]);
	buf_put(&torn, buf_span(&bundle));
	torn.at[torn.n - 100] = '!';

	cut = span_first(buf_span(&bundle), bundle.n - 100);
	const struct bundle bundles[] = {
	    {"two",    buf_span(&bundle), NULL        },
	    {"none",   SPAN(""),          NULL        },
	    {"no PEM", SPAN("nonsense"),  NO_AUTHORITY},
	    {"torn",   buf_span(&torn),   NOT_READABLE},
	    {"cut",    cut,               NOT_READABLE},
	};
	for (size_t i = 0; i < N_ELEMS(bundles); i++) {
		struct tls_client *c = NULL;
		int result = tls_client_new(bundles[i].text, &limits, &c, &err);

		print_message("%s\n", bundles[i].name);
		assert_int_equal(result, bundles[i].fault ? -1 : 0);
		if (c)
			assert_int_equal(tls_client_authorities(c), i == 0 ? 2 : 0);
		else
			assert_true(span_starts(span_str(err.text),
						span_str(bundles[i].fault)));
		tls_client_free(&c);
	}
	buf_release(&bundle);
	buf_release(&torn);
}

/* --- servers that misbehave ----------------------------------------------- */

static void
begin(struct lab *l)
{
	static const struct span name = SPAN("mx.example.org");
	static const struct tls_client_policy policy = {
	    .verify = TLS_VERIFY_NAMES, .names = &name, .n_names = 1};

	lab_init(l, &made[GOOD], &made[MIDDLE]);
	lab_trust(l, &made[ROOT], NULL);
	lab_connect(l);
	net_stream_secure_client(l->stream, l->client, &policy);
	lab_turns(l, 2);
}

static void
test_client_server_that_closes_in_the_handshake(void **state)
{
	struct lab l;

	(void)state;
	begin(&l);
	close(l.peer);
	l.peer = -1;
	lab_turns(&l, 5);
	assert_int_equal(l.faults, 1);
	assert_int_equal(l.secured, 0);
	assert_true(net_stream_fault(l.stream)[0] != '\0');
	print_message("%s\n", net_stream_fault(l.stream));
	lab_release(&l);
}

static void
test_client_server_that_hangs_up_in_order_in_the_handshake(void **state)
{
	char bytes[4096];
	struct lab l;

	(void)state;
	begin(&l);
	assert_true(read(l.peer, bytes, sizeof(bytes)) > 0);
	close(l.peer);
	l.peer = -1;
	lab_turns(&l, 5);
	assert_int_equal(l.faults, 1);
	assert_string_equal(net_stream_fault(l.stream), "closed during the handshake");
	lab_release(&l);
}

static void
test_client_server_that_is_slow_meets_the_deadline(void **state)
{
	struct lab l;

	(void)state;
	begin(&l);
	net_stream_deadline(l.stream, 1);
	while (l.deadlines == 0)
		event_base_loop(l.base, EVLOOP_ONCE);
	assert_int_equal(l.faults, 0);
	assert_int_equal(l.secured, 0);
	net_stream_close(&l.stream, 1000);
	assert_null(l.stream);
	assert_int_equal(net_streams_lingering(), 0);
	lab_release(&l);
}

static void
test_client_garbage_instead_of_a_handshake_is_a_fault(void **state)
{
	static const char *const garbage[] = {
	    "500 5.5.1 what did you say?\r\n",
	    "\x16\x03\x03\xff\xff garbage in a record",
	    "\x15\x03\x03\x00\x02\x02\x28", /* an alert */
	};
	struct lab l;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(garbage); i++) {
		size_t n = i == 2 ? 7 : strlen(garbage[i]);

		begin(&l);
		assert_int_equal(write(l.peer, garbage[i], n), n);
		lab_turns(&l, 5);
		print_message("%s\n", net_stream_fault(l.stream));
		assert_int_equal(l.faults, 1);
		assert_int_equal(l.secured, 0);
		assert_true(net_stream_fault(l.stream)[0] != '\0');
		lab_release(&l);
	}
}

static void
test_client_refuses_tls_1_1(void **state)
{
	struct tls_client_policy policy = {.verify = TLS_VERIFY_NONE};
	struct lab l;

	(void)state;
	lab_init(&l, &made[GOOD], NULL);
	SSL_CTX_set_min_proto_version(l.server_context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(l.server_context, TLS1_1_VERSION);
	lab_trust(&l, NULL, NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults, 1);
	lab_release(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_client_names_and_authorities),
	    cmocka_unit_test(test_client_weak_key_does_only_where_nothing_is_asked),
	    cmocka_unit_test(test_client_policy_that_cannot_be),
	    cmocka_unit_test(test_client_greets_by_the_name),
	    cmocka_unit_test(test_client_binds_to_the_certificate_of_the_server),
	    cmocka_unit_test(test_client_authorities_of_a_bundle),
	    cmocka_unit_test(test_client_server_that_closes_in_the_handshake),
	    cmocka_unit_test(
		test_client_server_that_hangs_up_in_order_in_the_handshake),
	    cmocka_unit_test(test_client_server_that_is_slow_meets_the_deadline),
	    cmocka_unit_test(test_client_garbage_instead_of_a_handshake_is_a_fault),
	    cmocka_unit_test(test_client_refuses_tls_1_1),
	};

	return cmocka_run_group_tests(tests, make_all, release_all);
}
