#include "common/movein/password.h"

#define BYTES_MAX 256

/* How a scheme's text becomes the form that is kept. */
typedef enum movein_password
convert(struct span text, const char *name, size_t digest, struct buf *out);

static enum movein_password
keep_text(struct span text, const char *name, size_t digest, struct buf *out)
{
	(void)digest;
	buf_put_str(out, name);
	buf_put(out, text);
	return text.n > 0 ? MOVEIN_PASSWORD_HASH : MOVEIN_PASSWORD_NONE;
}

static enum movein_password
plain(struct span text, const char *name, size_t digest, struct buf *out)
{
	(void)name;
	(void)digest;
	buf_put(out, text);
	return text.n > 0 ? MOVEIN_PASSWORD_PLAIN : MOVEIN_PASSWORD_NONE;
}

/* Bytes of hex or base64 with `least` of them at least; 0 when it is neither. Base64
 * may lack its padding. */
static size_t
decode(struct span text, size_t least, char bytes[BYTES_MAX])
{
	struct buf padded = buf_make(2 * BYTES_MAX), out = buf_make(BYTES_MAX);
	size_t n = 0;

	if (text.n == 2 * least && hex_parse(text, bytes, least))
		return least;
	buf_put(&padded, text);
	while (padded.n % 4 != 0 && !padded.full)
		buf_put_char(&padded, '=');
	if (!padded.full && base64_parse(buf_span(&padded), &out) && out.n >= least) {
		n = out.n;
		memcpy(bytes, out.at, n);
	} else if (text.n % 2 == 0 && text.n / 2 >= least && text.n / 2 <= BYTES_MAX &&
		   hex_parse(text, bytes, text.n / 2)) {
		n = text.n / 2;
	}
	buf_release(&padded);
	buf_release(&out);
	return n;
}

/* Digest and salt, in hex or base64, as base64 under one name. */
static enum movein_password
digest(struct span text, const char *name, size_t least, struct buf *out)
{
	char bytes[BYTES_MAX];
	size_t n = decode(text, least, bytes);

	if (n == 0)
		return MOVEIN_PASSWORD_UNKNOWN;
	buf_put_str(out, name);
	base64_put(out, span_make(bytes, n));
	return MOVEIN_PASSWORD_HASH;
}

/* {MD5} was MD5-CRYPT before it was a digest. */
static enum movein_password
md5(struct span text, const char *name, size_t least, struct buf *out)
{
	return span_starts(text, SPAN("$")) ? keep_text(text, "", 0, out)
					    : digest(text, name, least, out);
}

static enum movein_password
ntlm(struct span text, const char *name, size_t least, struct buf *out)
{
	char bytes[BYTES_MAX], hex[2 * BYTES_MAX + 1];

	if (text.n != 2 * least || !hex_parse(text, bytes, least))
		return MOVEIN_PASSWORD_UNKNOWN;
	hex_put(bytes, least, hex);
	return keep_text(span_str(hex), name, 0, out);
}

static const struct {
	const char *scheme, *name;
	size_t digest;
	convert *convert;
} schemes[] = {
    {"CRYPT",         "",                0,  keep_text},
    {"MD5-CRYPT",     "",                0,  keep_text},
    {"DES-CRYPT",     "",                0,  keep_text},
    {"SHA256-CRYPT",  "",                0,  keep_text},
    {"SHA512-CRYPT",  "",                0,  keep_text},
    {"BLF-CRYPT",     "",                0,  keep_text},
    {"PLAIN",         "",                0,  plain    },
    {"CLEAR",         "",                0,  plain    },
    {"CLEARTEXT",     "",                0,  plain    },
    {"MD5",           "{SMD5}",          16, md5      },
    {"PLAIN-MD5",     "{SMD5}",          16, digest   },
    {"LDAP-MD5",      "{SMD5}",          16, digest   },
    {"SMD5",          "{SMD5}",          16, digest   },
    {"SHA",           "{SSHA}",          20, digest   },
    {"SHA1",          "{SSHA}",          20, digest   },
    {"SSHA",          "{SSHA}",          20, digest   },
    {"SHA256",        "{SSHA256}",       32, digest   },
    {"SSHA256",       "{SSHA256}",       32, digest   },
    {"SHA512",        "{SSHA512}",       64, digest   },
    {"SSHA512",       "{SSHA512}",       64, digest   },
    {"NTLM",          "$3$$",            16, ntlm     },
    {"SCRAM-SHA-1",   "{SCRAM-SHA-1}",   0,  keep_text},
    {"SCRAM-SHA-256", "{SCRAM-SHA-256}", 0,  keep_text},
    {"PBKDF2",        "{PBKDF2}",        0,  keep_text},
    {"PBKDF2-SHA256", "{PBKDF2-SHA256}", 0,  keep_text},
    {"HMAIL-SHA256",  "{HMAIL-SHA256}",  0,  keep_text},
};

static enum movein_password
with_scheme(struct span scheme, struct span text, struct buf *out)
{
	struct span bare = span_first(scheme, span_find(scheme, '.')); /* ".HEX" */

	for (size_t i = 0; i < N_ELEMS(schemes); i++)
		if (span_equal_nocase(bare, span_str(schemes[i].scheme)))
			return schemes[i].convert(text, schemes[i].name,
						  schemes[i].digest, out);
	return MOVEIN_PASSWORD_UNKNOWN;
}

static bool
all_of_crypt(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!ascii_alnum(text.at[i]) && text.at[i] != '.' && text.at[i] != '/')
			return false;
	return true;
}

static enum movein_password
without_scheme(struct span text, struct buf *out)
{
	char bytes[16];

	if (span_starts(text, SPAN("$pbkdf2-sha256$")))
		return keep_text(span_after(text, 14), "{PBKDF2-SHA256}", 0, out);
	if (span_starts(text, SPAN("$argon2")))
		return MOVEIN_PASSWORD_UNKNOWN;
	if (span_starts(text, SPAN("$")) || span_starts(text, SPAN("_")) ||
	    (text.n == 13 && all_of_crypt(text)))
		return keep_text(text, "", 0, out);
	if (text.n == 32 && hex_parse(text, bytes, 16))
		return digest(text, "{SMD5}", 16, out);
	return MOVEIN_PASSWORD_UNKNOWN;
}

enum movein_password
movein_password(struct span stored, struct buf *out)
{
	enum movein_password result;
	size_t end = span_find(stored, '}');

	buf_reset(out);
	if (stored.n == 0 || span_equal(stored, SPAN("x")))
		return MOVEIN_PASSWORD_NONE;
	if (stored.at[0] == '!' || stored.at[0] == '*')
		return MOVEIN_PASSWORD_LOCKED;
	if (stored.at[0] == '{' && end < stored.n)
		result = with_scheme(span_after(span_first(stored, end), 1),
				     span_after(stored, end + 1), out);
	else
		result = without_scheme(stored, out);
	return out->full ? MOVEIN_PASSWORD_UNKNOWN : result;
}

struct span
movein_password_scheme(struct span stored)
{
	size_t end = span_find(stored, '}');

	if (span_starts(stored, SPAN("{")) && end < 32 && end < stored.n)
		return span_first(stored, end + 1);
	if (span_starts(stored, SPAN("$argon2")))
		return SPAN("{ARGON2}");
	return SPAN("no scheme");
}
