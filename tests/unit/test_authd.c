/* tests/unit/test_authd.c - authd with real channels, a clock of our own, no master */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <event2/event.h>
#include <openssl/sha.h>
#include <unistd.h>

#include "authd/authd.h"
#include "common/sasl/sasl.h"
#include "common/spool/spool.h"

/* ---- what common/proc would be */

struct proc {
	struct event_base *base;
	struct settings settings;
	void *context;
	struct ipc_peer *local;
	struct proc_job *jobs;
	size_t n_jobs;
	bool refuse_jobs;
};

static uint64_t now_ms;

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
	return kind == IPC_KIND_LOCAL && instance == 0 ? p->local : NULL;
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
	return 1700000000000000;
}

uint64_t
proc_ticks_ms(void)
{
	return now_ms;
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

static void
run_jobs(struct proc *p)
{
	while (p->jobs) {
		struct proc_job *job = p->jobs;

		p->jobs = job->next;
		p->n_jobs--;
		job->work(job);
		job->done(job);
	}
}

/* ---- the other ends of the channels */

enum side {
	SMTPD,
	GATE,
	POP3D,
	LOCAL,
	ADMIN,
	SIDES,
};

static const enum ipc_kind side_kinds[SIDES] = {
    IPC_KIND_SMTPD, IPC_KIND_GATE, IPC_KIND_POP3D, IPC_KIND_LOCAL, IPC_KIND_ADMIN};

struct far {
	struct ipc_peer *ours, *theirs;
	bool down;
	size_t n; /* messages got since the last ask */
	size_t rows;
	struct ipc_message last;
	struct arena arena; /* holds the spans of `last` */
};

struct fixture {
	char folder[64];
	struct proc proc;
	struct authd *authd;
	struct far sides[SIDES];
	uint64_t you, off, big;
};

static struct fixture fix;

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

/* Everything that can be delivered now is. */
static void
settle(void)
{
	for (int i = 0; i < 6; i++) {
		ipc_flush_all();
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
	if (side == LOCAL)
		fix.proc.local = f->ours;
	settle();
}

static void
cut_side(enum side side)
{
	struct far *f = &fix.sides[side];

	ipc_peer_free(&f->theirs);
	settle();
	ipc_peer_free(&f->ours);
	if (side == LOCAL)
		fix.proc.local = NULL;
	arena_release(&f->arena);
}

/* Sends one message and gives back what came last in answer. */
static const struct ipc_message *
ask(enum side side, struct ipc_message m)
{
	struct far *f = &fix.sides[side];

	f->n = 0;
	f->rows = 0;
	arena_release(&f->arena);
	ipc_send(f->theirs, &m, -1);
	settle();
	return &f->last;
}

#define ASK(side, name, ...)                                                           \
	ask((side),                                                                    \
	    (struct ipc_message){.number = IPC_NUMBER_##name, .name = {__VA_ARGS__}})

/* Time goes by, and with it what waits for it. */
static void
pass(uint64_t ms)
{
	now_ms += ms;
	exchanges_tick(fix.authd, now_ms);
	resolve_tick(fix.authd, now_ms);
	settle();
}

/* ---- setup: one directory for all tests, new channels and authd for each */

static void
account(const char *address, const struct directory_password *p, uint64_t quota,
	uint64_t *id)
{
	struct err err;

	assert_int_equal(directory_account_add(fix.authd->directory, span_str(address),
					       p, quota, 0, id, &err),
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
	assert_int_equal(directory_account_set_disabled(
			     fix.authd->directory, SPAN("off@example.org"), true, &err),
			 DIRECTORY_DONE);
	assert_int_equal(
	    directory_alias_add(
		fix.authd->directory, SPAN("all@example.org"),
		(struct span[]){SPAN("big@example.org"), SPAN("x@elsewhere.example")},
		2, &err),
	    DIRECTORY_DONE);
}

static int
setup(void **state)
{
	static const char text[] = "domains = {\"example.org\"}\n"
				   "directory_directory = \"%s\"\n";
	struct conf_errors errors = {0};
	struct buf conf = buf_make(1024);
	struct err err;
	bool fresh = fix.folder[0] == '\0';

	(void)state;
	now_ms = 1000000;
	if (fresh) {
		strcpy(fix.folder, "/tmp/test_authd.XXXXXX");
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

static int
teardown(void **state)
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
	directory_free(&a->directory);
	event_free(a->tick);
	penalties_free(&a->penalties);
	good_free(&a->good);
	tickets_release(&a->tickets);
	usages_free(&a->usages);
	free(a);
	conf_release(&fix.proc.settings);
	event_base_free(fix.proc.base);
	fix.proc = (struct proc){0};
	return 0;
}

static int
remove_folder(void **state)
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

/* ---- logins */

static const uint8_t client[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};
static const uint8_t elsewhere[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 7};
static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};

static const struct ipc_message *
plain_from(enum side side, const uint8_t *from, uint64_t tag, struct span initial)
{
	return ASK(side, auth_start, .tag = tag, .service = AUTH_SERVICE_POP3, .tls = 1,
		   .has_initial = 1, .client = span_make(from, 16),
		   .mechanism = SPAN("PLAIN"), .initial = initial);
}

static const struct ipc_message *
plain(enum side side, uint64_t tag, struct span initial)
{
	return plain_from(side, client, tag, initial);
}

static void
expect_done(enum side side, enum auth_outcome outcome)
{
	assert_int_equal(fix.sides[side].n, 1);
	assert_int_equal(fix.sides[side].last.number, IPC_NUMBER_auth_done);
	assert_int_equal(fix.sides[side].last.auth_done.outcome, outcome);
}

#define GOOD SPAN("\0you@example.org\0secret")
#define BAD  SPAN("\0you@example.org\0wrong")

static void
test_plain_login_and_ticket(void **state)
{
	const struct ipc_message *m = plain(GATE, 7, GOOD);
	uint8_t ticket[16];

	(void)state;
	assert_int_equal(fix.sides[GATE].n, 0); /* a thread has it */
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
	assert_int_equal(m->auth_done.tag, 7);
	assert_int_equal(m->auth_done.account, fix.you);
	assert_true(span_equal(m->auth_done.address, SPAN("you@example.org")));
	assert_int_equal(m->auth_done.ticket.n, 16);
	memcpy(ticket, m->auth_done.ticket.at, 16);
	for (int i = 0; i < 2; i++) {
		m = ASK(POP3D, ticket_redeem, .tag = 1, .service = AUTH_SERVICE_POP3,
			.ticket = span_make(ticket, 16));
		assert_int_equal(m->number, IPC_NUMBER_ticket_redeemed);
		assert_int_equal(m->ticket_redeemed.ok, i == 0);
		assert_int_equal(m->ticket_redeemed.account, i == 0 ? fix.you : 0);
	}
}

static void
test_smtpd_gets_no_ticket(void **state)
{
	(void)state;
	plain(SMTPD, 1, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
	assert_int_equal(fix.sides[SMTPD].last.auth_done.ticket.n, 0);
}

static void
test_wrong_unknown_and_disabled_are_told_alike(void **state)
{
	static const struct {
		const char *name;
		struct span initial;
	} rows[] = {
	    {"wrong password", BAD				    },
	    {"unknown user",   SPAN("\0nobody@example.org\0secret")   },
	    {"unknown domain", SPAN("\0you@elsewhere.example\0secret")},
	    {"disabled",       SPAN("\0off@example.org\0secret")      },
	    {"no address",     SPAN("\0@@\0secret")                   },
	};
	uint8_t from[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		memcpy(from, client, 16);
		from[13] = (uint8_t)i; /* a site of its own */
		plain_from(SMTPD, from, i + 1, rows[i].initial);
		assert_int_equal(fix.proc.n_jobs, 1); /* the same work for each */
		run_jobs(&fix.proc);
		settle();
		pass(1999);
		assert_int_equal(fix.sides[SMTPD].n, 0);
		pass(1);
		expect_done(SMTPD, AUTH_FAILED);
		assert_int_equal(fix.sides[SMTPD].last.auth_done.account, 0);
	}
}

static void
test_bare_name_means_the_first_domain(void **state)
{
	(void)state;
	plain(GATE, 1, SPAN("\0You\0secret"));
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
}

static void
test_site_that_guesses_waits_longer_for_good_answers_too(void **state)
{
	static const uint64_t delays[] = {2000, 4000, 8000, 15000, 15000};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(delays); i++) {
		plain(SMTPD, i, BAD);
		run_jobs(&fix.proc);
		pass(delays[i] - 1);
		assert_int_equal(fix.sides[SMTPD].n, 0);
		pass(1);
		expect_done(SMTPD, AUTH_FAILED);
	}
	plain(SMTPD, 10, GOOD);
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(fix.sides[SMTPD].n, 0);
	pass(15000);
	expect_done(SMTPD, AUTH_OK);
	/* Another site is not concerned. */
	plain_from(SMTPD, elsewhere, 11, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
}

static void
test_exempt_client_is_delayed_once_but_not_counted(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		plain_from(SMTPD, loopback, i, BAD);
		run_jobs(&fix.proc);
		pass(2000);
		expect_done(SMTPD, AUTH_FAILED);
	}
	plain_from(SMTPD, loopback, 9, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(SMTPD, AUTH_OK);
}

static void
test_right_password_is_remembered_until_it_changes(void **state)
{
	struct directory_password p;
	struct err err;

	(void)state;
	plain(GATE, 1, GOOD);
	run_jobs(&fix.proc);
	settle();
	expect_done(GATE, AUTH_OK);
	plain(GATE, 2, GOOD);
	expect_done(GATE, AUTH_OK); /* at once, without a thread */
	plain(GATE, 3, BAD);
	assert_int_equal(fix.proc.n_jobs, 1);
	run_jobs(&fix.proc);
	pass(2000);
	expect_done(GATE, AUTH_FAILED);
	assert_int_equal(directory_password_import(SPAN("$5$other$x"), &p, &err), 0);
	assert_int_equal(directory_account_set_password(
			     fix.authd->directory, SPAN("big@example.org"), &p, &err),
			 DIRECTORY_DONE);
	pass(GOOD_MS);
	plain(GATE, 4, GOOD);
	assert_int_equal(fix.proc.n_jobs, 1);
	run_jobs(&fix.proc);
	settle();
}

static void
test_cancel_and_lost_peer_leave_nothing_behind(void **state)
{
	(void)state;
	plain(SMTPD, 1, GOOD);
	assert_int_equal(fix.authd->n_exchanges, 1);
	ASK(SMTPD, auth_cancel, .tag = 1);
	assert_int_equal(fix.authd->n_exchanges, 0);
	run_jobs(&fix.proc);
	settle();
	assert_int_equal(fix.sides[SMTPD].n, 0);
	plain(GATE, 1, GOOD);
	cut_side(GATE);
	assert_int_equal(fix.authd->n_exchanges, 0);
	run_jobs(&fix.proc);
}

static void
test_full_queue_of_checks_answers_later(void **state)
{
	(void)state;
	fix.proc.refuse_jobs = true;
	plain(SMTPD, 1, GOOD);
	expect_done(SMTPD, AUTH_LATER);
	fix.proc.refuse_jobs = false;
	for (uint64_t i = 0; i <= CHECKS_MAX; i++)
		plain(SMTPD, i, GOOD);
	expect_done(SMTPD, AUTH_LATER);
	cut_side(SMTPD);
	/* Their exchanges are gone; the jobs need not be run for real. */
	for (struct proc_job *job = fix.proc.jobs, *next; job; job = next) {
		next = job->next;
		job->done(job);
	}
	fix.proc.jobs = NULL;
	fix.proc.n_jobs = 0;
}

static void
test_silent_client_is_given_up(void **state)
{
	(void)state;
	ASK(SMTPD, auth_start, .tag = 1, .tls = 1, .client = span_make(client, 16),
	    .mechanism = SPAN("LOGIN"));
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_auth_challenge);
	assert_true(span_equal(fix.sides[SMTPD].last.auth_challenge.challenge,
			       SPAN("Username:")));
	pass(59999);
	assert_int_equal(fix.sides[SMTPD].n, 1);
	fix.sides[SMTPD].n = 0;
	pass(1);
	expect_done(SMTPD, AUTH_BAD_EXCHANGE);
	ASK(SMTPD, auth_step, .tag = 1, .response = SPAN("you"));
	assert_int_equal(fix.sides[SMTPD].n, 0);
}

static void
test_mechanisms_that_are_not_for_this_connection(void **state)
{
	static const struct {
		const char *name;
		struct span mechanism;
		uint8_t tls, binding;
		enum auth_outcome want;
	} rows[] = {
	    {"plain in the clear",   SPAN("PLAIN"),              0, 0, AUTH_NO_MECHANISM},
	    {"login in the clear",   SPAN("LOGIN"),              0, 0, AUTH_NO_MECHANISM},
	    {"plus without binding", SPAN("SCRAM-SHA-256-PLUS"), 1, 0,
	     AUTH_NO_MECHANISM							  },
	    {"unknown",              SPAN("CRAM-MD5"),           1, 0, AUTH_NO_MECHANISM},
	    {"broken",               SPAN("SCRAM-SHA-256"),      1, 0, AUTH_BAD_EXCHANGE},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		ASK(SMTPD, auth_start, .tag = i, .tls = rows[i].tls, .has_initial = 1,
		    .binding_type = rows[i].binding, .client = span_make(client, 16),
		    .mechanism = rows[i].mechanism, .initial = SPAN("x"));
		expect_done(SMTPD, rows[i].want);
	}
}

static void
test_messages_that_cannot_be_drop_the_peer(void **state)
{
	(void)state;
	ASK(SMTPD, auth_start, .tag = 1, .service = 3, .client = span_make(client, 16),
	    .mechanism = SPAN("PLAIN"));
	assert_true(fix.sides[SMTPD].down);
	ASK(GATE, auth_start, .tag = 1, .client = span_make(client, 15),
	    .mechanism = SPAN("PLAIN"));
	assert_true(fix.sides[GATE].down);
	ASK(ADMIN, directory_ask, .tag = 1, .request = SPAN("\1\377"));
	assert_true(fix.sides[ADMIN].down);
	ASK(POP3D, ticket_redeem, .tag = 1, .ticket = SPAN(""));
	assert_false(fix.sides[POP3D].down);
}

/* ---- SCRAM */

/* client-final for the challenge that came; the password's keys are known. */
static void
scram_final(struct span password, struct span header, struct span bare,
	    struct span server_first, struct buf *out)
{
	struct buf message = buf_make(4096), first = buf_make(256);
	uint8_t salted[32], u[32], client_key[32], stored[32], signature[32];
	struct span rest = server_first;

	buf_put_str(&first, "salt of the test");
	buf_put(&first, span_make("\0\0\0\1", 4));
	scram_hmac(password, buf_span(&first), u);
	memcpy(salted, u, 32);
	for (int i = 1; i < 4096; i++) {
		scram_hmac(password, span_make(u, 32), u);
		for (size_t j = 0; j < 32; j++)
			salted[j] ^= u[j];
	}
	scram_hmac(span_make(salted, 32), SPAN("Client Key"), client_key);
	SHA256(client_key, 32, stored);
	buf_reset(out);
	buf_put_str(out, "c=");
	base64_put(out, header);
	buf_put_char(out, ',');
	buf_put(out, span_cut(&rest, ','));
	buf_put(&message, bare);
	buf_put_char(&message, ',');
	buf_put(&message, server_first);
	buf_put_char(&message, ',');
	buf_put(&message, buf_span(out));
	scram_hmac(span_make(stored, 32), buf_span(&message), signature);
	for (size_t i = 0; i < 32; i++)
		client_key[i] ^= signature[i];
	buf_put_str(out, ",p=");
	base64_put(out, span_make(client_key, 32));
	buf_release(&message);
	buf_release(&first);
}

/* Up to client-final; the answer to it is in the side's last message. */
static void
run_scram(const char *user, struct span password, uint64_t tag)
{
	struct buf in = buf_make(1024), final = buf_make(1024);
	struct far *f = &fix.sides[SMTPD];

	buf_putf(&in, "n,,n=%s,r=clientnonce", user);
	ASK(SMTPD, auth_start, .tag = tag, .has_initial = 1,
	    .client = span_make(client, 16), .mechanism = SPAN("SCRAM-SHA-256"),
	    .initial = buf_span(&in));
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	scram_final(password, SPAN("n,,"), span_after(buf_span(&in), 3),
		    f->last.auth_challenge.challenge, &final);
	ASK(SMTPD, auth_step, .tag = tag, .response = buf_span(&final));
	buf_release(&in);
	buf_release(&final);
}

static void
test_scram_login_and_refusals(void **state)
{
	struct far *f = &fix.sides[SMTPD];

	(void)state;
	run_scram("you@example.org", SPAN("secret"), 1);
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	assert_true(span_starts(f->last.auth_challenge.challenge, SPAN("v=")));
	ASK(SMTPD, auth_step, .tag = 1, .response = SPAN(""));
	expect_done(SMTPD, AUTH_OK);
	assert_int_equal(f->last.auth_done.account, fix.you);
	run_scram("you@example.org", SPAN("wrong"), 2);
	assert_int_equal(f->n, 0);
	pass(2000);
	expect_done(SMTPD, AUTH_FAILED);
	run_scram("nobody@example.org", SPAN("secret"), 3);
	assert_int_equal(f->n, 0);
	pass(4000);
	expect_done(SMTPD, AUTH_FAILED);
	/* Now the site waits for good answers too, already for "v=". */
	run_scram("you@example.org", SPAN("secret"), 4);
	assert_int_equal(f->n, 0);
	pass(4000);
	assert_int_equal(f->last.number, IPC_NUMBER_auth_challenge);
	ASK(SMTPD, auth_step, .tag = 4, .response = SPAN(""));
	expect_done(SMTPD, AUTH_OK);
}

/* ---- addresses */

static const struct ipc_message *
resolve(const char *address, uint64_t size, uint8_t may_relay)
{
	return ASK(SMTPD, resolve, .tag = 5, .size = size, .may_relay = may_relay,
		   .address = span_str(address));
}

static void
test_resolve_outcomes(void **state)
{
	static const struct {
		const char *address;
		uint8_t may_relay;
		enum resolve_outcome want;
		const char *target;
	} rows[] = {
	    {"you@example.org",        0, RESOLVE_OK,        "you@example.org"     },
	    {"You+Shop@example.org",   0, RESOLVE_OK,        "you+shop@example.org"},
	    {"postmaster@example.org", 0, RESOLVE_OK,        "you@example.org"     },
	    {"postmaster",             0, RESOLVE_OK,        "big@example.org"     },
	    {"nobody@example.org",     0, RESOLVE_UNKNOWN,   NULL                  },
	    {"off@example.org",        0, RESOLVE_DISABLED,  NULL                  },
	    {"x@elsewhere.example",    0, RESOLVE_NO_DOMAIN, NULL                  },
	    {"x@elsewhere.example",    1, RESOLVE_OK,        "x@elsewhere.example" },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct ipc_message *m;
		struct cursor list;

		print_message("%s\n", rows[i].address);
		usages_set(fix.authd->usages, fix.big, 0);
		m = resolve(rows[i].address, 0, rows[i].may_relay);
		assert_int_equal(m->number, IPC_NUMBER_resolved);
		assert_int_equal(m->resolved.outcome, rows[i].want);
		list = cursor_make(m->resolved.targets);
		assert_int_equal(target_next(&list, &t), rows[i].target != NULL);
		if (rows[i].target)
			assert_true(span_equal(t.address, span_str(rows[i].target)));
	}
}

static void
test_quota_is_asked_for_and_answered_at_its_limit(void **state)
{
	static const struct {
		uint64_t size;
		enum resolve_outcome want;
	} rows[] = {
	    {99,  RESOLVE_OK  },
            {100, RESOLVE_OK  },
            {101, RESOLVE_FULL}
        };

	(void)state;
	fix.sides[LOCAL].n = 0;
	resolve("big@example.org", 100, 0);
	resolve("big@example.org", 100, 0);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	assert_int_equal(fix.sides[LOCAL].n, 1); /* one question for both */
	assert_int_equal(fix.sides[LOCAL].last.usage_ask.account, fix.big);
	ASK(LOCAL, usage, .account = fix.big, .bytes = 900);
	assert_int_equal(fix.sides[SMTPD].n, 2);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(
		    resolve("big@example.org", rows[i].size, 0)->resolved.outcome,
		    rows[i].want);
	/* A list with one full member still takes mail. */
	ASK(LOCAL, usage, .account = fix.big, .bytes = 1000);
	assert_int_equal(resolve("big@example.org", 0, 0)->resolved.outcome,
			 RESOLVE_FULL);
	assert_int_equal(resolve("all@example.org", 5, 0)->resolved.outcome,
			 RESOLVE_OK);
}

static void
test_quota_that_cannot_be_asked_is_a_later(void **state)
{
	(void)state;
	cut_side(LOCAL);
	resolve("big@example.org", 1, 0);
	pass(2999);
	assert_int_equal(fix.sides[SMTPD].n, 0);
	pass(1);
	assert_int_equal(fix.sides[SMTPD].last.number, IPC_NUMBER_resolved);
	assert_int_equal(fix.sides[SMTPD].last.resolved.outcome, RESOLVE_LATER);
	resolve("big@example.org", 1, 0);
	assert_int_equal(fix.authd->n_questions, 1);
	cut_side(SMTPD);
	assert_int_equal(fix.authd->n_questions, 0);
}

static void
test_sender_belongs_to_the_login(void **state)
{
	static const struct {
		const char *address;
		enum sender_outcome want;
	} rows[] = {
	    {"",		    SENDER_OK       },
	    {"you+x@example.org",   SENDER_OK       },
	    {"big@example.org",     SENDER_NOT_OWNED},
	    {"x@elsewhere.example", SENDER_NOT_OWNED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct ipc_message *m =
		    ASK(SMTPD, sender_check, .tag = i, .account = fix.you,
			.address = span_str(rows[i].address));

		assert_int_equal(m->number, IPC_NUMBER_sender_checked);
		assert_int_equal(m->sender_checked.outcome, rows[i].want);
	}
}

static void
test_admin_operations_over_the_channel(void **state)
{
	struct directory_request list = {.verb = DIRECTORY_ACCOUNT_LIST};
	struct directory_request bad = {.verb = DIRECTORY_ACCOUNT_SHOW,
					.name = SPAN("x@y")};
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	const struct ipc_message *m;

	(void)state;
	directory_request_put(&list, &bytes);
	m = ASK(ADMIN, directory_ask, .tag = 3, .request = buf_span(&bytes));
	assert_int_equal(fix.sides[ADMIN].rows, 3);
	assert_int_equal(m->number, IPC_NUMBER_directory_done);
	assert_int_equal(directory_result_of(m->directory_done.outcome),
			 DIRECTORY_DONE);
	buf_reset(&bytes);
	directory_request_put(&bad, &bytes);
	m = ASK(ADMIN, directory_ask, .tag = 4, .request = buf_span(&bytes));
	assert_int_equal(directory_result_of(m->directory_done.outcome),
			 DIRECTORY_NOT_FOUND);
	buf_release(&bytes);
}

/* ---- the pure parts */

static void
test_penalty_doubles_and_wears_off(void **state)
{
	struct net_key site = {{1}}, other = {{2}};
	struct penalties *p = penalties_new(7);

	(void)state;
	assert_int_equal(penalty_delay_ms(0, 2000, 15000), 0);
	assert_int_equal(penalty_delay_ms(1, 2000, 15000), 2000);
	assert_int_equal(penalty_delay_ms(3, 2000, 15000), 8000);
	assert_int_equal(penalty_delay_ms(4, 2000, 15000), 15000);
	assert_int_equal(penalty_delay_ms(9, 0, 15000), 0);
	for (unsigned i = 0; i < PENALTY_MAX + 2; i++) {
		assert_int_equal(penalties_count(p, site, 1000),
				 i < PENALTY_MAX ? i : PENALTY_MAX);
		penalties_add(p, site, 1000);
	}
	assert_int_equal(penalties_count(p, other, 1000), 0);
	assert_int_equal(penalties_count(p, site, 1000 + PENALTY_FORGET_MS - 1),
			 PENALTY_MAX);
	assert_int_equal(penalties_count(p, site, 1000 + PENALTY_FORGET_MS),
			 PENALTY_MAX - 1);
	assert_int_equal(penalties_count(p, site, 1000 + 20 * PENALTY_FORGET_MS), 0);
	/* More sites than places: the table stays as it is, and works. */
	for (uint32_t i = 0; i < 20000; i++) {
		struct net_key key = {{3}};

		memcpy(key.ip + 1, &i, sizeof(i));
		penalties_add(p, key, 2000);
		assert_int_equal(penalties_count(p, key, 2000), 1);
	}
	penalties_free(&p);
}

static void
test_ticket_is_good_once_and_in_time(void **state)
{
	uint8_t bits[TICKET_BYTES] = {1}, other[TICKET_BYTES] = {2};
	struct tickets t;
	uint64_t account = 0;

	(void)state;
	tickets_init(&t);
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(other, 16), 1, 1000, &account));
	assert_false(tickets_redeem(&t, span_make(bits, 15), 1, 1000, &account));
	assert_true(tickets_redeem(&t, span_make(bits, 16), 1, 10999, &account));
	assert_int_equal(account, 5);
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 10999, &account));
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 11000, &account));
	assert_true(tickets_add(&t, bits, 5, 1, 1000));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 2, 1000, &account));
	assert_false(tickets_redeem(&t, span_make(bits, 16), 1, 1000, &account));
	for (uint32_t i = 0; i <= TICKETS_MAX; i++) {
		memcpy(bits, &i, sizeof(i));
		assert_int_equal(tickets_add(&t, bits, 5, 1, 1000), i < TICKETS_MAX);
	}
	tickets_release(&t);
}

