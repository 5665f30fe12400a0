#include "smtpd/session/inner.h"

/* One parameter of MAIL or RCPT: checks the value and notes it. */
struct param_row {
	struct span key;
	bool valued; /* must have a value; else must not */
	enum reply (*note)(struct session *s, struct span value);
};

static bool
keep(struct session *s, struct span value, struct span *out)
{
	return arena_copy(&s->arena, value, out);
}

static enum reply
note_size(struct session *s, struct span value)
{
	uint64_t size;

	for (size_t i = 0; i < value.n; i++)
		if (!ascii_digit(value.at[i]))
			return REPLY_SYNTAX;
	if (value.n > 20)
		return REPLY_SYNTAX; /* [RFC1870 4] */
	if (!number_parse(value, UINT64_MAX, &size) ||
	    size > s->policy->limits.message_bytes_max)
		return REPLY_TOO_BIG;
	s->envelope.size_declared = size;
	return REPLY_NONE;
}

static enum reply
note_body(struct session *s, struct span value)
{
	s->envelope.eightbit = span_equal_nocase(value, SPAN("8BITMIME"));
	if (!s->envelope.eightbit && !span_equal_nocase(value, SPAN("7BIT")))
		return REPLY_SYNTAX;
	return REPLY_NONE;
}

static enum reply
note_utf8(struct session *s, struct span value)
{
	(void)value;
	s->envelope.utf8 = true;
	return REPLY_NONE;
}

static enum reply
note_ret(struct session *s, struct span value)
{
	return smtp_ret_parse(value, &s->envelope.ret) ? REPLY_NONE : REPLY_SYNTAX;
}

static enum reply
note_envid(struct session *s, struct span value)
{
	if (!smtp_envid_valid(value))
		return REPLY_SYNTAX;
	return keep(s, value, &s->envelope.envid) ? REPLY_NONE : REPLY_FULL;
}

/* [RFC4954 5] Believed from nobody, but kept and checked. */
static enum reply
note_auth(struct session *s, struct span value)
{
	struct buf decoded = buf_make(s->policy->limits.line_bytes_max);
	enum reply fault = REPLY_NONE;

	if (!smtp_xtext_parse(value, &decoded))
		fault = REPLY_SYNTAX;
	else if (!span_equal(buf_span(&decoded), SPAN("<>")) &&
		 !keep(s, buf_span(&decoded), &s->envelope.auth))
		fault = REPLY_FULL;
	buf_release(&decoded);
	return fault;
}

static enum reply
note_notify(struct session *s, struct span value)
{
	return smtp_notify_parse(value, &s->rcpt.notify) ? REPLY_NONE : REPLY_SYNTAX;
}

static enum reply
note_orcpt(struct session *s, struct span value)
{
	if (!smtp_orcpt_valid(value, s->envelope.utf8))
		return REPLY_SYNTAX;
	return keep(s, value, &s->rcpt.orcpt) ? REPLY_NONE : REPLY_TOO_MANY_RCPTS;
}

static const struct param_row mail_rows[] = {
    {SPAN("SIZE"),     true,  note_size },
    {SPAN("BODY"),     true,  note_body },
    {SPAN("SMTPUTF8"), false, note_utf8 },
    {SPAN("RET"),      true,  note_ret  },
    {SPAN("ENVID"),    true,  note_envid},
    {SPAN("AUTH"),     true,  note_auth },
};

static const struct param_row rcpt_rows[] = {
    {SPAN("NOTIFY"), true, note_notify},
    {SPAN("ORCPT"),  true, note_orcpt },
};

static const struct param_row *
find_row(const struct param_row *rows, size_t n, struct span key)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal_nocase(rows[i].key, key))
			return &rows[i];
	return NULL;
}

/* Each parameter once, known, and right. */
static enum reply
note_all(struct session *s, struct span rest, const struct param_row *rows, size_t n)
{
	unsigned seen = 0;

	for (;;) {
		struct smtp_param param;
		enum smtp_param_result result = smtp_param_next(&rest, &param);
		const struct param_row *row;
		enum reply fault;

		if (result == SMTP_PARAM_END)
			return REPLY_NONE;
		if (result == SMTP_PARAM_BAD)
			return REPLY_SYNTAX;
		row = s->extended ? find_row(rows, n, param.key) : NULL;
		if (!row)
			return REPLY_BAD_PARAM;
		if (row->valued != param.has_value || (seen & 1u << (row - rows)))
			return REPLY_SYNTAX;
		seen |= 1u << (row - rows);
		fault = row->note(s, param.value);
		if (fault != REPLY_NONE)
			return fault;
	}
}

enum reply
params_mail(struct session *s, struct span rest)
{
	return note_all(s, rest, mail_rows, N_ELEMS(mail_rows));
}

enum reply
params_rcpt(struct session *s, struct span rest)
{
	return note_all(s, rest, rcpt_rows, N_ELEMS(rcpt_rows));
}
