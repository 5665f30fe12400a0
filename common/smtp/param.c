#include "common/smtp/smtp.h"

#define ORCPT_BYTES_MAX 500 /* [RFC3461 5.2.8] */
#define ENVID_BYTES_MAX 100 /* [RFC3461 4.4] */

static const struct span mechanisms[] = {
    [SMTP_MECHANISM_PLAIN] = SPAN("PLAIN"),
    [SMTP_MECHANISM_LOGIN] = SPAN("LOGIN"),
    [SMTP_MECHANISM_SCRAM_SHA_256] = SPAN("SCRAM-SHA-256"),
    [SMTP_MECHANISM_SCRAM_SHA_256_PLUS] = SPAN("SCRAM-SHA-256-PLUS"),
};

struct span
smtp_mechanism_name(enum smtp_mechanism mechanism)
{
	ASSERT(mechanism < SMTP_MECHANISM_N);
	return mechanisms[mechanism];
}

bool
smtp_mechanism_parse(struct span name, enum smtp_mechanism *out)
{
	for (size_t i = 0; i < N_ELEMS(mechanisms); i++) {
		if (!span_equal_nocase(name, mechanisms[i]))
			continue;
		*out = (enum smtp_mechanism)i;
		return true;
	}
	return false;
}

struct span
smtp_word(struct span *rest)
{
	struct span word;

	*rest = span_trim(*rest, " ");
	word = span_first(*rest, span_find(*rest, ' '));
	*rest = span_after(*rest, word.n);
	return word;
}

static bool
keyword_valid(struct span key)
{
	if (key.n == 0 || !ascii_alnum(key.at[0]))
		return false;
	for (size_t i = 1; i < key.n; i++)
		if (!ascii_alnum(key.at[i]) && key.at[i] != '-')
			return false;
	return true;
}

/* 33 to 126 but '=' [RFC5321 4.1.2], and UTF-8 [RFC6531 3.3]. */
static bool
value_valid(struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if (c < 33 || c == 127 || c == '=')
			return false;
	}
	return value.n > 0 && utf8_valid(value);
}

enum smtp_param_result
smtp_param_next(struct span *rest, struct smtp_param *out)
{
	struct span word, key;
	bool has_value;

	if (rest->n > 0 && rest->at[0] != ' ')
		return SMTP_PARAM_BAD;
	word = smtp_word(rest);
	if (word.n == 0)
		return SMTP_PARAM_END;
	has_value = span_find(word, '=') < word.n;
	key = span_cut(&word, '=');
	if (!keyword_valid(key) || (has_value && !value_valid(word)))
		return SMTP_PARAM_BAD;
	*out = (struct smtp_param){key, word, has_value};
	return SMTP_PARAM_OK;
}

bool
smtp_ret_parse(struct span value, enum smtp_ret *out)
{
	bool full = span_equal_nocase(value, SPAN("FULL"));

	if (!full && !span_equal_nocase(value, SPAN("HDRS")))
		return false;
	*out = full ? SMTP_RET_FULL : SMTP_RET_HDRS;
	return true;
}

static const struct notify_word {
	struct span word;
	unsigned bit;
} notify_words[] = {
    {SPAN("SUCCESS"), SMTP_NOTIFY_SUCCESS},
    {SPAN("FAILURE"), SMTP_NOTIFY_FAILURE},
    {SPAN("DELAY"),   SMTP_NOTIFY_DELAY  },
};

static unsigned
notify_bit(struct span word)
{
	for (size_t i = 0; i < N_ELEMS(notify_words); i++)
		if (span_equal_nocase(word, notify_words[i].word))
			return notify_words[i].bit;
	return 0;
}

bool
smtp_notify_parse(struct span value, unsigned *out)
{
	unsigned bits = 0;

	if (span_equal_nocase(value, SPAN("NEVER"))) {
		*out = SMTP_NOTIFY_NEVER;
		return true;
	}
	for (bool more = true; more;) {
		more = span_find(value, ',') < value.n;
		unsigned bit = notify_bit(span_cut(&value, ','));

		if (bit == 0 || (bits & bit))
			return false;
		bits |= bit;
	}
	*out = bits;
	return true;
}

/* xtext, or [RFC6533 3] UTF-8 in which only '+', '=' and '\' are special. */
static bool
orcpt_address_valid(struct span text, bool utf8)
{
	if (!utf8)
		return smtp_xtext_valid(text);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 33 || c == 127 || c == '=')
			return false;
	}
	return utf8_valid(text);
}

bool
smtp_orcpt_valid(struct span value, bool utf8)
{
	struct span address = value;
	struct span type = span_cut(&address, ';');

	return value.n <= ORCPT_BYTES_MAX && type.n < value.n && address.n > 0 &&
	       keyword_valid(type) && orcpt_address_valid(address, utf8);
}

bool
smtp_envid_valid(struct span value)
{
	return value.n > 0 && value.n <= ENVID_BYTES_MAX && smtp_xtext_valid(value);
}
