#include "authd/effect.h"

static uint64_t
domain_id(struct directory *d, struct span name)
{
	size_t at = span_find_last(name, '@');
	struct directory_domain domain;
	struct err err;

	if (directory_domain_find(d, at < name.n ? span_after(name, at + 1) : name,
				  &domain, &err) != DIRECTORY_DONE)
		return 0;
	return domain.id;
}

static uint64_t
account_id(struct directory *d, struct span name)
{
	struct directory_account account;
	struct err err;

	if (directory_account_find(d, name, &account, &err) != DIRECTORY_DONE)
		return 0;
	directory_password_wipe(&account.password);
	return account.id;
}

static void
find_quota(struct directory *d, const struct directory_object *o, struct effect *out)
{
	const struct directory_value *quota = &o->values[FIELD_ACCOUNT_QUOTA_BYTES];

	if (quota->how == DIRECTORY_VALUE_ABSENT)
		return;
	out->account = account_id(d, o->name);
	out->quota_bytes = quota->number;
}

static void
find_domain_quota(const struct directory_object *o, struct effect *out)
{
	const struct directory_value *quota = &o->values[FIELD_DOMAIN_QUOTA_BYTES];

	out->domain_quota = quota->how != DIRECTORY_VALUE_ABSENT;
	out->domain_quota_bytes = quota->number;
}

void
effect_find(struct directory *d, const struct directory_request *change,
	    struct effect *out)
{
	const struct directory_object *o = &change->object;

	*out = (struct effect){.loaded = change->verb == DIRECTORY_LOAD};
	closing_find(d, change, &out->closing);
	if (!directory_changes(change) || out->loaded)
		return;
	if (o->kind == DIRECTORY_ACCOUNT && change->verb == DIRECTORY_UPDATE)
		find_quota(d, o, out);
	else if (o->kind == DIRECTORY_ACCOUNT || o->kind == DIRECTORY_DOMAIN)
		out->domain = domain_id(d, o->name);
	if (o->kind == DIRECTORY_DOMAIN)
		find_domain_quota(o, out);
}

static void
tell_quota(struct authd *a, uint64_t account, uint64_t quota_bytes)
{
	uint32_t instance = (uint32_t)(account % proc_count(a->proc, IPC_KIND_IMAPD));
	struct ipc_peer *imapd = proc_peer(a->proc, IPC_KIND_IMAPD, instance);

	if (imapd)
		ipc_send_account_quota(
		    imapd, &(struct ipc_account_quota){account, quota_bytes});
	usages_forget_mark(a->usages, account);
	notice_consider(a, account);
}

/* Any imapd may have sessions of its accounts. */
static void
tell_domain_quota(struct authd *a, uint64_t domain, uint64_t quota_bytes)
{
	for (uint32_t i = 0; i < proc_count(a->proc, IPC_KIND_IMAPD); i++) {
		struct ipc_peer *imapd = proc_peer(a->proc, IPC_KIND_IMAPD, i);

		if (imapd)
			ipc_send_domain_quota(
			    imapd, &(struct ipc_domain_quota){domain, quota_bytes});
	}
}

void
effect_tell(struct authd *a, const struct effect *f)
{
	closing_tell(a, &f->closing);
	if (f->account)
		tell_quota(a, f->account, f->quota_bytes);
	if (f->domain)
		usages_domain_recount(a->usages, f->domain);
	if (f->domain && f->domain_quota)
		tell_domain_quota(a, f->domain, f->domain_quota_bytes);
	if (f->loaded)
		usages_forget_all(a->usages);
}

void
effect_release(struct effect *f)
{
	closing_release(&f->closing);
	*f = (struct effect){0};
}
