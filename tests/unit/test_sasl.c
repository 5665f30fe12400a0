/* tests/unit/test_sasl.c - the server's side of a login */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/sha.h>

#include "common/sasl/sasl.h"

#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

static const struct sasl_binding bindings[] = {
    {SPAN("tls-exporter"),         SPAN("0123456789abcdef0123456789abcdef")},
    {SPAN("tls-server-end-point"), SPAN("hash of the certificate")         },
};

static struct sasl_offer
make_offer(bool plus)
{
	return (struct sasl_offer){.nonce = SPAN(SERVER_NONCE),
				   .bindings = bindings,
				   .n_bindings = N_ELEMS(bindings),
				   .plus_offered = plus};
}

/* ---- a client of our own, from the RFC's formulas */

static void
client_keys(struct span password, const struct scram_keys *k, uint8_t client_key[32])
{
	struct scram_keys made;
	uint8_t salted[32];

	/* SaltedPassword by way of PBKDF2's definition: one block. */
	struct buf first = buf_make(256);
	buf_put(&first, span_make(k->salt, k->salt_bytes));
	buf_put(&first, span_make("\0\0\0\1", 4));
	uint8_t u[32];
	scram_hmac(password, buf_span(&first), u);
	memcpy(salted, u, 32);
	for (uint32_t i = 1; i < k->iterations; i++) {
		scram_hmac(password, span_make(u, 32), u);
		for (size_t j = 0; j < 32; j++)
			salted[j] ^= u[j];
	}
	scram_hmac(span_make(salted, 32), SPAN("Client Key"), client_key);
	SHA256(client_key, 32, made.stored_key);
	assert_memory_equal(made.stored_key, k->stored_key, 32);
	buf_release(&first);
}

/* c=, r= and p= for what was exchanged so far. */
static void
client_final(struct span password, const struct scram_keys *k, struct span bare,
	     struct span server_first, struct span channel, struct buf *out)
{
	struct buf message = buf_make(4096);
	uint8_t client_key[32], signature[32];
	struct span rest = server_first;

	client_keys(password, k, client_key);
	buf_reset(out);
	buf_put_str(out, "c=");
	base64_put(out, channel);
	buf_put_char(out, ',');
	buf_put(out, span_cut(&rest, ','));
	buf_put(&message, bare);
	buf_put_char(&message, ',');
	buf_put(&message, server_first);
	buf_put_char(&message, ',');
	buf_put(&message, buf_span(out));
	scram_hmac(span_make(k->stored_key, 32), buf_span(&message), signature);
	for (size_t i = 0; i < 32; i++)
		client_key[i] ^= signature[i];
	buf_put_str(out, ",p=");
	base64_put(out, span_make(client_key, 32));
	buf_release(&message);
}

/* ---- PLAIN and LOGIN */

static void
test_plain_takes_the_three_parts(void **state)
{
	static const struct {
		const char *name;
		struct span in;
		enum sasl_result want;
		const char *user, *password;
	} rows[] = {
	    {"plain",          SPAN("\0tim\0tanstaaf"),  SASL_VERIFY, "tim", "tanstaaf"},
	    {"same authzid",   SPAN("tim\0tim\0x"),      SASL_VERIFY, "tim", "x"       },
	    {"other authzid",  SPAN("root\0tim\0x"),     SASL_DENIED, NULL,  NULL      },
	    {"no NUL",         SPAN("tim"),              SASL_SYNTAX, NULL,  NULL      },
	    {"one NUL",        SPAN("\0tim"),            SASL_SYNTAX, NULL,  NULL      },
	    {"three NULs",     SPAN("\0tim\0x\0"),       SASL_SYNTAX, NULL,  NULL      },
	    {"empty name",     SPAN("\0\0x"),            SASL_SYNTAX, NULL,  NULL      },
	    {"empty password", SPAN("\0tim\0"),          SASL_SYNTAX, NULL,  NULL      },
	    {"nothing",        SPAN(""),                 SASL_SYNTAX, NULL,  NULL      },
	    {"control",        SPAN("\0tim\0x\ny"),      SASL_SYNTAX, NULL,  NULL      },
	    {"bad UTF-8",      SPAN("\0tim\0\xff"),      SASL_SYNTAX, NULL,  NULL      },
	    {"composed",       SPAN("\0tim\0e\xcc\x81"), SASL_VERIFY, "tim", "\xc3\xa9"},
	};
	struct sasl_offer offer = make_offer(false);
	struct buf out = buf_make(1024);
	struct sasl s;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		sasl_init(&s, SASL_PLAIN, &offer);
		assert_int_equal(sasl_step(&s, rows[i].in, &out), rows[i].want);
		if (rows[i].user) {
			assert_true(span_equal(sasl_name(&s), span_str(rows[i].user)));
			assert_true(
			    span_equal(sasl_password(&s), span_str(rows[i].password)));
		}
		assert_int_equal(sasl_step(&s, rows[i].in, &out), SASL_SYNTAX);
		sasl_release(&s);
	}
	buf_release(&out);
}

