/* tests/unit/test_pop3d.c - the real pop3d, with the test as authd and as gate */
#include "tests/unit/hosted.h"

#include "common/store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCOUNT 77u
#define ONE     "Subject: one\r\n\r\nfirst\r\n"
#define TWO     "Subject: two\r\n\r\n.a dot\r\n"
#define PREFIX  "Return-Path: <a@example.org>\r\n"
#define BIG     (5u << 20)

struct house {
	struct hosted h;
	struct ipc_peer *gate, *authd;
	bool silent; /* authd does not answer */
	size_t redeemed, told;
	struct ipc_usage usage;
};

/* --- authd --------------------------------------------------------------------- */

static bool
ticket_good(struct span ticket)
{
	return span_equal(ticket, SPAN("good ticket 1234"));
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)fd;
	if (m->number == IPC_NUMBER_usage) {
		house->usage = m->usage;
		house->told++;
	}
	if (m->number != IPC_NUMBER_ticket_redeem)
		return;
	house->redeemed++;
	assert_int_equal(m->ticket_redeem.service, AUTH_SERVICE_POP3);
	if (house->silent)
		return;
	struct ipc_ticket_redeemed answer = {.tag = m->ticket_redeem.tag};
	if (ticket_good(m->ticket_redeem.ticket)) {
		answer.ok = 1;
		answer.account = ACCOUNT;
		answer.address = SPAN("joe@example.org");
	}
	ipc_send_ticket_redeemed(peer, &answer);
}

static const struct ipc_callbacks authd_callbacks = {NULL, to_authd, NULL};
static const struct ipc_callbacks gate_callbacks = {NULL, NULL, NULL};

/* --- the mailbox ------------------------------------------------------------------ */

static void
deliver(struct store_account *account, struct span prefix, struct span content)
{
	struct store_message m = {.mailbox = STORE_INBOX,
				  .content = content,
				  .prefix = prefix,
				  .internal_us = 1,
				  .saved_us = 1};
	struct store_appended got;
	struct err err;

	assert_int_equal(store_batch_begin(account, true, &err), STORE_OK);
	assert_int_equal(store_append(account, &m, &got, &err), STORE_OK);
	assert_int_equal(store_batch_end(account, &err), STORE_OK);
}

static struct span
big_message(void)
{
	static char text[BIG];
	size_t n = (size_t)snprintf(text, sizeof(text), "Subject: big\r\n\r\n");

	while (n + 64 < sizeof(text)) {
		text[n] = n % 7 ? 'x' : '.';
		memset(text + n + 1, 'y', 40);
		memcpy(text + n + 41, "\r\n", 2);
		n += 43;
	}
	return span_make(text, n);
}

static void
fill(const struct hosted *h, bool big, bool sync)
{
	static const struct store_settings settings;
	struct store_account *account;
	struct store *store;
	char root[128];
	struct err err;

	snprintf(root, sizeof(root), "%s/mail", h->folder);
	store = store_new(root, &settings, &err);
	assert_non_null(store);
	assert_int_equal(
	    store_account_open(store, ACCOUNT, STORE_MAY_CREATE, 1, &account, &err),
	    STORE_OK);
	deliver(account, SPAN(PREFIX), SPAN(ONE));
	deliver(account, SPAN(""), SPAN(TWO));
	if (big)
		deliver(account, SPAN(""), big_message());
	if (sync)
		assert_int_equal(store_sync(account, 1, &err), STORE_OK);
	store_account_close(&account);
	store_free(&store);
}

/* --- set up ------------------------------------------------------------------------
 */

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static void
set_up_with(struct house *house, bool big, bool sync, const char *settings)
{
	*house = (struct house){0};
	hosted_folder(&house->h);
	fill(&house->h, big, sync);
	hosted_start(&house->h, IPC_KIND_POP3D, settings);
	/* One after the other: what gate sends first comes behind authd's hello. */
	house->authd = hosted_peer(&house->h, IPC_KIND_AUTHD, &authd_callbacks, house);
	hosted_until(&house->h, is_up, house->authd);
	house->gate = hosted_peer(&house->h, IPC_KIND_GATE, &gate_callbacks, house);
	hosted_until(&house->h, is_up, house->gate);
}

static void
set_up(struct house *house)
{
	set_up_with(house, false, true, "");
}

static void
tear_down(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->gate);
	ipc_peer_free(&house->authd);
	hosted_end(&house->h);
}

