#include "common/sasl/sasl.h"

#include <openssl/sha.h>

#define MESSAGE_MAX ((size_t)3 * SASL_MESSAGE_MAX)

struct scram_client {
	struct buf password; /* prepared */
	struct buf nonce;
	struct buf auth_message; /* from client-first-bare on */
	uint8_t signature[SCRAM_KEY_BYTES];
	bool answered; /* client-final is made: `signature` is known */
};

/* saslname [RFC5802 5.1] */
static void
put_saslname(struct buf *out, struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.at[i] == ',')
			buf_put(out, SPAN("=2C"));
		else if (name.at[i] == '=')
			buf_put(out, SPAN("=3D"));
		else
			buf_put_char(out, name.at[i]);
	}
}

struct scram_client *
scram_client_new(struct span name, struct span password, struct span nonce)
{
	struct scram_client *c = memory_new(1, sizeof(*c));
	struct buf prepared = buf_make(SASL_NAME_MAX);

	buf_init(&c->password, SASL_PASSWORD_MAX);
	buf_init(&c->nonce, SASL_NONCE_MAX);
	buf_init(&c->auth_message, MESSAGE_MAX);
	if (!sasl_prepare(name, &prepared) || !sasl_prepare(password, &c->password))
		scram_client_free(&c);
	if (c) {
		buf_put(&c->nonce, nonce);
		buf_put(&c->auth_message, SPAN("n="));
		put_saslname(&c->auth_message, buf_span(&prepared));
		buf_put(&c->auth_message, SPAN(",r="));
		buf_put(&c->auth_message, nonce);
	}
	buf_release(&prepared);
	return c;
}

void
scram_client_free(struct scram_client **at)
{
	struct scram_client *c = *at;

	*at = NULL;
	if (!c)
		return;
	if (c->password.size > 0)
		explicit_bzero(c->password.at, c->password.size);
	buf_release(&c->password);
	buf_release(&c->nonce);
	buf_release(&c->auth_message);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

void
scram_client_first(const struct scram_client *c, struct buf *out)
{
	buf_put(out, SPAN("n,,"));
	buf_put(out, buf_span(&c->auth_message));
}

/* "k=value" off the front of *rest. */
static bool
take_attribute(struct span *rest, char key, struct span *value)
{
	struct span one = span_cut(rest, ',');

	*value = span_after(one, 2);
	return one.n > 2 && one.at[0] == key && one.at[1] == '=';
}

static enum scram_client_result
take_rounds(struct span text, uint32_t *rounds)
{
	uint64_t n;

	if (!number_parse(text, UINT64_MAX, &n))
		return SCRAM_CLIENT_SYNTAX;
	if (n < SCRAM_ITERATIONS_MIN || n > SCRAM_CLIENT_ITERATIONS_MAX)
		return SCRAM_CLIENT_ROUNDS;
	*rounds = (uint32_t)n;
	return SCRAM_CLIENT_OK;
}

/* ClientKey XOR ClientSignature [RFC5802 3]; notes what the server must show. */
static void
make_proof(struct scram_client *c, struct span salt, uint32_t rounds,
	   uint8_t proof[SCRAM_KEY_BYTES])
{
	uint8_t signature[SCRAM_KEY_BYTES];
	struct scram_keys keys;

	scram_client_key(buf_span(&c->password), salt, rounds, proof, &keys);
	scram_hmac(span_make(keys.stored_key, SCRAM_KEY_BYTES),
		   buf_span(&c->auth_message), signature);
	for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
		proof[i] ^= signature[i];
	scram_hmac(span_make(keys.server_key, SCRAM_KEY_BYTES),
		   buf_span(&c->auth_message), c->signature);
	explicit_bzero(&keys, sizeof(keys));
}

static void
put_final(struct scram_client *c, struct span server_first, struct span nonce,
	  struct span salt, uint32_t rounds, struct buf *out)
{
	uint8_t proof[SCRAM_KEY_BYTES];
	size_t start = out->n;

	buf_put(out, SPAN("c=biws,r="));
	buf_put(out, nonce);
	buf_put_char(&c->auth_message, ',');
	buf_put(&c->auth_message, server_first);
	buf_put_char(&c->auth_message, ',');
	buf_put(&c->auth_message, span_after(buf_span(out), start));
	make_proof(c, salt, rounds, proof);
	buf_put(out, SPAN(",p="));
	base64_put(out, span_make(proof, sizeof(proof)));
	explicit_bzero(proof, sizeof(proof));
	c->answered = true;
}

enum scram_client_result
scram_client_final(struct scram_client *c, struct span server_first, struct buf *out)
{
	struct span rest = server_first, nonce, salt_text, rounds_text;
	struct buf salt = buf_make(SCRAM_SALT_MAX);
	enum scram_client_result r = SCRAM_CLIENT_SYNTAX;
	uint32_t rounds = 0;

	if (!c->answered && server_first.n <= SASL_MESSAGE_MAX &&
	    take_attribute(&rest, 'r', &nonce) &&
	    take_attribute(&rest, 's', &salt_text) &&
	    take_attribute(&rest, 'i', &rounds_text) && nonce.n > c->nonce.n &&
	    nonce.n <= SASL_NONCE_MAX && span_starts(nonce, buf_span(&c->nonce)) &&
	    base64_parse(salt_text, &salt) && salt.n > 0)
		r = take_rounds(rounds_text, &rounds);
	if (r == SCRAM_CLIENT_OK)
		put_final(c, server_first, nonce, buf_span(&salt), rounds, out);
	buf_release(&salt);
	return r;
}

enum scram_client_result
scram_client_check(const struct scram_client *c, struct span server_final)
{
	struct buf shown = buf_make(SCRAM_KEY_BYTES);
	struct span rest = server_final, text;
	enum scram_client_result r = SCRAM_CLIENT_SYNTAX;

	if (c->answered && take_attribute(&rest, 'v', &text) &&
	    base64_parse(text, &shown))
		r = shown.n == SCRAM_KEY_BYTES &&
			    scram_equal(shown.at, c->signature, SCRAM_KEY_BYTES)
			? SCRAM_CLIENT_OK
			: SCRAM_CLIENT_FALSE;
	else if (span_starts(server_final, SPAN("e=")))
		r = SCRAM_CLIENT_FALSE;
	buf_release(&shown);
	return r;
}
