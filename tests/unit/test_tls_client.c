/* tests/unit/test_tls_client.c - what a server must prove, by names and authorities */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tls_lab.h"

#include <unistd.h>

#define NAMES(...)                                                                     \
	(const char *const[]) { __VA_ARGS__, NULL }

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

static const struct {
	struct lab_order order;
	enum who issuer; /* itself: none */
} orders[WHO_N] = {
    [ROOT] = {{.cn = "Root", .authority = true}, ROOT},
    [MIDDLE] = {{.cn = "Middle", .authority = true}, ROOT},
    [GOOD] = {{.cn = "ignored", .san = "DNS:mx.example.org,DNS:mx2.example.org"},
	      MIDDLE},
    [WILD] = {{.cn = "wild", .san = "DNS:*.example.org"}, MIDDLE},
    [PARTIAL] = {{.cn = "part", .san = "DNS:m*.example.org"}, MIDDLE},
    [EXPIRED] = {{.cn = "old",
		  .san = "DNS:mx.example.org",
		  .from_s = -7200,
		  .until_s = -3600},
		 MIDDLE},
    [EARLY] = {{.cn = "early",
		.san = "DNS:mx.example.org",
		.from_s = 3600,
		.until_s = 7200},
	       MIDDLE},
    [OLD_MIDDLE] = {{.cn = "Old", .authority = true, .from_s = -7200, .until_s = -60},
		    ROOT},
    [UNDER_OLD] = {{.cn = "under", .san = "DNS:mx.example.org"}, OLD_MIDDLE},
    [CN_ONLY] = {{.cn = "mx.example.org"}, MIDDLE},
    [ADDRESS] = {{.cn = "address", .san = "IP:192.0.2.1"}, MIDDLE},
    [SELF] = {{.cn = "mx.example.org", .san = "DNS:mx.example.org"}, SELF},
    [ODD_NAME] = {{.cn = "odd", .san = "DNS:a\rb c.example.org"}, MIDDLE},
    [STRANGER] = {{.cn = "Stranger", .authority = true}, STRANGER},
    [STRANGE] = {{.cn = "strange", .san = "DNS:mx.example.org"}, STRANGER},
    [LONE] = {{.cn = "lone", .san = "DNS:mx.example.org"}, MIDDLE},
    [WEAK] = {{.cn = "weak", .san = "DNS:mx.example.org", .rsa_bits = 1024}, WEAK},
};
static struct lab_issued made[WHO_N];

static int
make_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHO_N; i++) {
		struct lab_order order = orders[i].order;

		order.issuer = orders[i].issuer == i ? NULL : &made[orders[i].issuer];
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
	enum who issuer = orders[leaf].issuer;

	return issuer == leaf || leaf == LONE ? NULL : &made[issuer];
}

/* --- names ---------------------------------------------------------------- */

