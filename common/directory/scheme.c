#include "common/directory/scheme.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define BYTES_MAX    256
#define HMAIL_SALT   6
#define HMAIL_BYTES  32
#define PBKDF2_BYTES 20
#define KEY_LEAST    16

struct scheme {
	const char *prefix, *name, *digest;
	/* What follows the prefix; a null password asks only whether it makes sense. */
	bool (*check)(const struct scheme *s, struct span text,
		      const struct span *password);
};

struct bytes {
	uint8_t at[BYTES_MAX];
	size_t n;
};

static bool
from_base64(struct span text, struct bytes *out)
{
	struct buf bytes = buf_make(BYTES_MAX);
	bool good = base64_parse(text, &bytes) && bytes.n > 0;

	if (good) {
		memcpy(out->at, bytes.at, bytes.n);
		out->n = bytes.n;
	}
	buf_release(&bytes);
	return good;
}

/* The digest over both, one behind the other. */
static size_t
digest_of(const char *name, struct span a, struct span b, uint8_t out[EVP_MAX_MD_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_get_digestbyname(name);
	unsigned n = 0;

	if (!context || !md || EVP_DigestInit_ex(context, md, NULL) != 1 ||
	    EVP_DigestUpdate(context, a.at, a.n) != 1 ||
	    EVP_DigestUpdate(context, b.at, b.n) != 1 ||
	    EVP_DigestFinal_ex(context, out, &n) != 1)
		n = 0;
	EVP_MD_CTX_free(context);
	return n;
}

static size_t
digest_bytes(const struct scheme *s)
{
	return (size_t)EVP_MD_get_size(EVP_get_digestbyname(s->digest));
}

static bool
check_salted(const struct scheme *s, struct span text, const struct span *password)
{
	uint8_t made[EVP_MAX_MD_SIZE];
	size_t n = digest_bytes(s);
	struct bytes kept;

	if (!from_base64(text, &kept) || kept.n < n)
		return false;
	return !password || (digest_of(s->digest, *password,
				       span_make(kept.at + n, kept.n - n), made) == n &&
			     scram_equal(made, kept.at, n));
}

static bool
check_hmail(const struct scheme *s, struct span text, const struct span *password)
{
	uint8_t kept[HMAIL_BYTES], made[EVP_MAX_MD_SIZE];
	struct span salt = span_first(text, HMAIL_SALT);

	if (!hex_parse(span_after(text, HMAIL_SALT), kept, HMAIL_BYTES))
		return false;
	return !password ||
	       (digest_of(s->digest, salt, *password, made) == HMAIL_BYTES &&
		scram_equal(made, kept, HMAIL_BYTES));
}

/* ---- many rounds */

static bool
rounds_parse(struct span text, uint64_t *rounds)
{
	return number_parse(text, SCHEME_ROUNDS_MAX, rounds) && *rounds > 0;
}

static bool
pbkdf2(const char *digest, struct span password, struct span salt, uint64_t rounds,
       struct span want)
{
	uint8_t made[BYTES_MAX];

	return PKCS5_PBKDF2_HMAC(password.at, (int)password.n, (const uint8_t *)salt.at,
				 (int)salt.n, (int)rounds, EVP_get_digestbyname(digest),
				 (int)want.n, made) == 1 &&
	       scram_equal(made, want.at, want.n);
}

static bool
check_pbkdf2(const struct scheme *s, struct span text, const struct span *password)
{
	uint8_t kept[PBKDF2_BYTES];
	struct span salt, rounds_text;
	uint64_t rounds;

	if (!span_starts(text, SPAN("$1$")))
		return false;
	text = span_after(text, 3);
	salt = span_cut(&text, '$');
	rounds_text = span_cut(&text, '$');
	if (!rounds_parse(rounds_text, &rounds) || !hex_parse(text, kept, PBKDF2_BYTES))
		return false;
	return !password || pbkdf2(s->digest, *password, salt, rounds,
				   span_make(kept, sizeof(kept)));
}

static bool
check_pbkdf2_sha256(const struct scheme *s, struct span text,
		    const struct span *password)
{
	struct span rounds_text, salt_text;
	struct bytes salt, kept;
	uint64_t rounds;

	if (!span_starts(text, SPAN("$i=")))
		return false;
	text = span_after(text, 3);
	rounds_text = span_cut(&text, '$');
	salt_text = span_cut(&text, '$');
	if (!rounds_parse(rounds_text, &rounds) || !from_base64(salt_text, &salt) ||
	    !from_base64(text, &kept) || kept.n < KEY_LEAST)
		return false;
	return !password || pbkdf2(s->digest, *password, span_make(salt.at, salt.n),
				   rounds, span_make(kept.at, kept.n));
}

/* ---- SCRAM */

struct scram_text {
	uint64_t rounds;
	struct bytes salt, stored, server;
};

static bool
scram_parse(const struct scheme *s, struct span text, struct scram_text *out)
{
	struct span rounds = span_cut(&text, ',');
	struct span salt = span_cut(&text, ','), stored = span_cut(&text, ',');
	size_t n = digest_bytes(s);

	return rounds_parse(rounds, &out->rounds) && from_base64(salt, &out->salt) &&
	       from_base64(stored, &out->stored) && out->stored.n == n &&
	       from_base64(text, &out->server) && out->server.n == n;
}

/* [RFC5802 3] StoredKey is the digest of HMAC(SaltedPassword, "Client Key"). */
static bool
check_scram(const struct scheme *s, struct span text, const struct span *password)
{
	const EVP_MD *md = EVP_get_digestbyname(s->digest);
	uint8_t salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE], made[EVP_MAX_MD_SIZE];
	struct scram_text kept;
	int n = (int)digest_bytes(s);
	unsigned key_n = 0;

	if (!scram_parse(s, text, &kept))
		return false;
	if (!password)
		return true;
	return PKCS5_PBKDF2_HMAC(password->at, (int)password->n, kept.salt.at,
				 (int)kept.salt.n, (int)kept.rounds, md, n,
				 salted) == 1 &&
	       HMAC(md, salted, n, (const uint8_t *)"Client Key", 10, key, &key_n) &&
	       digest_of(s->digest, span_make(key, key_n), SPAN(""), made) ==
		   kept.stored.n &&
	       scram_equal(made, kept.stored.at, kept.stored.n);
}

