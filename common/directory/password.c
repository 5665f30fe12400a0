#include "common/directory/password.h"
#include "common/directory/scheme.h"

#include <crypt.h>
#include <errno.h>
#include <sys/random.h>

/* What directory_password_make() would make, of a password nobody knows: a check
 * against it takes as long as any other. */
#define NOBODY                                                                         \
	"$y$j9T$glXxUsObSSxAW3CockaRq1$5Zb1kR8u0ZP6n2JHAi0w.tyO7u2QNH8y4aCqkrzVyS1"

/* crypt(3) of a password that sasl_prepare() has made; null when it fails. */
static const char *
crypt_span(struct span password, const char *setting, struct crypt_data *data)
{
	char text[SASL_PASSWORD_MAX + 1];
	const char *hash;

	if (!span_copy(password, text, sizeof(text)))
		return NULL;
	hash = crypt_rn(text, setting, data, sizeof(*data));
	explicit_bzero(text, sizeof(text));
	return hash;
}

static int
make_crypt(struct span password, char *out, struct err *err)
{
	struct crypt_data *data = memory_new(1, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash = NULL;
	int r = 0;

	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)))
		hash = crypt_span(password, setting, data);
	if (!hash || !span_copy(span_str(hash), out, DIRECTORY_CRYPT_MAX + 1))
		r = err_sys(err, "crypt");
	explicit_bzero(data, sizeof(*data));
	free(data);
	return r;
}

int
directory_password_make(struct span password, struct directory_password *out,
			struct err *err)
{
	struct buf prepared = buf_make(SASL_PASSWORD_MAX);
	struct directory_password p = {.has_scram = true};
	uint8_t salt[SCRAM_SALT_BYTES];
	int r = 0;

	if (!sasl_prepare(password, &prepared))
		r = err_set(err,
			    "a password is UTF-8 text of 1 to %d bytes without "
			    "control characters",
			    SASL_PASSWORD_MAX);
	else if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		r = err_sys(err, "getrandom");
	else
		r = make_crypt(buf_span(&prepared), p.crypt, err);
	if (r == 0) {
		scram_keys_make(buf_span(&prepared), span_make(salt, sizeof(salt)),
				SCRAM_ITERATIONS_DEFAULT, &p.scram);
		*out = p;
	}
	if (prepared.n > 0)
		explicit_bzero(prepared.at, prepared.n);
	buf_release(&prepared);
	directory_password_wipe(&p);
	return r;
}

int
directory_password_import(struct span crypt_text, struct directory_password *out,
			  struct err *err)
{
	struct directory_password p = {0};
	int check;

	if (!span_copy(crypt_text, p.crypt, sizeof(p.crypt)) || p.crypt[0] == '\0')
		return err_set(err, "a password hash has 1 to %d bytes",
			       DIRECTORY_CRYPT_MAX);
	check = crypt_checksalt(p.crypt);
	if (scheme_is(crypt_text)
		? !scheme_good(crypt_text)
		: check == CRYPT_SALT_INVALID || check == CRYPT_SALT_METHOD_DISABLED)
		return err_set(err, "that password hash cannot be read");
	p.has_scram = scheme_scram(crypt_text, &p.scram);
	*out = p;
	return 0;
}

bool
directory_password_matches(const char *crypt_text, struct span password)
{
	struct crypt_data *data = memory_new(1, sizeof(*data));
	bool foreign = scheme_is(span_str(crypt_text));
	const char *want = crypt_text[0] && !foreign ? crypt_text : NOBODY;
	const char *hash = crypt_span(password, want, data);
	bool right = hash && strlen(hash) == strlen(want) &&
		     scram_equal(hash, want, strlen(want));

	if (foreign)
		right = scheme_matches(span_str(crypt_text), password);

	explicit_bzero(data, sizeof(*data));
	free(data);
	return right & (crypt_text[0] != '\0');
}

/* Behind "$y$j" stand the logarithms of yescrypt's two sizes, in an order that is also
 * that of their characters. */
static bool
crypt_current(const char *crypt_text)
{
	return span_starts(span_str(crypt_text), span_str("$y$j")) &&
	       strlen(crypt_text) == strlen(NOBODY) && crypt_text[4] >= NOBODY[4] &&
	       crypt_text[5] >= NOBODY[5];
}

bool
directory_password_current(const struct directory_password *p)
{
	return p->has_scram && p->scram.iterations >= SCRAM_ITERATIONS_DEFAULT &&
	       crypt_current(p->crypt);
}

/* ---- what a check may cost */

