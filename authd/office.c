#include "authd/office.h"
#include "authd/exchange.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct desk {
	LIST_ENTRY(desk) link;
	struct office *office;
	struct ipc_peer *peer;
	uid_t uid;
	uint64_t number; /* of its exchange */
	bool asked;      /* a login is under way, its answer by `tag` */
	uint64_t tag;
	uint64_t account; /* 0: not logged in */
	uint64_t due_ms;
};

LIST_HEAD(desk_list, desk);

struct office {
	struct authd *authd;
	int fd; /* -1: does not listen */
	struct event *readable;
	struct desk_list desks;
	size_t n;
	uint64_t next_number;
};

struct office *
office_new(struct authd *a)
{
	struct office *o = memory_new(1, sizeof(*o));

	o->authd = a;
	o->fd = -1;
	return o;
}

/* ---- desks */

static void
desk_free(struct desk *k)
{
	struct authd *a = k->office->authd;

	if (k->asked)
		exchange_forget(a, k->number);
	errands_drop_peer(a, k->peer);
	shows_drop_peer(a, k->peer);
	ipc_peer_free(&k->peer);
	LIST_REMOVE(k, link);
	k->office->n--;
	free(k);
}

static void
answer(const struct desk *k, uint64_t tag, enum directory_result r, const char *text)
{
	ipc_send_directory_done(
	    k->peer, &(struct ipc_directory_done){tag, directory_result_byte(r),
						  span_str(text)});
}

static void
log_login(const struct desk *k, const char *address, const char *result)
{
	logline(LOGLINE_INFO, "directory.login", L_U64("uid", k->uid),
		L_STR("user", address), L_STR("result", result));
}

static void
logged_in(void *context, enum auth_outcome outcome, uint64_t account,
	  const char *address)
{
	struct desk *k = context;

	k->asked = false;
	k->due_ms = proc_ticks_ms() + OFFICE_IDLE_MS;
	log_login(k, address, outcome == AUTH_OK ? "done" : "refused");
	if (outcome == AUTH_OK) {
		k->account = account;
		answer(k, k->tag, DIRECTORY_DONE, "");
	} else if (outcome == AUTH_LATER) {
		answer(k, k->tag, DIRECTORY_FAULT,
		       "the directory cannot be asked now, try again later");
	} else {
		answer(k, k->tag, DIRECTORY_NOT_FOUND,
		       "there is no such account, or the password is wrong");
	}
}

static void
take_login(struct desk *k, const struct ipc_directory_login *m)
{
	const struct exchange_visitor visitor = {
	    .number = k->number, .uid = k->uid, .told = logged_in, .context = k};

	if (k->asked || k->account) {
		ipc_peer_drop(k->peer, "a second login");
		return;
	}
	k->asked = true;
	k->tag = m->tag;
	exchange_visit(k->office->authd, &visitor, m->address, m->password);
}

static bool
is_busy(const struct desk *k)
{
	const struct authd *a = k->office->authd;
	const struct operation *o;
	const struct errand *e;

	TAILQ_FOREACH(e, &a->errands, link)
	if (e->peer == k->peer)
		return true;
	TAILQ_FOREACH(o, &a->shows, shown)
	if (o->errand.peer == k->peer)
		return true;
	return false;
}

static void
take_ask(struct desk *k, const struct ipc_directory_ask *m)
{
	if (k->account == 0 || is_busy(k)) {
		ipc_peer_drop(k->peer, k->account ? "a request before the last answer"
						  : "a request before the login");
		return;
	}
	k->due_ms = proc_ticks_ms() + OFFICE_IDLE_MS;
	operate(k->office->authd, k->peer, k->account, m);
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	(void)fd; /* no row to authd carries one */
	if (m->number == IPC_NUMBER_directory_login)
		take_login(context, &m->directory_login);
	else if (m->number == IPC_NUMBER_directory_ask)
		take_ask(context, &m->directory_ask);
	else
		ipc_peer_drop(peer, "a message that is not for everybody");
}

static void
on_down(struct ipc_peer *peer, void *context)
{
	(void)peer;
	desk_free(context);
}

static const struct ipc_callbacks callbacks = {NULL, on_message, on_down};

/* ---- the door */

static bool
is_full(const struct office *o, uid_t uid)
{
	const struct desk *k;
	size_t n = 0;

	LIST_FOREACH(k, &o->desks, link)
	n += k->uid == uid;
	return o->n >= OFFICE_DESKS_MAX || n >= OFFICE_USER_MAX;
}

static void
on_connection(int listener, short what, void *context)
{
	struct office *o = context;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who;
	socklen_t size = sizeof(who);
	struct desk *k;

	(void)what;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
	    is_full(o, who.uid)) {
		close(fd);
		return;
	}
	k = memory_new(1, sizeof(*k));
	k->office = o;
	k->uid = who.uid;
	k->number = ++o->next_number;
	k->due_ms = proc_ticks_ms() + OFFICE_LOGIN_MS;
	k->peer = ipc_peer_new(proc_base(o->authd->proc), fd, IPC_KIND_AUTHD, 0,
			       &callbacks, k);
	ipc_peer_expect_kind(k->peer, IPC_KIND_ADMIN);
	LIST_INSERT_HEAD(&o->desks, k, link);
	o->n++;
	authd_tick_later(o->authd);
}

void
office_listen(struct office *o, int fd)
{
	office_unlisten(o);
	o->fd = fd;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	o->readable = event_new(proc_base(o->authd->proc), fd, EV_READ | EV_PERSIST,
				on_connection, o);
	if (!o->readable || event_add(o->readable, NULL) != 0)
		office_unlisten(o);
}

void
office_unlisten(struct office *o)
{
	if (o->readable)
		event_free(o->readable);
	if (o->fd >= 0)
		close(o->fd);
	o->readable = NULL;
	o->fd = -1;
}

void
office_free(struct office **o)
{
	struct desk *k;

	if (!*o)
		return;
	office_unlisten(*o);
	while ((k = LIST_FIRST(&(*o)->desks)))
		desk_free(k);
	free(*o);
	*o = NULL;
}

/* ---- leaving */

bool
office_open(const struct office *o)
{
	return o->n > 0;
}

void
office_tick(struct office *o, uint64_t now_ms)
{
	struct desk *k;

	LIST_FOREACH(k, &o->desks, link)
	if (!k->asked && k->due_ms <= now_ms) {
		k->due_ms = UINT64_MAX;
		ipc_peer_drop(k->peer, "it says nothing");
	}
}

void
office_close_account(struct office *o, uint64_t account)
{
	struct desk *k;

	LIST_FOREACH(k, &o->desks, link)
	if (k->account == account)
		k->account = 0;
}
