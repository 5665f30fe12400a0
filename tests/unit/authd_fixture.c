/* tests/unit/authd_fixture.c - stands in for proc, master and the programs that ask
 * authd */
#include "tests/unit/authd_fixture.h"
#include "tests/unit/directory_make.h"

#include "authd/office.h"
#include "authd/opening.h"
#include "common/directory/internal.h"
#include "common/lookup/lookup.h"

#include <dirent.h>
#include <event2/event.h>
#include <stdio.h>
#include <unistd.h>

#include "common/sasl/sasl.h"

/* ---- what common/proc would be */

struct event_base *
proc_base(struct proc *p)
{
	return p->base;
}

const struct settings *
proc_settings(const struct proc *p)
{
	return &p->settings;
}

uint32_t
proc_count(const struct proc *p, enum ipc_kind kind)
{
	(void)p;
	(void)kind;
	return 1;
}

struct ipc_peer *
proc_peer(struct proc *p, enum ipc_kind kind, uint32_t instance)
{
	return instance == 0 ? p->peers[kind] : NULL;
}

void *
proc_context(const struct proc *p)
{
	return p->context;
}

void
proc_set_context(struct proc *p, void *context)
{
	p->context = context;
}

uint64_t
proc_now_us(void)
{
	return 1700000000000000 + fix.later_s * 1000000;
}

uint64_t
proc_ticks_ms(void)
{
	return fix.now_ms;
}

bool
proc_work(struct proc *p, struct proc_job *job)
{
	if (p->refuse_jobs)
		return false;
	job->next = p->jobs;
	p->jobs = job;
	p->n_jobs++;
	return true;
}

void
proc_set_threads(struct proc *p, unsigned threads)
{
	(void)p;
	assert_true(threads > 0);
}

void
run_job(struct proc *p)
{
	struct proc_job *job = p->jobs;

	assert_non_null(job);
	p->jobs = job->next;
	p->n_jobs--;
	job->work(job);
	job->done(job);
}

void
run_jobs(struct proc *p)
{
	while (p->jobs)
		run_job(p);
}

/* ---- a database with a network in between */

struct task {
	struct directory_task task; /* first */
	struct task *next;
	struct directory *d;
	directory_work *work;
	directory_finished *finished;
	void *context;
};

static bool
task_begin(struct backend *b, struct directory *d, enum directory_task_kind kind,
	   directory_work *work, directory_finished *finished, void *context,
	   struct directory_task **out)
{
	struct task **last = &fix.tasks, *t = memory_new(1, sizeof(*t));

	(void)kind;
	*t = (struct task){{b}, NULL, d, work, finished, context};
	while (*last)
		last = &(*last)->next;
	*last = t;
	*out = &t->task;
	fix.n_tasks++;
	return false;
}

static void
task_cancel(struct directory_task *task)
{
	struct task **at = &fix.tasks;

	while (*at && &(*at)->task != task)
		at = &(*at)->next;
	assert_non_null(*at);
	*at = (*at)->next;
	free(task);
	fix.n_tasks--;
}

/* Twice, as when not all records are at hand at once. */
void
run_tasks(void)
{
	struct task *t;

	while ((t = fix.tasks)) {
		fix.tasks = t->next;
		fix.n_tasks--;
		t->work(t->d, t->context);
		t->work(t->d, t->context);
		t->finished(t->context);
		free(t);
	}
	settle();
}

static int
get_away(struct backend *b, struct span key, struct buf *out, struct err *err)
{
	(void)b;
	(void)key;
	(void)out;
	return err_set(err, "the database is away");
}

static int
walk_away(struct backend *b, struct span prefix, struct span after, size_t limit,
	  backend_visit *visit, void *context, struct err *err)
{
	(void)b;
	(void)prefix;
	(void)after;
	(void)limit;
	(void)visit;
	(void)context;
	return err_set(err, "the database is away");
}

void
set_database(enum database database)
{
	static const struct backend_calls *usual;
	static struct backend_calls calls;
	struct backend *b = fix.authd->directory->backend;

	if (b->calls != &calls)
		usual = b->calls;
	calls = *usual;
	if (database == SLOW) {
		calls.begin = task_begin;
		calls.cancel = task_cancel;
	}
	if (database == DOWN) {
		calls.get = get_away;
		calls.walk = walk_away;
	}
	b->calls = database == NEAR ? usual : &calls;
}

