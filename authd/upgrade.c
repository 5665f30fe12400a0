#include "authd/upgrade.h"
#include "authd/exchange.h"

struct upgrade {
	struct errand errand;
	struct proc_job job;
	uint64_t account;
	char address[DIRECTORY_ADDRESS_MAX + 1];
	char old[DIRECTORY_CRYPT_MAX + 1];
	char password[SASL_PASSWORD_MAX];
	size_t password_bytes;
	struct directory_password fresh;
	bool made;
	enum directory_result result;
	struct err err;
};

static struct upgrade *
upgrade_of(struct proc_job *job)
{
	return (struct upgrade *)(void *)((char *)job - offsetof(struct upgrade, job));
}

bool
upgrade_wanted(const struct exchange *x)
{
	const struct settings *s = proc_settings(x->authd->proc);

	return s->password_upgrade && s->directory != CONF_DIRECTORY_SQL &&
	       x->account && !x->by_app &&
	       !directory_password_current(&x->found.password);
}

/* Where the account stands among those under way; 0 finds a free place. */
static uint64_t *
place_of(struct authd *a, uint64_t account)
{
	for (size_t i = 0; i < UPGRADES_MAX; i++)
		if (a->upgrading[i] == account)
			return &a->upgrading[i];
	return NULL;
}

static void
upgrade_free(struct errand *e)
{
	struct upgrade *u = (struct upgrade *)e;

	*place_of(e->authd, u->account) = 0;
	explicit_bzero(u->old, sizeof(u->old));
	explicit_bzero(u->password, sizeof(u->password));
	explicit_bzero(&u->fresh, sizeof(u->fresh));
	free(u);
}

/* ---- the change */

static void
renew(struct directory *d, struct errand *e)
{
	struct upgrade *u = (struct upgrade *)e;

	u->result = directory_password_renew(d, u->account, u->old, &u->fresh, &u->err);
}

static const char *
scheme_of(const char *crypt_text)
{
	struct directory_password p = {0};
	const char *name;

	memcpy(p.crypt, crypt_text, sizeof(p.crypt));
	name = directory_password_scheme(&p);
	directory_password_wipe(&p);
	return name;
}

static void
renewed(struct errand *e)
{
	struct upgrade *u = (struct upgrade *)e;

	if (u->result == DIRECTORY_DONE) {
		e->authd->count.upgrades++;
		logline(LOGLINE_INFO, "auth.upgraded", L_STR("user", u->address),
			L_STR("scheme", scheme_of(u->old)));
	} else if (u->result != DIRECTORY_NOT_FOUND) {
		logline(LOGLINE_WARNING, "auth.upgrade.failed",
			L_STR("user", u->address), L_ERR(&u->err));
	}
	upgrade_free(e);
}

static const struct errand_kind renewing = {DIRECTORY_CHANGES, renew, renewed,
					    upgrade_free};

/* ---- the new form */

/* In a thread: touches nothing but the upgrade. */
static void
make(struct proc_job *job)
{
	struct upgrade *u = upgrade_of(job);

	u->made = directory_password_make(span_make(u->password, u->password_bytes),
					  &u->fresh, &u->err) == 0;
	explicit_bzero(u->password, sizeof(u->password));
}

static void
made(struct proc_job *job)
{
	struct upgrade *u = upgrade_of(job);

	u->result = DIRECTORY_FAULT;
	if (!u->made)
		renewed(&u->errand);
	else if (!errand_run(&u->errand))
		upgrade_free(&u->errand);
}

void
upgrade_start(struct authd *a, uint64_t account, const char *address, const char *old,
	      struct span password)
{
	uint64_t *place = place_of(a, 0);
	struct upgrade *u;

	if (!place || place_of(a, account))
		return;
	u = memory_new(1, sizeof(*u));
	u->errand = (struct errand){.kind = &renewing, .authd = a};
	u->job = (struct proc_job){.work = make, .done = made};
	u->account = account;
	memcpy(u->address, address, sizeof(u->address));
	memcpy(u->old, old, sizeof(u->old));
	memcpy(u->password, password.at, password.n);
	u->password_bytes = password.n;
	*place = account;
	if (!proc_work(a->proc, &u->job))
		upgrade_free(&u->errand);
}
