/* GETQUOTA, GETQUOTAROOT, SETQUOTA [RFC9208]: the root "" for all of the account, and
 * "Domain example.org" for all accounts of its domain, each where there is a quota */
#include "imapd/session/quota.h"

#define DOMAIN_ROOT "Domain "

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

/* Names of domains need no quoting. */
static void
put_domain_root(const struct session *s, struct buf *out)
{
	buf_putf(out, "\"" DOMAIN_ROOT "%s\"", s->account->domain->name);
}

/* How many messages its accounts have is not known, and not limited. */
static void
put_domain_quota(const struct session *s, struct buf *out)
{
	buf_put_str(out, "* QUOTA ");
	put_domain_root(s, out);
	buf_putf(out, " (STORAGE %llu %llu)\r\n",
		 (unsigned long long)((s->domain_use.bytes + 1023) / 1024),
		 (unsigned long long)(s->account->domain->quota_bytes / 1024));
}

static enum run
getquotaroot(struct session *s, struct buf *out)
{
	struct span name = s->command.mailbox;
	bool limited = s->account->quota_bytes > 0, domain = quota_of_domain(s);

	if (session_mailbox(s, name) == 0)
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	if (quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	buf_put_str(out, "* QUOTAROOT ");
	imap_put_name(out, name, session_utf8(s));
	buf_put_str(out, limited ? " \"\"" : "");
	if (domain) {
		buf_put_char(out, ' ');
		put_domain_root(s, out);
	}
	buf_put_str(out, "\r\n");
	if (limited)
		put_quota(s, out);
	if (domain && s->domain_use.state == DOMAIN_USE_KNOWN)
		put_domain_quota(s, out);
	return done_ok(s);
}

/* "Domain example.org", in whatever case the domain is written. */
static bool
is_domain_root(const struct session *s, struct span root)
{
	return quota_of_domain(s) && span_starts(root, SPAN(DOMAIN_ROOT)) &&
	       span_equal_nocase(span_after(root, strlen(DOMAIN_ROOT)),
				 span_str(s->account->domain->name));
}

static enum run
getquota_of_domain(struct session *s, struct buf *out)
{
	if (quota_ask(s) == RUN_ASK)
		return RUN_ASK;
	if (s->domain_use.state != DOMAIN_USE_KNOWN)
		return done_no(s, "UNAVAILABLE",
			       "Nobody can say how full the domain is");
	put_domain_quota(s, out);
	return done_ok(s);
}

enum run
run_getquota(struct session *s, struct step *step)
{
	struct span root = s->command.root;

	if (s->command.id == IMAP_GETQUOTAROOT)
		return getquotaroot(s, step->out);
	if (is_domain_root(s, root))
		return getquota_of_domain(s, step->out);
	if (root.n > 0 || s->account->quota_bytes == 0)
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
