#include "admin/import.h"

#include <openssl/evp.h>
#include <openssl/provider.h>

/* hMailServer's oldest form: Blowfish with a key that its sources publish, so that the
 * password itself comes out. */
#define HMAIL_KEY      "THIS_KEY_IS_NOT_SECRET"
#define PLAIN_MAX      256
#define BLOWFISH_BLOCK 8

/* Its words of 32 bits are little-endian. */
static void
swap_words(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i + 4 <= n; i += 4) {
		uint8_t a = bytes[i], b = bytes[i + 1];

		bytes[i] = bytes[i + 3];
		bytes[i + 1] = bytes[i + 2];
		bytes[i + 2] = b;
		bytes[i + 3] = a;
	}
}

static bool
decrypt_blocks(EVP_CIPHER *cipher, uint8_t *bytes, size_t n)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int out = 0;
	bool good =
	    context && EVP_DecryptInit_ex2(context, cipher, NULL, NULL, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_key_length(context, (int)strlen(HMAIL_KEY)) == 1 &&
	    EVP_DecryptInit_ex2(context, NULL, (const uint8_t *)HMAIL_KEY, NULL,
				NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
	    EVP_DecryptUpdate(context, bytes, &out, bytes, (int)n) == 1 &&
	    out == (int)n;

	EVP_CIPHER_CTX_free(context);
	return good;
}

/* The old ciphers stand in a part of OpenSSL that is loaded for this alone. */
static bool
decrypt_blowfish(uint8_t *bytes, size_t n)
{
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *old = library ? OSSL_PROVIDER_load(library, "legacy") : NULL;
	EVP_CIPHER *cipher = old ? EVP_CIPHER_fetch(library, "BF-ECB", NULL) : NULL;
	bool good;

	swap_words(bytes, n);
	good = cipher && decrypt_blocks(cipher, bytes, n);
	swap_words(bytes, n);
	EVP_CIPHER_free(cipher);
	if (old)
		OSSL_PROVIDER_unload(old);
	OSSL_LIB_CTX_free(library);
	return good;
}

/* The password that hMailServer's type 1 has in hexadecimal. */
static bool
hmail_blowfish(struct span hex, struct buf *out)
{
	uint8_t bytes[PLAIN_MAX];
	size_t n = hex.n / 2;

	if (n == 0 || n > PLAIN_MAX || n % BLOWFISH_BLOCK != 0 ||
	    !hex_parse(hex, bytes, n) || !decrypt_blowfish(bytes, n))
		return false;
	buf_put(out, span_first(span_make(bytes, n), strnlen((const char *)bytes, n)));
	explicit_bzero(bytes, sizeof(bytes));
	return out->n > 0 && !out->full;
}

enum import_password
import_password(const struct movein_object *account, struct buf *out)
{
	struct span stored = account->password;

	buf_reset(out);
	if (span_starts(stored, SPAN(MOVEIN_HMAIL_BLOWFISH)))
		return hmail_blowfish(span_after(stored, strlen(MOVEIN_HMAIL_BLOWFISH)),
				      out)
			   ? IMPORT_PASSWORD_PLAIN
			   : IMPORT_PASSWORD_UNKNOWN;
	switch (movein_password(stored, out)) {
	case MOVEIN_PASSWORD_HASH:
		return IMPORT_PASSWORD_HASH;
	case MOVEIN_PASSWORD_PLAIN:
		return IMPORT_PASSWORD_PLAIN;
	case MOVEIN_PASSWORD_UNKNOWN:
		return IMPORT_PASSWORD_UNKNOWN;
	case MOVEIN_PASSWORD_LOCKED:
		return IMPORT_PASSWORD_LOCKED;
	case MOVEIN_PASSWORD_NONE:
		break;
	}
	return IMPORT_PASSWORD_NONE;
}