static void
send_open(struct house *house, uint64_t account, const char *ticket,
	  const char *pending, int fd)
{
	uint8_t client[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
	struct ipc_session_open m = {.account = account,
				     .client = span_make(client, 16),
				     .ticket = span_str(ticket),
				     .pending = span_str(pending)};

	ipc_send_session_open(house->gate, &m, fd);
	ipc_flush_all();
}

static void
login(struct house *house, struct talker *t, uint64_t account, const char *ticket,
      const char *pending)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	talker_init(t, &house->h, pair[0]);
	send_open(house, account, ticket, pending, pair[1]);
	close(pair[1]);
}

static void
good_login(struct house *house, struct talker *t)
{
	login(house, t, ACCOUNT, "good ticket 1234", "");
	talker_expect(t, " octets\r\n");
}

/* --- tests -------------------------------------------------------------------------
 */

static bool
usage_told(void *context)
{
	return ((struct house *)context)->told > 0;
}

static void
test_pop3d_serves_a_whole_session(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	login(&house, &t, ACCOUNT, "good ticket 1234", "ST");
	talker_expect(&t, "+OK 2 messages in 77 octets\r\n");
	talker_say(&t, "AT\r\n");
	talker_expect(&t, "+OK 2 77\r\n");
	talker_say(&t, "RETR 1\r\nRETR 2\r\nTOP 1 0\r\n");
	talker_expect(&t, "+OK 53 octets\r\n" PREFIX ONE ".\r\n"
			  "+OK 24 octets\r\nSubject: two\r\n\r\n..a dot\r\n.\r\n"
			  "+OK\r\n" PREFIX "Subject: one\r\n\r\n.\r\n");
	talker_say(&t, "DELE 1\r\nQUIT\r\n");
	talker_expect_end(&t, "+OK\r\n+OK bye\r\n");
	talker_release(&t);
	hosted_until(&house.h, usage_told, &house);
	assert_int_equal(house.usage.account, ACCOUNT);
	assert_int_equal(house.usage.messages, 1);
	assert_int_equal(house.usage.bytes, 24);
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect(&t, "+OK 1 messages in 24 octets\r\n");
	talker_release(&t);
	tear_down(&house);
}

/* The store lists what is durable, so a login makes it so. */
static void
test_pop3d_lists_what_was_just_delivered(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up_with(&house, false, false, "");
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect(&t, "+OK 2 messages in 77 octets\r\n");
	talker_release(&t);
	tear_down(&house);
}

static void
test_pop3d_deletes_nothing_without_quit(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	good_login(&house, &t);
	talker_say(&t, "DELE 1\r\nDELE 2\r\n");
	talker_expect(&t, "+OK\r\n+OK\r\n");
	talker_release(&t);
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect(&t, "+OK 2 messages in 77 octets\r\n");
	talker_release(&t);
	assert_int_equal(house.told, 0);
	tear_down(&house);
}

static void
test_pop3d_answers_a_client_that_only_sends(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	login(&house, &t, ACCOUNT, "good ticket 1234", "STAT\r\nQUIT\r\n");
	shutdown(t.fd, SHUT_WR);
	talker_expect_end(&t, "+OK 2 messages in 77 octets\r\n+OK 2 77\r\n+OK bye\r\n");
	talker_release(&t);
	tear_down(&house);
}

/* What a stolen gate could try. */
static void
test_pop3d_believes_only_the_ticket(void **state)
{
	static const struct {
		const char *name;
		uint64_t account;
		const char *ticket;
	} rows[] = {
	    {"a ticket of its own making",        ACCOUNT,     "evil ticket 1234"         },
	    {"no ticket",                         ACCOUNT,     ""                         },
	    {"a long ticket",                     ACCOUNT,     "good ticket 1234 and more"},
	    {"a good ticket for another account", ACCOUNT + 1, "good ticket 1234"         },
	};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		login(&house, &t, rows[i].account, rows[i].ticket, "STAT\r\n");
		talker_expect_end(
		    &t, "-ERR [SYS/TEMP] the mailbox is away, try again later\r\n");
		talker_release(&t);
	}
	tear_down(&house);
}

static void
test_pop3d_survives_a_descriptor_that_is_no_connection(void **state)
{
	int fds[3] = {open("/dev/null", O_RDWR), open("/proc/self/exe", O_RDONLY),
		      socket(AF_INET, SOCK_DGRAM, 0)};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	for (size_t i = 0; i < N_ELEMS(fds); i++) {
		send_open(&house, ACCOUNT, "good ticket 1234", "", fds[i]);
		close(fds[i]);
	}
	good_login(&house, &t);
	assert_int_equal(house.redeemed, 1);
	talker_release(&t);
	tear_down(&house);
}