static void
test_login_asks_twice(void **state)
{
	struct sasl_offer offer = make_offer(false);
	struct buf out = buf_make(1024);
	struct sasl s;

	(void)state;
	sasl_init(&s, SASL_LOGIN, &offer);
	sasl_prompt(&s, &out);
	assert_true(span_equal(buf_span(&out), SPAN("Username:")));
	assert_int_equal(sasl_step(&s, SPAN("tim"), &out), SASL_CONTINUE);
	assert_true(span_equal(buf_span(&out), SPAN("Password:")));
	assert_int_equal(sasl_step(&s, SPAN("secret"), &out), SASL_VERIFY);
	assert_true(span_equal(sasl_name(&s), SPAN("tim")));
	assert_true(span_equal(sasl_password(&s), SPAN("secret")));
	sasl_release(&s);
	buf_release(&out);
}

static void
test_name_and_password_limits(void **state)
{
	struct sasl_offer offer = make_offer(false);
	struct buf in = buf_make(SASL_MESSAGE_MAX + 1), out = buf_make(64);
	struct sasl s;

	(void)state;
	for (int over = -1; over <= 1; over++) {
		buf_reset(&in);
		buf_put(&in, SPAN("\0u\0"));
		for (int i = 0; i < SASL_PASSWORD_MAX + over; i++)
			buf_put_char(&in, 'p');
		sasl_init(&s, SASL_PLAIN, &offer);
		assert_int_equal(sasl_step(&s, buf_span(&in), &out),
				 over > 0 ? SASL_SYNTAX : SASL_VERIFY);
		sasl_release(&s);
		buf_reset(&in);
		for (int i = 0; i < SASL_NAME_MAX + over; i++)
			buf_put_char(&in, 'n');
		sasl_init(&s, SASL_LOGIN, &offer);
		assert_int_equal(sasl_step(&s, buf_span(&in), &out),
				 over > 0 ? SASL_SYNTAX : SASL_CONTINUE);
		sasl_release(&s);
	}
	buf_release(&in);
	buf_release(&out);
}

/* ---- SCRAM */

static void
rfc7677_keys(struct scram_keys *keys)
{
	struct buf salt = buf_make(64);

	assert_true(base64_parse(SPAN("W22ZaJ0SNY7soEsUEjb6gQ=="), &salt));
	scram_keys_make(SPAN("pencil"), buf_span(&salt), 4096, keys);
	buf_release(&salt);
}

