/* common/directory/scheme.h - password hashes that crypt(3) has none for
 *
 * What    they come with accounts of other systems and can be checked, not made:
 *         {SMD5} {SSHA} {SSHA256} {SSHA512}: base64 of digest(password, salt) and
 *         the salt, which may be empty [RFC2307 5.3];
 *         {HMAIL-SHA256}: six bytes of salt as text and, in hexadecimal, SHA-256 of
 *         salt and password;
 *         {PBKDF2}: "$1$salt$rounds$hex" with HMAC-SHA-1, Dovecot's;
 *         {PBKDF2-SHA256}: "$i=rounds$salt$key" in base64;
 *         {SCRAM-SHA-1}, {SCRAM-SHA-256}: "rounds,salt,StoredKey,ServerKey" in base64
 *         [RFC5803].
 * Trust   the text was checked when it came in; bytes that make no sense match no
 *         password.
 */
#pragma once

#include "common/base/base.h"
#include "common/sasl/sasl.h"

#define SCHEME_ROUNDS_MAX 10000000

/* Does it begin with a scheme of these? */
MUST_USE bool scheme_is(struct span text);
/* And does what follows make sense? */
MUST_USE bool scheme_good(struct span text);
/* Does it say itself how many rounds a check takes? */
MUST_USE bool scheme_has_rounds(struct span text);
/* True when it is the password's. Safe in any thread; slow where the scheme is. */
MUST_USE bool scheme_matches(struct span text, struct span password);
/* "ssha256", ...; null when it is none. */
const char *scheme_name(struct span text);
/* Keys for SCRAM-SHA-256 that {SCRAM-SHA-256} holds; false for others. */
MUST_USE bool scheme_scram(struct span text, struct scram_keys *out);
