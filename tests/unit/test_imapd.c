/* tests/unit/test_imapd.c - the real imapd, with the test as authd, gate and local */
#include "tests/unit/house.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ONE  "Subject: one\r\n\r\nfirst\r\n"
#define AWAY "mailboxes are away, try again later\r\n"

/* local, to which imapd says what it watches. */
struct local {
	struct house *house;
	struct ipc_peer *peer;
	size_t n_on, n_off;
};

static void
to_local(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct local *local = context;

	(void)peer;
	(void)fd;
	assert_int_equal(m->number, IPC_NUMBER_account_watch);
	assert_int_equal(m->account_watch.account, HOUSE_ACCOUNT);
	*(m->account_watch.on ? &local->n_on : &local->n_off) += 1;
}

static void
local_start(struct local *local, struct house *house)
{
	static const struct ipc_callbacks callbacks = {NULL, to_local, NULL};

	*local = (struct local){.house = house};
	local->peer = hosted_peer(&house->h, IPC_KIND_LOCAL, &callbacks, local);
	hosted_until(&house->h, house_is_up, local->peer);
}

static bool
is_watched(void *context)
{
	return ((struct local *)context)->n_on > 0;
}

static bool
is_unwatched(void *context)
{
	return ((struct local *)context)->n_off > 0;
}

/* What local does: append, sync, say so. */
static void
local_deliver(struct local *local)
{
	struct ipc_account_changed m = {.account = HOUSE_ACCOUNT};
	struct store *store;
	struct store_account *account = house_mail(local->house, &store);
	struct err err;

	house_deliver(account, SPAN(""), SPAN(ONE));
	assert_int_equal(store_sync(account, 1, &err), STORE_OK);
	m.modseq = store_position(account);
	house_mail_close(&store, &account);
	if (!local->peer)
		return;
	ipc_send_account_changed(local->peer, &m);
	ipc_flush_all();
}

static void
set_up(struct house *house, const char *settings)
{
	house_init(house, AUTH_SERVICE_IMAP);
	house_start(house, IPC_KIND_IMAPD, settings);
}

static void
login(struct house *house, struct talker *t)
{
	house_login(house, t, HOUSE_ACCOUNT, HOUSE_TICKET, "tag", "");
	talker_expect(t, "] Logged in\r\n");
}

static void
select_inbox(struct talker *t)
{
	talker_say(t, "s SELECT INBOX\r\n");
	talker_expect(t, "s OK [READ-WRITE] SELECT completed\r\n");
}

/* --- tests ---------------------------------------------------------------- */

static void
test_imapd_answers_the_tag_of_the_login(void **state)
{
	struct house house;
	struct talker t;
	struct buf got = buf_make(4096);

	(void)state;
	set_up(&house, "");
	house_login(&house, &t, HOUSE_ACCOUNT, HOUSE_TICKET, "a.17", "b NO");
	talker_collect(&t, "] Logged in\r\n", &got);
	assert_true(
	    span_starts(buf_span(&got), SPAN("a.17 OK [CAPABILITY IMAP4rev1 ")));
	talker_say(&t, "OP\r\n");
	talker_expect(&t, "b OK NOOP completed\r\n");
	talker_say(&t, "c LOGOUT\r\n");
	talker_expect_end(&t, "c OK LOGOUT completed\r\n");
	talker_release(&t);
	buf_release(&got);
	house_stop(&house);
}

static void
test_imapd_lists_what_was_just_delivered(void **state)
{
	struct house house;
	struct store *store;
	struct store_account *account;
	struct talker t;

	(void)state;
	house_init(&house, AUTH_SERVICE_IMAP);
	account = house_mail(&house, &store);
	house_deliver(account, SPAN(""), SPAN(ONE));
	house_mail_close(&store, &account);
	house_start(&house, IPC_KIND_IMAPD, "");
	login(&house, &t);
	talker_say(&t, "a STATUS INBOX (MESSAGES)\r\n");
	talker_expect(&t, "* STATUS INBOX (MESSAGES 1)\r\na OK STATUS completed\r\n");
	talker_release(&t);
	house_stop(&house);
}

/* What a stolen gate could try. */
static void
test_imapd_believes_only_the_ticket(void **state)
{
	static const struct {
		const char *name;
		uint64_t account;
		const char *ticket;
	} rows[] = {
	    {"a ticket of its own making",        HOUSE_ACCOUNT,     "evil ticket 1234"},
	    {"no ticket",                         HOUSE_ACCOUNT,     ""                },
	    {"a good ticket for another account", HOUSE_ACCOUNT + 1, HOUSE_TICKET      },
	};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		house_login(&house, &t, rows[i].account, rows[i].ticket, "x",
			    "b SELECT INBOX\r\n");
		talker_expect_end(&t, "x NO [UNAVAILABLE] " AWAY "* BYE " AWAY);
		talker_release(&t);
	}
	house_stop(&house);
}

