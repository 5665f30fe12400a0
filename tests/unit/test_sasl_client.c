/* tests/unit/test_sasl_client.c - the client's half of SCRAM-SHA-256 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/sasl/sasl.h"

/* [RFC7677 3] */
#define NONCE        "rOprNGfwEbeRWgbNEkqO"
#define NONCES       NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define CLIENT_FIRST "n,,n=user,r=" NONCE
#define SERVER_FIRST "r=" NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define CLIENT_FINAL                                                                   \
	"c=biws,r=" NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static struct scram_client *
client_new(void)
{
	struct scram_client *c =
	    scram_client_new(SPAN("user"), SPAN("pencil"), SPAN(NONCE));

	assert_non_null(c);
	return c;
}

static void
test_scram_client_speaks_as_the_rfc_does(void **state)
{
	struct scram_client *c = client_new();
	struct buf out = buf_make(SASL_MESSAGE_MAX);

	(void)state;
	scram_client_first(c, &out);
	assert_true(span_equal(buf_span(&out), SPAN(CLIENT_FIRST)));
	buf_reset(&out);
	assert_int_equal(scram_client_final(c, SPAN(SERVER_FIRST), &out),
			 SCRAM_CLIENT_OK);
	assert_true(span_equal(buf_span(&out), SPAN(CLIENT_FINAL)));
	assert_int_equal(scram_client_check(c, SPAN(SERVER_FINAL)), SCRAM_CLIENT_OK);
	buf_release(&out);
	scram_client_free(&c);
	assert_null(c);
}