/* "$y$j9T$": neither size larger than ours, and nothing else said. */
static bool
yescrypt_bounded(struct span text)
{
	return text.n > 7 && text.at[3] == 'j' && text.at[4] <= NOBODY[4] &&
	       text.at[5] <= NOBODY[5] && text.at[6] == '$';
}

/* "$2b$12$" */
static bool
bcrypt_bounded(struct span text)
{
	uint64_t cost;

	return text.n > 7 && text.at[3] == '$' && text.at[6] == '$' &&
	       number_parse(span_make(text.at + 4, 2), 12, &cost);
}

/* "$6$rounds=5000$" */
static bool
sha_bounded(struct span text)
{
	struct span rest = span_after(text, 3), count;
	uint64_t rounds;

	if (!span_starts(rest, SPAN("rounds=")))
		return true;
	rest = span_after(rest, strlen("rounds="));
	count = span_cut(&rest, '$');
	return number_parse(count, PASSWORD_ROUNDS_MAX, &rounds);
}

static bool
always_bounded(struct span text)
{
	return text.n > 0;
}

/* A crypt string that begins with none of these and no "$" or "_" is DES's. */
static const struct {
	const char *prefix;
	bool (*bounded)(struct span text);
} costs[] = {
    {"$y$", yescrypt_bounded},
    {"$2",  bcrypt_bounded  },
    {"$5$", sha_bounded     },
    {"$6$", sha_bounded     },
    {"$1$", always_bounded  },
    {"$3$", always_bounded  },
};

bool
directory_password_bounded(const struct directory_password *p)
{
	struct span text = span_str(p->crypt);

	if (scheme_is(text))
		return !scheme_has_rounds(text);
	for (size_t i = 0; i < N_ELEMS(costs); i++)
		if (span_starts(text, span_str(costs[i].prefix)))
			return costs[i].bounded(text);
	return text.n == 0 || (text.at[0] != '$' && text.at[0] != '_');
}

static const struct {
	const char *prefix, *name;
} schemes[] = {
    {"$y$",   "yescrypt"     },
    {"$gy$",  "gost-yescrypt"},
    {"$7$",   "scrypt"       },
    {"$2",    "bcrypt"       },
    {"$6$",   "sha512crypt"  },
    {"$5$",   "sha256crypt"  },
    {"$sha1", "sha1crypt"    },
    {"$md5",  "sunmd5"       },
    {"$1$",   "md5crypt"     },
    {"_",     "bsdicrypt"    },
    {"$3$",   "nt"           },
};

const char *
directory_password_scheme(const struct directory_password *p)
{
	const char *foreign = scheme_name(span_str(p->crypt));

	if (p->crypt[0] == '\0')
		return "none";
	if (foreign)
		return foreign;
	for (size_t i = 0; i < N_ELEMS(schemes); i++)
		if (span_starts(span_str(p->crypt), span_str(schemes[i].prefix)))
			return schemes[i].name;
	return "descrypt";
}

/* ---- as bytes */

void
directory_password_put(const struct directory_password *p, struct buf *out)
{
	wire_put_bytes(out, span_str(p->crypt));
	wire_put_u8(out, p->has_scram);
	wire_put_bytes(out, span_make(p->scram.salt, p->scram.salt_bytes));
	wire_put_u32(out, p->scram.iterations);
	buf_put(out, span_make(p->scram.stored_key, SCRAM_KEY_BYTES));
	buf_put(out, span_make(p->scram.server_key, SCRAM_KEY_BYTES));
}

static void
get_key(struct cursor *c, uint8_t out[SCRAM_KEY_BYTES])
{
	struct span key = wire_get_raw(c, SCRAM_KEY_BYTES);

	if (!c->failed)
		memcpy(out, key.at, SCRAM_KEY_BYTES);
}

void
directory_password_get(struct cursor *c, struct directory_password *p)
{
	struct span salt;

	*p = (struct directory_password){0};
	if (!span_copy(wire_get_bytes(c), p->crypt, sizeof(p->crypt)))
		c->failed = true;
	p->has_scram = wire_get_u8(c) != 0;
	salt = wire_get_bytes(c);
	if (salt.n > sizeof(p->scram.salt))
		c->failed = true;
	else if (salt.n > 0)
		memcpy(p->scram.salt, salt.at, salt.n);
	p->scram.salt_bytes = c->failed ? 0 : salt.n;
	p->scram.iterations = wire_get_u32(c);
	get_key(c, p->scram.stored_key);
	get_key(c, p->scram.server_key);
	if (c->failed)
		directory_password_wipe(p);
}

void
directory_password_wipe(struct directory_password *p)
{
	explicit_bzero(p, sizeof(*p));
}
