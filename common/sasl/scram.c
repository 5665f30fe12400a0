#include "common/sasl/sasl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static const struct span no_bytes = {"", 0};

static const unsigned char *
bytes_of(struct span s)
{
	return (const unsigned char *)(s.at ? s.at : no_bytes.at);
}

void
scram_hmac(struct span key, struct span message, uint8_t out[SCRAM_KEY_BYTES])
{
	unsigned n = 0;

	/* Fails only without memory or without SHA-256 in the library. */
	ASSERT(HMAC(EVP_sha256(), bytes_of(key), (int)key.n, bytes_of(message),
		    message.n, out, &n));
	ASSERT(n == SCRAM_KEY_BYTES);
}

bool
scram_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
scram_client_key(struct span password, struct span salt, uint32_t iterations,
		 uint8_t client_key[SCRAM_KEY_BYTES], struct scram_keys *out)
{
	uint8_t salted[SCRAM_KEY_BYTES];
	struct span key = span_make(salted, sizeof(salted));

	ASSERT(salt.n <= SCRAM_SALT_MAX && iterations > 0 &&
	       iterations <= SCRAM_ITERATIONS_MAX && password.n <= INT32_MAX);
	*out = (struct scram_keys){.salt_bytes = salt.n, .iterations = iterations};
	if (salt.n > 0)
		memcpy(out->salt, salt.at, salt.n);
	ASSERT(PKCS5_PBKDF2_HMAC((const char *)bytes_of(password), (int)password.n,
				 out->salt, (int)salt.n, (int)iterations, EVP_sha256(),
				 sizeof(salted), salted) == 1);
	scram_hmac(key, SPAN("Client Key"), client_key);
	SHA256(client_key, SCRAM_KEY_BYTES, out->stored_key);
	scram_hmac(key, SPAN("Server Key"), out->server_key);
	explicit_bzero(salted, sizeof(salted));
}

void
scram_keys_make(struct span password, struct span salt, uint32_t iterations,
		struct scram_keys *out)
{
	uint8_t client_key[SCRAM_KEY_BYTES];

	scram_client_key(password, salt, iterations, client_key, out);
	explicit_bzero(client_key, sizeof(client_key));
}

void
scram_keys_fake(struct span name, struct span secret, struct scram_keys *out)
{
	uint8_t seed[SCRAM_KEY_BYTES];

	scram_hmac(secret, name, seed);
	*out = (struct scram_keys){.salt_bytes = SCRAM_SALT_BYTES,
				   .iterations = SCRAM_ITERATIONS_DEFAULT};
	memcpy(out->salt, seed, SCRAM_SALT_BYTES);
	scram_hmac(secret, span_make(seed, sizeof(seed)), out->stored_key);
	scram_hmac(secret, span_make(out->stored_key, SCRAM_KEY_BYTES),
		   out->server_key);
}

bool
scram_proof_check(const struct scram_keys *keys, struct span auth_message,
		  const uint8_t *proof, uint8_t signature[SCRAM_KEY_BYTES])
{
	uint8_t client_key[SCRAM_KEY_BYTES], hash[SCRAM_KEY_BYTES];
	bool right;

	scram_hmac(span_make(keys->stored_key, SCRAM_KEY_BYTES), auth_message,
		   client_key);
	for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
		client_key[i] ^= proof[i];
	SHA256(client_key, sizeof(client_key), hash);
	right = scram_equal(hash, keys->stored_key, SCRAM_KEY_BYTES);
	scram_hmac(span_make(keys->server_key, SCRAM_KEY_BYTES), auth_message,
		   signature);
	explicit_bzero(client_key, sizeof(client_key));
	return right;
}