/* ---- the other ends of the channels */

static const enum ipc_kind side_kinds[SIDES] = {
    IPC_KIND_SMTPD, IPC_KIND_GATE,   IPC_KIND_POP3D, IPC_KIND_LOCAL,
    IPC_KIND_ADMIN, IPC_KIND_BOUNCE, IPC_KIND_IMAPD};

struct fixture fix;

static struct span
kept(struct far *f, struct span s)
{
	struct span copy;

	assert_true(arena_copy(&f->arena, s, &copy));
	return copy;
}

static void
far_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct far *f = context;

	(void)peer;
	assert_int_equal(fd, -1);
	f->n++;
	f->of[m->number % N_ELEMS(f->of)]++;
	f->rows += m->number == IPC_NUMBER_directory_row;
	f->last = *m;
	switch (m->number) {
	case IPC_NUMBER_resolved:
		f->last.resolved.targets = kept(f, m->resolved.targets);
		break;
	case IPC_NUMBER_auth_challenge:
		f->last.auth_challenge.challenge = kept(f, m->auth_challenge.challenge);
		break;
	case IPC_NUMBER_auth_done:
		f->last.auth_done.ticket = kept(f, m->auth_done.ticket);
		f->last.auth_done.address = kept(f, m->auth_done.address);
		break;
	case IPC_NUMBER_reply_answer:
		f->last.reply_answer.text = kept(f, m->reply_answer.text);
		break;
	case IPC_NUMBER_notice:
		f->last.notice.address = kept(f, m->notice.address);
		break;
	case IPC_NUMBER_ticket_redeemed:
		f->last.ticket_redeemed.address = kept(f, m->ticket_redeemed.address);
		break;
	default:
		break;
	}
}

static void
far_down(struct ipc_peer *peer, void *context)
{
	(void)peer;
	((struct far *)context)->down = true;
}

static void
near_up(struct ipc_peer *peer, void *context)
{
	authd_peer_up(context, peer);
}

static void
near_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	authd_message(context, peer, m, fd);
}

static void
near_down(struct ipc_peer *peer, void *context)
{
	authd_peer_down(context, peer);
}

static void
far_up(struct ipc_peer *peer, void *context)
{
	(void)peer;
	(void)context;
}

static const struct ipc_callbacks near_callbacks = {near_up, near_message, near_down};
static const struct ipc_callbacks far_callbacks = {far_up, far_message, far_down};

/* Only pass() lets time go by; the tick of the clock on the wall is taken away. */
void
settle(void)
{
	for (int i = 0; i < 6; i++) {
		ipc_flush_all();
		evtimer_del(fix.authd->tick);
		assert_true(event_base_loop(fix.proc.base, EVLOOP_NONBLOCK) >= 0);
	}
}

static void
connect_side(enum side side)
{
	struct far *f = &fix.sides[side];
	struct err err;
	int fds[2];

	assert_int_equal(ipc_pair(fds, &err), 0);
	*f = (struct far){0};
	arena_init(&f->arena, 1 << 20);
	f->ours = ipc_peer_new(fix.proc.base, fds[0], IPC_KIND_AUTHD, 0,
			       &near_callbacks, &fix.proc);
	f->theirs =
	    ipc_peer_new(fix.proc.base, fds[1], side_kinds[side], 0, &far_callbacks, f);
	if (side != ADMIN)
		fix.proc.peers[side_kinds[side]] = f->ours;
	settle();
}

void
cut_side(enum side side)
{
	struct far *f = &fix.sides[side];

	ipc_peer_free(&f->theirs);
	settle();
	ipc_peer_free(&f->ours);
	fix.proc.peers[side_kinds[side]] = NULL;
	arena_release(&f->arena);
}

const struct ipc_message *
ask(enum side side, struct ipc_message m)
{
	struct far *f = &fix.sides[side];

	f->n = 0;
	memset(f->of, 0, sizeof(f->of));
	f->rows = 0;
	arena_release(&f->arena);
	ipc_send(f->theirs, &m, -1);
	settle();
	return &f->last;
}

