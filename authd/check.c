#include "authd/exchange.h"
#include "authd/upgrade.h"

/* Has its own copy of everything, because its exchange may go away first. */
struct check {
	struct proc_job job;
	struct authd *authd;
	struct exchange *exchange; /* null when it went away */
	struct good_mark mark;
	char crypt[DIRECTORY_CRYPT_MAX + 1];
	char password[SASL_PASSWORD_MAX];
	size_t password_bytes;
	bool upgrade; /* when it is right: keep it in our own form */
	bool right;
};

/* In a thread: touches nothing but the check. */
static void
run(struct proc_job *job)
{
	struct check *c = (struct check *)job;

	c->right = directory_password_matches(
	    c->crypt, span_make(c->password, c->password_bytes));
}

/* After the answer, which frees the exchange. */
static void
answer_right(struct check *c, struct exchange *x)
{
	struct authd *a = c->authd;
	char address[DIRECTORY_ADDRESS_MAX + 1];
	uint64_t account = x->account;
	bool upgrade = c->upgrade && !x->closed;

	memcpy(address, x->address, sizeof(address));
	good_add(a->good, &c->mark, proc_ticks_ms());
	exchange_succeed(x, false);
	if (upgrade)
		upgrade_start(a, account, address, c->crypt,
			      span_make(c->password, c->password_bytes));
}

static void
check_free(struct check *c)
{
	c->authd->n_checks--;
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void
done(struct proc_job *job)
{
	struct check *c = (struct check *)job;
	struct exchange *x = c->exchange;

	if (x)
		x->check = NULL;
	if (x && c->right)
		answer_right(c, x);
	else if (x)
		exchange_fail(x, x->account ? "wrong password" : "unknown user");
	check_free(c);
}

void
check_forget(struct exchange *x)
{
	if (x->check)
		x->check->exchange = NULL;
	x->check = NULL;
}

static void
queue_check(struct exchange *x, const struct good_mark *mark)
{
	struct authd *a = x->authd;
	struct span password = sasl_password(&x->sasl);
	struct check *c;

	if (a->n_checks == CHECKS_MAX) {
		exchange_finish(x, AUTH_LATER);
		return;
	}
	c = memory_new(1, sizeof(*c));
	c->job = (struct proc_job){.work = run, .done = done};
	c->authd = a;
	c->exchange = x;
	c->mark = *mark;
	c->upgrade = upgrade_wanted(x);
	memcpy(c->crypt, x->found.password.crypt, sizeof(c->crypt));
	directory_password_wipe(&x->found.password);
	memcpy(c->password, password.at, password.n);
	c->password_bytes = password.n;
	a->n_checks++;
	a->count.checks++;
	x->state = EXCHANGE_CHECKING;
	x->check = c;
	if (proc_work(a->proc, &c->job))
		return;
	check_forget(x);
	check_free(c);
	exchange_finish(x, AUTH_LATER);
}

void
check_start(struct exchange *x)
{
	struct good_mark mark;

	if (x->by_app) {
		exchange_succeed(x, false);
		return;
	}
	good_mark_make(x->authd->good, x->account, net_key_site(&x->client),
		       x->found.password.crypt, sasl_password(&x->sasl), &mark);
	if (x->account && good_has(x->authd->good, &mark, proc_ticks_ms())) {
		x->authd->count.cached++;
		exchange_succeed(x, true);
	} else {
		queue_check(x, &mark);
	}
}