/* ---- the table */

static const struct scheme schemes[] = {
    {"{SMD5}",          "smd5",          "MD5",    check_salted       },
    {"{SSHA}",          "ssha",          "SHA1",   check_salted       },
    {"{SSHA256}",       "ssha256",       "SHA256", check_salted       },
    {"{SSHA512}",       "ssha512",       "SHA512", check_salted       },
    {"{HMAIL-SHA256}",  "hmail-sha256",  "SHA256", check_hmail        },
    {"{PBKDF2}",        "pbkdf2",        "SHA1",   check_pbkdf2       },
    {"{PBKDF2-SHA256}", "pbkdf2-sha256", "SHA256", check_pbkdf2_sha256},
    {"{SCRAM-SHA-1}",   "scram-sha-1",   "SHA1",   check_scram        },
    {"{SCRAM-SHA-256}", "scram-sha-256", "SHA256", check_scram        },
};

/* The row and, in *rest, what follows its prefix. */
static const struct scheme *
scheme_of(struct span text, struct span *rest)
{
	for (size_t i = 0; i < N_ELEMS(schemes); i++) {
		struct span prefix = span_str(schemes[i].prefix);

		if (span_starts(text, prefix)) {
			*rest = span_after(text, prefix.n);
			return &schemes[i];
		}
	}
	return NULL;
}

bool
scheme_is(struct span text)
{
	struct span rest;

	return scheme_of(text, &rest) != NULL;
}

bool
scheme_good(struct span text)
{
	struct span rest;
	const struct scheme *s = scheme_of(text, &rest);

	return s && s->check(s, rest, NULL);
}

bool
scheme_has_rounds(struct span text)
{
	struct span rest;
	const struct scheme *s = scheme_of(text, &rest);

	return s && s->check != check_salted && s->check != check_hmail;
}

bool
scheme_matches(struct span text, struct span password)
{
	struct span rest;
	const struct scheme *s = scheme_of(text, &rest);

	return s && s->check(s, rest, &password);
}

const char *
scheme_name(struct span text)
{
	struct span rest;
	const struct scheme *s = scheme_of(text, &rest);

	return s ? s->name : NULL;
}

bool
scheme_scram(struct span text, struct scram_keys *out)
{
	struct span rest;
	const struct scheme *s = scheme_of(text, &rest);
	struct scram_text kept;

	if (!s || strcmp(s->name, "scram-sha-256") != 0 ||
	    !scram_parse(s, rest, &kept) || kept.salt.n > SCRAM_SALT_MAX ||
	    kept.rounds < SCRAM_ITERATIONS_MIN)
		return false;
	*out = (struct scram_keys){.salt_bytes = kept.salt.n,
				   .iterations = (uint32_t)kept.rounds};
	memcpy(out->salt, kept.salt.at, kept.salt.n);
	memcpy(out->stored_key, kept.stored.at, SCRAM_KEY_BYTES);
	memcpy(out->server_key, kept.server.at, SCRAM_KEY_BYTES);
	return true;
}
