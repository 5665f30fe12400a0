/* common/directory/password.h - what is kept of a password, and checking one
 *
 * What    a crypt(3) string (yescrypt when made here, any scheme it reads when
 *         imported) for PLAIN, LOGIN and USER/PASS, and keys for SCRAM-SHA-256.
 * Memory  values; directory_password_wipe() when done.
 */
#pragma once

#include "common/base/base.h"
#include "common/sasl/sasl.h"

#define DIRECTORY_CRYPT_MAX 255

struct directory_password {
	char crypt[DIRECTORY_CRYPT_MAX + 1]; /* "" when there is none */
	bool has_scram;                      /* false for imported hashes */
	struct scram_keys scram;
};

/* Makes both kinds from the password as the user typed it. -1 when it cannot be
 * one (empty, not UTF-8, controls, over SASL_PASSWORD_MAX) or no random bytes
 * are to be had. Slow on purpose; see docs/decisions. */
MUST_USE int directory_password_make(struct span password,
				     struct directory_password *out, struct err *err);

/* A hash from elsewhere, for imports: what crypt(3) reads, or a scheme of scheme.h;
 * -1 when it is neither. */
MUST_USE int directory_password_import(struct span crypt,
				       struct directory_password *out, struct err *err);

/* Is it what directory_password_make() makes, or at least as slow to guess? Then there
 * is nothing to be won by making it anew. */
MUST_USE bool directory_password_current(const struct directory_password *p);

/* May somebody who is not the operator have such a hash checked? Not those whose
 * rounds are chosen freely, and could keep every thread busy: at most as many as ours
 * has, bcrypt's cost 12, or PASSWORD_ROUNDS_MAX of the older ones. */
#define PASSWORD_ROUNDS_MAX 100000
MUST_USE bool directory_password_bounded(const struct directory_password *p);

/* True when the prepared password is the one of `crypt`. Slow on purpose, and
 * safe in any thread. An empty `crypt` never matches and takes as long as a
 * yescrypt of the default cost, and so does what is not crypt(3)'s at least. */
MUST_USE bool directory_password_matches(const char *crypt, struct span password);

/* "yescrypt", "sha512crypt", ...; "none" without a hash. */
const char *directory_password_scheme(const struct directory_password *p);

/* As bytes, in records and requests. A failed cursor leaves *out without secrets. */
void directory_password_put(const struct directory_password *p, struct buf *out);
void directory_password_get(struct cursor *c, struct directory_password *out);

void directory_password_wipe(struct directory_password *p);