/* [RFC7677 3] */
static void
test_scram_example_of_the_rfc(void **state)
{
	struct sasl_offer offer = make_offer(false);
	struct buf out = buf_make(1024);
	struct scram_keys keys;
	struct sasl s;

	(void)state;
	rfc7677_keys(&keys);
	sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
	assert_int_equal(sasl_step(&s, SPAN("n,,n=user,r=" CLIENT_NONCE), &out),
			 SASL_LOOKUP);
	assert_true(span_equal(sasl_name(&s), SPAN("user")));
	assert_int_equal(sasl_keys(&s, &keys, true, &out), SASL_CONTINUE);
	assert_true(span_equal(
	    buf_span(&out),
	    SPAN("r=" CLIENT_NONCE SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")));
	assert_int_equal(
	    sasl_step(&s,
		      SPAN("c=biws,r=" CLIENT_NONCE SERVER_NONCE
			   ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
		      &out),
	    SASL_CONTINUE);
	assert_true(span_equal(buf_span(&out),
			       SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
	assert_int_equal(sasl_step(&s, SPAN(""), &out), SASL_DONE);
	sasl_release(&s);
	buf_release(&out);
}

static void
test_scram_unknown_user_fails_with_the_proof_only(void **state)
{
	struct sasl_offer offer = make_offer(false);
	struct scram_keys keys, again, other;
	struct buf out = buf_make(1024);
	struct sasl s;

	(void)state;
	scram_keys_fake(SPAN("nobody"), SPAN("server secret"), &keys);
	scram_keys_fake(SPAN("nobody"), SPAN("server secret"), &again);
	scram_keys_fake(SPAN("nobodz"), SPAN("server secret"), &other);
	assert_memory_equal(keys.salt, again.salt, sizeof(keys.salt));
	assert_memory_not_equal(keys.salt, other.salt, SCRAM_SALT_BYTES);
	/* Even with keys that the proof is right for. */
	rfc7677_keys(&keys);
	sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
	assert_int_equal(sasl_step(&s, SPAN("n,,n=user,r=" CLIENT_NONCE), &out),
			 SASL_LOOKUP);
	assert_int_equal(sasl_keys(&s, &keys, false, &out), SASL_CONTINUE);
	assert_int_equal(
	    sasl_step(&s,
		      SPAN("c=biws,r=" CLIENT_NONCE SERVER_NONCE
			   ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
		      &out),
	    SASL_DENIED);
	sasl_release(&s);
	buf_release(&out);
}

static void
test_scram_first_message_rows(void **state)
{
	static const struct {
		const char *name;
		enum sasl_mechanism m;
		bool plus;
		struct span in;
		enum sasl_result want;
		const char *user;
	} rows[] = {
#define S256 SASL_SCRAM_SHA_256
#define PLUS SASL_SCRAM_SHA_256_PLUS
	    {"no binding",          S256, true,  SPAN("n,,n=u,r=x"),                      SASL_LOOKUP, "u" },
	    {"y without offer",     S256, false, SPAN("y,,n=u,r=x"),                      SASL_LOOKUP, "u" },
	    {"y is a downgrade",    S256, true,  SPAN("y,,n=u,r=x"),                      SASL_DENIED, NULL},
	    {"p without PLUS",      S256, true,  SPAN("p=tls-exporter,,n=u,r=x"),         SASL_DENIED,
						NULL											  },
	    {"PLUS exporter",       PLUS, true,  SPAN("p=tls-exporter,,n=u,r=x"),         SASL_LOOKUP,
						"u"											   },
	    {"PLUS end point",      PLUS, true,  SPAN("p=tls-server-end-point,,n=u,r=x"),
						SASL_LOOKUP,									      "u" },
	    {"PLUS of other kind",  PLUS, true,  SPAN("p=tls-unique,,n=u,r=x"),
						SASL_DENIED,									      NULL},
	    {"PLUS with n",         PLUS, true,  SPAN("n,,n=u,r=x"),                      SASL_DENIED, NULL},
	    {"PLUS with y",         PLUS, true,  SPAN("y,,n=u,r=x"),                      SASL_DENIED, NULL},
	    {"same authzid",        S256, false, SPAN("n,a=u,n=u,r=x"),                   SASL_LOOKUP, "u" },
	    {"other authzid",       S256, false, SPAN("n,a=v,n=u,r=x"),                   SASL_DENIED, NULL},
	    {"comma and equals",    S256, false, SPAN("n,,n=a=2Cb=3Dc,r=x"),              SASL_LOOKUP,
						"a,b=c"										       },
	    {"bad escape",          S256, false, SPAN("n,,n=a=2c,r=x"),                   SASL_SYNTAX, NULL},
	    {"cut escape",          S256, false, SPAN("n,,n=a=2,r=x"),                    SASL_SYNTAX, NULL},
	    {"mandatory extension", S256, false, SPAN("n,,m=e,n=u,r=x"),                  SASL_SYNTAX,
						NULL											  },
	    {"optional extension",  S256, false, SPAN("n,,n=u,r=x,e=1"),                  SASL_LOOKUP,
						"u"											   },
	    {"no nonce",            S256, false, SPAN("n,,n=u"),                          SASL_SYNTAX, NULL},
	    {"empty nonce",         S256, false, SPAN("n,,n=u,r="),                       SASL_SYNTAX, NULL},
	    {"space in nonce",      S256, false, SPAN("n,,n=u,r=a b"),                    SASL_SYNTAX, NULL},
	    {"empty name",          S256, false, SPAN("n,,n=,r=x"),                       SASL_SYNTAX, NULL},
	    {"bad flag",            S256, false, SPAN("z,,n=u,r=x"),                      SASL_SYNTAX, NULL},
	    {"bad authzid",         S256, false, SPAN("n,b=u,n=u,r=x"),                   SASL_SYNTAX, NULL},
	    {"nothing",             S256, false, SPAN(""),                                SASL_SYNTAX, NULL},
	};
	struct buf out = buf_make(1024);
	struct sasl s;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct sasl_offer offer = make_offer(rows[i].plus);

		print_message("%s\n", rows[i].name);
		sasl_init(&s, rows[i].m, &offer);
		assert_int_equal(sasl_step(&s, rows[i].in, &out), rows[i].want);
		if (rows[i].user)
			assert_true(span_equal(sasl_name(&s), span_str(rows[i].user)));
		sasl_release(&s);
	}
	buf_release(&out);
}

/* One whole exchange with channel binding; what the client says of the channel
 * comes from the row. */
static enum sasl_result
run_plus(struct span header, struct span channel, struct span password)
{
	static const char bare[] = "n=user,r=" CLIENT_NONCE;
	struct buf in = buf_make(1024), out = buf_make(1024), first = buf_make(1024);
	struct sasl_offer offer = make_offer(true);
	enum sasl_result r;
	struct scram_keys keys, client;
	struct sasl s;

	rfc7677_keys(&keys);
	client = keys;
	scram_keys_make(password, span_make(keys.salt, keys.salt_bytes), 4096, &client);
	sasl_init(&s, SASL_SCRAM_SHA_256_PLUS, &offer);
	buf_put(&in, header);
	buf_put_str(&in, bare);
	assert_int_equal(sasl_step(&s, buf_span(&in), &out), SASL_LOOKUP);
	assert_int_equal(sasl_keys(&s, &keys, true, &out), SASL_CONTINUE);
	buf_put(&first, buf_span(&out));
	client_final(password, &client, span_str(bare), buf_span(&first), channel, &in);
	r = sasl_step(&s, buf_span(&in), &out);
	if (r == SASL_CONTINUE)
		r = sasl_step(&s, SPAN(""), &out);
	sasl_release(&s);
	buf_release(&in);
	buf_release(&out);
	buf_release(&first);
	return r;
}

static void
test_scram_plus_needs_the_right_channel(void **state)
{
#define EXPORTER "p=tls-exporter,,"
#define ENDPOINT "p=tls-server-end-point,,"
	static const struct {
		const char *name;
		struct span header, channel, password;
		enum sasl_result want;
	} rows[] = {
	    {"exporter",       SPAN(EXPORTER),
	     SPAN(EXPORTER "0123456789abcdef0123456789abcdef"),                          SPAN("pencil"),
	     SASL_DONE											      },
	    {"end point",      SPAN(ENDPOINT), SPAN(ENDPOINT "hash of the certificate"),
	     SPAN("pencil"),									     SASL_DONE  },
	    {"wrong password", SPAN(ENDPOINT), SPAN(ENDPOINT "hash of the certificate"),
	     SPAN("pencils"),									    SASL_DENIED},
	    {"other channel",  SPAN(EXPORTER),
	     SPAN(EXPORTER "0123456789abcdef0123456789abcdeF"),                          SPAN("pencil"),
	     SASL_DENIED											    },
	    {"no data",        SPAN(EXPORTER), SPAN(EXPORTER),                           SPAN("pencil"), SASL_DENIED},
	    {"other header",   SPAN(EXPORTER), SPAN("n,,"),                              SPAN("pencil"), SASL_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(
		    run_plus(rows[i].header, rows[i].channel, rows[i].password),
		    rows[i].want);
	}
}

static void
test_scram_final_message_cut_or_changed_anywhere_fails(void **state)
{
	static const char final[] = "c=biws,r=" CLIENT_NONCE SERVER_NONCE
				    ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
	struct sasl_offer offer = make_offer(false);
	struct buf out = buf_make(1024);
	struct scram_keys keys;
	struct sasl s;
	enum sasl_result r;

	(void)state;
	rfc7677_keys(&keys);
	for (size_t i = 0; i < 2 * (sizeof(final) - 1); i++) {
		size_t at = i / 2;
		char changed[sizeof(final)];

		memcpy(changed, final, sizeof(final));
		changed[at] = (char)(changed[at] ^ 1);
		sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
		assert_int_equal(sasl_step(&s, SPAN("n,,n=user,r=" CLIENT_NONCE), &out),
				 SASL_LOOKUP);
		assert_int_equal(sasl_keys(&s, &keys, true, &out), SASL_CONTINUE);
		r = sasl_step(&s,
			      i % 2 ? span_make(final, at)
				    : span_make(changed, sizeof(final) - 1),
			      &out);
		assert_true(r == SASL_DENIED || r == SASL_SYNTAX);
		sasl_release(&s);
	}
	buf_release(&out);
}

static void
test_keys_out_of_turn_are_refused(void **state)
{
	struct sasl_offer offer = make_offer(false);
	struct buf out = buf_make(1024);
	struct scram_keys keys;
	struct sasl s;

	(void)state;
	rfc7677_keys(&keys);
	sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
	assert_int_equal(sasl_keys(&s, &keys, true, &out), SASL_SYNTAX);
	sasl_release(&s);
	sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
	assert_int_equal(sasl_step(&s, SPAN("n,,n=u,r=x"), &out), SASL_LOOKUP);
	assert_int_equal(sasl_step(&s, SPAN("n,,n=u,r=x"), &out), SASL_SYNTAX);
	sasl_release(&s);
	buf_release(&out);
}

static void
test_prepare_rows(void **state)
{
	static const struct {
		const char *name;
		struct span in;
		const char *want;
	} rows[] = {
	    {"ascii",               SPAN("a b~"),         "a b~"},
	    {"soft hyphen dropped", SPAN("I\xc2\xadX"),   "IX"  },
	    {"compatibility",       SPAN("\xe2\x85\xa8"), "IX"  },
	    {"ordinal",             SPAN("\xc2\xaa"),     "a"   },
	    {"no-break space",
	     SPAN("a\xc2\xa0"
		  "b"),
	     "a b"					      },
	    {"control",             SPAN("a\x07"),        NULL  },
	    {"delete",              SPAN("a\x7f"),        NULL  },
	    {"C1 control",          SPAN("a\xc2\x85"),    NULL  },
	    {"private use",         SPAN("\xee\x80\x80"), NULL  },
	    {"only dropped",        SPAN("\xc2\xad"),     NULL  },
	    {"overlong",            SPAN("\xc0\xaf"),     NULL  },
	    {"cut",                 SPAN("\xe2\x85"),     NULL  },
	    {"empty",               SPAN(""),             NULL  },
	};
	struct buf out = buf_make(64);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		buf_reset(&out);
		assert_int_equal(sasl_prepare(rows[i].in, &out), rows[i].want != NULL);
		assert_true(span_equal(buf_span(&out), span_str(rows[i].want)));
	}
	buf_release(&out);
}

static void
test_mechanism_names(void **state)
{
	enum sasl_mechanism m;

	(void)state;
	for (int i = 0; i < SASL_MECHANISMS; i++) {
		const char *name = sasl_mechanism_name((enum sasl_mechanism)i);

		assert_true(sasl_mechanism_find(span_str(name), &m));
		assert_int_equal(m, i);
	}
	assert_true(sasl_mechanism_find(SPAN("plain"), &m));
	assert_false(sasl_mechanism_find(SPAN("CRAM-MD5"), &m));
	assert_true(sasl_mechanism_bares(SASL_LOGIN));
	assert_false(sasl_mechanism_bares(SASL_SCRAM_SHA_256));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_takes_the_three_parts),
	    cmocka_unit_test(test_login_asks_twice),
	    cmocka_unit_test(test_name_and_password_limits),
	    cmocka_unit_test(test_scram_example_of_the_rfc),
	    cmocka_unit_test(test_scram_unknown_user_fails_with_the_proof_only),
	    cmocka_unit_test(test_scram_first_message_rows),
	    cmocka_unit_test(test_scram_plus_needs_the_right_channel),
	    cmocka_unit_test(test_scram_final_message_cut_or_changed_anywhere_fails),
	    cmocka_unit_test(test_keys_out_of_turn_are_refused),
	    cmocka_unit_test(test_prepare_rows),
	    cmocka_unit_test(test_mechanism_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