void
pass(uint64_t ms)
{
	fix.now_ms += ms;
	exchanges_tick(fix.authd, fix.now_ms);
	resolve_tick(fix.authd, fix.now_ms);
	settle();
}

/* ---- setup: one directory for all tests, new channels and authd for each */

static void
account(const char *address, const struct directory_password *p, uint64_t quota,
	uint64_t *id)
{
	struct err err;

	assert_int_equal(make_account(fix.authd->directory, span_str(address), p, quota,
				      0, id, &err),
			 DIRECTORY_DONE);
}

static void
fill_directory(void)
{
	struct directory_password p;
	struct err err;

	assert_int_equal(directory_password_make(SPAN("secret"), &p, &err), 0);
	/* Fewer rounds: the client of this test runs them too. */
	scram_keys_make(SPAN("secret"), SPAN("salt of the test"), 4096, &p.scram);
	account("you@example.org", &p, 0, &fix.you);
	account("off@example.org", &p, 0, &fix.off);
	account("big@example.org", &p, 1000, &fix.big);
	assert_int_equal(make_account_disabled(fix.authd->directory,
					       SPAN("off@example.org"), true, &err),
			 DIRECTORY_DONE);
	assert_int_equal(make_alias(fix.authd->directory, SPAN("all@example.org"),
				    (struct span[]){SPAN("big@example.org"),
						    SPAN("x@elsewhere.example")},
				    2, &err),
			 DIRECTORY_DONE);
}

int
authd_setup(void **state)
{
	static const char text[] = "domains = {\"example.org\"}\n"
				   "password_upgrade = no\n"
				   "directory_directory = \"%s\"\n";
	struct conf_errors errors = {0};
	struct buf conf = buf_make(1024);
	struct err err;
	bool fresh = fix.folder[0] == '\0';

	(void)state;
	fix.now_ms = 1000000;
	fix.later_s = 0;
	if (fresh) {
		snprintf(fix.folder, sizeof(fix.folder), "/tmp/test_authd.XXXXXX");
		assert_non_null(mkdtemp(fix.folder));
	}
	buf_putf(&conf, text, fix.folder);
	assert_int_equal(conf_parse(buf_span(&conf), "test", "mail.example.org",
				    &fix.proc.settings, &errors),
			 0);
	buf_release(&conf);
	fix.proc.base = event_base_new();
	assert_int_equal(authd_start(&fix.proc, &err), 0);
	fix.authd = fix.proc.context;
	if (fresh)
		fill_directory();
	for (int i = 0; i < SIDES; i++)
		connect_side((enum side)i);
	return 0;
}

int
authd_teardown(void **state)
{
	struct authd *a = fix.authd;

	(void)state;
	for (int i = 0; i < SIDES; i++)
		if (fix.sides[i].theirs)
			cut_side((enum side)i);
	run_jobs(&fix.proc);
	assert_int_equal(a->n_exchanges, 0);
	assert_int_equal(a->n_checks, 0);
	assert_int_equal(a->n_questions, 0);
	assert_int_equal(a->n_errands, 0);
	assert_int_equal(a->n_domain_uses, 0);
	for (size_t i = 0; i < UPGRADES_MAX; i++)
		assert_int_equal(a->upgrading[i], 0);
	assert_null(fix.tasks);
	set_database(NEAR);
	opening_free(&a->opening);
	directory_free(&a->directory);
	event_free(a->tick);
	count_release(a);
	logins_free(&a->logins);
	lookups_free(&a->lookups);
	cleaning_free(&a->cleaning);
	notices_free(&a->notices);
	office_free(&a->office);
	penalties_free(&a->penalties);
	good_free(&a->good);
	tickets_release(&a->tickets);
	usages_free(&a->usages);
	rewriting_release(&a->rewriting);
	free(a);
	conf_release(&fix.proc.settings);
	event_base_free(fix.proc.base);
	fix.proc = (struct proc){0};
	return 0;
}

int
authd_remove_folder(void **state)
{
	DIR *dir = opendir(fix.folder);
	struct dirent *entry;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(fix.folder);
}