static void
test_usage_table_keeps_what_it_was_told(void **state)
{
	struct usages *u = usages_new();
	uint64_t bytes = 0;

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++)
		usages_set(u, i * 1000, i);
	assert_int_equal(usages_count(u), 5000);
	for (uint64_t i = 1; i <= 5000; i++) {
		assert_int_equal(usages_get(u, i * 1000, 1, &bytes), USAGE_KNOWN);
		assert_int_equal(bytes, i);
	}
	assert_int_equal(usages_get(u, 7, 100, &bytes), USAGE_UNKNOWN);
	assert_int_equal(usages_get(u, 7, 100 + USAGE_AGAIN_MS - 1, &bytes),
			 USAGE_ASKED);
	assert_int_equal(usages_get(u, 7, 100 + USAGE_AGAIN_MS, &bytes), USAGE_UNKNOWN);
	usages_set(u, 7, 70);
	assert_int_equal(usages_get(u, 7, 9999, &bytes), USAGE_KNOWN);
	usages_forget_all(u);
	assert_int_equal(usages_get(u, 7, 9999, &bytes), USAGE_UNKNOWN);
	usages_free(&u);
}

static void
test_good_mark_depends_on_everything(void **state)
{
	static const struct {
		uint64_t account;
		struct net_key site;
		const char *crypt;
		struct span password;
	} rows[] = {
	    {1, {{1}}, "hash",  SPAN("secret") },
            {2, {{1}}, "hash",  SPAN("secret") },
	    {1, {{2}}, "hash",  SPAN("secret") },
            {1, {{1}}, "hasH",  SPAN("secret") },
	    {1, {{1}}, "hash",  SPAN("secret ")},
            {1, {{1}}, "hashs", SPAN("ecret")  },
	};
	uint8_t key[32] = {9};
	struct good *g = good_new(key);
	struct good_mark m;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		good_mark_make(g, rows[i].account, rows[i].site, rows[i].crypt,
			       rows[i].password, &m);
		if (i == 0)
			good_add(g, &m, 1000);
		assert_int_equal(good_has(g, &m, 1000 + GOOD_MS - 1), i == 0);
		assert_false(good_has(g, &m, 1000 + GOOD_MS));
	}
	good_free(&g);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_penalty_doubles_and_wears_off),
	    cmocka_unit_test(test_ticket_is_good_once_and_in_time),
	    cmocka_unit_test(test_usage_table_keeps_what_it_was_told),
	    cmocka_unit_test(test_good_mark_depends_on_everything),
	    WITH(test_plain_login_and_ticket),
	    WITH(test_smtpd_gets_no_ticket),
	    WITH(test_wrong_unknown_and_disabled_are_told_alike),
	    WITH(test_bare_name_means_the_first_domain),
	    WITH(test_site_that_guesses_waits_longer_for_good_answers_too),
	    WITH(test_exempt_client_is_delayed_once_but_not_counted),
	    WITH(test_right_password_is_remembered_until_it_changes),
	    WITH(test_cancel_and_lost_peer_leave_nothing_behind),
	    WITH(test_full_queue_of_checks_answers_later),
	    WITH(test_silent_client_is_given_up),
	    WITH(test_mechanisms_that_are_not_for_this_connection),
	    WITH(test_messages_that_cannot_be_drop_the_peer),
	    WITH(test_scram_login_and_refusals),
	    WITH(test_resolve_outcomes),
	    WITH(test_quota_is_asked_for_and_answered_at_its_limit),
	    WITH(test_quota_that_cannot_be_asked_is_a_later),
	    WITH(test_sender_belongs_to_the_login),
	    WITH(test_admin_operations_over_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, remove_folder);
}