static void
test_imapd_survives_a_descriptor_that_is_no_connection(void **state)
{
	int fds[2] = {open("/dev/null", O_RDWR), socket(AF_INET, SOCK_DGRAM, 0)};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "");
	for (size_t i = 0; i < N_ELEMS(fds); i++) {
		house_open(&house, HOUSE_ACCOUNT, HOUSE_TICKET, "x", "", fds[i]);
		close(fds[i]);
	}
	login(&house, &t);
	assert_int_equal(house.redeemed, 1);
	talker_release(&t);
	house_stop(&house);
}

static void
test_imapd_limits_sessions_of_one_client(void **state)
{
	enum {
		SESSIONS = 10
	};
	struct talker t[SESSIONS + 1];
	struct house house;

	(void)state;
	set_up(&house, "");
	for (int i = 0; i < SESSIONS; i++)
		login(&house, &t[i]);
	house_login(&house, &t[SESSIONS], HOUSE_ACCOUNT, HOUSE_TICKET, "x", "");
	talker_expect_end(&t[SESSIONS],
			  "x NO [LIMIT] too many sessions of this account\r\n"
			  "* BYE too many sessions of this account\r\n");
	talker_release(&t[SESSIONS]);
	talker_say(&t[0], "a LOGOUT\r\n");
	talker_expect_end(&t[0], "a OK LOGOUT completed\r\n");
	login(&house, &t[SESSIONS]);
	for (int i = 0; i <= SESSIONS; i++)
		talker_release(&t[i]);
	house_stop(&house);
}

static void
test_imapd_without_authd_is_a_temporary_failure(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "");
	house.silent = true;
	house_login(&house, &t, HOUSE_ACCOUNT, HOUSE_TICKET, "x", "");
	hosted_until(&house.h, house_was_asked, &house);
	ipc_peer_free(&house.authd);
	talker_expect_end(&t, "x NO [UNAVAILABLE] " AWAY "* BYE " AWAY);
	talker_release(&t);
	house.silent = false;
	house_authd(&house);
	login(&house, &t);
	talker_release(&t);
	house_stop(&house);
}

static void
test_imapd_tells_an_idling_client_of_a_delivery(void **state)
{
	struct house house;
	struct local local;
	struct talker t;

	(void)state;
	set_up(&house, "");
	local_start(&local, &house);
	login(&house, &t);
	hosted_until(&house.h, is_watched, &local);
	select_inbox(&t);
	talker_say(&t, "i IDLE\r\n");
	talker_expect(&t, "+ idling\r\n");
	for (int i = 1; i <= 3; i++) {
		char want[64];

		local_deliver(&local);
		snprintf(want, sizeof(want), "* %d EXISTS\r\n* %d RECENT\r\n", i, i);
		talker_expect(&t, want);
	}
	talker_say(&t, "DONE\r\na LOGOUT\r\n");
	talker_expect_end(&t, "a OK LOGOUT completed\r\n");
	talker_release(&t);
	hosted_until(&house.h, is_unwatched, &local);
	ipc_peer_free(&local.peer);
	house_stop(&house);
}

/* A local that came up anew knows nothing of what was watched. */
static void
test_imapd_watches_again_at_a_new_local(void **state)
{
	struct house house;
	struct local local;
	struct talker t;

	(void)state;
	set_up(&house, "");
	local_start(&local, &house);
	login(&house, &t);
	hosted_until(&house.h, is_watched, &local);
	ipc_peer_free(&local.peer);
	local_start(&local, &house);
	hosted_until(&house.h, is_watched, &local);
	talker_release(&t);
	ipc_peer_free(&local.peer);
	house_stop(&house);
}

static void
test_imapd_tells_sessions_of_each_other(void **state)
{
	struct house house;
	struct talker one, other;

	(void)state;
	set_up(&house, "");
	login(&house, &one);
	login(&house, &other);
	select_inbox(&one);
	select_inbox(&other);
	talker_say(&one, "i IDLE\r\n");
	talker_expect(&one, "+ idling\r\n");
	talker_say(&other, "a APPEND INBOX {3+}\r\nx\r\n\r\n");
	talker_expect(&one, "* 1 EXISTS\r\n* 0 RECENT\r\n");
	talker_expect(&other, "] APPEND completed\r\n");
	talker_say(&other, "b STORE 1 +FLAGS (\\Deleted)\r\n");
	talker_expect(&one, "* 1 FETCH (FLAGS (\\Deleted))\r\n");
	talker_say(&other, "c EXPUNGE\r\n");
	talker_expect(&one, "* 1 EXPUNGE\r\n");
	talker_expect(&other, "c OK EXPUNGE completed\r\n");
	hosted_until(&house.h, house_was_told, &house);
	talker_release(&one);
	talker_release(&other);
	house_stop(&house);
}

