/* MAIL and RCPT with their parameters [RFC5321 4.1.1.2] [RFC5321 4.1.1.3] */
#include <idn2.h>

#include "delivery/remote/session/inner.h"

#define ADDRESS_BYTES_MAX 1000

bool
bytes_are_ascii(struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if ((unsigned char)bytes.at[i] >= 0x80)
			return false;
	return true;
}

/* Wider than the grammar (a rewritten sender has a long local part), but nothing
 * that could end the path or the line. */
bool
address_sound(struct span address)
{
	bool quoted = false;

	if (address.n == 0 || address.n > ADDRESS_BYTES_MAX || !utf8_valid(address))
		return false;
	for (size_t i = 0; i < address.n; i++) {
		unsigned char c = (unsigned char)address.at[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && ++i < address.n &&
			 (address.at[i] < 0x20 || address.at[i] == 0x7f))
			return false;
		else if (!quoted && (c == ' ' || c == '<' || c == '>' || c == '\\'))
			return false;
	}
	return !quoted;
}

/* The A-labels of a domain that is no ASCII; null when it has none, or when ASCII of
 * another kind comes out, such as '>' for its wide form. Freed with idn2_free(). */
static char *
domain_ascii(struct span domain)
{
	char *copy = span_dup(domain), *ascii = NULL;

	if (idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) !=
	    IDN2_OK)
		ascii = NULL;
	free(copy);
	if (ascii && !smtp_domain_valid(span_str(ascii), false)) {
		idn2_free(ascii);
		ascii = NULL;
	}
	return ascii;
}

/* [RFC6531 3.2] Without SMTPUTF8 the domain goes as A-labels. */
bool
address_put_ascii(struct span address, struct buf *out)
{
	size_t at = span_find_last(address, '@');
	struct span local = span_first(address, at + 1);
	char *ascii;

	if (bytes_are_ascii(address)) {
		buf_put(out, address);
		return true;
	}
	ascii =
	    bytes_are_ascii(local) ? domain_ascii(span_after(address, at + 1)) : NULL;
	if (!ascii)
		return false;
	buf_put(out, local);
	buf_put_str(out, ascii);
	idn2_free(ascii);
	return true;
}

bool
address_has_ascii(struct span address)
{
	struct buf form = buf_make((size_t)4 * ADDRESS_BYTES_MAX);
	bool has = address_put_ascii(address, &form) && !form.full;

	buf_release(&form);
	return has;
}

static void
put_address(struct session *s, struct span address)
{
	/* What has no such form was not let pass before. */
	if (s->t.utf8 || !address_put_ascii(address, &s->out))
		buf_put(&s->out, address);
}

static void
put_param(struct buf *out, const char *key, struct span value)
{
	buf_put_str(out, key);
	buf_put(out, value);
}

static bool
offered(const struct session *s, unsigned offer)
{
	return (s->offers.set & offer) != 0;
}

static void
put_mail_dsn(struct buf *out, const struct session_transaction *t)
{
	if (t->ret == ENVELOPE_RET_FULL)
		buf_put(out, SPAN(" RET=FULL"));
	else if (t->ret == ENVELOPE_RET_HEADERS)
		buf_put(out, SPAN(" RET=HDRS"));
	if (smtp_envid_valid(t->envid))
		put_param(out, " ENVID=", t->envid);
}

void
mail_put(struct session *s)
{
	const struct session_transaction *t = &s->t.given;
	struct buf *out = &s->out;

	buf_put(out, SPAN("MAIL FROM:<"));
	put_address(s, t->sender);
	buf_put_char(out, '>');
	if (offered(s, SESSION_SIZE))
		buf_putf(out, " SIZE=%llu", (unsigned long long)t->content_bytes);
	if (t->flags & ENVELOPE_BINARYMIME)
		buf_put(out, SPAN(" BODY=BINARYMIME"));
	else if (t->flags & ENVELOPE_8BITMIME && offered(s, SESSION_8BITMIME))
		buf_put(out, SPAN(" BODY=8BITMIME"));
	if (s->t.utf8)
		buf_put(out, SPAN(" SMTPUTF8"));
	if (t->flags & ENVELOPE_REQUIRETLS)
		buf_put(out, SPAN(" REQUIRETLS"));
	if (offered(s, SESSION_DSN))
		put_mail_dsn(out, t);
	buf_put(out, SPAN("\r\n"));
}

/* [RFC3461 4.1] */
static void
put_notify(struct buf *out, unsigned notify)
{
	static const struct {
		unsigned bit;
		struct span word;
	} words[] = {
	    {ENVELOPE_NOTIFY_SUCCESS, SPAN("SUCCESS")},
	    {ENVELOPE_NOTIFY_FAILURE, SPAN("FAILURE")},
	    {ENVELOPE_NOTIFY_DELAY,   SPAN("DELAY")  },
	};
	const char *before = " NOTIFY=";

	if (notify & ENVELOPE_NOTIFY_NEVER) {
		buf_put(out, SPAN(" NOTIFY=NEVER"));
		return;
	}
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		if (!(notify & words[i].bit))
			continue;
		put_param(out, before, words[i].word);
		before = ",";
	}
}

void
rcpt_put(struct session *s, size_t i)
{
	const struct relay_recipient *r = &s->t.given.recipients[i];
	struct buf *out = &s->out;

	buf_put(out, SPAN("RCPT TO:<"));
	put_address(s, r->address);
	buf_put_char(out, '>');
	if (offered(s, SESSION_DSN)) {
		s->fates[i].notifies = true;
		put_notify(out, r->notify);
		if (smtp_orcpt_valid(r->orcpt, s->t.utf8))
			put_param(out, " ORCPT=", r->orcpt);
	}
	buf_put(out, SPAN("\r\n"));
}
