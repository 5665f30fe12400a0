/* authd/login.c - the account that a login names, asked of the directory */
#include "authd/exchange.h"

static struct exchange *
exchange_of(struct errand *e)
{
	return (struct exchange *)(void *)((char *)e - offsetof(struct exchange, look));
}

/* A login without a domain means the first of the setting `domains`. */
static void
complete_login(const struct exchange *x, struct buf *out)
{
	const struct conf_list *domains = &proc_settings(x->authd->proc)->domains;
	struct span name = sasl_name(&x->sasl);

	buf_put(out, name);
	if (span_find(name, '@') < name.n || domains->n == 0)
		return;
	buf_put_char(out, '@');
	buf_put_str(out, domains->at[0]);
}

/* Is it a password made for one program? What it is good for must fit the service; no
 * such password is good for administering. */
static void
look_up_app(struct directory *d, struct exchange *x)
{
	static const unsigned scopes[] = {
	    [AUTH_SERVICE_SMTP] = DIRECTORY_SCOPE_SMTP,
	    [AUTH_SERVICE_POP3] = DIRECTORY_SCOPE_POP3,
	    [AUTH_SERVICE_IMAP] = DIRECTORY_SCOPE_IMAP,
	    [AUTH_SERVICE_ADMIN] = 0,
	};
	int r = 0;

	if (scopes[x->service])
		r = directory_app_password_find(
		    d, span_str(x->found.address), sasl_password(&x->sasl),
		    scopes[x->service], x->label, &x->fault);
	x->failed |= r < 0;
	x->by_app = r > 0;
}

static void
look_up(struct directory *d, struct errand *e)
{
	struct buf login = buf_make(SASL_NAME_MAX + 1 + DIRECTORY_DOMAIN_MAX);
	struct exchange *x = exchange_of(e);
	enum directory_result r;

	complete_login(x, &login);
	directory_password_wipe(&x->found.password);
	r = directory_account_find(d, buf_span(&login), &x->found, &x->fault);
	buf_release(&login);
	x->failed = r == DIRECTORY_FAULT;
	x->by_app = false;
	x->label[0] = '\0';
	x->known = r == DIRECTORY_DONE && !x->found.disabled;
	if (x->known && x->sasl.state != SASL_STATE_KEYS)
		look_up_app(d, x);
	if (!x->known) {
		directory_password_wipe(&x->found.password);
		x->found = (struct directory_account){0};
	}
}

static void
looked(struct errand *e)
{
	struct exchange *x = exchange_of(e);

	if (x->failed) {
		logline(LOGLINE_ERROR, "auth.fault", L_ERR(&x->fault));
		exchange_finish(x, AUTH_LATER);
		return;
	}
	x->account = x->found.id;
	memcpy(x->address, x->found.address, sizeof(x->address));
	exchange_found(x);
}

static void
drop(struct errand *e)
{
	exchange_free(exchange_of(e));
}

static const struct errand_kind looking = {DIRECTORY_READS, look_up, looked, drop};

void
login_look_up(struct exchange *x)
{
	x->look = (struct errand){.kind = &looking, .authd = x->authd, .peer = x->peer};
	x->state = EXCHANGE_LOOKING;
	if (!errand_run(&x->look))
		exchange_finish(x, AUTH_LATER);
}

void
login_forget(struct exchange *x)
{
	errand_cancel(&x->look);
	directory_password_wipe(&x->found.password);
}
