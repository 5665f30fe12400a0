/* common/sasl/scram.h - what a server keeps of a password for SCRAM-SHA-256
 *
 * RFC     [RFC5802 3] the keys, [RFC7677 3] SHA-256.
 * Trust   the keys let nobody log in, but a thief may guess against them.
 */
#pragma once

#include "common/base/base.h"

#define SCRAM_KEY_BYTES      32
#define SCRAM_SALT_BYTES     16
#define SCRAM_SALT_MAX       64 /* of imported keys */
#define SCRAM_ITERATIONS_MIN 4096
#define SCRAM_ITERATIONS_MAX 10000000
/* For new passwords: 37 ms here. A low count would undo what yescrypt gives; Cyrus SASL
 * (mbsync, mutt) refuses to compute more. */
#define SCRAM_ITERATIONS_DEFAULT 65536

struct scram_keys {
	uint8_t salt[SCRAM_SALT_MAX];
	size_t salt_bytes;
	uint32_t iterations;
	uint8_t stored_key[SCRAM_KEY_BYTES];
	uint8_t server_key[SCRAM_KEY_BYTES];
};

/* Keys of a password that sasl_prepare() has made. The salt comes from the
 * caller: at most SCRAM_SALT_MAX bytes, random. Takes 57 ms for 100,000. */
void scram_keys_make(struct span password, struct span salt, uint32_t iterations,
		     struct scram_keys *out);

/* The same, and what a client proves that it knows. */
void scram_client_key(struct span password, struct span salt, uint32_t iterations,
		      uint8_t client_key[SCRAM_KEY_BYTES], struct scram_keys *out);

/* Keys nobody can prove, for a name that is not there: always the same salt for
 * the same name and secret, so that the answer does not tell. */
void scram_keys_fake(struct span name, struct span secret, struct scram_keys *out);

/* HMAC-SHA-256. */
void scram_hmac(struct span key, struct span message, uint8_t out[SCRAM_KEY_BYTES]);

/* [RFC5802 3] True when `proof` (of SCRAM_KEY_BYTES bytes) shows that its maker
 * knows the password. `signature` gets what shows the same of the server. */
MUST_USE bool
scram_proof_check(const struct scram_keys *keys, struct span auth_message,
		  const uint8_t *proof, uint8_t signature[SCRAM_KEY_BYTES]);

/* True when equal; takes the same time whatever differs. */
MUST_USE bool scram_equal(const void *a, const void *b, size_t n);
