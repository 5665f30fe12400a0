/* MAIL and RCPT with their parameters [RFC5321 4.1.1.2] [RFC5321 4.1.1.3] */
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

	put_param(out, "MAIL FROM:<", t->sender);
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

	put_param(out, "RCPT TO:<", r->address);
	buf_put_char(out, '>');
	if (offered(s, SESSION_DSN)) {
		s->fates[i].notifies = true;
		put_notify(out, r->notify);
		if (smtp_orcpt_valid(r->orcpt, s->t.utf8))
			put_param(out, " ORCPT=", r->orcpt);
	}
	buf_put(out, SPAN("\r\n"));
}
