/* tests/unit/test_pop3d.c - the real pop3d, with the test as authd and as gate */
#include "tests/unit/house.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCOUNT HOUSE_ACCOUNT
#define ONE     "Subject: one\r\n\r\nfirst\r\n"
#define TWO     "Subject: two\r\n\r\n.a dot\r\n"
#define PREFIX  "Return-Path: <a@example.org>\r\n"
#define BIG     (5u << 20)

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
fill(const struct house *house, bool big, bool sync)
{
	struct store *store;
	struct store_account *account = house_mail(house, &store);
	struct err err;

	house_deliver(account, SPAN(PREFIX), SPAN(ONE));
	house_deliver(account, SPAN(""), SPAN(TWO));
	if (big)
		house_deliver(account, SPAN(""), big_message());
	if (sync)
		assert_int_equal(store_sync(account, 1, &err), STORE_OK);
	house_mail_close(&store, &account);
}

static void
set_up_with(struct house *house, bool big, bool sync, const char *settings)
{
	house_init(house, AUTH_SERVICE_POP3);
	fill(house, big, sync);
	house_start(house, IPC_KIND_POP3D, settings);
}

static void
set_up(struct house *house)
{
	set_up_with(house, false, true, "");
}

static void
login(struct house *house, struct talker *t, uint64_t account, const char *ticket,
      const char *pending)
{
	house_login(house, t, account, ticket, "", pending);
}

static void
good_login(struct house *house, struct talker *t)
{
	login(house, t, ACCOUNT, "good ticket 1234", "");
	talker_expect(t, " octets\r\n");
}

/* --- tests ---------------------------------------------------------------- */

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
	hosted_until(&house.h, house_was_told, &house);
	assert_int_equal(house.usage.account, ACCOUNT);
	assert_int_equal(house.usage.messages, 1);
	assert_int_equal(house.usage.bytes, 24);
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect(&t, "+OK 1 messages in 24 octets\r\n");
	talker_release(&t);
	house_stop(&house);
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
	house_stop(&house);
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
	house_stop(&house);
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
	house_stop(&house);
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
	house_stop(&house);
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
		house_open(&house, ACCOUNT, "good ticket 1234", "", "", fds[i]);
		close(fds[i]);
	}
	good_login(&house, &t);
	assert_int_equal(house.redeemed, 1);
	talker_release(&t);
	house_stop(&house);
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
	house_stop(&house);
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
	hosted_until(&house.h, house_was_asked, &house);
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
	house_authd(&house);
	good_login(&house, &t);
	talker_release(&t);
	house_stop(&house);
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
	house_stop(&house);
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
	house_stop(&house);
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
	house_stop(&house);
}

/* Files that the test has made become the program's, too. */
static void
give_away(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	struct stat st;

	assert_non_null(dir);
	assert_int_equal(fstat(dirfd(dir), &st), 0);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			assert_int_equal(
			    fchownat(dirfd(dir), e->d_name, st.st_uid, st.st_gid, 0),
			    0);
	closedir(dir);
}

/* Removes the first message from the disk, so that the others stand elsewhere. */
static void
compact(const struct house *house)
{
	static const struct store_range first = {1, 1};
	struct store_compaction done;
	struct store *store;
	struct store_account *account = house_mail(house, &store);
	struct err err;
	uint64_t n;

	assert_int_equal(store_expunge(account, STORE_INBOX,
				       (struct store_uids){&first, 1}, 1, &n, NULL,
				       &err),
			 STORE_OK);
	assert_int_equal(store_compact(account, 0, 1000000, NULL, NULL, &done, &err),
			 STORE_OK);
	assert_int_equal(done.messages_dropped, 1);
	house_mail_close(&store, &account);
}

static int
lock_open(const struct house *house)
{
	char path[160];
	int lock;

	snprintf(path, sizeof(path), "%s/mail/%02x/%016x/lock", house->h.folder,
		 ACCOUNT, ACCOUNT);
	lock = open(path, O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0 && flock(lock, LOCK_EX) == 0);
	return lock;
}

