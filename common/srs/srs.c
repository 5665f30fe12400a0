#include "common/srs/srs.h"
#include "common/srs/local.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DAYS_ROUND 1024 /* two letters of base32 */

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* "SRS0=" and "SRS1=", and the signs that others put there. */
static bool
has_prefix(struct span local, char digit)
{
	return local.n > 5 && span_starts_nocase(local, SPAN("SRS")) &&
	       local.at[3] == digit && strchr("=+-", local.at[4]) && local.at[4];
}

/* --- tag and day ------------------------------------------------------------ */

/* Of what follows it, whatever became of the case of its letters. False: OpenSSL
 * cannot. */
static bool
make_tag(struct span key, char digit, struct span text, char out[SRS_TAG_BYTES])
{
	char lower[SRS_ADDRESS_MAX + 1];
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned hash_bytes;
	uint64_t bits = 0;

	if (text.n >= sizeof(lower))
		return false;
	lower[0] = digit;
	for (size_t i = 0; i < text.n; i++)
		lower[i + 1] = ascii_lower(text.at[i]);
	if (!HMAC(EVP_sha256(), key.at, (int)key.n, (const uint8_t *)lower, text.n + 1,
		  hash, &hash_bytes))
		return false;
	for (size_t i = 0; i < 5; i++)
		bits = bits << 8 | hash[i];
	for (size_t i = 0; i < SRS_TAG_BYTES; i++)
		out[i] = base32[bits >> (35 - 5 * i) & 31];
	return true;
}

/* With one of the keys. */
static bool
tag_right(const struct srs_keys *keys, char digit, struct span text, struct span tag)
{
	char upper[SRS_TAG_BYTES], want[SRS_TAG_BYTES];
	bool right = false;

	if (tag.n != SRS_TAG_BYTES)
		return false;
	for (size_t i = 0; i < SRS_TAG_BYTES; i++)
		upper[i] = tag.at[i] >= 'a' && tag.at[i] <= 'z'
			       ? (char)(tag.at[i] - 'a' + 'A')
			       : tag.at[i];
	for (size_t i = 0; i < keys->n; i++)
		right |= make_tag(keys->at[i], digit, text, want) &&
			 CRYPTO_memcmp(upper, want, sizeof(want)) == 0;
	return right;
}

static void
put_day(uint64_t day, struct buf *out)
{
	buf_put_char(out, base32[day / 32 % 32]);
	buf_put_char(out, base32[day % 32]);
}

static bool
letter_value(char c, uint64_t *value)
{
	const char *at;

	if (ascii_lower(c) != c || (c >= '2' && c <= '7'))
		at = strchr(base32, c);
	else
		at = ascii_alpha(c) ? &base32[c - 'a'] : NULL;
	if (at)
		*value = (uint64_t)(at - base32);
	return at != NULL;
}

/* Is the day that two letters name one of the last SRS_DAYS? */
static bool
day_valid(struct span letters, uint64_t today)
{
	uint64_t high, low;

	return letters.n == 2 && letter_value(letters.at[0], &high) &&
	       letter_value(letters.at[1], &low) &&
	       (today + DAYS_ROUND - (high * 32 + low)) % DAYS_ROUND <= SRS_DAYS;
}

/* --- forward ---------------------------------------------------------------- */

/* What follows "SRS0=" and the tag: TT=DOMAIN=LOCAL. */
static void
put_first(struct span local, struct span domain, uint64_t day, struct buf *out)
{
	put_day(day, out);
	buf_put_char(out, '=');
	buf_put(out, domain);
	buf_put_char(out, '=');
	buf_put(out, local);
}

/* What follows "SRS1=" and the tag: DOMAIN=, and what stood behind "SRS0". */
static void
put_further(struct span local, struct span domain, struct buf *out)
{
	struct span rest = span_after(local, 4);

	if (has_prefix(local, '1')) {
		rest = span_after(local, 5); /* TAG=DOMAIN=..., of which TAG goes */
		(void)span_cut(&rest, '=');
		buf_put(out, rest);
		return;
	}
	buf_put(out, domain);
	buf_put_char(out, '=');
	buf_put(out, rest);
}

/* The plain local part, made; false when it is too long. */
static bool
put_forward(const struct srs_keys *keys, struct span local, struct span domain,
	    uint64_t day, struct buf *out)
{
	bool further = has_prefix(local, '0') || has_prefix(local, '1');
	char digit = further ? '1' : '0', tag[SRS_TAG_BYTES];
	struct buf text = buf_make(SRS_LOCAL_MAX);
	bool made;

	if (further)
		put_further(local, domain, &text);
	else
		put_first(local, domain, day, &text);
	made = !text.full && make_tag(keys->at[0], digit, buf_span(&text), tag);
	if (made) {
		buf_putf(out, "SRS%c=%.*s=", digit, SRS_TAG_BYTES, tag);
		buf_put(out, buf_span(&text));
	}
	buf_release(&text);
	return made && !out->full;
}