static void
test_scram_client_refuses_a_bad_first(void **state)
{
	static const struct {
		const char *name;
		struct span first;
		enum scram_client_result want;
	} rows[] = {
	    {"nothing",           SPAN(""),				      SCRAM_CLIENT_SYNTAX},
	    {"another nonce",     SPAN("r=rOprNGfwEbeRWgbNEkqX1,s=YWE=,i=4096"),
	     SCRAM_CLIENT_SYNTAX								    },
	    {"nothing added",     SPAN("r=" NONCE ",s=YWE=,i=4096"),             SCRAM_CLIENT_SYNTAX},
	    {"no salt",           SPAN("r=" NONCES ",i=4096"),                   SCRAM_CLIENT_SYNTAX},
	    {"empty salt",        SPAN("r=" NONCES ",s=,i=4096"),                SCRAM_CLIENT_SYNTAX},
	    {"salt not base64",   SPAN("r=" NONCES ",s=?,i=4096"),               SCRAM_CLIENT_SYNTAX},
	    {"no rounds",         SPAN("r=" NONCES ",s=YWE="),                   SCRAM_CLIENT_SYNTAX},
	    {"rounds no number",  SPAN("r=" NONCES ",s=YWE=,i=4k"),              SCRAM_CLIENT_SYNTAX},
	    {"too few rounds",    SPAN("r=" NONCES ",s=YWE=,i=4095"),            SCRAM_CLIENT_ROUNDS},
	    {"too many rounds",   SPAN("r=" NONCES ",s=YWE=,i=1000001"),
	     SCRAM_CLIENT_ROUNDS								    },
	    {"what we must know", SPAN("m=x,r=" NONCES ",s=YWE=,i=4096"),
	     SCRAM_CLIENT_SYNTAX								    },
	    {"an extension",      SPAN("r=" NONCES ",s=YWE=,i=4096,x=y"),        SCRAM_CLIENT_OK    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct scram_client *c = client_new();
		struct buf out = buf_make(SASL_MESSAGE_MAX);

		print_message("%s\n", rows[i].name);
		assert_int_equal(scram_client_final(c, rows[i].first, &out),
				 rows[i].want);
		assert_int_equal(out.n > 0, rows[i].want == SCRAM_CLIENT_OK);
		buf_release(&out);
		scram_client_free(&c);
	}
}

static void
test_scram_client_makes_the_server_prove(void **state)
{
	static const struct {
		struct span final;
		enum scram_client_result want;
	} rows[] = {
	    {SPAN(SERVER_FINAL),				     SCRAM_CLIENT_OK    },
	    {SPAN("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
	     SCRAM_CLIENT_FALSE							 },
	    {SPAN("v=6rri"),					 SCRAM_CLIENT_FALSE },
	    {SPAN("v="),					     SCRAM_CLIENT_SYNTAX},
	    {SPAN(""),					       SCRAM_CLIENT_SYNTAX},
	    {SPAN("e=invalid-proof"),                                SCRAM_CLIENT_FALSE },
	};
	struct scram_client *c = client_new();
	struct buf out = buf_make(SASL_MESSAGE_MAX);

	(void)state;
	/* Not before it was asked. */
	assert_int_equal(scram_client_check(c, SPAN(SERVER_FINAL)),
			 SCRAM_CLIENT_SYNTAX);
	assert_int_equal(scram_client_final(c, SPAN(SERVER_FIRST), &out),
			 SCRAM_CLIENT_OK);
	assert_int_equal(scram_client_final(c, SPAN(SERVER_FIRST), &out),
			 SCRAM_CLIENT_SYNTAX);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(scram_client_check(c, rows[i].final), rows[i].want);
	buf_release(&out);
	scram_client_free(&c);
}

/* Names with commas and other letters, against our own server. */
static void
test_scram_client_and_server_agree(void **state)
{
	static const struct {
		struct span name, password, typed;
		bool want;
	} rows[] = {
	    {SPAN("user"),      SPAN("pencil"),   SPAN("pencil"),    true },
	    {SPAN("a,b=c"),     SPAN("p,=\"x"),   SPAN("p,=\"x"),    true },
	    {SPAN("j\xc3\xbc"), SPAN("\xc3\xa9"), SPAN("e\xcc\x81"), true },
	    {SPAN("user"),      SPAN("pencil"),   SPAN("pencils"),   false},
	};
	static const struct sasl_offer offer = {.nonce = SPAN("serverserverserver")};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct scram_client *c =
		    scram_client_new(rows[i].name, rows[i].typed, SPAN(NONCE));
		struct buf said = buf_make(SASL_MESSAGE_MAX);
		struct buf answer = buf_make(SASL_MESSAGE_MAX);
		struct scram_keys keys;
		struct sasl s;

		sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
		scram_client_first(c, &said);
		assert_int_equal(sasl_step(&s, buf_span(&said), &answer), SASL_LOOKUP);
		assert_true(span_equal(sasl_name(&s), rows[i].name));
		scram_keys_make(rows[i].password, SPAN("salt"), 4096, &keys);
		assert_int_equal(sasl_keys(&s, &keys, true, &answer), SASL_CONTINUE);
		buf_reset(&said);
		assert_int_equal(scram_client_final(c, buf_span(&answer), &said),
				 SCRAM_CLIENT_OK);
		assert_int_equal(sasl_step(&s, buf_span(&said), &answer),
				 rows[i].want ? SASL_CONTINUE : SASL_DENIED);
		if (rows[i].want)
			assert_int_equal(scram_client_check(c, buf_span(&answer)),
					 SCRAM_CLIENT_OK);
		sasl_release(&s);
		buf_release(&said);
		buf_release(&answer);
		scram_client_free(&c);
	}
}

static void
test_scram_client_needs_a_name_and_a_password(void **state)
{
	(void)state;
	assert_null(scram_client_new(SPAN(""), SPAN("x"), SPAN(NONCE)));
	assert_null(scram_client_new(SPAN("x"), SPAN(""), SPAN(NONCE)));
	assert_null(scram_client_new(SPAN("x"), SPAN("\xff"), SPAN(NONCE)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scram_client_speaks_as_the_rfc_does),
	    cmocka_unit_test(test_scram_client_refuses_a_bad_first),
	    cmocka_unit_test(test_scram_client_makes_the_server_prove),
	    cmocka_unit_test(test_scram_client_and_server_agree),
	    cmocka_unit_test(test_scram_client_needs_a_name_and_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