/* Else a few clients of one account would hold all threads while it is compacted. */
static void
test_pop3d_tells_that_a_mailbox_is_in_use(void **state)
{
	struct house house;
	struct talker t;
	int lock;

	(void)state;
	set_up(&house);
	lock = lock_open(&house);
	login(&house, &t, ACCOUNT, "good ticket 1234", "");
	talker_expect_end(&t,
			  "-ERR [IN-USE] the mailbox is in use, try again later\r\n");
	talker_release(&t);
	close(lock);
	good_login(&house, &t);
	talker_release(&t);
	house_stop(&house);
}

enum {
	BUSY = 8 /* as many as there are threads */
};

/* The other account is served, whoever waits for the lock of the first. */
static void
check_other(struct house *house)
{
	struct talker t;

	login(house, &t, HOUSE_OTHER, HOUSE_OTHER_TICKET, "");
	talker_expect(&t, "+OK 0 messages in 0 octets\r\n");
	talker_say(&t, "QUIT\r\n");
	talker_expect_end(&t, "+OK bye\r\n");
	talker_release(&t);
}

static void
test_pop3d_logins_that_wait_for_a_lock_keep_no_thread(void **state)
{
	struct talker t[BUSY];
	struct house house;
	int lock;

	(void)state;
	set_up(&house);
	lock = lock_open(&house);
	for (int i = 0; i < BUSY; i++)
		login(&house, &t[i], ACCOUNT, HOUSE_TICKET, "");
	check_other(&house);
	close(lock);
	for (int i = 0; i < BUSY; i++) {
		talker_expect(&t[i], "+OK 2 messages in 77 octets\r\n");
		talker_release(&t[i]);
	}
	house_stop(&house);
}

static void
test_pop3d_deletions_that_wait_for_a_lock_keep_no_thread(void **state)
{
	struct talker t[BUSY];
	struct house house;
	int lock;

	(void)state;
	set_up(&house);
	for (int i = 0; i < BUSY; i++)
		good_login(&house, &t[i]);
	lock = lock_open(&house);
	/* QUIT is taken in the turn in which DELE is answered. */
	for (int i = 0; i < BUSY; i++) {
		talker_say(&t[i], "DELE 1\r\nQUIT\r\n");
		talker_expect(&t[i], "+OK\r\n");
	}
	check_other(&house);
	close(lock);
	for (int i = 0; i < BUSY; i++) {
		talker_expect_end(&t[i], "+OK bye\r\n");
		talker_release(&t[i]);
	}
	login(&house, &t[0], ACCOUNT, HOUSE_TICKET, "");
	talker_expect(&t[0], "+OK 1 messages in 24 octets\r\n");
	talker_release(&t[0]);
	house_stop(&house);
}

/* Where a compaction has moved a message can be read with the lock only; who holds it
 * delays nobody else. */
static void
test_pop3d_waits_for_no_lock(void **state)
{
	struct talker t, other;
	struct house house;
	char folder[128];
	int lock;

	(void)state;
	set_up(&house);
	good_login(&house, &t);
	good_login(&house, &other);
	compact(&house);
	snprintf(folder, sizeof(folder), "%s/mail/%02x/%016x", house.h.folder, ACCOUNT,
		 ACCOUNT);
	give_away(folder);
	lock = lock_open(&house);
	talker_say(&t, "RETR 2\r\n");
	talker_expect(&t, "-ERR [SYS/TEMP] it cannot be read now\r\n");
	talker_say(&other, "NOOP\r\n");
	talker_expect(&other, "+OK\r\n");
	close(lock);
	talker_say(&t, "RETR 2\r\nRETR 1\r\nDELE 2\r\nQUIT\r\n");
	talker_expect_end(&t, "+OK 24 octets\r\nSubject: two\r\n\r\n..a dot\r\n.\r\n"
			      "-ERR [SYS/PERM] another session deleted it\r\n"
			      "+OK\r\n+OK bye\r\n");
	talker_release(&t);
	talker_release(&other);
	house_stop(&house);
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
	    cmocka_unit_test(test_pop3d_tells_that_a_mailbox_is_in_use),
	    cmocka_unit_test(test_pop3d_logins_that_wait_for_a_lock_keep_no_thread),
	    cmocka_unit_test(test_pop3d_deletions_that_wait_for_a_lock_keep_no_thread),
	    cmocka_unit_test(test_pop3d_waits_for_no_lock),
	    cmocka_unit_test(test_pop3d_stop_tells_its_clients),
	    cmocka_unit_test(test_pop3d_silent_client_is_told_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