bool
srs_forward(const struct srs_keys *keys, struct span sender, struct span domain,
	    uint64_t day, struct buf *out)
{
	size_t at = span_find_last(sender, '@');
	struct buf plain = buf_make(SRS_LOCAL_MAX), local = buf_make(SRS_LOCAL_MAX),
		   quoted = buf_make(SRS_LOCAL_MAX);
	bool made;

	srs_put_plain(span_first(sender, at), &plain);
	made = keys->n > 0 && at > 0 && at < sender.n && !plain.full &&
	       put_forward(keys, buf_span(&plain), span_after(sender, at + 1), day,
			   &local);
	srs_put_local(buf_span(&local), &quoted);
	made = made && !quoted.full && buf_room(out, quoted.n + 1 + domain.n);
	if (made) {
		buf_put(out, buf_span(&quoted));
		buf_put_char(out, '@');
		buf_put(out, domain);
	}
	buf_release(&plain);
	buf_release(&local);
	buf_release(&quoted);
	return made;
}

/* --- reverse ---------------------------------------------------------------- */

static bool
put_address(struct span plain, struct span domain, struct buf *out)
{
	if (plain.n == 0 || domain.n == 0)
		return false;
	srs_put_local(plain, out);
	buf_put_char(out, '@');
	buf_put(out, domain);
	return !out->full;
}

/* TAG=TT=DOMAIN=LOCAL */
static enum srs_result
reverse_first(const struct srs_keys *keys, struct span rest, uint64_t day,
	      struct buf *out)
{
	struct span tag = span_cut(&rest, '='), signed_text = rest;
	struct span letters = span_cut(&rest, '='), domain = span_cut(&rest, '=');

	if (!tag_right(keys, '0', signed_text, tag))
		return SRS_FORGED;
	if (!day_valid(letters, day))
		return SRS_EXPIRED;
	return put_address(rest, domain, out) ? SRS_OK : SRS_FORGED;
}

/* TAG=DOMAIN=, and what stood behind "SRS0" there */
static enum srs_result
reverse_further(const struct srs_keys *keys, struct span rest, struct buf *out)
{
	struct span tag = span_cut(&rest, '='), signed_text = rest;
	struct span domain = span_cut(&rest, '=');
	struct buf local = buf_make(SRS_LOCAL_MAX);
	enum srs_result result = SRS_FORGED;

	buf_put_str(&local, "SRS0");
	buf_put(&local, rest);
	if (tag_right(keys, '1', signed_text, tag) &&
	    has_prefix(buf_span(&local), '0') &&
	    put_address(buf_span(&local), domain, out))
		result = SRS_OK;
	buf_release(&local);
	return result;
}

/* Most addresses are none, which costs nothing. */
static bool
may_be_srs(struct span address)
{
	return span_starts_nocase(span_trim(span_first(address, 4), "\""), SPAN("SRS"));
}

enum srs_result
srs_reverse(const struct srs_keys *keys, struct span address, uint64_t day,
	    struct buf *out)
{
	struct buf plain = buf_make(SRS_LOCAL_MAX);
	struct span local;
	enum srs_result result = SRS_NONE;

	if (!may_be_srs(address))
		return SRS_NONE;
	srs_put_plain(span_first(address, span_find_last(address, '@')), &plain);
	local = buf_span(&plain);
	if (!plain.full && has_prefix(local, '0'))
		result = reverse_first(keys, span_after(local, 5), day, out);
	else if (!plain.full && has_prefix(local, '1'))
		result = reverse_further(keys, span_after(local, 5), out);
	buf_release(&plain);
	return result;
}

/* --- keys ------------------------------------------------------------------- */

int
srs_keys_parse(struct span text, struct srs_keys *out, struct err *err)
{
	struct srs_keys keys = {.n = 0};

	for (unsigned number = 1; text.n > 0; number++) {
		struct span line = span_trim(span_cut(&text, '\n'), " \t\r");

		if (line.n == 0 || line.at[0] == '#')
			continue;
		if (line.n < SRS_KEY_MIN || line.n > SRS_KEY_MAX)
			return err_set(err, "line %u: a key has %d to %d characters",
				       number, SRS_KEY_MIN, SRS_KEY_MAX);
		if (keys.n == SRS_KEYS_MAX)
			return err_set(err, "line %u: there are more than %d keys",
				       number, SRS_KEYS_MAX);
		keys.at[keys.n++] = line;
	}
	if (keys.n == 0)
		return err_set(err, "there is no key");
	*out = keys;
	return 0;
}