static const struct row {
	const char *name;
	enum who leaf;
	enum tls_verify verify;
	const char *const *names;
	enum tls_verify found; /* when the handshake succeeds */
	const char *fault;     /* of the stream, or of the peer under NONE */
} rows[] = {
    {"its name", GOOD, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NAMES, ""},
    {"dot at the end", GOOD, TLS_VERIFY_NAMES, NAMES("MX.Example.ORG."),
     TLS_VERIFY_NAMES, ""},
    {"one of several", GOOD, TLS_VERIFY_NAMES, NAMES("a.example", "mx2.example.org"),
     TLS_VERIFY_NAMES, ""},
    {"wrong name", GOOD, TLS_VERIFY_NAMES, NAMES("other.example.org", "b.example"),
     TLS_VERIFY_NONE,
     "certificate of other.example.org: hostname mismatch (it is for "
     "mx.example.org)"},
    {"wildcard", WILD, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NAMES, ""},
    {"wildcard, A-label", WILD, TLS_VERIFY_NAMES, NAMES("xn--bcher-kva.example.org"),
     TLS_VERIFY_NAMES, ""},
    {"wildcard is one label", WILD, TLS_VERIFY_NAMES, NAMES("a.mx.example.org"),
     TLS_VERIFY_NONE,
     "certificate of a.mx.example.org: hostname mismatch (it is for *.example.org)"},
    {"wildcard is not none", WILD, TLS_VERIFY_NAMES, NAMES("example.org"),
     TLS_VERIFY_NONE,
     "certificate of example.org: hostname mismatch (it is for *.example.org)"},
    {"wildcard of half a label", PARTIAL, TLS_VERIFY_NAMES, NAMES("mx.example.org"),
     TLS_VERIFY_NONE,
     "certificate of mx.example.org: hostname mismatch (it is for m*.example.org)"},
    {"CN is no name", CN_ONLY, TLS_VERIFY_NAMES, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: hostname mismatch"},
    {"an address", ADDRESS, TLS_VERIFY_NAMES, NAMES("192.0.2.1"), TLS_VERIFY_NAMES, ""},
    {"another address", ADDRESS, TLS_VERIFY_NAMES, NAMES("192.0.2.2"), TLS_VERIFY_NONE,
     "certificate of 192.0.2.2: address mismatch"},
    {"a name that is not shown", ODD_NAME, TLS_VERIFY_NAMES, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: hostname mismatch"},
    {"expired", EXPIRED, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: expired"},
    {"not yet valid", EARLY, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: not yet valid"},
    {"expired issuer", UNDER_OLD, TLS_VERIFY_NAMES, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: expired (an issuer of it)"},
    {"self-signed", SELF, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: self-signed"},
    {"unknown root", STRANGE, TLS_VERIFY_NAMES, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: its root is not known"},
    {"chain not sent", LONE, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: its issuer is not known"},
    {"weak key", WEAK, TLS_VERIFY_NAMES, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: "},
    {"no name at all", GOOD, TLS_VERIFY_NAMES, NULL, TLS_VERIFY_NONE,
     "TLS with the server: no name to verify"},
    {"all names below", GOOD, TLS_VERIFY_NAMES, NAMES(".example.org"), TLS_VERIFY_NONE,
     "TLS with .example.org: a name to verify is none"},
    {"name of no bytes", GOOD, TLS_VERIFY_NAMES, NAMES("mx.example.org", ""),
     TLS_VERIFY_NONE, "TLS with mx.example.org: a name to verify is none"},

    {"none: would have done", GOOD, TLS_VERIFY_NONE, NAMES("mx.example.org"),
     TLS_VERIFY_NAMES, ""},
    {"none: wrong name", GOOD, TLS_VERIFY_NONE, NAMES("b.example"), TLS_VERIFY_NONE,
     "certificate of b.example: hostname mismatch (it is for mx.example.org)"},
    {"none: self-signed", SELF, TLS_VERIFY_NONE, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: self-signed"},
    {"none: expired", EXPIRED, TLS_VERIFY_NONE, NAMES("mx.example.org"),
     TLS_VERIFY_NONE, "certificate of mx.example.org: expired"},
    {"none: weak key", WEAK, TLS_VERIFY_NONE, NAMES("mx.example.org"), TLS_VERIFY_NONE,
     "certificate of mx.example.org: self-signed"},
    {"none: no names", GOOD, TLS_VERIFY_NONE, NULL, TLS_VERIFY_NONE,
     "certificate of the server: no name to compare with"},
};

static size_t
names_of(const struct row *r, struct span *names)
{
	size_t n = 0;

	while (r->names && r->names[n]) {
		names[n] = span_str(r->names[n]);
		n++;
	}
	return n;
}

static void
check_row(const struct row *r, int version)
{
	struct span names[4];
	struct tls_client_policy policy = {
	    .verify = r->verify, .names = names, .n_names = names_of(r, names)};
	bool fails = r->verify != TLS_VERIFY_NONE && r->fault[0] != '\0';
	const struct tls_session *t;
	struct lab l;

	print_message("%s\n", r->name);
	lab_init(&l, &made[r->leaf], chain_of(r->leaf));
	SSL_CTX_set_max_proto_version(l.server_context, version);
	lab_trust(&l, &made[ROOT], NULL);
	lab_connect(&l);
	lab_shake(&l, &policy);
	assert_int_equal(l.faults, fails);
	if (fails) {
		print_message("  %s\n", net_stream_fault(l.stream));
		assert_true(span_starts(span_str(net_stream_fault(l.stream)),
					span_str(r->fault)));
		assert_null(net_stream_tls(l.stream));
	} else {
		t = net_stream_tls(l.stream);
		assert_string_equal(tls_session_peer_fault(t), r->fault);
		assert_int_equal(tls_session_verified(t), r->found);
		lab_server_says(&l, "250 2.0.0 Ok\r\n");
	}
	lab_release(&l);
}

static void
test_client_names_and_authorities(void **state)
{
	(void)state;
	for (size_t v = 0; v < N_ELEMS(versions); v++)
		for (size_t i = 0; i < N_ELEMS(rows); i++)
			check_row(&rows[i], versions[v]);
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

/* --- the context ---------------------------------------------------------- */

static void
test_client_authorities_of_a_bundle(void **state)
{
	static const struct tls_client_limits limits = {10, 10};
	struct buf bundle = buf_make(65536), torn = buf_make(65536);
	struct err err = {0};

	(void)state;
	buf_put_str(&bundle, "# some text between\n");
	lab_put_pem(&bundle, &made[ROOT]);
	lab_put_pem(&bundle, &made[STRANGER]);
	buf_put(&torn, buf_span(&bundle));
	torn.at[torn.n - 100] = '!';

	const struct {
		const char *name;
		struct span text;
		size_t n;
		const char *fault;
	} bundles[] = {
	    {"two", buf_span(&bundle), 2, NULL},
	    {"none", SPAN(""), 0, NULL},
	    {"no PEM", SPAN("nonsense\n"), 0, "no certificate authority in PEM form"},
	    {"torn", buf_span(&torn), 0, "certificate authority 2 is not readable: "},
	    {"cut", span_first(buf_span(&bundle), bundle.n - 100), 0,
	     "certificate authority 2 is not readable: "},
	};
	for (size_t i = 0; i < N_ELEMS(bundles); i++) {
		struct tls_client *c = NULL;
		int result = tls_client_new(bundles[i].text, &limits, &c, &err);

		print_message("%s\n", bundles[i].name);
		assert_int_equal(result, bundles[i].fault ? -1 : 0);
		if (c)
			assert_int_equal(tls_client_authorities(c), bundles[i].n);
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
	    cmocka_unit_test(test_client_greets_by_the_name),
	    cmocka_unit_test(test_client_authorities_of_a_bundle),
	    cmocka_unit_test(test_client_server_that_closes_in_the_handshake),
	    cmocka_unit_test(test_client_server_that_hangs_up_in_order_in_the_handshake),
	    cmocka_unit_test(test_client_server_that_is_slow_meets_the_deadline),
	    cmocka_unit_test(test_client_garbage_instead_of_a_handshake_is_a_fault),
	    cmocka_unit_test(test_client_refuses_tls_1_1),
	};

	return cmocka_run_group_tests(tests, make_all, release_all);
}