static void
test_pop3d_limits_sessions_of_one_client(void **state)
{
	enum {
		SESSIONS = 10
	};
	struct talker t[SESSIONS + 1];
	struct house house;

	(void)state;
	set_up(&house);
	for (int i = 0; i < SESSIONS; i++)
		good_login(&house, &t[i]);
	login(&house, &t[SESSIONS], ACCOUNT, "good ticket 1234", "");
	talker_expect_end(&t[SESSIONS],
			  "-ERR [IN-USE] too many sessions of this account\r\n");
	talker_release(&t[SESSIONS]);
	talker_say(&t[0], "QUIT\r\n");
	talker_expect_end(&t[0], "+OK bye\r\n");
	good_login(&house, &t[SESSIONS]);
	for (int i = 0; i <= SESSIONS; i++)
		talker_release(&t[i]);
	tear_down(&house);
}

static bool
was_asked(void *context)
{
	return ((struct house *)context)->redeemed > 0;
}

static void
test_pop3d_without_authd_is_a_temporary_failure(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	house.silent = true;
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	hosted_until(&house.h, was_asked, &house);
	ipc_peer_free(&house.authd);
	talker_expect_end(&t,
			  "-ERR [SYS/TEMP] the mailbox is away, try again later\r\n");
	talker_release(&t);
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect_end(&t,
			  "-ERR [SYS/TEMP] the mailbox is away, try again later\r\n");
	talker_release(&t);
	/* And all is well when it is back. */
	house.silent = false;
	house.authd = hosted_peer(&house.h, IPC_KIND_AUTHD, &authd_callbacks, &house);
	hosted_until(&house.h, is_up, house.authd);
	good_login(&house, &t);
	talker_release(&t);
	tear_down(&house);
}

/* Behind the first line: the message, dots stuffed, and the end. */
static void
check_stuffed(const struct buf *got, struct span want)
{
	struct span rest =
	    span_after(buf_span(got), span_find(buf_span(got), '\n') + 1);
	size_t at = 0;

	while (want.n > 0) {
		struct span line = span_first(want, span_find(want, '\n') + 1);

		at += line.at[0] == '.';
		assert_true(span_equal(span_first(span_after(rest, at), line.n), line));
		at += line.n;
		want = span_after(want, line.n);
	}
	assert_true(span_equal(span_after(rest, at), SPAN(".\r\n+OK\r\n")));
}

static void
test_pop3d_slow_reader_delays_nobody(void **state)
{
	struct span big = big_message();
	struct house house;
	struct talker slow, other;
	struct buf bytes = buf_make(2 * BIG);

	(void)state;
	set_up_with(&house, true, true, "");
	good_login(&house, &slow);
	talker_say(&slow, "RETR 3\r\nNOOP\r\n");
	/* Nobody reads it; another session works meanwhile. */
	good_login(&house, &other);
	for (int i = 0; i < 20; i++) {
		talker_say(&other, "RETR 1\r\n");
		talker_expect(&other, ONE ".\r\n");
	}
	talker_release(&other);
	talker_collect(&slow, "\r\n.\r\n+OK\r\n", &bytes);
	assert_true(span_starts(buf_span(&bytes), SPAN("+OK ")));
	check_stuffed(&bytes, big);
	buf_release(&bytes);
	talker_release(&slow);
	tear_down(&house);
}

static void
test_pop3d_stop_tells_its_clients(void **state)
{
	struct ipc_ctl_drain drain = {0};
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	good_login(&house, &t);
	talker_say(&t, "DELE 1\r\n");
	talker_expect(&t, "+OK\r\n");
	ipc_send_ctl_drain(house.h.master, &drain);
	talker_expect_end(&t,
			  "-ERR [SYS/TEMP] the server stops, nothing was deleted\r\n");
	talker_release(&t);
	tear_down(&house);
}

static void
test_pop3d_silent_client_is_told_and_closed(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up_with(&house, false, true, "pop3_idle_timeout_s = 1\n");
	good_login(&house, &t);
	talker_expect_end(&t, "-ERR you were silent for too long\r\n");
	talker_release(&t);
	tear_down(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pop3d_serves_a_whole_session),
	    cmocka_unit_test(test_pop3d_lists_what_was_just_delivered),
	    cmocka_unit_test(test_pop3d_deletes_nothing_without_quit),
	    cmocka_unit_test(test_pop3d_answers_a_client_that_only_sends),
	    cmocka_unit_test(test_pop3d_believes_only_the_ticket),
	    cmocka_unit_test(test_pop3d_survives_a_descriptor_that_is_no_connection),
	    cmocka_unit_test(test_pop3d_limits_sessions_of_one_client),
	    cmocka_unit_test(test_pop3d_without_authd_is_a_temporary_failure),
	    cmocka_unit_test(test_pop3d_slow_reader_delays_nobody),
	    cmocka_unit_test(test_pop3d_stop_tells_its_clients),
	    cmocka_unit_test(test_pop3d_silent_client_is_told_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
