/* GETQUOTA, GETQUOTAROOT, SETQUOTA [RFC9208]: one root, "", for all of the account */
#include "imapd/session/inner.h"

/* As many messages as one mailbox can have. */
#define MESSAGES_MAX UINT32_MAX

static void
put_quota(const struct session *s, struct buf *out)
{
	struct store_usage usage = store_usage(s->account->mail);

	buf_putf(out, "* QUOTA \"\" (STORAGE %llu %llu MESSAGE %llu %llu)\r\n",
		 (unsigned long long)((usage.bytes + 1023) / 1024),
		 (unsigned long long)(s->account->quota_bytes / 1024),
		 (unsigned long long)usage.messages, (unsigned long long)MESSAGES_MAX);
}

static enum run
getquotaroot(struct session *s, struct buf *out)
{
	struct span name = s->command.mailbox;
	bool limited = s->account->quota_bytes > 0;

	if (session_mailbox(s, name) == 0)
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	buf_put_str(out, "* QUOTAROOT ");
	imap_put_name(out, name, session_utf8(s));
	buf_put_str(out, limited ? " \"\"\r\n" : "\r\n");
	if (limited)
		put_quota(s, out);
	return done_ok(s);
}

enum run
run_getquota(struct session *s, struct step *step)
{
	if (s->command.id == IMAP_GETQUOTAROOT)
		return getquotaroot(s, step->out);
	if (s->command.root.n > 0 || s->account->quota_bytes == 0)
		return done_no(s, "NONEXISTENT", "There is no such quota root");
	put_quota(s, step->out);
	return done_ok(s);
}

enum run
run_setquota(struct session *s, struct step *step)
{
	(void)step;
	return done_no(s, "NOPERM", "Quotas are set by the operator");
}
