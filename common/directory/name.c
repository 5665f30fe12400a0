#include "common/directory/name.h"

#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.at[i] > 0x7e)
			return false;
	return true;
}

/* ---- domains */

/* One label of letters, digits and inner hyphens, lower-cased in place. */
static bool
take_label(char *label, size_t n)
{
	if (n == 0 || n > 63 || label[0] == '-' || label[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!ascii_alnum(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
		label[i] = ascii_lower(label[i]);
	}
	return true;
}

/* Checks and lower-cases an ASCII domain in place. */
static bool
take_ascii_domain(char *domain, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && domain[i] != '.')
			continue;
		if (!take_label(domain + start, i - start))
			return false;
		start = i + 1;
	}
	return n > 0;
}

/* [RFC5891 5] U-labels to A-labels, mapped as people type them. */
static int
domain_to_ascii(struct span domain, char *out, struct err *err)
{
	char text[4 * DIRECTORY_DOMAIN_MAX + 1];
	char *ascii = NULL;
	int code;

	if (!span_copy(domain, text, sizeof(text)))
		return err_set(err, "a domain name has at most 253 characters");
	code = idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
	if (code != IDN2_OK)
		return err_set(err, "no domain name: %s", idn2_strerror(code));
	if (!span_copy(span_str(ascii), out, DIRECTORY_DOMAIN_MAX + 1))
		code = err_set(err, "a domain name has at most 253 characters");
	idn2_free(ascii);
	return code ? -1 : 0;
}

int
directory_domain_canonical(struct span domain, char *out, struct err *err)
{
	char text[DIRECTORY_DOMAIN_MAX + 1];

	if (domain.n == 0)
		return err_set(err, "the domain is missing");
	if (!is_ascii(domain)) {
		if (domain_to_ascii(domain, text, err) != 0)
			return -1;
	} else if (!span_copy(domain, text, sizeof(text))) {
		return err_set(err, "a domain name has at most 253 characters");
	}
	if (!take_ascii_domain(text, strlen(text)))
		return err_set(err,
			       "a domain name has letters, digits, hyphens and dots "
			       "between them");
	memcpy(out, text, sizeof(text));
	return 0;
}

/* ---- local parts */

/* Without the quotes and backslashes of [RFC5321 4.1.2] Quoted-string. */
static int
unquote(struct span local, char *out, size_t size, size_t *n, struct err *err)
{
	struct span inner = span_after(span_first(local, local.n - 1), 1);
	size_t used = 0;

	if (local.n < 3 || local.at[local.n - 1] != '"')
		return err_set(err, "a quoted name has no end");
	for (size_t i = 0; i < inner.n; i++) {
		if (inner.at[i] == '"' || (inner.at[i] == '\\' && ++i == inner.n))
			return err_set(err, "a quoted name has no end");
		if (used == size)
			return err_set(err, "the name before the @ is too long");
		out[used++] = inner.at[i];
	}
	*n = used;
	return 0;
}

/* Lower case, NFC, UTF-8 checked; `out` has DIRECTORY_LOCAL_MAX bytes. */
static int
lower_unicode(struct span local, char *out, size_t *n, struct err *err)
{
	uint8_t room[4 * DIRECTORY_LOCAL_MAX];
	size_t lower_bytes = sizeof(room);
	uint8_t *lower;
	int r = 0;

	if (u8_check((const uint8_t *)local.at, local.n))
		return err_set(err, "the name before the @ is not UTF-8");
	lower = u8_tolower((const uint8_t *)local.at, local.n, NULL, UNINORM_NFC, room,
			   &lower_bytes);
	if (!lower || lower_bytes > DIRECTORY_LOCAL_MAX)
		r = err_set(err, "the name before the @ is too long");
	if (r == 0) {
		memcpy(out, lower, lower_bytes);
		*n = lower_bytes;
	}
	if (lower != room)
		free(lower);
	return r;
}

static int
lower_local(struct span local, char *out, size_t *n, struct err *err)
{
	for (size_t i = 0; i < local.n; i++)
		if ((unsigned char)local.at[i] < 0x20 || local.at[i] == 0x7f)
			return err_set(err, "a control character in the name");
	if (local.n > DIRECTORY_LOCAL_MAX)
		return err_set(err, "the name before the @ is too long");
	if (!is_ascii(local))
		return lower_unicode(local, out, n, err);
	for (size_t i = 0; i < local.n; i++)
		out[i] = ascii_lower(local.at[i]);
	*n = local.n;
	return 0;
}

static int
local_canonical(struct span local, char *out, size_t *n, struct err *err)
{
	char plain[DIRECTORY_LOCAL_MAX];
	size_t plain_bytes;

	if (local.n == 0 || local.at[0] != '"')
		return lower_local(local, out, n, err);
	if (unquote(local, plain, sizeof(plain), &plain_bytes, err) != 0)
		return -1;
	return lower_local(span_make(plain, plain_bytes), out, n, err);
}

/* ---- addresses */

struct span
directory_name_local(const struct directory_name *n)
{
	return span_make(n->text, n->local_bytes);
}

struct span
directory_name_domain(const struct directory_name *n)
{
	return span_make(n->text + n->local_bytes + 1, n->bytes - n->local_bytes - 1);
}

struct span
directory_name_span(const struct directory_name *n)
{
	return span_make(n->text, n->bytes);
}

bool
directory_name_make(struct span local, struct span domain, struct directory_name *out)
{
	if (local.n > DIRECTORY_LOCAL_MAX || domain.n > DIRECTORY_DOMAIN_MAX)
		return false;
	if (local.n > 0)
		memmove(out->text, local.at, local.n);
	out->text[local.n] = '@';
	memcpy(out->text + local.n + 1, domain.at, domain.n);
	out->local_bytes = local.n;
	out->bytes = local.n + 1 + domain.n;
	out->text[out->bytes] = '\0';
	return true;
}

int
directory_name_parse(struct span address, struct directory_name *out, struct err *err)
{
	size_t at = span_find_last(address, '@');
	char local[DIRECTORY_LOCAL_MAX], domain[DIRECTORY_DOMAIN_MAX + 1];
	size_t local_bytes = 0;

	if (at == address.n)
		return err_set(err, "an address has an @");
	if (directory_domain_canonical(span_after(address, at + 1), domain, err) != 0 ||
	    local_canonical(span_first(address, at), local, &local_bytes, err) != 0)
		return -1;
	if (at > 0 && local_bytes == 0)
		return err_set(err, "the name before the @ is missing");
	if (!directory_name_make(span_make(local, local_bytes), span_str(domain), out))
		return err_set(err, "the address is too long");
	return 0;
}