/* Accounts stay open for a while: what was delivered meanwhile is seen all the same. */
static void
test_imapd_sees_what_came_between_two_sessions(void **state)
{
	struct house house;
	struct local nobody = {.house = &house};
	struct talker t;

	(void)state;
	set_up(&house, "");
	login(&house, &t);
	talker_say(&t, "a LOGOUT\r\n");
	talker_expect_end(&t, "a OK LOGOUT completed\r\n");
	talker_release(&t);
	local_deliver(&nobody);
	login(&house, &t);
	talker_say(&t, "a STATUS INBOX (MESSAGES)\r\n");
	talker_expect(&t, "* STATUS INBOX (MESSAGES 1)\r\na OK STATUS completed\r\n");
	talker_release(&t);
	house_stop(&house);
}

static void
test_imapd_slow_reader_delays_nobody(void **state)
{
	enum {
		FETCHES = 20000
	};
	struct house house;
	struct local nobody = {.house = &house};
	struct talker slow, other;

	(void)state;
	set_up(&house, "");
	login(&house, &slow);
	local_deliver(&nobody);
	select_inbox(&slow);
	for (int i = 0; i < FETCHES / 100; i++) {
		char line[100 * 20] = "";
		size_t n = 0;

		for (int j = 0; j < 100; j++)
			n += (size_t)snprintf(line + n, sizeof(line) - n,
					      "a FETCH 1 FLAGS\r\n");
		if (write(slow.fd, line, n) < (ssize_t)n)
			break; /* imapd reads no more of it either */
	}
	login(&house, &other);
	for (int i = 0; i < 20; i++) {
		talker_say(&other, "b NOOP\r\n");
		talker_expect(&other, "b OK NOOP completed\r\n");
	}
	talker_release(&other);
	talker_release(&slow);
	house_stop(&house);
}

static void
test_imapd_stop_tells_its_clients(void **state)
{
	struct ipc_ctl_drain drain = {0};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "");
	login(&house, &t);
	select_inbox(&t);
	talker_say(&t, "i IDLE\r\n");
	talker_expect(&t, "+ idling\r\n");
	ipc_send_ctl_drain(house.h.master, &drain);
	talker_expect_end(&t, "* BYE [UNAVAILABLE] The server is stopping\r\n");
	talker_release(&t);
	house_stop(&house);
}

static void
test_imapd_silent_client_is_told_and_closed(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "imap_idle_timeout_s = 1\n");
	login(&house, &t);
	talker_expect_end(&t, "* BYE Nothing came for too long\r\n");
	talker_release(&t);
	house_stop(&house);
}

static void
test_imapd_answers_a_client_that_only_sends(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "");
	house_login(&house, &t, HOUSE_ACCOUNT, HOUSE_TICKET, "x",
		    "a NOOP\r\nb STATUS INBOX (MESSAGES)\r\n");
	shutdown(t.fd, SHUT_WR);
	talker_expect_end(&t,
			  "* STATUS INBOX (MESSAGES 0)\r\nb OK STATUS completed\r\n");
	talker_release(&t);
	house_stop(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_imapd_answers_the_tag_of_the_login),
	    cmocka_unit_test(test_imapd_lists_what_was_just_delivered),
	    cmocka_unit_test(test_imapd_believes_only_the_ticket),
	    cmocka_unit_test(test_imapd_survives_a_descriptor_that_is_no_connection),
	    cmocka_unit_test(test_imapd_limits_sessions_of_one_client),
	    cmocka_unit_test(test_imapd_without_authd_is_a_temporary_failure),
	    cmocka_unit_test(test_imapd_tells_an_idling_client_of_a_delivery),
	    cmocka_unit_test(test_imapd_watches_again_at_a_new_local),
	    cmocka_unit_test(test_imapd_tells_sessions_of_each_other),
	    cmocka_unit_test(test_imapd_sees_what_came_between_two_sessions),
	    cmocka_unit_test(test_imapd_slow_reader_delays_nobody),
	    cmocka_unit_test(test_imapd_stop_tells_its_clients),
	    cmocka_unit_test(test_imapd_silent_client_is_told_and_closed),
	    cmocka_unit_test(test_imapd_answers_a_client_that_only_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
